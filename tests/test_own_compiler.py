"""The compiler of npuninja's own modules: what configure.py found, else what toolchain.toml names, else the
package, else clang.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
import wasmtime
import ziglang
from build_project import Project, make_tool

from npuninja.build_places import BUILD_FILE, BUILD_VARIABLE, COMPILERS, MAKEFILE
from npuninja.emulator import engine_module
from npuninja.errors import Location, ToolError
from npuninja.own_compiler import OWN_COMPILERS, compilers_text, own_compiler

ZIG = Path(ziglang.__file__).parent / "zig"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no clang on PATH."""
    monkeypatch.delenv(BUILD_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def settings(folder: Path, text: str) -> None:
    (folder / "toolchain.toml").write_text(text, encoding="utf-8")


def found(folder: Path, places: Mapping[str, Location] | None = None, **tools: object) -> None:
    """What configure.py leaves in a build folder."""
    folder.mkdir(exist_ok=True)
    paths = {name: str(tools[name]) if name in tools else False for name in OWN_COMPILERS}
    (folder / COMPILERS).write_text(compilers_text(paths, places or {}), encoding="utf-8")


def clang_of(folder: Path) -> None:
    """clang and wasm-ld that are those inside Zig, under the names that distributions give them."""
    program(folder / "bin" / "clang-19", f'exec {shlex.quote(str(ZIG))} clang "$@"')
    program(folder / "bin" / "wasm-ld-19", f'exec {shlex.quote(str(ZIG))} wasm-ld "$@"')


def test_the_package_comes_first(folder: Path) -> None:
    clang_of(folder)
    settings(folder, '# ziglang = "/opt/zig/zig"\n[tools]\nninja = "ninja"\n')
    found = own_compiler()
    assert found.compile == (str(ZIG), "cc")
    assert found.link == (str(ZIG), "wasm-ld")
    assert found.is_zig


def test_a_pin_is_obeyed_in_every_folder_of_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zig = program(folder / "project" / "own" / "zig")
    settings(folder / "project", '[tools]\nziglang = "own/zig"\n')
    inside = folder / "project" / "a" / "b"
    inside.mkdir(parents=True)
    for place in (folder / "project", inside):
        monkeypatch.chdir(place)
        assert own_compiler().compile == (str(zig), "cc"), place
    monkeypatch.chdir(folder)
    assert own_compiler().compile == (str(ZIG), "cc")


def test_another_file_under_the_pinned_path_is_another_compiler(folder: Path) -> None:
    zig = program(folder / "zig", "exit 0")
    settings(folder, f'[tools]\nziglang = "{zig}"\n')
    first = own_compiler().version
    program(zig, "exit 0 # newer")
    assert own_compiler().version != first


@pytest.mark.parametrize("text", ["[tools]\nziglang = false\n", "tools.ziglang = false\n"])
def test_clang_takes_over_where_ziglang_is_not_to_be_used(folder: Path, text: str) -> None:
    clang_of(folder)
    settings(folder, text)
    found = own_compiler()
    assert found.compile == (str(folder / "bin" / "clang-19"),)
    assert found.link == (str(folder / "bin" / "wasm-ld-19"),)
    assert not found.is_zig


def test_clang_may_be_pinned_too(folder: Path) -> None:
    clang, linker = program(folder / "c" / "clang"), program(folder / "c" / "wasm-ld")
    settings(folder, f'[tools]\nziglang = false\nclang = "{clang}"\nwasm-ld = "{linker}"\n')
    assert (own_compiler().compile, own_compiler().link) == ((str(clang),), (str(linker),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tools]\nziglang = false\n", "ziglang is not to be used, and there is no clang with wasm-ld"),
        ('[tools]\nziglang = "gone/zig"\n', "gone/zig as ziglang, and there is no such file"),
        ("[tools\nziglang = false\n", "toolchain.toml is not TOML"),
    ],
)
def test_what_is_not_there_is_reported(folder: Path, text: str, message: str) -> None:
    settings(folder, text)
    with pytest.raises(ToolError) as raised:
        own_compiler()
    assert message in raised.value.message


def test_without_the_package_and_clang_both_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolError, match="ziglang is missing, and there is no clang with wasm-ld") as raised:
        own_compiler()
    assert raised.value.hint == "pip install ziglang, or clang and lld 14 or newer"


def test_the_engine_is_made_by_clang(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clang_of(folder)
    settings(folder, "[tools]\nziglang = false\n")
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(folder / "cache"))
    module = engine_module.load_engine(wasmtime.Engine())
    assert "reset_array" in [export.name for export in module.exports]


