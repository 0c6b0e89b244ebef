"""Objects of AIE2: sections, symbols and relocations as an ELF32 file, written by the assembler and read by the linker.

Source: ELF specification; llvm-aie for machine number, flags and relocations (tables/aie2.json).
"""

from __future__ import annotations

import struct
from typing import Mapping, Sequence

from npuninja.formats.dwarf_line_writer import CodeRows, write_line_table
from npuninja.formats.elf import (
    ELF_HEADER_BYTES,
    EXECUTABLE,
    MACHINE,
    NOBITS,
    PROGBITS,
    RELA,
    RELOCATABLE,
    SYMTAB,
)
from npuninja.records import NamedTuple

_STRTAB = 3
LINE_SECTION = ".debug_line"
#: The relocation of a word of data: all 32 bits (tables/aie2.json).
WORD_RELOCATION = 51
_ALLOC, _WRITE, _EXEC, _INFO_LINK = 2, 1, 4, 0x40
_SECTION_BYTES = 40


class ObjectSection(NamedTuple):
    """A section: its name (the linker puts `#` and a number behind it), its bytes (or only its size for .bss), its
    alignment, its address when linked.
    """

    name: str
    data: bytes
    align: int = 16
    size_bytes: int | None = None
    address: int = 0

    @property
    def is_code(self) -> bool:
        """Whether it goes to program memory."""
        return self.name.partition("#")[0] == ".text" or self.name.startswith(".text.")

    @property
    def is_bss(self) -> bool:
        """Whether it is zeros that the file does not hold."""
        return self.name.partition("#")[0] == ".bss" or self.name.startswith(".bss.")


class ObjectSymbol(NamedTuple):
    """A symbol: its section by name ("" when it is undefined, "*ABS*" for a number), its value in it."""

    name: str
    section: str
    value: int
    size_bytes: int = 0
    is_global: bool = True
    is_function: bool = False


class ObjectRelocation(NamedTuple):
    """A place in a section that depends on a symbol."""

    section: str
    offset: int
    type: int
    symbol: str
    addend: int


def write_object(
    sections: Sequence[ObjectSection],
    symbols: Sequence[ObjectSymbol],
    relocations: Sequence[ObjectRelocation] = (),
    *,
    flags: int = 2,
    linked: bool = False,
    lines: Mapping[str, CodeRows] | None = None,
) -> bytes:
    """An ELF file: an object, or with `linked` an executable whose segments are its sections.

    Args:
        sections, symbols, relocations: what it holds.
        flags: of its header: the architecture.
        linked: whether it is an executable.
        lines: by the name of a section of code, the rows of the line table: in an object by offset in the section,
            in an executable by address.
    """
    table = write_line_table(list((lines or {}).values())) if lines else None
    if table is not None and not linked:
        sections, symbols, relocations = list(sections), list(symbols), list(relocations)
        known = {s.name for s in symbols}
        for name, offset in zip(lines or {}, table.address_offsets):
            if name not in known:
                symbols.append(ObjectSymbol(name, name, 0, 0, is_global=False))
            first = (lines or {})[name].rows[0][0]
            relocations.append(ObjectRelocation(LINE_SECTION, offset, WORD_RELOCATION, name, first))
    if table is not None:
        sections = [*sections, ObjectSection(LINE_SECTION, table.data, 1)]
    numbers = {section.name: i for i, section in enumerate(sections, 1)}
    ordered = sorted(symbols, key=lambda s: s.is_global)
    strings = bytearray(b"\0")
    symbol_table = bytearray(bytes(16))
    symbol_numbers: dict[str, int] = {}
    for number, symbol in enumerate(ordered, 1):
        symbol_numbers.setdefault(symbol.name, number)
        index = 0xFFF1 if symbol.section == "*ABS*" else numbers.get(symbol.section, 0)
        kind = (0x10 if symbol.is_global else 0) | (2 if symbol.is_function else 0)
        symbol_table += struct.pack("<IIIBBH", len(strings), symbol.value, symbol.size_bytes, kind, 0, index)
        strings += symbol.name.encode() + b"\0"
    local_count = 1 + sum(1 for symbol in ordered if not symbol.is_global)
    bodies: list[tuple[str, int, int, int, bytes, int, int, int, int, int]] = []
    for section in sections:
        size = section.size_bytes if section.size_bytes is not None else len(section.data)
        access = _ALLOC | (_EXEC if section.is_code else _WRITE) if section.name != LINE_SECTION else 0
        kind = NOBITS if section.is_bss else PROGBITS
        bodies.append(
            (section.name, kind, access, section.address, section.data, size, 0, 0, section.align, 0)
        )
    symtab = len(sections) + sum(1 for s in sections if any(r.section == s.name for r in relocations)) + 1
    for section in sections:
        rows = [r for r in relocations if r.section == section.name]
        if rows:
            body = b"".join(
                struct.pack("<IIi", r.offset, symbol_numbers[r.symbol] << 8 | r.type, r.addend) for r in rows
            )
            bodies.append(
                (
                    f".rela{section.name}",
                    RELA,
                    _INFO_LINK,
                    0,
                    body,
                    len(body),
                    symtab,
                    numbers[section.name],
                    4,
                    12,
                )
            )
    bodies.append(
        (".symtab", SYMTAB, 0, 0, bytes(symbol_table), len(symbol_table), symtab + 1, local_count, 4, 16)
    )
    bodies.append((".strtab", _STRTAB, 0, 0, bytes(strings), len(strings), 0, 0, 1, 0))
    return _file(bodies, flags, linked)


def _file(
    bodies: list[tuple[str, int, int, int, bytes, int, int, int, int, int]], flags: int, linked: bool
) -> bytes:
    names = bytearray(b"\0")
    name_at = {}
    for body in bodies:
        name_at[body[0]] = len(names)
        names += body[0].encode() + b"\0"
    name_at[".shstrtab"] = len(names)
    names += b".shstrtab\0"
    bodies = [*bodies, (".shstrtab", _STRTAB, 0, 0, bytes(names), len(names), 0, 0, 1, 0)]
    loaded = [b for b in bodies if b[2] & _ALLOC and b[5]] if linked else []
    out = bytearray(ELF_HEADER_BYTES + 32 * len(loaded))
    headers = bytearray(_SECTION_BYTES)
    programs = bytearray()
    for name, kind, access, address, data, size, link, info, align, entry in bodies:
        out += bytes(-len(out) % 16)
        headers += struct.pack(
            "<10I", name_at[name], kind, access, address, len(out), size, link, info, align, entry
        )
        if linked and access & _ALLOC and size:
            mode = 5 if access & _EXEC else 6
            programs += struct.pack("<8I", 1, len(out), address, address, len(data), size, mode, 16)
        out += data
    out[ELF_HEADER_BYTES : ELF_HEADER_BYTES + len(programs)] = programs
    out += bytes(-len(out) % 4)
    section_offset = len(out)
    out += headers
    identity = b"\x7fELF\1\1\1".ljust(16, b"\0")
    count = len(bodies) + 1
    header = struct.pack(
        "<HHIIIIIHHHHHH", EXECUTABLE if linked else RELOCATABLE, MACHINE, 1, 0, ELF_HEADER_BYTES if loaded else 0,
        section_offset, flags, ELF_HEADER_BYTES, 32 if loaded else 0, len(loaded), _SECTION_BYTES, count, count - 1,
    )  # fmt: skip
    out[:ELF_HEADER_BYTES] = identity + header
    return bytes(out)
