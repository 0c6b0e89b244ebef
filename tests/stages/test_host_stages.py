"""Host programs through the stages: compiled, linked, run; and what is said when that fails."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from npuninja.errors import ToolError, UserError, WrongResult
from npuninja.plan.host_recipe import HEADERS
from npuninja.stages import host_cc, host_link, run_host

COMPILER = shutil.which("g++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no g++")

BFLOAT = """
#include <iostream>
#include <limits>
#include <vector>
int main() {
    std::bfloat16_t one = std::bfloat16_t(1.0f), third = std::bfloat16_t(1.0f / 3);
    std::vector<std::bfloat16_t> values(3, one);
    values[1] += third;
    std::cout << sizeof(one) << " " << third * 3.0f << " " << values[1] << " " << (one + third * third) << " "
              << (values[1] > one) << " " << std::abs(-third) << " "
              << static_cast<float>(std::numeric_limits<std::bfloat16_t>::max()) << std::endl;
}
"""


def build(folder, text, *options):
    source, made = folder / "program.cpp", folder / "0_program.o"
    source.write_text(text)
    read = host_cc.run([str(source), "--compiler", COMPILER, "--headers", HEADERS, *options, "-o", str(made)])
    host_link.run([str(made), "--compiler", COMPILER, "-o", str(folder / "program")])
    return str(folder / "program"), read


@needs_compiler
def test_bfloat16_rounds_as_the_standard_says(tmp_path):
    program, _ = build(tmp_path, BFLOAT, "--language", "c++23")
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    # 1/3 is 0x3EAB, 4/3 is 0x3FAB, 1 + 1/9 is 0x3F8E, each to nearest even.
    assert printed[:6] == ["2", "1.00195", "1.33594", "1.10938", "1", "0.333984"]
    assert float(printed[6]) == pytest.approx(3.3895e38, rel=1e-4)


@needs_compiler
def test_defines_include_and_headers(tmp_path):
    (tmp_path / "inc").mkdir()
    header = tmp_path / "inc" / "own.h"
    header.write_text("#define OWN 3\n")
    text = '#include "own.h"\nint main() { return OWN + EXTRA - 7; }\n'
    program, read = build(tmp_path, text, "--include", str(tmp_path / "inc"), "--define", "EXTRA=4")
    assert str(header) in read
    assert subprocess.run([program], check=False).returncode == 0


@needs_compiler
def test_boost_may_be_included_where_it_is_not_installed_but_not_used(tmp_path):
    include = "#include <boost/program_options.hpp>\n"
    program, read = build(
        tmp_path, include + "namespace po = boost::program_options;\nint main() { return 3; }\n"
    )
    assert subprocess.run([program], check=False).returncode == 3
    if any(path.startswith(HEADERS) for path in read):  # it is not installed here
        with pytest.raises(UserError) as found:
            build(tmp_path, include + "int main() { boost::program_options::variables_map m; }\n")
        assert "libboost-program-options-dev" in found.value.hint


@needs_compiler
def test_a_library_that_is_a_file_is_found_again_when_the_program_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own libraries").mkdir()
    library, source = "own libraries/libthree.so.1", tmp_path / "three.c"
    source.write_text("int three(void) { return 3; }\n")
    subprocess.run(
        [COMPILER, "-x", "c", str(source), "-shared", "-fPIC", "-Wl,-soname,libthree.so.1", "-o", library],
        check=True,
    )
    source.write_text("int three(void);\nint main(void) { return three(); }\n")
    host_cc.run(
        ["three.c", "--compiler", shutil.which("gcc") or COMPILER, "--headers", HEADERS, "-o", "three.o"]
    )
    host_link.run(["three.o", "--compiler", COMPILER, "--library", library, "--library", "m", "-o", "three"])
    assert subprocess.run([str(tmp_path / "three")], cwd="/", check=False).returncode == 3


def test_a_refused_program_says_why():
    with pytest.raises(UserError, match="it needs OpenCV"):
        run_host.run(["--refused", "it needs OpenCV"])


@needs_compiler
def test_an_error_is_located_and_leaves_nothing(tmp_path, capfd):
    with pytest.raises(UserError) as found:
        build(tmp_path, "int main() { return nothing; }")
    assert found.value.location.file.endswith("program.cpp")
    assert "was not declared" in capfd.readouterr().err
    assert not (tmp_path / "0_program.o").exists()


def test_what_configure_found_missing_is_said(tmp_path):
    words = [
        "x.cpp",
        "--missing",
        "xrt is not usable: not found",
        "--headers",
        HEADERS,
        "-o",
        str(tmp_path / "x.o"),
    ]
    with pytest.raises(ToolError, match="xrt is not usable: not found"):
        host_cc.run(words)


# --- Running. A Python script with `aie` in it needs no XRT and no NPU.

COMMANDS = {
    ("/p/x.py", "aie", True): ["python", "/p/x.py", "--device", "npu2", "--", "a"],
    ("/p/x.py", "", True): ["python", "/p/x.py", "--device", "npu2", "--", "a"],
    ("/p/x.py", "pyxrt", True): ["emu", "--device", "npu2", "--", "python", "/p/x.py", "a"],
    ("/p/x", "", True): ["emu", "--device", "npu2", "--", "/t/with-xrt", "/p/x", "a"],
}


@pytest.mark.parametrize("case", COMMANDS)
def test_the_command_without_an_npu(case):
    program, module, emulated = case
    runner = "" if program.endswith(".py") else "/t/with-xrt"
    found = run_host.command_of(program, ["a"], module, "npu2", runner, emulated=emulated)
    assert found == [sys.executable, "-m", "npuninja", *COMMANDS[case]]


def test_on_an_npu_nothing_comes_first():
    limited = run_host.command_of("/p/x", [], "", "npu1", "", emulated=True, limit_s=1000)
    assert limited[3:] == ["emu", "--device", "npu1", "--time-limit", "900", "--", "/p/x"]
    assert run_host.command_of("/p/x", ["a"], "", "npu1", "", emulated=False) == ["/p/x", "a"]
    assert run_host.command_of("/p/x.py", [], "pyxrt", "npu1", "", emulated=False) == [
        sys.executable,
        "/p/x.py",
    ]


def host(tmp_path, text, *options):
    script = tmp_path / "script.py"
    script.write_text(text)
    run_host.run([str(script), "--device", "npu1", "--time-limit", "20", *options])


def test_exit_code_is_the_verdict(tmp_path, capfd):
    host(tmp_path, "import sys; print('PASS', sys.argv[1:])", "--", "one")
    assert "PASS ['one']" in capfd.readouterr().out
    with pytest.raises(WrongResult, match=r"script\.py ended with exit code 3"):
        host(tmp_path, "raise SystemExit(3)")


def test_folder_environment_and_files(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "data").mkdir()
    text = "import os, sys; print(os.getcwd(), os.environ['A'], sys.argv[1])"
    made = os.path.relpath(tmp_path / "script.py")
    host(tmp_path, text, "--folder", str(tmp_path / "data"), "--environment", "A=x=y", "--", f"-x={made}")
    assert capfd.readouterr().out.split() == [str(tmp_path / "data"), "x=y", f"-x={tmp_path / 'script.py'}"]


def test_a_program_that_does_not_end_is_ended(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import time; time.sleep(60)")
    with pytest.raises(WrongResult, match=r"did not end within 1 s"):
        run_host.run([str(script), "--device", "npu1", "--time-limit", "1"])


@pytest.mark.parametrize("module", ["", "pyxrt"])
def test_a_script_can_be_run_as_a_module_of_its_package(tmp_path, capfd, monkeypatch, module):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "sizes.py").write_text("SIZE = 16\n")
    script = tmp_path / "pack" / "check.py"
    script.write_text("import sys\nfrom .sizes import SIZE\nprint(__name__, SIZE, sys.argv[1:])\n")
    monkeypatch.setattr(run_host, "ACCELERATOR", str(tmp_path))  # as with an NPU: no emulated one is set up
    words = ["--device", "npu1", "--time-limit", "20", "--as", "pack.check", "--root", str(tmp_path)]
    run_host.run([str(script), *words, *(["--module", module] if module else []), "--", "x"])
    assert capfd.readouterr().out == "__main__ 16 ['x']\n"


@pytest.mark.parametrize(
    ("printed", "wanted", "missing"),
    [
        ("a  PASS! b", ["PASS!"], None),
        ("one\\ntwo three", ["one", "two", "three"], None),
        ("two\\none", ["one", "two"], "two"),
        ("FAIL", ["PASS!"], "PASS!"),
    ],
)
def test_what_the_output_has_decides_as_the_exit_code_does(tmp_path, capfdbinary, printed, wanted, missing):
    script = tmp_path / "own.py"
    script.write_text(f'print("{printed}")\n')
    words = [
        str(script),
        "--device",
        "npu1",
        "--time-limit",
        "60",
        *(w for t in wanted for w in ("--output-has", t)),
    ]
    if missing:
        with pytest.raises(WrongResult, match=f"did not print '{missing}'"):
            run_host.run([*words, "--"])
    else:
        run_host.run([*words, "--"])
    assert printed.split("\\n")[0].encode() in capfdbinary.readouterr().out


def test_a_program_that_names_files_itself_finds_them_beside_what_lies_in_its_folder(tmp_path, capfdbinary):
    folder = tmp_path / "theirs"
    (folder / "build").mkdir(parents=True)
    (folder / "data.txt").write_text("data")
    (folder / "build" / "final.xclbin").write_text("old")
    (tmp_path / "made.xclbin").write_text("new")
    script = tmp_path / "own.py"
    script.write_text('print(open("data.txt").read(), open("build/final.xclbin").read())\n')
    words = [str(script), "--device", "npu1", "--time-limit", "60", "--folder", str(folder)]
    made = ["--links", str(tmp_path / "l"), "--file", f"build/final.xclbin={tmp_path / 'made.xclbin'}"]
    for _ in range(2):  # the second time over what the first has made
        run_host.run([*words, *made, "--"])
    assert capfdbinary.readouterr().out.splitlines().count(b"data new") == 2
    assert (folder / "build" / "final.xclbin").read_text() == "old"
