"""`npuninja import` on folders that scripts and CMake build."""

import pytest
import toml
from imported_folders import NEEDS_MAKE

from npuninja.cli import main

pytestmark = NEEDS_MAKE


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