@pytest.mark.parametrize(
    ("tools", "places", "message", "place"),
    [
        (
            {"ziglang": "/gone/zig"},
            {"ziglang": Location("/project/other.toml", 2, 1)},
            "[tools] names /gone/zig as ziglang, and there is no such file",
            "/project/other.toml:2:1",
        ),
        (
            {"ziglang": "/gone/zig"},
            {},
            "the last configure found ziglang at /gone/zig, and there is no such file",
            "build/compilers.json",
        ),
        (
            {},
            {},
            "the last configure found neither a usable ziglang nor clang with wasm-ld",
            "build/compilers.json",
        ),
    ],
)
def test_a_compiler_that_configure_found_has_no_silent_successor(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tools: dict[str, str],
    places: dict[str, Location],
    message: str,
    place: str,
) -> None:
    clang_of(folder)
    found(folder / "build", places, **tools)
    monkeypatch.chdir(folder / "build")
    with pytest.raises(ToolError) as raised:
        own_compiler()
    assert message in raised.value.message
    assert str(raised.value.location) == str(folder / place)


@pytest.mark.parametrize("text", ["", "[]", '{"tools": {}, "places": {}}', '{"tools": 1}'])
def test_a_damaged_file_of_a_build_says_where_it_is(folder: Path, text: str) -> None:
    (folder / COMPILERS).write_text(text, encoding="utf-8")
    with pytest.raises(ToolError, match=r"not what configure\.py wrote") as raised:
        own_compiler()
    assert str(raised.value.location) == str(folder / COMPILERS)


def test_the_package_that_configure_found_is_the_package(folder: Path) -> None:
    """What it has compiled outside of projects is in the cache under the same name."""
    outside = own_compiler()
    found(folder, ziglang=ZIG)
    assert own_compiler() == outside


def test_what_counts_is_of_the_build_that_is_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = folder / "project"
    zigs = {name: program(folder / name / "zig") for name in ("build", "one", "two", "pinned")}

    def meant() -> str:
        return Path(own_compiler().compile[0]).parent.name

    (project / "mlir").mkdir(parents=True)
    monkeypatch.chdir(project / "mlir")
    found(project / "one", ziglang=zigs["one"])
    assert meant() == "one"  # the only one
    settings(project, f'[tools]\nziglang = "{zigs["pinned"]}"\n')
    found(project / "two", ziglang=zigs["two"])
    assert meant() == "pinned"  # neither of two
    found(project / "build", ziglang=zigs["build"])
    for file in (BUILD_FILE, MAKEFILE):
        (project / file).touch()
        assert meant() == "build", file  # the project's own
        (project / file).unlink()
    monkeypatch.setenv(BUILD_VARIABLE, str(project / "two"))
    assert meant() == "two"
    monkeypatch.delenv(BUILD_VARIABLE)
    (project / "two" / "sub").mkdir()
    monkeypatch.chdir(project / "two" / "sub")
    assert meant() == "two"


WAYS = [
    # options, toolchain.toml, other.toml, the program that compiles
    ((), '[tools]\nziglang = "{mine}"\n', "", "mine"),
    (("--toolchain", "other.toml"), "", '[tools]\nziglang = "{mine}"\n', "mine"),
    (("--toolchain", "other.toml"), '[tools]\nziglang = "{mine}"\n', "", "package"),
    (("--preset", "one"), '[preset.one.tools]\nziglang = "{mine}"\n', "", "mine"),
    ((), '[preset.one.tools]\nziglang = "{mine}"\n', "", "package"),
    ((), "[tools]\nziglang = false\n", "", "clang"),
    (("--toolchain", "other.toml"), "", "[tools]\nziglang = false\n", "clang"),
    (("--preset", "one"), "[preset.one.tools]\nclang = false\n", "", "package"),
    ((), "", "", "package"),
]


@pytest.mark.parametrize(("options", "text", "other", "expected"), WAYS)
@pytest.mark.parametrize("build", [(), ("-B", "out")])
def test_the_compiler_is_the_one_that_configure_found(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    build: tuple[str, ...],
    options: tuple[str, ...],
    text: str,
    other: str,
    expected: str,
) -> None:
    """In the folder where Ninja runs commands, in that of the outputs, and in the project."""
    mine = make_tool(project.folder.parent / "mine" / "zig", "0.17.1")
    make_tool(project.tools / "clang", "clang version 19.1.7")
    make_tool(project.tools / "wasm-ld", "Debian LLD 19.1.7")
    project.write("toolchain.toml", text.format(mine=mine))
    project.write("other.toml", other.format(mine=mine))
    programs = {"mine": mine, "package": ZIG, "clang": project.tools / "clang"}
    project.configure(*build, *options)
    monkeypatch.delenv(BUILD_VARIABLE, raising=False)
    for place in (project.folder, project.folder / (build or ("", "build"))[1]):
        monkeypatch.chdir(place)
        assert own_compiler().compile[0] == str(programs[expected]), place
    if expected == "mine":
        mine.unlink()
        with pytest.raises(ToolError, match=r"names .*zig as ziglang, and there is no such file") as raised:
            own_compiler()
        where = project.folder / ("other.toml" if other else "toolchain.toml")
        assert str(raised.value.location) == f"{where}:2:1"
