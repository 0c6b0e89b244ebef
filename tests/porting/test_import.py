"""`npuninja import` on folders of our own: two designs from one script, an archive, CMake, Python hosts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import toml
from conftest import TESTS

from npuninja.cli import main
from npuninja.configure.main import main as configure
from npuninja.porting import cmake_target
from npuninja.porting.cmake_target import find_cmake
from npuninja.python_designs.script import run_design

FOLDERS = TESTS / "porting" / "folders"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no GNU make")


@pytest.fixture
def gain(tmp_path):
    if find_cmake() is None or shutil.which("c++") is None:
        pytest.skip("no CMake, or no C++ compiler for it")
    return tmp_path / "a project"


@pytest.fixture(scope="module", autouse=True)
def folders(tmp_path_factory):
    """The folders where make can work: it knows no names with blanks, and this clone may lie below one."""
    global FOLDERS
    FOLDERS = tmp_path_factory.mktemp("folders") / "all"
    shutil.copytree(TESTS / "porting" / "folders", FOLDERS)


def imported(name, target, *words):
    assert main(["import", str(FOLDERS / name), "-o", str(target), *words]) == 0
    return toml.loads((target / "toolchain.toml").read_text())


def ninja(*words):
    return subprocess.run([sys.executable, "-m", "ninja", *words], check=False)


def here(target, path):
    return (target / path).resolve().relative_to(FOLDERS.resolve()).as_posix()


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


def test_variables_are_those_of_the_folders_own_test(tmp_path, capsys):
    toml = imported("jitted", tmp_path / "p")
    assert toml["design"]["jitted"]["arguments"][:2] == ["-d", "npu2"]
    assert "make run DEVICE=npu2 WIDTH=16" in (text := capsys.readouterr().out)
    assert "(as its run_second.lit says)" in text
    imported("gain", tmp_path / "q")
    assert "lit says" not in capsys.readouterr().out


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
    outcome = run_design(str(FOLDERS / "packaged" / "pack" / "design.py"), ["-n", "3"], module="pack.design")
    assert outcome.text == "module { // 16 -n 3 __main__\n}\n"


def test_headers_of_xrt_are_the_builds_own(tmp_path):
    (tmp_path / "Makefile").write_text(
        "run: t.exe\n\t./t.exe\nt.exe: t.cpp\n\tg++ -I/usr/include -I/opt/xilinx/xrt/include -Iown t.cpp -o t.exe\n"
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


LIT = {
    "run.lit": """// REQUIRES: ryzen_ai_npu1, peano
// RUN: %run_on_npu1% %python -X utf8 %S/own.py -n 3 | FileCheck %s
// CHECK: PASS!
""",
    "run_twice.lit": """// REQUIRES: ryzen_ai, peano
