"""What commands are for."""

import pytest

from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    CopiedFile,
    DesignBuild,
    DesignScript,
    FoundHostProgram,
    FoundKernelObject,
    HostRun,
    ReplacedWords,
)  # fmt: skip
from npuninja.porting.recognise import recognise
from npuninja.porting.shell_words import commands_of

LINES = {
    "/opt/peano/bin/clang++ -O2 --target=aie2-none-unknown-elf -std=c++20 -Wno-x -DA=1 -D B -I inc -c "
    "k.cc -o k.o": FoundKernelObject(
        "/f/k.o", ("/f/k.cc",), ("A=1", "B"), ("/f/inc",), ("-O2",), "c++20"
    ),
    "clang -c --target=aie2p-none-unknown-elf src/k.c": FoundKernelObject("/f/k.o", ("/f/src/k.c",), (), (), (), ""),
    "xchesscc_wrapper aie2 -I /v/include -DBIT_WIDTH=8 -c k.cc -o k.o": FoundKernelObject(
        "/f/k.o", ("/f/k.cc",), ("BIT_WIDTH=8", "NPUNINJA_CHESS"), ("/v/include",), (), ""
    ),
    "g++-13 -ggdb -I/usr/include -L/usr/lib -DM=4 -o build/test test.cpp -lxrt_coreutil -lz": FoundHostProgram(
        "/f/build/test", ("/f/test.cpp",), ("M=4",), ("/usr/include",), (),
        libraries=("xrt_coreutil", "z"), language="",
    ),
    "llvm-ar rcs lib.a a.o sub/b.o": Archive("/f/lib.a", ("/f/a.o", "/f/sub/b.o")),
    "ld.lld -r a.o b.o -o all.o": Archive("/f/all.o", ("/f/a.o", "/f/b.o")),
    "python3 d.py -n 4 > b/x.mlir": DesignScript("/f/d.py", ("-n", "4"), "/f", "/f/b/x.mlir"),
    "python d.py -o b/x.mlir": DesignScript("/f/d.py", ("-o", "b/x.mlir"), "/f", "/f/b/x.mlir"),
    "python3 d.py --xclbin-path=b/x.xclbin --insts-path b/i.bin": DesignScript(
        "/f/d.py", ("--xclbin-path=b/x.xclbin", "--insts-path", "b/i.bin"), "/f", "",
        {"xclbin": "/f/b/x.xclbin", "insts": "/f/b/i.bin"},
    ),
    "aiecc.py --alloc-scheme=bank-aware --aie-generate-xclbin --xclbin-name=x.xclbin --peano /p a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/x.xclbin"}, ("--alloc-scheme=bank-aware",), ()
    ),
    "aiecc.py --alloc-scheme= --dynamic-objFifos --aie-generate-xclbin a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/final.xclbin"}, ("--dynamic-objFifos",), ()
    ),
    "aiecc --aie-generate-npu-insts --npu-insts-name=i.txt --new-thing a.mlir": DesignBuild(
        "/f/a.mlir", {"insts": "/f/i.txt"}, (), ("--new-thing",)
    ),
    "aiecc --get-xclbin --get-npu-insts --xclbin-name=x.xclbin --alloc-scheme=basic-sequential a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/x.xclbin", "insts": "/f/insts_{0}.bin"}, ("--alloc-scheme=basic-sequential",), (),
        generation="2026-08",
    ),
    "aiecc --device-name=d --xclbin-kernel-name=K --xclbin-kernel-id=0x902 --xclbin-input=o/a.xclbin -I inc "
    "--aie-generate-xclbin --xclbin-name b.xclbin --sequence-name s a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/b.xclbin"}, (), (),
        device="d", sequence="s", kernel=("K", "", "0x902"), chained="/f/o/a.xclbin",
    ),
    "aiecc --get-xclbin --output-dir out --placer sequential_placer --get locmap -O 3 a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/out/aie.xclbin"}, (), (), generation="2026-08"
    ),
    "aiecc --aie-generate-xclbin --aie-generate-elf a.mlir": DesignBuild(
        "/f/a.mlir", {"xclbin": "/f/final.xclbin", "elf": "/f/insts.elf"}, (), ()
    ),
    "aiecc --get-input-with-addresses --get-elf a.mlir": DesignBuild(
        "/f/a.mlir", {"elf": "/f/design.elf", "lowered": "/f/input_with_addresses.mlir"}, (), (), generation="2026-08",
    ),
    'cmake -E env CXXFLAGS="-ggdb -DX" cmake -S .. -B out -D A=1 -DB=2': CMakeBuild(
        "/", "/f/out", ("A=1", "B=2"), (("CXXFLAGS", "-ggdb -DX"),)
    ),
    "cp a b": CopiedFile("/f/a", "/f/b"),
    "sed 's/NPUDEVICE/npu1_1col/g' a.mlir > b/a.mlir": ReplacedWords(
        "/f/a.mlir", "/f/b/a.mlir", (("NPUDEVICE", "npu1_1col"),)
    ),
    "sed -e 's|A|B/C|g; s|D||g' -e s/E/F/g < a.mlir > b.mlir": ReplacedWords(
        "/f/a.mlir", "/f/b.mlir", (("A", "B/C"), ("D", ""), ("E", "F"))
    ),
    "sed 's/NPUDEVICE/npu1/g' -i a.mlir": ReplacedWords("/f/a.mlir", "/f/a.mlir", (("NPUDEVICE", "npu1"),)),
    "jupyter nbconvert --to script n/a.ipynb --output-dir .": CopiedFile("/f/n/a.ipynb", "/f/a.py"),
    "jupyter nbconvert --to=python a.ipynb --output=b": CopiedFile("/f/a.ipynb", "/f/b.py"),
    "jupyter nbconvert --to notebook --execute a.ipynb": HostRun("/f/a.ipynb", (), "/f", ()),
    "./test.exe -x b/x.xclbin": HostRun("/f/test.exe", ("-x", "b/x.xclbin"), "/f", ()),
    "python3 test.py -v": HostRun("/f/test.py", ("-v",), "/f", ()),
    "sudo python3 test.py": HostRun("/f/test.py", (), "/f", ()),
    "timeout -k 5 60 ./test.exe -v": HostRun("/f/test.exe", ("-v",), "/f", ()),
    "sudo -n env -i A=1 stdbuf -i 0 ./test.exe -v": HostRun("/f/test.exe", ("-v",), "/f", (("A", "1"),)),
    "sudo -E env A=1 nice -n 5 python3 test.py": HostRun("/f/test.py", (), "/f", (("A", "1"),)),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_recognised(line):
    (one,) = recognise(list(commands_of(line, "/f")))
    assert one.found == LINES[line]


