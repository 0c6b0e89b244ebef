"""The compiler of npuninja's own modules is that which toolchain.toml names, else the package, else clang."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import wasmtime
import ziglang

from npuninja.emulator import engine_module
from npuninja.errors import ToolError
from npuninja.own_compiler import own_compiler

ZIG = Path(ziglang.__file__).parent / "zig"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no clang on PATH."""
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


def test_a_pin_is_obeyed_in_every_folder_of_the_project_and_in_its_build_folders(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zig = program(folder / "project" / "own" / "zig")
    settings(folder / "project", '[tools]\nziglang = "own/zig"\n')
    inside, outside = folder / "project" / "a" / "b", folder / "elsewhere"
    inside.mkdir(parents=True)
    outside.mkdir()
    (outside / "config.toml").write_text('project = "../project"\n', encoding="utf-8")
    for place in (folder / "project", inside, outside):
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
def test_clang_stands_in_where_ziglang_is_not_to_be_used(folder: Path, text: str) -> None:
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
def test_what_is_not_there_is_told(folder: Path, text: str, message: str) -> None:
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