// RUN: %run_on_npu1% python3 %S/own.py
// RUN: %run_on_npu2% python3 %S/own.py
// RUN: %python %S/own.py --emit-mlir > %t.mlir
""",
    "run_foreign.lit": "// REQUIRES: chess\n// RUN: %python %S/own.py --chess\n",
    "run_second.lit": "// REQUIRES: ryzen_ai_npu2, peano\n// RUN: %run_on_npu2% %python %S/own.py -d npu2\n",
}


@pytest.mark.parametrize(
    ("names", "hosts"),
    [
        (
            ("run.lit", "run_foreign.lit", "run_second.lit"),
            {"own": {"arguments": ["-n", "3"], "device": "npu1", "output-has": ["PASS!"]}},
        ),
        (("run_twice.lit", "run_second.lit"), {"own": {"device": "npu1"}}),
        (("run_second.lit",), {"own": {"arguments": ["-d", "npu2"], "device": "npu2"}}),
        (("run.lit", "run_twice.lit"), {"own": {"device": "npu1", "arguments": ["-n", "3"]}, "own_2": {}}),
    ],
)
def test_a_folder_that_has_nothing_but_tests_for_lit(tmp_path, capsys, names, hosts):
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "own.py").write_text("import aie.iron as iron\n")
    for name in names:
        (folder / name).write_text(LIT[name])
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]
    assert set(found) == set(hosts)
    for name, entries in hosts.items():
        assert {key: found[name].get(key) for key in entries} == entries
        assert found[name]["sources"] == ["../a folder/own.py"]
    assert "left out" in capsys.readouterr().out


IN_A_TREE = """REQUIRES: ryzen_ai
RUN: cp %S/aie.mlir aie_arch.mlir
RUN: %run_on_npu1% sed 's/NPUDEVICE/npu1_1col/g' -i aie_arch.mlir
RUN: %run_on_npu2% sed 's/NPUDEVICE/npu2_1col/g' -i aie_arch.mlir
RUN: %aiecc --get-xclbin --get-npu-insts --xclbin-name=aie.xclbin --npu-insts-name=insts.bin ./aie_arch.mlir
RUN: %host_clang %S/test.cpp -o test.exe -std=c++17 -Wall %xrt_flags %host_link_flags %test_utils_flags
RUN: %PEANO_INSTALL_DIR/bin/clang++ --target=aie2-none-unknown-elf -O2 \\
RUN:   -c %S/k.cc -o ./k.o
RUN: %run_on_npu1% ./test.exe -x aie.xclbin -k MLIR_AIE
RUN: %run_on_npu2% ./test.exe -x aie.xclbin -k MLIR_AIE
"""


@pytest.mark.parametrize(("test", "comment"), [("run.lit", "// "), ("design.py", "# ")])
def test_a_test_for_lit_in_a_tree_of_mlir_aie(tmp_path, test, comment):
    library = tmp_path / "tree" / "runtime_lib" / "test_lib"
    folder = tmp_path / "tree" / "test" / "one"
    for path in (library, folder):
        path.mkdir(parents=True)
    (library / "test_utils.cpp").write_text("")
    (folder / test).write_text("".join(f"{comment}{line}\n" for line in IN_A_TREE.splitlines()))
    (folder / "aie.mlir").write_text("module { aie.device(NPUDEVICE) {} }\n")
    # The tests build the design themselves, so what the Makefile would do does not count.
    (folder / "Makefile").write_text("run:\n\tpython3 gone.py npu\n")
    (folder / "test.cpp").write_text('const char *instructions = "insts.bin", *program = "aie.xclbin";\n')
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    said = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert said["design"]["one"]["replace"] == ["NPUDEVICE=npu1_1col"]
    assert said["host"]["test"]["sources"] == [
        "../tree/test/one/test.cpp",
        "../tree/runtime_lib/test_lib/test_utils.cpp",
    ]
    assert said["host"]["test"]["arguments"] == ["-x", "{xclbin}", "-k", "MLIR_AIE"]
    assert said["kernel"]["k.o"]["sources"] == ["../tree/test/one/k.cc"]
    assert said["host"]["test"]["files"] == ["aie.xclbin={xclbin}", "insts.bin={insts}"]


CALLS = """RUN: aiecc --device-name=one --xclbin-kernel-name=ONE --xclbin-kernel-id=0x901 --get-xclbin --get-npu-insts {a}
RUN: aiecc --device-name=two --xclbin-kernel-name=TWO --xclbin-kernel-id=0x902 {b}
RUN: %host_clang %S/test.cpp -o test.exe -std=c++17
RUN: %run_on_npu1% ./test.exe {words}
"""


@pytest.mark.parametrize(
    ("second", "words", "arguments", "designs"),
    [
        (
            "--get-xclbin --get-npu-insts --xclbin-input=a.xclbin --xclbin-name=b.xclbin --npu-insts-name=b.bin %S/a.mlir",
            "b.xclbin a.bin b.bin",
            ["{xclbin}", "{insts:ONE}", "{insts:TWO}"],
            {"f": (["one", "two"], ["one=ONE::0x901", "two=TWO::0x902"])},
        ),
        (
            "--get-npu-insts --sequence-name=short %S/a.mlir",
            "a.xclbin insts_two_short.bin",
            ["{xclbin}", "{insts:two.short}"],
            {"f": (["one", "two"], ["one=ONE::0x901"])},
        ),
        (
            "--get-npu-insts %S/a.mlir",
            "a.xclbin insts_two_long.bin",
            ["{xclbin}", "{insts:two}"],
            {"f": (["one", "two"], ["one=ONE::0x901"])},
        ),
        (
            "--get-xclbin --get-npu-insts --xclbin-name=b.xclbin --npu-insts-name=b.bin %S/a.mlir",
            "a.xclbin a.bin b.xclbin b.bin",
            ["{a.xclbin}", "{a.insts}", "{b.xclbin}", "{b.insts}"],
            {"a": (["one"], ["one=ONE::0x901"]), "b": (["two"], ["two=TWO::0x902"])},
        ),
    ],
)
def test_several_calls_of_aiecc_on_one_module(tmp_path, second, words, arguments, designs):
    folder = tmp_path / "f"
    folder.mkdir()
    first = "--xclbin-name=a.xclbin --npu-insts-name=a.bin %S/a.mlir"
    (folder / "run.lit").write_text(CALLS.format(a=first, b=second, words=words))
    (folder / "a.mlir").write_text("aie.runtime_sequence @short() {} aie.runtime_sequence @long() {}\n")
    (folder / "test.cpp").write_text("int main() {}\n")
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    said = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    found = {name: (table["devices"], table["kernels"]) for name, table in said["design"].items()}
    assert said["host"]["test"]["arguments"] == arguments
    assert found == designs
    assert all(table["generation"] == "2026-08" for table in said["design"].values())


def test_an_xclbin_that_another_module_began_is_left_out(tmp_path, capsys):
    folder = tmp_path / "f"
    folder.mkdir()
    for name in ("a.mlir", "b.mlir"):
        (folder / name).write_text("module {}\n")
    (folder / "run.lit").write_text(
        "RUN: aiecc --get-xclbin --xclbin-name=a.xclbin %S/a.mlir\n"
        "RUN: aiecc --get-xclbin --xclbin-input=a.xclbin --xclbin-name=b.xclbin %S/b.mlir\n"
    )
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    assert "a.xclbin is of another module, and a design is one module" in capsys.readouterr().out


def test_a_program_for_which_cmake_finds_no_package_is_refused(gain, tmp_path, capsys):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "Makefile").write_text(
        "run:\n\tmkdir -p b && cd b && cmake .. && cmake --build .\n\tcp b/show show.exe\n\t./show.exe -x f.xclbin\n"
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


def test_a_program_that_names_the_designs_files_itself_is_given_them(tmp_path):
    (tmp_path / "Makefile").write_text(
        "run:\n\tpython3 d.py > build/aie.mlir\n\tcd build && aiecc --xclbin-name=final.xclbin --npu-insts-name=i.bin "
        "--aie-generate-xclbin --aie-generate-npu-insts aie.mlir\n\tg++ t.cpp -o build/test\n\t./build/test\n"
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
        "run:\n\t./own.py\n\t/there/utils/trace/parse.py --input t.txt --output t.json\n\tpython3 own.py -i t.json\n"
    )
    (tmp_path / "own.py").write_text("import aie.iron as iron\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert list(found["host"]) == ["own"]
    text = capsys.readouterr().out
    assert "as npuninja trace --run NAME does" in text
    assert "it reads t.json, which a command that is left out makes" in text


def test_edits_stay_and_the_rest_is_written_anew(gain, capsys):
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
        "sed 's/NPUDEVICE/npu1_1col/g' pass.mlir > made.mlir\n\taiecc --aie-generate-xclbin --xclbin-name=x.xclbin made.mlir",
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


def test_what_is_not_taken_over_is_said(tmp_path, capsys):
    assert main(["import", str(FOLDERS / "gain"), "-o", str(tmp_path / "p"), "--target", "surprise"]) == 2
    assert "none of what make surprise would do" in capsys.readouterr().err


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


def test_a_test_that_is_known_to_fail(tmp_path, capsys):
    (tmp_path / "Makefile").write_text("run:\n\tpython3 t.py $(V)\n")
    (tmp_path / "t.py").write_text("")
    (tmp_path / "a.lit").write_text("// XFAIL: *\n// RUN: make -f %S/Makefile run V=1\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "p")]) == 0
    assert "is said to fail (a.lit: XFAIL: *)" in capsys.readouterr().out
    (tmp_path / "b.lit").write_text("// REQUIRES: ryzen_ai_npu2\n// RUN: make -f %S/Makefile run V=2\n")
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "q")]) == 0
    said = capsys.readouterr().out
    assert "V=2" in said
    assert "to fail" not in said


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


SCRIPT = """#!/bin/bash
set -e
PEANO=/home/somebody/llvm-aie/bin
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SIZE=${1:-64}
mkdir -p "$HERE/build"
for name in scale shift; do
  $PEANO/clang -O2 --target=aie2-none-unknown-elf -DN=$SIZE -c $name.c -o build/$name.o
