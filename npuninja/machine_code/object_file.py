"""Objects of AIE2: sections, symbols, relocations as ELF32; the assembler writes them, the linker reads them.

Source: ELF specification; llvm-aie for machine number, flags and relocations (tables/aie2.json).
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.formats.dwarf_line_writer import CodeRows, write_line_table
from npuninja.formats.elf import (
    ABSOLUTE,
    ELF_HEADER_BYTES,
    EXECUTABLE,
    IDENTITY,
    MACHINE,
    NOBITS,
    PROGBITS,
    RELA,
    RELOCATABLE,
    SYMTAB,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Mapping, Sequence

_STRTAB = 3
LINE_SECTION = ".debug_line"
#: The relocation of a word of data: all 32 bits (tables/aie2.json).
WORD_RELOCATION = 51
_ALLOC, _WRITE, _EXEC, _INFO_LINK = 2, 1, 4, 0x40
_SECTION_BYTES = 40


class ObjectSection(NamedTuple):
    """A section: its name (the linker puts `#` and a number after it), its bytes (or only its size for
    .bss), its alignment, its address when linked.
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
        lines: by the name of a section of code, the rows of the line table: in an object by offset in the
            section, in an executable by address.
    """
    sections, symbols, relocations = list(sections), list(symbols), list(relocations)
    if lines:
        table = write_line_table(list(lines.values()))
        sections.append(ObjectSection(LINE_SECTION, table.data, 1))
        if not linked:
            known = {s.name for s in symbols}
            for (name, rows), offset in zip(lines.items(), table.address_offsets):
                if name not in known:
                    symbols.append(ObjectSymbol(name, name, 0, 0, is_global=False))
                first = rows.rows[0][0]
                relocations.append(ObjectRelocation(LINE_SECTION, offset, WORD_RELOCATION, name, first))
    numbers = {section.name: i for i, section in enumerate(sections, 1)}
    symbols.sort(key=lambda s: s.is_global)  # an ELF has its local symbols first
    bodies = [_body(section) for section in sections]
    relocated = [section for section in sections if any(r.section == section.name for r in relocations)]
    symtab = len(sections) + len(relocated) + 1
    by_name: dict[str, int] = {}
    for number, symbol in enumerate(symbols, 1):
        by_name.setdefault(symbol.name, number)
    for section in relocated:
        rela = b"".join(
            struct.pack("<IIi", r.offset, by_name[r.symbol] << 8 | r.type, r.addend)
            for r in relocations
            if r.section == section.name
        )
        bodies.append(
            _SectionBody(
                f".rela{section.name}",
                RELA,
                _INFO_LINK,
                rela,
                link=symtab,
                info=numbers[section.name],
                align=4,
                entry=12,
            )
        )
    return _file([*bodies, *_symbol_table(symbols, numbers, symtab)], flags, linked)


class _SectionBody(NamedTuple):
    """A section of the file: its header's fields (`size` when the file lacks its bytes), and its bytes."""

    name: str
    kind: int
    access: int
    data: bytes
    address: int = 0
    size: int | None = None
    link: int = 0
    info: int = 0
    align: int = 1
    entry: int = 0

    @property
    def size_bytes(self) -> int:
        """The size that it takes in memory."""
        return len(self.data) if self.size is None else self.size

    @property
    def is_loaded(self) -> bool:
        """Whether it takes memory of the core."""
        return bool(self.access & _ALLOC and self.size_bytes)


def _body(section: ObjectSection) -> _SectionBody:
    access = _ALLOC | (_EXEC if section.is_code else _WRITE) if section.name != LINE_SECTION else 0
    kind = NOBITS if section.is_bss else PROGBITS
    return _SectionBody(
        section.name, kind, access, section.data, section.address, section.size_bytes, align=section.align
    )


def _symbol_table(
    symbols: Sequence[ObjectSymbol], numbers: Mapping[str, int], symtab: int
) -> list[_SectionBody]:
    """The table, whose first entry is empty, and the names of its symbols."""
    strings, entries = bytearray(b"\0"), bytearray(16)
    for symbol in symbols:
        index = ABSOLUTE if symbol.section == "*ABS*" else numbers.get(symbol.section, 0)
        kind = (0x10 if symbol.is_global else 0) | (2 if symbol.is_function else 0)
        entries += struct.pack("<IIIBBH", len(strings), symbol.value, symbol.size_bytes, kind, 0, index)
        strings += symbol.name.encode() + b"\0"
    local_count = 1 + sum(not symbol.is_global for symbol in symbols)
    return [
        _SectionBody(
            ".symtab", SYMTAB, 0, bytes(entries), link=symtab + 1, info=local_count, align=4, entry=16
        ),
        _SectionBody(".strtab", _STRTAB, 0, bytes(strings)),
    ]


def _file(bodies: list[_SectionBody], flags: int, linked: bool) -> bytes:
    names, name_at = bytearray(b"\0"), {}
    for name in (*(body.name for body in bodies), ".shstrtab"):
        name_at[name] = len(names)
        names += name.encode() + b"\0"
    bodies = [*bodies, _SectionBody(".shstrtab", _STRTAB, 0, bytes(names))]
    loaded = sum(body.is_loaded for body in bodies) if linked else 0
    out = bytearray(ELF_HEADER_BYTES + 32 * loaded)
    headers = bytearray(_SECTION_BYTES)
    programs = bytearray()
    for body in bodies:
        out += bytes(-len(out) % 16)
        headers += struct.pack(
            "<10I", name_at[body.name], body.kind, body.access, body.address, len(out), body.size_bytes,
            body.link, body.info, body.align, body.entry,
        )  # fmt: skip
        if linked and body.is_loaded:
            mode = 5 if body.access & _EXEC else 6
            where = len(out), body.address, body.address, len(body.data), body.size_bytes
            programs += struct.pack("<8I", 1, *where, mode, 16)
        out += body.data
    out[ELF_HEADER_BYTES : ELF_HEADER_BYTES + len(programs)] = programs
    out += bytes(-len(out) % 4)
    section_offset, count = len(out), len(bodies) + 1
    out += headers
    out[:ELF_HEADER_BYTES] = IDENTITY.ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", EXECUTABLE if linked else RELOCATABLE, MACHINE, 1, 0,
        ELF_HEADER_BYTES if loaded else 0, section_offset, flags, ELF_HEADER_BYTES, 32 if loaded else 0,
        loaded, _SECTION_BYTES, count, count - 1,
    )  # fmt: skip
    return bytes(out)
