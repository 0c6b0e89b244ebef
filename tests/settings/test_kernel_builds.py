"""How a kernel is built is data: `[kernel."OBJECT.o"]`, the command line, and where sources lie."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from negate_project import KERNEL, NegateProject

ZIG = [sys.executable, "-m", "ziglang"]


def test_one_source_two_objects_with_different_defines(empty: NegateProject) -> None:
    empty.write("kernels/negate.c", KERNEL)
    empty.design("minus", "minus.o")
    empty.design("double", "double.o", 2)
    empty.write(
        "toolchain.toml",
        """[kernel."*.o"]
flags = ["-O3"]

[kernel."minus.o"]
sources = ["kernels/negate.c"]
defines = ["FACTOR=-1"]

[kernel."double.o"]
sources = ["kernels/negate.c"]
defines = ["FACTOR=(1 + 1)"]
""",
    )
    empty.configure()
    empty.right("minus", "double")
    commands = json.loads((empty.folder / "compile_commands.json").read_text(encoding="utf-8"))
    words = {entry["output"].rpartition("/")[2]: entry["arguments"] for entry in commands}
    assert "-DFACTOR=-1" in words["minus.o"]
    assert "-DFACTOR=(1 + 1)" in words["double.o"]
    assert all("-O3" in arguments for arguments in words.values())
    # Another define makes that object again, and what it goes into; and not the other.
    empty.edit("toolchain.toml", "(1 + 1)", "(2)")
    assert "minus.o" not in empty.rebuilt()
    empty.right("double")


def test_several_sources_archives_and_objects_become_one_object(empty: NegateProject) -> None:
    one, loop = "int one(int v) { return -v; }\n", KERNEL.replace("in[i] * (FACTOR)", "one(in[i])")
    empty.write("kernels/one.c", one)
    empty.write("kernels/loop.c", "int one(int v);\n" + loop)
    empty.design("sources", "sources.o")
    empty.design("archive", "archive.a")
    for name in ("one", "loop"):
        command = [*ZIG, "cc", "-target", "wasm32-freestanding", "-O2", "-c", f"kernels/{name}.c"]
        subprocess.run([*command, "-o", f"kernels/{name}.o"], cwd=empty.folder, check=True)
    subprocess.run([*ZIG, "ar", "rcs", "made.a", "kernels/one.o"], cwd=empty.folder, check=True)
    empty.write(
        "toolchain.toml",
        '[kernel."sources.o"]\nsources = ["kernels/one.c", "kernels/loop.c"]\n'
        '[kernel."archive.a"]\nsources = ["made.a", "kernels/loop.o"]\n',
    )
    empty.configure()
    empty.right("sources", "archive")
    empty.edit("kernels/one.c", "-v", "v")
    assert "sources: the result is wrong in" in empty.ninja("run-sources", code=None).stderr


def test_an_object_for_an_npu_is_no_part_of_an_emulated_core(empty: NegateProject) -> None:
    empty.design("made", "made.o")
    (empty.folder / "made.o").write_bytes(b"\x7fELF" + bytes(60))
    empty.write("toolchain.toml", '[kernel."made.o"]\nsources = ["made.o"]\n')
    empty.configure()
    printed = empty.ninja(code=None).stdout
    assert "made.o: error: an object for an NPU, and the cores are compiled for the emulated array" in printed
    archive = b"!<arch>\n" + b"made.o/".ljust(58) + b"`\n" + b"\x7fELF" + bytes(60)
    (empty.folder / "made.o").write_bytes(archive)
    assert "made.o: error: an object for an NPU" in empty.ninja(code=None).stdout


def test_two_designs_with_an_object_of_one_name(empty: NegateProject) -> None:
    for name, factor in (("one", 3), ("two", 5)):
        empty.write(f"kernels/{name}/kernel.c", KERNEL.replace("FACTOR", str(factor)))
        empty.design(name, "kernel.o", factor)
    empty.configure()
    empty.right("one", "two")


def test_one_object_in_several_ways_for_several_designs(empty: NegateProject) -> None:
    empty.write("kernels/kernel.c", KERNEL)
    for name, factor in (("one", 3), ("two", 5)):
        empty.design(name, "kernel.o", factor)
    empty.write(
        "toolchain.toml",
        "".join(
            '[[kernel."kernel.o"]]\n'
            'sources = ["kernels/kernel.c"]\n'
            f'defines = ["FACTOR={f}"]\n'
            f'designs = ["{n}"]\n'
            for n, f in (("one", 3), ("two", 5))
        ),
    )
    empty.configure()
    empty.right("one", "two")


@pytest.mark.parametrize("name", ["sub/negate.o", "./negate.o", "../build/negate.o", "/opt/x/negate.o"])
def test_link_with_may_name_a_path(empty: NegateProject, name: str) -> None:
    empty.write("kernels/sub/negate.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("path", name)
    empty.configure()
    empty.right("path")


def test_includes_count_from_the_file_and_are_noticed(empty: NegateProject) -> None:
    empty.write("kernels/negate.c", '#include "factor.h"\n#include "other.h"\n' + KERNEL)
    empty.write("a folder/factor.h", "#define FACTOR (-1 * OTHER)\n")
    outside = empty.folder.parent / "outside"
    outside.mkdir()
    (outside / "other.h").write_text("#define OTHER 1\n", encoding="utf-8")
    empty.environment["OUTSIDE"] = str(outside)
    empty.design("minus", "negate.o")
    empty.write("toolchain.toml", '[kernel."negate.o"]\ninclude = ["a folder", "$OUTSIDE"]\n')
    empty.configure()
    del empty.environment["OUTSIDE"]  # the variable is recorded, as PATH is
    empty.right("minus")
    (outside / "other.h").write_text("#define OTHER 2\n", encoding="utf-8")
    assert "the result is wrong" in empty.ninja("run-minus", code=None).stderr
    empty.edit("toolchain.toml", "$OUTSIDE", "$NOWHERE")
    printed = empty.configure(code=2).stderr
    assert "toolchain.toml:2:1: error: there is no value for $NOWHERE" in printed


def test_a_c_file_that_is_cxx_can_say_so(empty: NegateProject) -> None:
    source = KERNEL.replace("FACTOR", "-1").replace("void", 'extern "C" {\nvoid') + "}\n"
    empty.write("kernels/negate.c", source)
    empty.design("minus", "negate.o")
    empty.configure()
    printed = empty.ninja(code=None).stdout
    assert 'hint: extern "C" is C++' in printed
    assert 'language = "c++"' in printed
    empty.write("toolchain.toml", '[kernel."negate.o"]\nlanguage = "c++20"\n')
    empty.right("minus")  # a new toolchain.toml is noticed
    empty.ninja("minus")
    assert empty.ninja().stdout == "ninja: no work to do.\n"


def test_the_command_line_defines_for_all_kernels(empty: NegateProject) -> None:
    empty.write("kernels/negate.c", "#include <factor.h>\n" + KERNEL)
    empty.write("headers/factor.h", "#define FACTOR (-(MINUS))\n")
    empty.design("minus", "negate.o")
    empty.environment["CFLAGS"] = "-O0"
    printed = empty.configure("--define", "MINUS=1", "--include", "headers").stdout
    assert "note: CFLAGS is set, and not read" in printed
    empty.right("minus")


REFUSED = [
    ('flags = ["-o", "x.o"]', "flag '-o' is not yours to give"),
    ('flags = ["--target=aie2"]', "flag '--target=aie2' is not yours to give"),
    ('defines = ["-DX"]', "'-DX' is no macro"),
    ('sources = ["kernels/none.c"]', "there is no file 'kernels/none.c'"),
    ('sources = ["kernels/negate.h"]', "'kernels/negate.h' is no source of a kernel"),
    ("sources = []", "'negate.o' is made of nothing"),
    ('sources = ["kernels/negate.s"]', "kernels/negate.s is assembly of the AI Engine"),
    ('language = "d"', "'language' must be one of c,"),
    ('float = "exactly"', "'float' must be one of exact, fast, got 'exactly'"),
    ("flags = '-O3'", "'flags' must be a list of strings, got '-O3'"),
    ("flag = []", "unknown key 'flag' in [kernel.negate.o]"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_means_nothing_is_refused_with_its_place(empty: NegateProject, text: str, message: str) -> None:
    empty.write("kernels/negate.c", KERNEL)
    empty.write("kernels/negate.s", "")
    empty.design("minus", "negate.o")
    empty.write("toolchain.toml", f'\n[kernel."negate.o"]\n{text}\n')
    assert f"toolchain.toml:3:1: error: {message}" in empty.configure(code=2).stderr


def test_an_object_that_lies_there_is_said_to_be(empty: NegateProject) -> None:
    (empty.folder / "kernels").mkdir()
    (empty.folder / "kernels/made.o").write_bytes(b"!<arch>\n")
    empty.design("made", "made.o")
    printed = empty.configure(code=2).stderr
    assert "nothing makes 'made.o'" in printed
    assert (
        "kernels/made.o lies there; what was made elsewhere is taken when toolchain.toml says so" in printed
    )
