"""Lint: what a linked AIE program says about itself that the linker does not look at."""

from __future__ import annotations

import re

from npuninja.arch.devices import DATA_START, PROGRAM_MEMORY_BYTES, advised_stack_bytes
from npuninja.errors import Location, Warnings
from npuninja.formats.elf import Elf

#: From this share of program memory on there is barely room for the next change.
NEARLY_FULL = 0.9
# Of Peano's compiler-rt, what a core has no instruction for: scalar float operations, and division.
_SOFTWARE = re.compile(
    r"__(?:add|sub|mul|div|neg)[sdt]f[23]|__(?:eq|ne|lt|gt|le|ge|unord)[sdt]f2|__(?:fix|float|extend|trunc)\w+|"
    r"__u?(?:div|mod|divmod)[sd]i[34]"
)


def check_core_program(elf: Elf, stack_bytes: int | None, path: str, warnings: Warnings) -> None:
    """Warns of a program that barely fits, of library functions for floats, and of too small a stack.

    Args:
        elf: the linked program.
        stack_bytes: what its linker script gives to the stack; None when that is not known.
        path: of the program, for people.
        warnings: where to add.
    """
    place = Location(path)
    program = sum(s.memory_bytes for s in elf.segments if s.address < DATA_START)
    if program >= NEARLY_FULL * PROGRAM_MEMORY_BYTES:
        warnings.add(
            f"the program takes {program} of the {PROGRAM_MEMORY_BYTES} bytes that a core has", place
        )
    software = sorted({s.name for s in elf.symbols if s.section and _SOFTWARE.fullmatch(s.name)})
    if software:
        warnings.add(
            f"the program calls library functions in place of instructions: {', '.join(software[:6])}"
            f"{f' and {len(software) - 6} more' if len(software) > 6 else ''}; scalar floats and divisions "
            "are slow, use fixed point, shifts, or vectors",
            place,
        )
    frame = largest_frame(elf)
    if frame is not None and stack_bytes is not None and frame > stack_bytes:
        warnings.add(
            f"a function of the program needs {frame} bytes of stack or more, but its "
            f"stack_size is {stack_bytes}: set stack_size = {advised_stack_bytes(frame)} : i32 "
            "on the core, or make arrays static",
            place,
        )


def largest_frame(elf: Elf) -> int | None:
    """The bytes of the largest frame in .stack_sizes, None without it; a core needs at least as much.

    LLVM writes a 32-bit address and a ULEB128 size per function. Which function calls which is not in an ELF
    file.
    """
    section = elf.section(".stack_sizes")
    if section is None:
        return None
    largest, at, data = 0, 0, section.data
    while at + 4 < len(data):
        at += 4
        size = shift = 0
        while at < len(data):
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        largest = max(largest, size)
    return largest