done
python3 scale.py -n $SIZE > build/aie.mlir
cd build
if ! python3 /home/somebody/bin/aiecc.py --xclbin-name=scale.xclbin --npu-insts-name=insts.bin aie.mlir 2>&1 | tee log; then
  echo "failed"
  exit 1
fi
xclbinutil --info --input scale.xclbin
cd .. && python3 test.py -x build/scale.xclbin
"""


@pytest.mark.parametrize(
    ("words", "size", "designs"),
    [
        ((), "64", {"scripts"}),
        (("--script", "build.sh 256"), "256", {"scripts"}),
        (("--script", "README.md"), "8", {"scripts"}),
    ],
)
def test_a_folder_that_is_built_by_a_script(tmp_path, capsys, words, size, designs):
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name in ("scale.c", "shift.c", "scale.py", "test.py"):
        (folder / name).write_text("")
    (folder / "build.sh").write_text(SCRIPT)
    (folder / "README.md").write_text("# It\n```sh\n./build.sh 8\n```\n")
    before = sorted(folder.rglob("*"))
    target = tmp_path / "project"
    assert main(["import", str(folder), "-o", str(target), *words]) == 0
    found = toml.loads((target / "toolchain.toml").read_text())
    (design,) = found["design"].values()
    assert set(found["design"]) == designs
    assert (design["source"], design["arguments"]) == ("../scripts/scale.py", ["-n", size])
    assert {name: kernel["defines"] for name, kernel in found["kernel"].items()} == {
        "scale.o": [f"N={size}"],
        "shift.o": [f"N={size}"],
    }
    assert found["host"]["test"]["arguments"] == ["-x", "{xclbin}"]
    assert sorted(folder.rglob("*")) == before  # it is only read
    said = capsys.readouterr().out
    assert f"{words[1].split()[0] if words else 'build.sh'} in" in said
    assert "no commands left out" in said


CMAKE = """cmake_minimum_required(VERSION 3.16)
project(scale CXX)
set(PEANO "/home/somebody/llvm-aie" CACHE PATH "")
add_custom_command(OUTPUT aie.mlir
  COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/scale.py -n 64 > aie.mlir DEPENDS scale.py VERBATIM)
