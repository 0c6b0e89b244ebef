"""C lines of machine code: the line tables of linked programs and of objects.

An object's table has addresses of several sections that all begin at 0; its relocations tell them apart.
"""

from __future__ import annotations

import struct

from npuninja.formats import elf
from npuninja.formats.dwarf_lines import LineTable, read_line_table

#: Where sequences of other sections go: no program memory is there.
_ELSEWHERE = 0xE000_0000
#: Relocations of words of data: 20 bits, 32 bits (tables/aie2.json).
_WORD_RELOCATIONS = frozenset((50, 51, 52, 53))


def line_table(found: elf.Elf | None, section: int = 0) -> LineTable | None:
    """The line table of an ELF file, None when it has none.

    Args:
        found: the file.
        section: of an object: the number of the section whose code is meant.
    """
    table = found.section(".debug_line") if found is not None else None
    if found is None or table is None:
        return None
    data = table.data
    if found.type == elf.RELOCATABLE:
        data = _relocated(found, found.sections.index(table), section)
    texts = [found.section(name) for name in (".debug_line_str", ".debug_str")]
    return read_line_table(data, *(text.data if text is not None else b"" for text in texts))


def _relocated(found: elf.Elf, number: int, section: int) -> bytes:
    data = bytearray(found.sections[number].data)
    for table in found.sections:
        if table.type != elf.RELA or table.info != number:
            continue
        for offset, kind, target, addend in elf.relocations_in(table):
            if kind not in _WORD_RELOCATIONS or target >= len(found.symbol_table):
                continue
            symbol = found.symbol_table[target]
            home, value = symbol.section, symbol.value + addend
            is_code = home < len(found.sections) and found.sections[home].flags & elf.EXECUTABLE_SECTION
            if is_code and home != section:
                value += _ELSEWHERE
            if offset + 4 <= len(data):
                struct.pack_into("<I", data, offset, value & 0xFFFFFFFF)
    return bytes(data)
