"""What is built again after which change: real stages on a small project, under Ninja."""

import hashlib
import json
import os
import re
import shutil

import pytest
from build_project import PROJECTS, Project, make_tool

from npuninja.source_places import SUFFIX

BANNER = "****** Xilinx Bootgen v2022.2"
LOWERING = [
    "core_0_2.c",
    "gain.elf",
    "input_physical.mlir",
    "input_with_addresses.mlir",
    "insts.bin",
    "npu_insts.mlir",
]
PACKING = ["cdo_elfs.bin", "core_0_2.wasm", "gain.json", "gain.pdi", "gain.xclbin"]
EMBEDDED = '[providers]\npdi = "embedded"\n'


@pytest.fixture
def built(project: Project) -> Project:
    """The project `plain`, configured and built."""
    project.write("toolchain.toml", EMBEDDED)
    project.configure()
    project.ninja()
    return project


def files_of(project: Project, build: str = "build") -> dict[str, str]:
    """Hash of every file of the design, by name. The files that say where lines come from name the design as
    seen from there, so they depend on where the build folder is.
    """
    folder = project.folder / build / "npu1_1col/wasm"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != SUFFIX
    }


def test_nothing_is_built_twice(built):
    assert "no work to do" in built.ninja().stdout
    built.configure()
    assert "no work to do" in built.ninja().stdout


def test_a_changed_header_rebuilds_what_includes_it_and_no_lowering(built):
    built.edit("kernels/gain/scale.h", "64", "32")
    assert built.rebuilt() == sorted([*PACKING, "gain.o"])


def test_a_kernel_edit_that_changes_no_code_stops_at_the_object(built):
    # On the last line, so that line numbers in the debug information stay.
    built.edit("kernels/gain/gain.c", "(in[i] * factor);\n}", "(in[i] * factor);\n} // the end")
    assert built.rebuilt() == ["gain.o"]


def test_a_comment_in_the_design_stops_at_the_lowering(built):
    built.edit("mlir/gain.mlir", "// Multiplies bytes.", "// Multiplies bytes by three.\n")
    assert built.rebuilt() == LOWERING


def test_a_changed_transfer_rebuilds_the_sequence_but_no_core(built):
    built.edit(
        "mlir/gain.mlir", "[1, 1, 1, 256][0, 0, 0, 1]) {id = 0", "[1, 1, 2, 128][0, 0, 128, 1]) {id = 0"
    )
    image = built.folder / "build/npu1_1col/wasm/gain/core_0_2.wasm"
    before = image.stat().st_mtime_ns
    rebuilt = built.rebuilt()
    assert {"input_with_addresses.mlir", "npu_insts.mlir", "gain.json"} <= set(rebuilt)
    assert not {"core_0_2.o", "gain.o"} & set(rebuilt)
    # The link shares the process of what packs the core; it comes to the same bytes.
    assert image.stat().st_mtime_ns == before


def test_a_deleted_output_is_made_again(built):
    (built.folder / "build/npu1_1col/wasm/gain/gain.pdi").unlink()
    assert built.rebuilt() == PACKING


def test_stages_that_share_a_process_make_the_same_files(built):
    together = files_of(built)
    built.configure("--separate-stages")
    # What the stages have not seen as a change, they leave alone.
    built.ninja("-t", "clean")
    built.ninja()
    assert files_of(built) == together


def test_with_separate_stages_only_what_changed_is_run(project):
    project.write("toolchain.toml", EMBEDDED)
    project.configure("--separate-stages")
    project.ninja()
    project.edit("mlir/gain.mlir", "// Multiplies bytes.", "// Multiplies bytes by three.\n")
    assert project.rebuilt() == ["input_with_addresses.mlir"]
    (project.folder / "build/npu1_1col/wasm/gain/gain.pdi").unlink()
    assert project.rebuilt() == ["gain.pdi", "gain.xclbin"]


def test_another_version_of_a_tool_rebuilds_what_it_made(project):
    make_tool(project.tools / "bootgen", BANNER, 1)
    project.write("toolchain.toml", f'[tools]\nbootgen = "{project.tools}/bootgen"\n')
    project.configure()
    before = set(project.commands("all"))
    make_tool(project.tools / "bootgen", BANNER.replace("2022.2", "2023.1"), 1)
    project.ninja("build.ninja")
    changed = set(project.commands("all")) - before
    # The PDI, and the manifest because it names the version: they share a command.
    assert [os.path.basename(output) for output in re.findall(r" -o (\S+)", *changed)][1:] == [
        *("core_0_2.wasm", "cdo_elfs.bin", "gain.pdi", "gain.xclbin", "gain.json"),
    ]