add_custom_command(OUTPUT scale.o
  COMMAND ${PEANO}/bin/clang++ -O2 --target=aie2-none-unknown-elf -DN=64 -c ${CMAKE_CURRENT_SOURCE_DIR}/scale.cc -o scale.o)
add_custom_command(OUTPUT final.xclbin insts.bin DEPENDS aie.mlir scale.o
  COMMAND aiecc.py --aie-generate-xclbin --aie-generate-npu-insts --xclbin-name=final.xclbin --npu-insts-name=insts.bin aie.mlir)
add_custom_target(design ALL DEPENDS final.xclbin)
add_library(part STATIC part.cpp)
add_executable(test test.cpp)
target_link_libraries(test part)
add_custom_target(run COMMAND ./test -x final.xclbin -i insts.bin DEPENDS design test)
"""


def test_a_folder_that_cmake_builds_as_a_whole(gain, tmp_path, capsys):
    folder = tmp_path / "scale"
    folder.mkdir()
    for name in ("scale.py", "scale.cc", "part.cpp", "test.cpp"):
        (folder / name).write_text("int main() { return 0; }\n" if name == "test.cpp" else "")
    (folder / "CMakeLists.txt").write_text(CMAKE)
    assert main(["import", str(folder), "-o", str(gain)]) == 0
    found = toml.loads((gain / "toolchain.toml").read_text())
    assert found["design"] == {
        "scale": {"source": "../scale/scale.py", "arguments": ["-n", "64"], "folder": "../scale"}
    }
    assert found["kernel"]["scale.o"]["defines"] == ["N=64"]
    assert list(found["kernel"]) == ["scale.o"]
    assert found["host"]["test"]["arguments"] == ["-x", "{xclbin}", "-i", "{insts}"]
    assert sorted(found["host"]["test"]["sources"]) == ["../scale/part.cpp", "../scale/test.cpp"]
    assert "no commands left out" in capsys.readouterr().out


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
    """C that is no C++, and C++ in a file that is named as C: each is a kernel, and the archive is made of both."""
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


def test_a_recipe_that_is_a_little_script(tmp_path, capsys):
    (tmp_path / "mm.cc").write_text("")
    (tmp_path / "mm.mlir").write_text("")
    (tmp_path / "Makefile").write_text(
        "all: build/mm_64x32.o\n\taiecc --xclbin-name=a.xclbin mm.mlir\n"
        "build/mm_%.o: mm.cc\n\t@mkdir -p build\n\t@set -e; dims=$*; a=$${dims%%x*}; b=$${dims#*x}; \\\n"
        '\t  echo "[kernel] $$a"; \\\n'
        "\t  /p/clang++ -O2 --target=aie2p-none-unknown-elf -DM=$$a -DN=$$b -c $< -o $@\n"
    )
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "project")]) == 0
    found = toml.loads((tmp_path / "project" / "toolchain.toml").read_text())
    assert found["kernel"]["mm_64x32.o"]["defines"] == ["M=64", "N=32"]
    assert "no commands left out" in capsys.readouterr().out


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


def test_libraries_that_are_files_are_linked_with(tmp_path):
    """CMake gives those of packages as files, with a version; a Makefile may name a folder of its own."""
    folder, libraries = tmp_path / "f", tmp_path / "libraries"
    folder.mkdir()
    libraries.mkdir()
    for name in ("libseen.so.4.6", "libold.a", "libnear.so", "libxrt_coreutil.so"):
        (libraries / name).write_text("")
    (folder / "t.cpp").write_text("int main() {}\n")
    (folder / "Makefile").write_text(
        "run:\n\tmkdir -p b && cd b && cmake .. && cmake --build .\n\tcp b/show show.exe\n\t./show.exe -x f.xclbin\n"
        f"\tg++ t.cpp -L{libraries} -lnear -lz -lxrt_coreutil -o own.exe\n\t./own.exe -x f.xclbin\n"
    )
    (folder / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.10)\nproject(show CXX)\nset(L {libraries})\n"
        "add_executable(show t.cpp)\ntarget_link_directories(show PUBLIC ${L})\nadd_library(here SHARED t.cpp)\n"
        "add_library(seen SHARED IMPORTED)\nset_property(TARGET seen PROPERTY IMPORTED_LOCATION ${L}/libseen.so.4.6)\n"
        "target_link_libraries(show seen ${L}/libold.a near z here ${L}/libxrt_coreutil.so)\n"
    )
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    found = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())["host"]
    own = ["../libraries/libnear.so", "z"]
    assert found["own"]["libraries"] == own
    assert found["show"]["libraries"] == ["../libraries/libseen.so.4.6", "../libraries/libold.a", *own]


@pytest.mark.parametrize(("words", "kind"), [("--get-ctrlpkt", "ctrlpkt_elf"), ("", "elf")])
def test_an_elf_of_a_call_with_control_packets_has_them_in_it(tmp_path, words, kind):
    folder = tmp_path / "f"
    folder.mkdir()
    lines = (
        f"%aiecc {words} --get-elf --elf-name=b.elf %S/a.mlir",
        "%host_clang -o t %S/t.cpp %xrt_flags",
        "./t",
    )
    (folder / "run.lit").write_text("".join(f"// RUN: {line}\n" for line in lines))
    (folder / "a.mlir").write_text("module {}\n")
    (folder / "t.cpp").write_text('int main() { xrt::elf e{"b.elf"}; }\n')
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    said = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert said["host"]["t"]["files"] == [f"b.elf={{{kind}}}"]
    assert said["design"]["f"].get("reconfiguration", False) is bool(words)


FULL_ELF = """// REQUIRES: ryzen_ai_npu2, peano
// RUN: %aiecc -v --get-full-elf {flags} %S/a.mlir
// RUN: %host_clang -o test %S/test.cpp -std=c++17 %host_link_flags %xrt_flags
// RUN: env ONLY=1 %run_on_npu2% ./test
"""


@pytest.mark.parametrize(
    ("flags", "source", "files"),
    [
        ("", 'xrt::elf e{"aie.elf"};', ["aie.elf={full_elf}"]),
        ("--full-elf-name=b.elf", 'xrt::elf e{"b.elf"};', ["b.elf={full_elf}"]),
        (
            "--get-scratchpad-parameters",
            'xrt::elf e{"aie.elf"}; f("params.txt");',
            ["aie.elf={full_elf}", "params.txt={parameters}"],
        ),
    ],
)
def test_a_full_elf_is_a_file_of_its_design(tmp_path, flags, source, files):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "run.lit").write_text(FULL_ELF.format(flags=flags))
    (folder / "a.mlir").write_text("module {}\n")
    (folder / "test.cpp").write_text(f"int main() {{ {source} }}\n")
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    said = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert said["design"]["f"]["full-elf"] is True
    assert (said["host"]["test"]["files"], said["host"]["test"]["environment"]) == (files, ["ONLY=1"])


def test_tests_that_make_one_file_in_several_ways_are_several_designs(tmp_path, capsys):
    """Each program reads what the command before it has written; packets in the place of loads are left out."""
    folder = tmp_path / "f"
    folder.mkdir()
    for name, flags in (("a.lit", "--load-pdi-to-ctrl-pkt"), ("b.lit", ""), ("c.lit", "--expand-load-pdis")):
        (folder / name).write_text(FULL_ELF.format(flags=flags))
    (folder / "a.mlir").write_text("module {}\n")
    (folder / "test.cpp").write_text('int main() { xrt::elf e{"aie.elf"}; }\n')
    assert main(["import", str(folder), "-o", str(tmp_path / "p")]) == 0
    assert "does not put configurations into sequences (--load-pdi-to-ctrl-pkt)" in capsys.readouterr().out
    said = toml.loads((tmp_path / "p" / "toolchain.toml").read_text())
    assert [design.get("aiecc-flags") for design in said["design"].values()] == [None, ["--expand-load-pdis"]]
    files = ["aie.elf={full_elf}"]
    found = [(host.get("files"), host.get("designs")) for host in said["host"].values()]
    assert found == [(None, None), (files, ["aie"]), (files, ["aie_2"])]
    assert "which a command that is left out makes" in said["host"]["test"]["refused"]


def test_a_path_that_make_takes_apart_is_said(tmp_path, capsys):
    """`$(shell dirname $(realpath …))` of a path with a blank is two paths, for GNU make as well."""
    folder = tmp_path / "of me" / "gain"
    shutil.copytree(FOLDERS / "gain", folder)
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
