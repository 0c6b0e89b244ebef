"""`npuninja init`, and the project that it makes: with this checkout, and from an installed wheel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT

from npuninja.commands.completion import candidates
from npuninja.errors import UserError
from npuninja.new_project.write import DEVICES, TEMPLATES, write_project


def run(folder: Path, *command: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def npuninja(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-m", "npuninja", *words, code=code)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("template", ["passthrough", "vector", "gemm", "python"])
def test_a_new_project_builds_and_is_right(tmp_path: Path, template: str, device: str) -> None:
    printed = npuninja(tmp_path, "init", "my project", "--template", template, "--device", device).stdout
    assert "next: cd 'my project' && python configure.py && ninja && ninja run" in printed
    project = tmp_path / "my project"
    run(project, sys.executable, "configure.py", "--werror")
    said = run(project, str(Path(sys.executable).parent / "ninja"), "run").stdout
    assert "elements are right" in said
    assert f"{TEMPLATES[template][0]} on emu" in said


def test_the_verbs_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npuninja(tmp_path, "init", "one")
    project = tmp_path / "one"
    listed = json.loads(npuninja(project, "list", "--json").stdout)
    assert [design["name"] for design in listed["designs"]] == ["passthrough"]
    # From a folder of the project, by name; what is not configured is.
    said = npuninja(project / "kernels", "run", "passthrough", "--verify").stdout
    assert "all 262144 elements are right" in said
    assert "there is no design 'pasthrough'" in npuninja(project, "run", "pasthrough", code=2).stderr
    npuninja(project, "build", "-q")
    npuninja(project, "-q", "configure")
    said = npuninja(project, "watch", "--count", "1").stdout
    assert "all 262144 elements are right" in said
    assert "passthrough: good" in said
    (project / "host/passthrough.py").write_text("def reference(inputs):\n    oh no\n", encoding="utf-8")
    assert "passthrough: exit code" in npuninja(project, "watch", "--count", "1", code=2).stdout
    monkeypatch.chdir(project)
    assert candidates("npuninja run pa", "pa") == ["passthrough"]
    assert candidates("npuninja in", "in") == ["init", "inspect"]
    assert "--template" in candidates("npuninja init --t", "--t")
    npuninja(project, "clean", "--all")
    assert not (project / "build.ninja").exists()
    assert "is no project" in npuninja(tmp_path, "build", code=2).stderr


def test_verbs_know_other_build_folders_and_names_of_designs(tmp_path: Path) -> None:
    """The only build folder of a project is found, from within it too; of several, -B says which."""
    npuninja(tmp_path, "init", "one")
    project = tmp_path / "one"
    npuninja(project, "configure", "-B", "out of here")
    outputs = project / "out of here"
    said = npuninja(outputs, "run", "passthrough", "--verify").stdout
    assert "all 262144 elements are right" in said
    assert "of 65536" in npuninja(project, "size").stdout
    assert "out of here/" in npuninja(project, "inspect", "passthrough").stdout.splitlines()[0]
    assert "passthrough.html" in npuninja(project / "mlir", "report").stdout
    assert (outputs / "report/passthrough.html").is_file()
    npuninja(project, "graph", "passthrough", "-o", "graph.svg")
    assert "core_link" in (project / "graph.svg").read_text(encoding="utf-8")
    npuninja(project, "lower", "passthrough", "-o", "low")
    assert (project / "low/insts.bin").is_file()
    assert not (project / "build.ninja").exists()
    npuninja(project, "-B", "second", "configure")
    assert "has several build folders: out of here, second" in npuninja(project, "build", code=2).stderr
    npuninja(project, "-B", "second", "list")
    npuninja(project, "-B", "second", "clean", "--all")
    assert not (project / "second").exists()
    assert "npuninja size: unrecognized arguments: --no" in npuninja(project, "size", "--no", code=2).stderr


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "toolchain.toml").write_text("# mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"there is already toolchain\.toml"):
        write_project(str(tmp_path), "gemm", "npu1")
    assert [path.name for path in tmp_path.iterdir()] == ["toolchain.toml"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_files_of_editors_are_what_they_are_called(tmp_path: Path, template: str) -> None:
    made = write_project(str(tmp_path), template, "npu2")
    for name in made.files:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not re.search(r"@[A-Z_]+@", text), name
        if name.endswith(".json"):
            json.loads(text)
        if name.endswith(".py"):
            compile(text, name, "exec")
    assert len((tmp_path / "configure.py").read_text(encoding="utf-8").splitlines()) == 3
    assert "npu1" not in "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "mlir").iterdir())
    assert {".gitignore", ".clangd", ".editorconfig", ".vscode/tasks.json"} <= set(made.files)


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as content:
        return sorted(content.namelist())


def wheel_of(source: Path, folder: Path) -> Path:
    """The wheel that pip makes of a folder or of an sdist."""
    words = ("pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder), str(source))
    subprocess.run([sys.executable, "-m", *words], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_an_installed_wheel_is_all_one_needs(tmp_path: Path) -> None:
    """An sdist, the wheel of it (that of the sources), and the packages that it asks for, in a folder with
    blanks: init, configure, ninja, ninja test, ninja report.
    """
    code = f"from flit_core.buildapi import build_sdist; print(build_sdist({str(tmp_path)!r}))"
    sdist = tmp_path / run(ROOT, sys.executable, "-c", code).stdout.strip()
    wheel = wheel_of(sdist, tmp_path / "of the sdist")
    code = f"from flit_core.buildapi import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    assert names_in(wheel) == names_in(tmp_path / run(ROOT, sys.executable, "-c", code).stdout.strip())
    environment = tmp_path / "a venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    # What the wheel asks for is there already; it is not fetched again.
    (packages / "beside.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--no-deps", "-q", str(wheel)], check=True)
    ninja = environment / "bin" / "ninja"
    ninja.symlink_to(Path(sys.executable).parent / "ninja")  # where its package would put it
    folder = tmp_path / "an empty: folder"
    folder.mkdir()
    clean = {"PYTHONPATH": "", "VIRTUAL_ENV": "", "PATH": f"{environment}/bin:/usr/bin:/bin"}
    where = run(folder, str(python), "-c", "import npuninja; print(npuninja.__file__)", **clean).stdout
    assert str(environment) in where
    run(folder, str(environment / "bin" / "npuninja"), "init", "de mo", "--template", "gemm", **clean)
    project = folder / "de mo"
    run(project, str(python), "configure.py", **clean)
    run(project, str(ninja), **clean)
    run(project, str(ninja), "test", **clean)
    run(project, str(ninja), "report", **clean)
    assert "data-core" in (project / "build/report/gemm.html").read_text(encoding="utf-8")
    suite = ElementTree.parse(project / "build" / "test" / "junit.xml").getroot()
    assert [case.get("name") for case in suite.iter("testcase")] == ["gemm"]
