"""A configure without a change plans nothing, and every change is seen."""

import os
from itertools import pairwise

import pytest
from build_project import Project, make_tool
from conftest import ROOT
from test_layers import imported_in, module_name

from npuninja.configure.planned import NOT_OF_PLANNING, Planned, modules_stamp

WRITTEN = ["build.ninja", ".build.ninja.d", "compile_commands.json", "build/graph.json"]


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    (folder / "plan").mkdir(parents=True)
    (folder / "plan/recipe.py").write_text("1", encoding="utf-8")
    return folder


def test_what_is_remembered_holds_until_a_cause_or_a_file_changes(tmp_path, package):
    written = tmp_path / "build.ninja"
    written.write_text("text", encoding="utf-8")

    def planned(causes: str) -> Planned:
        return Planned(str(tmp_path), causes, modules_stamp(str(package)))

    assert not planned("a 1").still_holds()
    planned("a 1").remember([str(written)])
    assert planned("a 1").still_holds()
    assert not planned("a 2").still_holds()
    assert not planned("a 1 ").still_holds()
    (package / "plan/recipe.py").write_text("12", encoding="utf-8")
    assert not planned("a 1").still_holds()
    planned("a 1").remember([str(written)])
    assert planned("a 1").still_holds()
    written.unlink()
    assert not planned("a 1").still_holds()


@pytest.mark.parametrize("content", ["", "[]", '{"causes": 1}', '{"causes": "", "files": 3}'])
def test_a_damaged_memory_holds_nothing(tmp_path, content):
    (tmp_path / "planned.json").write_text(content, encoding="utf-8")
    assert not Planned(str(tmp_path), "", "").still_holds()


def test_a_second_configure_does_not_plan(project: Project):
    project.configure()
    times = {name: os.stat(project.folder / name).st_mtime_ns for name in WRITTEN}
    memory = (project.folder / "build/planned.json").read_text(encoding="utf-8")
    project.environment["PYTHONHASHSEED"] = "7"
    assert "build.ninja unchanged" in project.configure().stdout
    assert (project.folder / "build/planned.json").read_text(encoding="utf-8") == memory
    assert {name: os.stat(project.folder / name).st_mtime_ns for name in WRITTEN} == times


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_that_was_touched_is_written_again(project: Project, name):
    project.configure()
    before = (project.folder / name).read_bytes()
    with (project.folder / name).open("a", encoding="utf-8") as stream:
        stream.write("# by hand\n")
    project.configure()
    assert (project.folder / name).read_bytes() == before
    (project.folder / name).unlink()
    project.configure()
    assert (project.folder / name).read_bytes() == before


def test_changes_of_every_kind_are_planned(project: Project):
    def text() -> str:
        project.configure()
        return (project.folder / "build.ninja").read_text(encoding="utf-8")

    # On a machine without bootgen too, another provider makes the device image.
    bootgen = make_tool(project.tools / "bootgen", "****** Xilinx Bootgen v2022.2")
    project.write("toolchain.toml", f'[tools]\nbootgen = "{bootgen}"\n')
    texts = [text()]
    (project.folder / "host/gain.py").unlink()
    texts.append(text())
    project.write("toolchain.toml", '[providers]\npdi = "embedded"\n[preset.one]\ndevice = "npu1_1col"\n')
    texts.append(text())
    project.write("kernels/gain/more.c", "int more;\n")
    project.edit("mlir/gain.mlir", '"gain.o"', '"more.o"')
    texts.append(text())
    project.write("build.ninja.in", "# mine\n" + (ROOT / "build.ninja.in").read_text(encoding="utf-8"))
    texts.append(text())
    assert all(one != two for one, two in pairwise(texts))


def test_folders_that_are_not_looked_at_are_loaded_by_nothing_here():
    """Neither by what configure.py imports, nor by what that imports, wherever in a module it is."""
    files = {module_name(path, ROOT): path for path in sorted((ROOT / "npuninja").rglob("*.py"))}
    reached, pending = set(), ["npuninja.configure.main"]
    while pending:
        module = pending.pop()
        if module not in reached:
            reached.add(module)
            text = files[module].read_text(encoding="utf-8")
            pending += [imported for imported, _ in imported_in(text, module, files)]
    assert {name.split(".")[1] for name in reached if "." in name}.isdisjoint(NOT_OF_PLANNING)
    assert {path.name for path in (ROOT / "npuninja").iterdir() if path.is_dir()} >= NOT_OF_PLANNING
