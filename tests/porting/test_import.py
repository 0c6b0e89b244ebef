"""`npuninja import` on folders of our own with Makefiles: two designs of a script, archive, Python hosts."""

import json
import shutil
import sys

import imported_folders
import pytest
import toml
from conftest import TESTS
from imported_folders import NEEDS_MAKE, here, imported, ninja

from npuninja.cli import main
from npuninja.configure.main import main as configure
from npuninja.python_designs.script import run_design

pytestmark = NEEDS_MAKE


def test_a_folder_with_a_makefile(gain, capsys):
    toml = imported("gain", gain)
    assert {name: design["arguments"] for name, design in toml["design"].items()} == {
        "final_64": ["-d", "npu", "-n", "64"],
        "final_256": ["-d", "npu", "-n", "256"],
    }
    assert {here(gain, design["source"]) for design in toml["design"].values()} == {"gain/gain.py"}
    assert [design["aiecc-flags"] for design in toml["design"].values()] == [
        ["--alloc-scheme=basic-sequential"]
    ] * 2
    ways = toml["kernel"]["gain.o"]
    assert [(way["defines"], way["designs"]) for way in ways] == [
        (["NDEBUG", "SIZE=64"], ["final_64"]),
        (["NDEBUG", "SIZE=256"], ["final_256"]),
    ]
    archive = toml["kernel"]["tools.a"]
    assert [here(gain, source) for source in archive["sources"]] == ["gain/offset.cc"]
    assert [here(gain, folder) for folder in archive["include"]][:1] == ["gain"]
    program, script = toml["host"]["gain"], toml["host"]["test"]
    assert [here(gain, source) for source in program["sources"]] == ["gain/test.cpp", "gain/checks.cpp"]
    assert (program["defines"], program["libraries"]) == (["SIZE=64", "STRICT"], ["z"])
    assert program["arguments"] == ["-x", "{xclbin}", "-i", "{insts}", "-k", "MLIR_AIE"]
    assert (program["designs"], program["language"]) == (["final_64"], "gnu++20")
    assert script["arguments"] == ["--xclbin={xclbin}", "-i", "{insts}"]
    assert (script["environment"], script["designs"]) == (["SEED=3"], ["final_256"])
    text = capsys.readouterr().out
    assert "2 designs, 3 kernels, 2 host programs; no commands left out" in text
    assert "npuninja's kernel headers" in text


def test_a_design_that_builds_itself(tmp_path):
    toml = imported("jitted", tmp_path / "p", "--make", "DEVICE=npu")
    outputs = ["--xclbin-path=build/final.xclbin", "--insts-path", "build/insts.bin"]
    assert toml["design"]["jitted"]["arguments"] == ["-d", "npu", *outputs, "--elf-path=build/insts.elf"]
    assert toml["host"]["run"]["arguments"] == ["-x", "{xclbin}", "-i", "{elf}"]


def test_a_design_that_is_a_module_of_a_package(tmp_path, capsys):
    toml = imported("packaged", tmp_path / "p")
    design = toml["design"]["packaged"]
    assert (design["module"], design["arguments"]) == ("pack.design", ["-n", "3"])
    assert here(tmp_path / "p", design["source"]) == "packaged/pack/design.py"
    assert here(tmp_path / "p", design["folder"]) == "packaged"
    text = capsys.readouterr().out
    host = toml["host"]["check"]
    assert (host["module"], host["arguments"]) == ("pack.check", ["-x", "{xclbin}"])
    assert "the module elsewhere.check is not in this folder" in text
    outcome = run_design(
        str(imported_folders.place / "packaged" / "pack" / "design.py"), ["-n", "3"], module="pack.design"
    )
    assert outcome.text == "module { // 16 -n 3 __main__\n}\n"