def test_a_failing_compile_leaves_no_output(built):
    built.edit("kernels/gain/gain.c", "out[i]", "out[i")
    printed = built.ninja(code=None).stdout
    assert "kernels/gain/gain.c" in printed
    assert not (built.folder / "build/npu1_1col/wasm/kernels/gain.o").exists()
    built.edit("kernels/gain/gain.c", "out[i ", "out[i] ")
    built.ninja()
    assert (built.folder / "build/npu1_1col/wasm/kernels/gain.o").exists()


def test_a_folder_with_blanks_and_dollars(tmp_path, tools):
    folder = tmp_path / "my $HOME's project #1"
    shutil.copytree(PROJECTS / "plain", folder)
    project = Project(folder, tools)
    project.configure()
    project.ninja()
    assert "no work to do" in project.ninja().stdout
    assert "all 256 elements are right" in project.ninja("run").stdout
    project.edit("kernels/gain/scale.h", "64", "32")
    assert "gain.o" in project.ninja().stdout
    assert "no work to do" in project.ninja().stdout


def test_two_builds_in_different_folders_have_the_same_bytes(built, tmp_path, tools):
    other = Project(tmp_path / "somewhere else" / "copy", tools)
    shutil.copytree(PROJECTS / "plain", other.folder)
    other.write("toolchain.toml", EMBEDDED)
    for place in ("out", str(tmp_path / "out side")):
        other.configure("-B", place)
        other.ninja("-C", place)
        assert files_of(other, place) == files_of(built)


def test_the_built_design_runs_and_is_right(built):
    printed = built.ninja("run").stdout
    assert "all 256 elements are right" in printed
    assert "all 256 elements are right" in built.ninja("test-gain").stdout


def test_a_wrong_kernel_is_a_wrong_result(built):
    built.edit("kernels/gain/gain.c", "* factor", "* factor + (i == 5)")
    printed = built.ninja("run-gain", code=None)
    assert "the result is wrong in b" in printed.stdout + printed.stderr


def test_the_manifest_describes_the_design(built):
    manifest = json.loads((built.folder / "build/npu1_1col/wasm/gain/gain.json").read_text(encoding="utf-8"))
    assert (manifest["design"], manifest["device"], manifest["core_kind"]) == ("gain", "npu1_1col", "wasm")
    assert [
        (a["name"], a["direction"], a["shape"], a["dtype"], a["bytes"]) for a in manifest["arguments"]
    ] == [
        ("a", "in", [256], "i8", 256),
        ("b", "out", [256], "i8", 256),
    ]
    assert manifest["providers"]["pdi"] == {
        "provider": "npuninja",
        "version": manifest["providers"]["lower"]["version"],
    }
    assert manifest["reference"] == "reference.py"


def test_a_changed_reference_is_used(built):
    built.edit("host/gain.py", "* 3", "* 4")
    printed = built.ninja("run", code=None)
    assert "the result is wrong in b" in printed.stdout + printed.stderr


def test_a_run_after_a_kernel_edit_asks_no_reference_and_needs_no_numpy(built):
    built.ninja("run")
    built.write("no_numpy/numpy.py", "raise ImportError('numpy was imported')\n")
    built.environment["PYTHONPATH"] = str(built.folder / "no_numpy")
    built.edit("kernels/gain/gain.c", "(in[i] * factor)", "(factor * in[i] + 0)")
    printed = built.ninja("run").stdout
    assert "REFERENCE" not in printed
    assert "all 256 elements are right" in printed


def test_linker_scripts_are_made_when_asked_for(built):
    built.ninja("ldscripts")
    text = (built.folder / "build/npu1_1col/wasm/gain/core_0_2.ld.script").read_text(encoding="utf-8")
    assert "PROVIDE(main = core_0_2);" in text


@pytest.mark.skipif(shutil.which("bootgen") is None, reason="bootgen is not installed")
def test_bootgen_makes_the_same_image(built):
    pdi = built.folder / "build/npu1_1col/wasm/gain/gain.pdi"
    ours = pdi.read_bytes()
    built.write("toolchain.toml", '[providers]\npdi = "real"\n')
    built.configure()
    rebuilt = set(built.rebuilt())
    assert {"gain.bif", "gain.pdi", "gain.json"} <= rebuilt
    assert not {"core_0_2.o", "gain.o"} & rebuilt
    assert pdi.read_bytes() == ours


def test_no_stage_of_the_build_sees_installed_packages(built):
    commands = built.ninja("-t", "commands", "gain").stdout.splitlines()
    # The lowering, a kernel, a core, packing.
    assert len(commands) == 4
    assert all(" -S -E " in command for command in commands)
