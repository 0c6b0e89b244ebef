"""What `npuninja import` does not take, and the next step that it names."""

import shutil
from pathlib import Path

import imported_folders
import pytest
import toml
from imported_folders import NEEDS_MAKE

from npuninja.cli import main
from npuninja.porting import cmake_target

pytestmark = NEEDS_MAKE


def test_what_is_not_taken_over_is_said(tmp_path, capsys):
    folder = str(imported_folders.place / "gain")
    assert main(["import", folder, "-o", str(tmp_path / "p"), "--target", "surprise"]) == 2
    assert "none of what make surprise would do" in capsys.readouterr().err


def test_a_program_for_which_cmake_finds_no_package_is_refused(gain, tmp_path, capsys):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "Makefile").write_text(
        "run:\n"
        "\tmkdir -p b && cd b && cmake .. && cmake --build .\n"
        "\tcp b/show show.exe\n"
        "\t./show.exe -x f.xclbin\n"
    )
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.10)\nproject(show NONE)\nfind_package(NoSuchThing REQUIRED)\n"
    )
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    assert "[host.show], which is refused" in capsys.readouterr().out
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]["show"]
    assert "it needs NoSuchThing, which CMake does not find" in found["refused"]
    assert "sources" not in found


def test_a_package_that_cmake_does_not_find_is_named_as_the_system_calls_it():
    said = (
        'Could not find a package configuration file provided by "OpenCV" with any of\n the following names'
    )
    assert cmake_target._reason(said).endswith(
        "(Debian, Ubuntu: apt install libopencv-dev, and import again)"
    )


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("aiecc --link_against_hsa a.mlir t.cpp -o t.elf", "the host of another device than an NPU"),
        (
            "aiecc --sysroot=/s --host-target=aarch64-linux-gnu a.mlir",
            "the host of another device than an NPU",
        ),
        ("frobnicate a.mlir", "npuninja does not know what frobnicate is for"),
    ],
)
def test_a_folder_that_gives_no_project_is_refused_with_what_it_does(tmp_path, capsys, recipe, said):
    (tmp_path / "Makefile").write_text(f"all:\n\t{recipe}\n")
    (tmp_path / "d.py").write_text("")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no Makefile, no CMakeLists.txt, no test for lit and no script"),
        ("include nowhere.mk\nrun: ;\n", "Makefile:1 includes nowhere.mk, which is not there"),
        ("run:\n\techo\n$(error stop here)\n", "Makefile:3: *** stop here"),
        ("other: ;\n", "none of what make would do"),
    ],
)
def test_a_folder_that_says_nothing(tmp_path, capsys, content, message):
    if content is not None:
        (tmp_path / "Makefile").write_text(content)
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 2
    assert message in capsys.readouterr().err
    assert not Path(tmp_path / "p").exists()


def test_a_folder_that_another_one_builds_says_which(tmp_path, capsys):
    (tmp_path / "designs" / "gain").mkdir(parents=True)
    (tmp_path / "Makefile").write_text("gain: ;\n")
    assert main(["import", str(tmp_path / "designs" / "gain"), "-o", str(tmp_path / "project")]) == 2
    hint = f"the Makefile of {tmp_path} may build it: npuninja import {tmp_path} --target NAME"
    assert hint in " ".join(capsys.readouterr().err.split())
    (tmp_path / "Makefile").unlink()
    design = tmp_path / "designs" / "gain" / "gain.py"
    design.write_text("from aie.iron import jit\n")
    assert main(["import", str(design.parent), "-o", str(tmp_path / "project")]) == 2
    assert f"npuninja python {design} runs a program" in " ".join(capsys.readouterr().err.split())


def test_a_script_that_makes_nothing_is_refused(tmp_path, capsys):
    (tmp_path / "run.sh").write_text(
        'if [ ! -f model.bin ]; then echo "no model"; exit 2; fi\npython3 x.py\n'
    )
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "project")]) == 2
    said = capsys.readouterr().err
    assert "none of what run.sh would do in" in said
    assert "run.sh:1 ends it: no model" in said
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "project"), "--script", "b.sh"]) == 2
    assert "there is no script b.sh in" in capsys.readouterr().err


def test_a_path_that_make_takes_apart_is_said(tmp_path, capsys):
    """`$(shell dirname $(realpath …))` of a path with a blank is two paths, for GNU make as well."""
    folder = tmp_path / "of me" / "gain"
    shutil.copytree(imported_folders.place / "gain", folder)
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 2
    said = capsys.readouterr().err
    assert "the folder's path has a blank, at which its own commands take it apart: " in said
    assert f"hint: move or copy {folder} to a place without blanks" in said
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("d.py", "from aie.iron import Program\n", "npuninja python {}/d.py runs a program"),
        ("d.mlir", "module {\n  aie.device(npu1) {\n", "npuninja lower {}/d.mlir -o DIR reads a design"),
        ("d.xclbin", "xclbin2", "npuninja run {}/d.xclbin --device emu --insts FILE"),
        (
            "d.py",
            "import torch\nimport triton.language as tl\n",
            "its programs are compiled by triton, which",
        ),
        ("d.py", "import numpy\n", "npuninja init makes a project"),
    ],
)
def test_a_folder_that_nothing_builds_has_a_next_step(tmp_path, capsys, name, text, hint):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / name).write_text(text)
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 2
    assert f"hint: {hint.format(folder)}" in capsys.readouterr().err