def test_headers_of_xrt_are_the_builds_own(tmp_path):
    (tmp_path / "Makefile").write_text(
        "run: t.exe\n"
        "\t./t.exe\n"
        "t.exe: t.cpp\n"
        "\tg++ -I/usr/include -I/opt/xilinx/xrt/include -Iown t.cpp -o t.exe\n"
    )
    (tmp_path / "t.cpp").write_text("int main() {}\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    toml_text = (tmp_path / "p" / "toolchain.toml").read_text()
    assert 'include = ["../own"]' in toml_text


def test_a_program_that_makes_its_own_design_needs_no_other(tmp_path, monkeypatch, capsys):
    (tmp_path / "Makefile").write_text("run:\n\tpython3 own.py\n")
    (tmp_path / "own.py").write_text("import aie.iron as iron\nprint(iron.ones(2).numpy())\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    monkeypatch.chdir(tmp_path / "p")
    assert configure([], output=sys.stdout, home=str(tmp_path / "p")) == 0
    assert "run-host-own" in (tmp_path / "p" / "build.ninja").read_text()


def test_a_program_that_names_the_designs_files_itself_is_given_them(tmp_path):
    (tmp_path / "Makefile").write_text(
        "run:\n"
        "\tpython3 d.py > build/aie.mlir\n"
        "\tcd build && aiecc --xclbin-name=final.xclbin --npu-insts-name=i.bin --aie-generate-xclbin "
        "--aie-generate-npu-insts aie.mlir\n"
        "\tg++ t.cpp -o build/test\n"
        "\t./build/test\n"
    )
    (tmp_path / "d.py").write_text("")
    (tmp_path / "t.cpp").write_text('const char *x = "build/final.xclbin", *i = "i.bin";\nint main() {}\n')
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]["test"]
    assert found["files"] == ["build/final.xclbin={xclbin}"]
    assert found["designs"] == [tmp_path.name.replace("-", "_")]


def test_what_a_makefile_exports_is_the_environment_of_its_programs(tmp_path):
    folder = tmp_path / "all" / "part"
    folder.mkdir(parents=True)
    (folder / "Makefile").write_text(
        "export PYTHONPATH := $(abspath ..)\nexport TOOL = $(PEANO_INSTALL_DIR)/bin/clang\n"
        "run:\n\tSEED=3 python3 -m part.own -n 4\n"
    )
    (folder / "own.py").write_text("import aie.iron as iron\n")
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]["own"]
    assert found["environment"] == [f"PYTHONPATH={tmp_path / 'all'}", "SEED=3"]
    assert (found["module"], found["arguments"]) == ("part.own", ["-n", "4"])


def test_what_reads_a_trace_is_left_out_and_what_reads_its_output_too(tmp_path, capsys):
    (tmp_path / "Makefile").write_text(
        "run:\n"
        "\t./own.py\n"
        "\t/there/utils/trace/parse.py --input t.txt --output t.json\n"
        "\tpython3 own.py -i t.json\n"
    )
    (tmp_path / "own.py").write_text("import aie.iron as iron\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert list(found["host"]) == ["own"]
    text = capsys.readouterr().out
    assert "as npuninja trace --run NAME does" in text
    assert "it reads t.json, which a command that is left out makes" in text


def test_edits_stay_and_the_rest_is_written_again(gain, capsys):
    imported("gain", gain)
    path = gain / "toolchain.toml"
    text = path.read_text()
    text = text.replace('["-d", "npu", "-n", "64"]', '["-d", "npu2"]').replace(
        "[design.final_256]", "# mine\n[design.final_256]"
    )
    text = text[: text.index("[host.test]")] + "\n[configure]\nwerror = true\n"
    path.write_text(text)
    capsys.readouterr()
    toml = imported("gain", gain)
    assert toml["design"]["final_64"]["arguments"] == ["-d", "npu2"]
    assert "test" not in toml["host"]
    assert toml["configure"] == {"werror": True}
    assert path.read_text() == text
    assert "kept as you have them: [design.final_64]" in capsys.readouterr().out


@pytest.mark.parametrize(
    "recipe",
    [
        "sed 's/NPUDEVICE/npu1_1col/g' pass.mlir > made.mlir\n"
        "\taiecc --aie-generate-xclbin --xclbin-name=x.xclbin made.mlir",
        "cp pass.mlir a.mlir\n\tsed -i s/NPUDEVICE/npu1_1col/g a.mlir\n\taiecc --aie-generate-xclbin a.mlir",
    ],
)
def test_a_design_whose_words_are_replaced(tmp_path, capsys, monkeypatch, recipe):
    folder = tmp_path / "theirs"
    folder.mkdir()
    text = (TESTS.parent / "mlir" / "passthrough.mlir").read_text()
    device = text[text.index("aie.device(") :].partition("(")[2].partition(")")[0]
    (folder / "pass.mlir").write_text(text.replace(f"aie.device({device})", "aie.device(NPUDEVICE)"))
    (folder / "Makefile").write_text(f"all:\n\t{recipe}\n")
    target = tmp_path / "p"
    assert main(["import", str(folder), "-o", str(target)]) == 0
    (name,) = said = toml.loads((target / "toolchain.toml").read_text())["design"]
    assert said[name]["replace"] == ["NPUDEVICE=npu1_1col"]
    (target / "kernels").mkdir(exist_ok=True)
    shutil.copytree(TESTS.parent / "kernels" / "passthrough", target / "kernels" / "passthrough")
    monkeypatch.chdir(target)
    assert configure([]) == 0, capsys.readouterr().err
    made = (target / "build" / "designs" / f"{name}.mlir").read_text()
    assert "aie.device(npu1_1col)" in made
    # Another word is a fault of the user's own file.
    settings = target / "toolchain.toml"
    settings.write_text(settings.read_text().replace("NPUDEVICE=npu1_1col", "NPUDEVICE=npu9"))
    capsys.readouterr()
    assert configure([]) == 2
    assert "theirs/pass.mlir" in (said := capsys.readouterr().err)
    assert "unknown AIEDevice 'npu9'" in said


def test_a_folder_that_only_prints_its_designs_is_run_for_that(tmp_path, capsys):
    (tmp_path / "Makefile").write_text("all: build/a.mlir\nbuild/a.mlir: d.py\n\tpython3 $< -d npu2 > $@\n")
    (tmp_path / "d.py").write_text("")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    hosts = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]
    assert hosts == {"d": {"sources": ["../d.py"], "arguments": ["-d", "npu2"], "folder": ".."}}
    assert "ninja run-host-d" in capsys.readouterr().out


