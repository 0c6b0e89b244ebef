"""configure.py's Makefile builds what Ninja builds, and builds it again after the same changes."""

import os
import shutil
from pathlib import Path

import pytest
from build_project import PROJECTS, Project, make_can_build

pytestmark = make_can_build
EMBEDDED = '[providers]\npdi = "embedded"\n'
DESIGN = "build/npu1_1col/wasm/gain"
LOWERING, PACKING = "LOWER ROUTE SEQUENCE INSTS CORE ELF gain", "LINK CDO PDI XCLBIN MANIFEST gain"


@pytest.fixture
def made(project: Project) -> Project:
    """The project `plain`, built by Make."""
    project.write("toolchain.toml", EMBEDDED)
    assert "make -j -f build.mk" in project.configure("--generator", "make").stdout
    project.make()
    return project


def outputs(folder: Path) -> dict[str, bytes]:
    """What the stages made, without what only Make needs."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".made-" not in path.name and path.suffix != ".d"
    }


def test_it_builds_what_ninja_builds(made, tmp_path, tools):
    other = Project(tmp_path / "other", tools)
    shutil.copytree(PROJECTS / "plain", other.folder)
    other.write("toolchain.toml", EMBEDDED)
    other.configure()
    other.ninja()
    assert outputs(made.folder / "build/npu1_1col") == outputs(other.folder / "build/npu1_1col")
    assert not (made.folder / "build.ninja").exists()


def test_it_builds_again_what_a_change_needs_and_nothing_else(made):
    assert made.remade() == []
    made.edit("kernels/gain/scale.h", "64", "32")
    assert made.remade() == ["CC gain.o", PACKING]
    # On the last line, so that line numbers in the debug information stay: the object's bytes are the same.
    made.edit("kernels/gain/gain.c", "(in[i] * factor);\n}", "(in[i] * factor);\n} // the end")
    assert made.remade() == ["CC gain.o"]
    made.edit("mlir/gain.mlir", "// Multiplies bytes.", "// Multiplies bytes by three.\n")
    assert made.remade() == [LOWERING]
    assert made.remade() == []
    (made.folder / DESIGN / "gain.pdi").unlink()
    assert made.remade() == [PACKING]
    (made.folder / DESIGN / "cdo_init.bin").unlink()
    assert made.remade() == [PACKING]
    assert made.remade() == []


def test_a_header_that_is_gone_is_no_riddle(made):
    made.edit("kernels/gain/gain.c", '#include "scale.h"', "#define ELEMENTS 64")
    (made.folder / "kernels/gain/scale.h").unlink()
    assert "CC gain.o" in made.remade()
    assert made.remade() == []


def test_it_configures_again_when_a_design_comes_or_goes(made):
    shutil.copy(made.folder / "mlir/gain.mlir", made.folder / "mlir/more.mlir")
    made.make()
    assert (made.folder / "build/npu1_1col/wasm/more/more.xclbin").exists()
    (made.folder / "mlir/more.mlir").unlink()
    made.make()
    assert made.remade() == []
    assert "more" not in (made.folder / "build.mk").read_text(encoding="utf-8")


def test_another_command_makes_its_output_again(made):
    made.configure("--generator", "make", "--werror")
    remade = made.remade()
    assert "CC gain.o" in remade
    assert "CC core_0_2.o" not in remade
    assert made.remade() == []


def test_it_runs_and_verifies(made):
    assert "all 256 elements are right" in made.make("run").stdout
    assert "all 256 elements are right" in made.make("test-gain").stdout
    made.edit("host/gain.py", "* 3", "* 4")
    assert "the result is wrong in b" in made.make("run", code=None).stderr


def test_an_unknown_target_is_an_error(made):
    assert "there is no target gian" in made.make("gian", code=None).stderr


def test_a_failing_compile_stops_it_and_is_tried_again(made):
    made.edit("kernels/gain/gain.c", "out[i]", "out[i")
    assert "kernels/gain/gain.c" in made.make(code=None).stderr
    assert "kernels/gain/gain.c" in made.make(code=None).stderr
    made.edit("kernels/gain/gain.c", "out[i ", "out[i] ")
    made.make()
    assert made.remade() == []


def test_a_build_folder_of_its_own_has_a_plain_makefile(project):
    project.write("toolchain.toml", EMBEDDED)
    assert "next: make -j -C " in project.configure("-B", "out", "--generator", "make").stdout
    project.make("-C", "out", file=None)
    assert os.path.exists(project.folder / "out/npu1_1col/wasm/gain/gain.xclbin")


def test_a_project_that_make_cannot_build_is_refused(project):
    (project.folder / "kernels/gain").rename(project.folder / "kernels/my gain")
    printed = project.configure("--generator", "make", code=2).stderr
    assert "Make cannot build with a file called 'kernels/my gain" in printed
    assert "--generator make" in printed


def test_recipes_that_go_on_behind_a_stage_do_not_replace_the_shell(made):
    assert "exec " not in (made.folder / "build.mk").read_text(encoding="utf-8")
