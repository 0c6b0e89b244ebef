"""`npuninja import` on folders that tests for lit build, and the words of aiecc in them."""

import pytest
import toml
from imported_folders import NEEDS_MAKE, imported

from npuninja.cli import main

pytestmark = NEEDS_MAKE


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


def test_variables_are_those_of_the_folders_own_test(tmp_path, capsys):
    toml = imported("jitted", tmp_path / "p")
    assert toml["design"]["jitted"]["arguments"][:2] == ["-d", "npu2"]
    assert "make run DEVICE=npu2 WIDTH=16" in (text := capsys.readouterr().out)
    assert "(as its run_second.lit says)" in text
    imported("gain", tmp_path / "q")
    assert "lit says" not in capsys.readouterr().out


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


CALLS = """RUN: aiecc --device-name=one --xclbin-kernel-name=ONE --xclbin-kernel-id=0x901 --get-xclbin --get-npu-insts {a}
RUN: aiecc --device-name=two --xclbin-kernel-name=TWO --xclbin-kernel-id=0x902 {b}
RUN: %host_clang %S/test.cpp -o test.exe -std=c++17
RUN: %run_on_npu1% ./test.exe {words}
"""


@pytest.mark.parametrize(
    ("second", "words", "arguments", "designs"),
    [
        (
            "--get-xclbin --get-npu-insts --xclbin-input=a.xclbin --xclbin-name=b.xclbin "
            "--npu-insts-name=b.bin %S/a.mlir",
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
    """Each program reads what the command before it wrote; packets in place of loads are left out."""
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