def test_an_object_under_the_name_that_a_design_wants(tmp_path):
    compiles = "clang++ --target=aie2-none-unknown-elf -DA=1 -c k.cc -o build/k_1.o"
    recipe = f"{compiles}\n\tcp build/k_1.o build/k.o\n\taiecc --aie-generate-xclbin a.mlir"
    (tmp_path / "Makefile").write_text(f"run:\n\t{recipe}\n")
    (tmp_path / "a.mlir").write_text('func.func private @k() attributes {link_with = "k.o"}')
    (tmp_path / "k.cc").write_text("")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    kernels = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["kernel"]
    assert kernels["k.o"] == kernels["k_1.o"] == {"sources": ["../k.cc"], "defines": ["A=1"]}


def test_a_target_that_runs_what_it_does_not_make(tmp_path):
    (tmp_path / "Makefile").write_text("all: t.x\n\t./t.x\nt.x: t.c\n\tgcc t.c -o t.x\nrun:\n\t./other.x\n")
    (tmp_path / "t.c").write_text("")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    (host,) = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"].values()
    assert host["sources"] == ["../t.c"]


@pytest.mark.parametrize(("name", "goal"), [("Makefile.gain", ""), ("Makefile", ".DEFAULT_GOAL := built\n")])
def test_a_makefile_of_any_name_and_its_first_target(tmp_path, capsys, name, goal):
    first = "first: ;\n" if goal else ""
    (tmp_path / name).write_text(f"{goal}{first}built: a.mlir\n\taiecc --aie-generate-xclbin a.mlir\n")
    (tmp_path / "a.mlir").write_text("")
    made_from = tmp_path if goal else tmp_path / name
    assert main(["import", str(made_from), "-o", str(tmp_path / "p")]) == 0
    assert "[design." in capsys.readouterr().out
    assert main(["import", str(tmp_path / "a.mlir"), "-o", str(tmp_path / "p")]) == 2
    assert "a.mlir is no Makefile" in capsys.readouterr().err


