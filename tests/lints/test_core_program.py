"""Lint of linked AIE programs; C and C++ names in objects of any machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import ziglang

from npuninja.errors import UserError, Warnings
from npuninja.formats.elf import Elf, ElfSection, ElfSymbol, read_elf, write_core_elf
from npuninja.lints.core_program import check_core_program, largest_frame
from npuninja.stages._link_check import check_mangling
from npuninja.stages._peano_object import check_object, read_symbols

# Two functions, of 3616 and of 32 bytes of stack.
STACK_SIZES = b"\0\0\0\0\xa0\x1c" + b"\x10\0\0\0\x20"


def program(size: int = 64, symbols: tuple[str, ...] = (), stack_sizes: bytes | None = None) -> Elf:
    elf = read_elf(write_core_elf([(0, bytes(size), size)], 2), "x")
    sections = (
        (ElfSection(".stack_sizes", 1, 0, len(stack_sizes), stack_sizes),) if stack_sizes is not None else ()
    )
    return elf._replace(sections=sections, symbols=tuple(ElfSymbol(name, 0, 4, 1) for name in symbols))


def warned(elf: Elf, stack_bytes: int | None = 1024) -> list[str]:
    warnings = Warnings()
    check_core_program(elf, stack_bytes, "core_0_2.elf", warnings)
    return [message for message, place in warnings.items if place and place.file == "core_0_2.elf"]


def test_a_small_program_is_fine() -> None:
    assert warned(program(symbols=("core_0_2", "__start", "my__addsf3"))) == []
    assert warned(program(stack_sizes=b"\0\0\0\0\x20")) == []


def test_a_program_that_barely_fits() -> None:
    assert warned(program(14700)) == []
    assert warned(program(14800)) == ["the program takes 14800 of the 16384 bytes that a core has"]


@pytest.mark.parametrize(
    "name", ["__addsf3", "__mulsf3", "__divsf3", "__divsi3", "__eqsf2", "__fixsfsi", "__floatsidf"]
)
def test_library_functions(name: str) -> None:
    (message,) = warned(program(symbols=(name,)))
    assert f"calls library functions in place of instructions: {name}; scalar floats" in message


def test_many_library_functions_are_cut() -> None:
    names = tuple(f"__{op}{kind}f3" for op in ("add", "sub", "mul", "div") for kind in "sd")
    (message,) = warned(program(symbols=names))
    assert "and 2 more" in message


def test_a_frame_larger_than_the_stack() -> None:
    (message,) = warned(program(stack_sizes=STACK_SIZES))
    assert (
        "needs 3616 bytes of stack or more, but its stack_size is 1024: set stack_size = 5120 : i32"
        in message
    )
    assert warned(program(stack_sizes=STACK_SIZES), 4096) == []
    assert warned(program(stack_sizes=STACK_SIZES), None) == []


@pytest.mark.parametrize(
    ("content", "largest"), [(None, None), (b"", 0), (STACK_SIZES, 3616), (b"\0\0\0", 0)]
)
def test_stack_sizes_of_llvm(content: bytes | None, largest: int | None) -> None:
    assert largest_frame(program(stack_sizes=content)) == largest


def compiled(folder: Path, name: str, text: str) -> bytes:
    """A 32-bit ELF object, for a machine that the compiler of the emulated cores knows."""
    source = folder / name
    source.write_text(text)
    target = source.with_suffix(".o")
    zig = os.path.join(os.path.dirname(ziglang.__file__), "zig")
    program = "c++" if name.endswith(".cc") else "cc"
    command = [zig, program, "-target", "x86-linux-musl", "-c", str(source), "-o", str(target)]
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return target.read_bytes()


def test_c_called_from_cxx(tmp_path: Path) -> None:
    user = compiled(tmp_path, "core.cc", "void fft(short *);\nvoid core(short *p) { fft(p); }\n")
    kernel = compiled(tmp_path, "fft.c", "void fft(short *p) { p[0] = 1; }\n")
    objects = [read_symbols(user, "core.o"), read_symbols(kernel, "fft.o")]
    assert "_Z3fftPs" in objects[0].undefined
    assert objects[1].defined.count("fft") == 1
    with pytest.raises(UserError, match=r"core\.o uses _Z3fftPs") as caught:
        check_mangling(objects)
    assert caught.value.hint is not None
    assert (
        'fft.o has it as fft: one side is C, the other C++; declare the function extern "C"'
        in caught.value.hint
    )
    with pytest.raises(UserError, match=r"core\.o uses fft") as caught:
        check_mangling([objects[1]._replace(path="core.o", defined=(), undefined=("fft",)),
                        objects[0]._replace(path="k.o", defined=("_Z3fftPs",), undefined=())])  # fmt: skip
    check_mangling([objects[1], objects[1]._replace(path="x.o", defined=(), undefined=("fft", "memcpy"))])
    # An object for another machine never reaches the linker.
    with pytest.raises(UserError, match="not an object for the AI Engine"):
        check_object("aie2", "fft.o")(kernel)