REMARKS = {
    "jupyter nbconvert --to html a.ipynb": "makes nothing that is run",
    "mkdir -p build": "",
    "sed 's/a.*b/c/g' x > y": "takes over s/WORD/TEXT/g",
    "sed 's/a/b/' x > y": "takes over s/WORD/TEXT/g",
    "sed -n 1p x > y": "sed's -n",
    "cmake --build . --config Release": "",
    "frobnicate x": "does not know what frobnicate is for",
    "python3 ../python/utils/trace/parse.py --input trace.txt --mlir a.mlir": "npuninja trace --run NAME",
    "python3 -c 'print(1)'": "a piece of Python",
    "cmp a b || cp a b": "at run time",
    "ld.lld a.o -o core.elf": "cores are linked by npuninja",
}


@pytest.mark.parametrize("line", REMARKS)
def test_what_is_left_out_says_why(line):
    found = recognise(list(commands_of(line, "/f")))
    assert all(one.found is None and REMARKS[line] in one.remark for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{ link_with = "a.o" }', ((' "a.o"', ' "b.o"'),)),
        ('{ link_with = "a.o" } // "a.o"', None),  # the rest behind = would be another place too
        ('{ link_with = "a.o" } { link_with = "a.o" }', None),  # sed without g takes the first of a line
        ('{ link_with = "a.o" }\n{ link_with = "axo" }', None),  # and its . is any character
    ],
)
def test_sed_does_no_more_than_words_do(tmp_path, text, words):
    (tmp_path / "x.mlir").write_text(text)
    line = """sed 's/link_with = "a.o"/link_with = "b.o"/' x.mlir > y.mlir"""
    (one,) = recognise(list(commands_of(line, str(tmp_path))))
    assert (one.found.words if one.found else None) == words