def test_a_notebook_is_a_program(tmp_path, capfd, monkeypatch):
    (tmp_path / "Makefile").write_text(
        "run:\n\tmkdir -p build\n\tcd build && jupyter nbconvert --to script ../note.ipynb --output-dir .\n"
        "\tcd build && ipython note.py -- 7\n"
    )
    (tmp_path / "beside.py").write_text("TEN = 10\n")
    cells = [
        {"cell_type": "markdown", "source": ["# Ten"]},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "import os, sys\n", "from beside import TEN"],
        },
        {"cell_type": "code", "source": "print(TEN * int(sys.argv[-1]), os.path.exists('../beside.py'))"},
    ]
    (tmp_path / "note.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells}))
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    monkeypatch.chdir(tmp_path / "p")
    assert configure([]) == 0
    assert ninja("-v", "run-host-note").returncode == 0
    assert "70 True" in capfd.readouterr().out


def test_an_object_that_was_made_elsewhere(tmp_path, capsys):
    folder = tmp_path / "gain"
    folder.mkdir()
    (folder / "gain.o").write_bytes(b"")
    (folder / "gain.mlir").write_text('aie.core(%t) { aie.end } { link_with = "gain.o" }')
    (folder / "build.sh").write_text(
        "mkdir -p b\ncp gain.o gain.mlir b/\ncd b && aiecc --xclbin-name=a.xclbin gain.mlir\n"
    )
    assert main(["import", str(folder), "-o", str(tmp_path / "project")]) == 0
    found = toml.loads((tmp_path / "project" / "toolchain.toml").read_text())
    assert found["kernel"] == {"gain.o": {"sources": ["../gain/gain.o"]}}
    assert "which was made elsewhere: its core has machine code" in capsys.readouterr().out


MIXED = """P=/home/somebody/llvm-aie/bin
$P/clang -O2 -std=c11 --target=aie2-none-unknown-elf -c part.c -o part.o
$P/clang++ -O2 -std=c++20 -DK=3 --target=aie2-none-unknown-elf -c gain.c -o gain_main.o
$P/llvm-ar rcs gain.o gain_main.o part.o
aiecc --xclbin-name=a.xclbin --npu-insts-name=i.bin gain.mlir
"""


LINKED = """module {
  aie.device(npu1_1col) {
    %t = aie.tile(0, 2)
    func.func private @gain(i32) -> i32
    %c = aie.core(%t) {
      %k = arith.constant 4 : i32
      %r = func.call @gain(%k) : (i32) -> i32
      aie.end
    } {link_with = "gain.o"}
    aiex.runtime_sequence(%a : memref<16xi32>) { aiex.npu.write32 {address = 0 : ui32, value = 0 : ui32} }
  }
}
"""


def test_an_archive_of_objects_that_are_compiled_in_different_ways(tmp_path, monkeypatch, capfd):
    """C that is no C++, and C++ in a file named as C: each is a kernel, the archive is made of both."""
    folder, project = tmp_path / "mixed", tmp_path / "project"
    folder.mkdir()
    (folder / "build.sh").write_text(MIXED)
    (folder / "part.c").write_text("int part(int x) { int class = x; return class * 2; }\n")
    (folder / "gain.c").write_text(
        'extern "C" int part(int x);\nextern "C" int gain(int x) { auto y = part(x); return y * K; }\n'
    )
    (folder / "gain.mlir").write_text(LINKED)
    assert main(["import", str(folder), "-o", str(project)]) == 0
    assert "python configure.py && ninja\n" in capfd.readouterr().out
    found = toml.loads((project / "toolchain.toml").read_text())["kernel"]
    assert found["gain.o"] == {"sources": ["gain_main.o", "part.o"]}
    assert (found["part.o"]["language"], found["gain_main.o"]["language"]) == ("c11", "c++20")
    monkeypatch.chdir(project)
    assert configure([]) == 0
    assert ninja("build/npu1_1col/wasm/kernels/gain.o").returncode == 0, capfd.readouterr()


def test_libraries_that_are_files_are_linked_with(gain, tmp_path):
    """CMake gives those of packages as files, with a version; a Makefile may name a folder of its own."""
    folder, libraries = tmp_path / "f", tmp_path / "libraries"
    folder.mkdir()
    libraries.mkdir()
    for name in ("libseen.so.4.6", "libold.a", "libnear.so", "libxrt_coreutil.so"):
        (libraries / name).write_text("")
    (folder / "t.cpp").write_text("int main() {}\n")
    (folder / "Makefile").write_text(
        "run:\n"
        "\tmkdir -p b && cd b && cmake .. && cmake --build .\n"
        "\tcp b/show show.exe\n"
        "\t./show.exe -x f.xclbin\n"
        f"\tg++ t.cpp -L{libraries} -lnear -lz -lxrt_coreutil -o own.exe\n\t./own.exe -x f.xclbin\n"
    )
    (folder / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.10)\nproject(show CXX)\nset(L {libraries})\n"
        "add_executable(show t.cpp)\n"
        "target_link_directories(show PUBLIC ${L})\n"
        "add_library(here SHARED t.cpp)\n"
        "add_library(seen SHARED IMPORTED)\n"
        "set_property(TARGET seen PROPERTY IMPORTED_LOCATION ${L}/libseen.so.4.6)\n"
        "target_link_libraries(show seen ${L}/libold.a near z here ${L}/libxrt_coreutil.so)\n"
    )
    assert main(["import", str(folder), "-o", str(gain)]) == 0
    found = toml.loads((gain / "toolchain.toml").read_text())["host"]
    own = ["../libraries/libnear.so", "z"]
    assert found["own"]["libraries"] == own
    assert found["show"]["libraries"] == ["../libraries/libseen.so.4.6", "../libraries/libold.a", *own]
