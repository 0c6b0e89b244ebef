"""Core programs of the real toolchain: ELF32 executables of the AI Engine.

Sources: ELF specification; aie-rt xaie_elfloader.c (which segments go where); llvm-aie (machine, flags).
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_END, DATA_START, PROGRAM_MEMORY_BYTES
from npuninja.arch.families import FAMILIES
from npuninja.file_kinds import ARCHIVE_MAGIC, ELF_MAGIC
from npuninja.formats.byte_reader import ByteReader
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator, Sequence

#: An ELF of 32 bits, little-endian, in version 1 of the format.
IDENTITY = ELF_MAGIC + b"\1\1\1"
MACHINE = 264  # EM_AIENGINE
EXECUTABLE = 2
RELOCATABLE = 1
_TYPES = {0: "no type", 1: "a relocatable object", 2: "an executable", 3: "a shared object", 4: "a core dump"}
_LOAD = 1
ELF_HEADER_BYTES = 52
_PROGRAM_HEADER_BYTES = 32
_SECTION_ENTRY_BYTES = 40
_SYMBOL_BYTES = 16
SYMTAB = 2
RELA = 4
_RELOCATION = struct.Struct("<IIi")
_SECTION_SYMBOL = 3
#: In place of a section, for symbols that are numbers.
ABSOLUTE = 0xFFF1
NOBITS = 8
PROGBITS = 1
#: The flag of a section of code.
EXECUTABLE_SECTION = 4

#: What the names of one file take together: symbols may name one long text as often as they like.
MAX_NAME_CHARACTERS = 1 << 26

#: Below it a segment is program memory, above it data.
SEGMENT_LIMIT = 0x40000
#: The `e_flags` of AIE, the generation before the NPUs'.
_FIRST_GENERATION = 1


def architecture_of(flags: int) -> str | None:
    """The architecture in a header's `e_flags`: `aie2`, `aie2p`, or `aie`, which no NPU has."""
    if flags == _FIRST_GENERATION:
        return "aie"
    return next((family.architecture for family in FAMILIES.values() if family.elf_flag == flags), None)


class ElfSegment(NamedTuple):
    """One PT_LOAD: physical address, bytes in the file, size in memory in bytes, number of its header."""

    address: int
    data: bytes
    memory_bytes: int
    number: int


class ElfSection(NamedTuple):
    """One section; `data` is empty for .bss. `info` of a table of relocations is the section they are for."""

    name: str
    type: int
    address: int
    size_bytes: int
    data: bytes
    flags: int = 0
    link: int = 0
    info: int = 0


class ElfRelocation(NamedTuple):
    """A place in a section that depends on a symbol, which is named by its number."""

    offset: int
    type: int
    symbol: int
    addend: int


def relocations_in(table: ElfSection) -> Iterator[ElfRelocation]:
    """The entries of a section of type `RELA`; a part of one at its end is left out."""
    whole = len(table.data) // _RELOCATION.size * _RELOCATION.size
    for offset, info, addend in _RELOCATION.iter_unpack(table.data[:whole]):
        yield ElfRelocation(offset, info & 0xFF, info >> 8, addend)


class ElfSymbol(NamedTuple):
    """One named symbol and its section (0: undefined). `kind`: type in the low half, binding in the high."""

    name: str
    value: int
    size_bytes: int
    section: int
    kind: int = 0

    @property
    def is_function(self) -> bool:
        """Whether the compiler says it is a function."""
        return self.kind & 15 == 2

    @property
    def is_global(self) -> bool:
        """Whether other objects see it."""
        return self.kind >> 4 != 0


class Elf(NamedTuple):
    """An ELF file of any machine and type.

    `symbols`: those with names. `symbol_table`: all by number; a section's symbol has the section's name.
    """

    type: int
    machine: int
    flags: int
    entry: int
    segments: tuple[ElfSegment, ...]
    sections: tuple[ElfSection, ...]
    symbols: tuple[ElfSymbol, ...]
    symbol_table: tuple[ElfSymbol, ...] = ()

    def symbol_at(self, number: int) -> str:
        """The name of a symbol by its number in the table."""
        return self.symbol_table[number].name if number < len(self.symbol_table) else f"symbol {number}"

    def section(self, name: str) -> ElfSection | None:
        """The first section called `name`, or None."""
        for section in self.sections:
            if section.name == name:
                return section
        return None


def read_elf(data: bytes, name: str) -> Elf:
    """Reads an ELF32 little-endian file. Raises UserError when it is another file or is damaged."""
    reader = ByteReader(data, name)
    if reader.data[:4] != ELF_MAGIC:
        hint = "link the core again"
        if reader.data[:8] == ARCHIVE_MAGIC:
            hint = "this is an archive; link it into an executable first"
        raise reader.error(
            f"not an ELF file: expected 7f 45 4c 46 at 0x0, found {reader.data[:4].hex(' ')}", hint
        )
    reader.need(0, ELF_HEADER_BYTES, "the ELF header")
    if reader.data[4:6] != b"\1\1":
        raise reader.error(
            f"not a 32-bit little-endian ELF file: class {reader.data[4]}, byte order {reader.data[5]}, "
            "expected 1 and 1",
            "it was made for another machine; compile with the target of the NPU",
        )
    (
        elf_type,
        machine,
        _,
        entry,
        program_offset,
        section_offset,
        flags,
        _,
        _,
        programs,
        _,
        section_count,
        names,
    ) = struct.unpack_from("<HHIIIIIHHHHHH", reader.data, 16)
    segments = []
    taken = 0
    for i in range(programs):
        words = reader.words(program_offset + i * _PROGRAM_HEADER_BYTES, 8, f"ELF program header {i}")
        kind, offset, _, address, file_bytes, memory_bytes = words[:6]
        if kind == _LOAD:
            content = reader.block(offset, file_bytes, f"ELF segment {i}")
            taken = _taken(reader, taken + file_bytes, "segments")
            if memory_bytes < file_bytes:
                raise reader.error(
                    f"damaged ELF: segment {i} has {file_bytes} bytes in the file, {memory_bytes} in memory"
                )
            segments.append(ElfSegment(address, content, memory_bytes, i))
    sections, symbols, table = _read_sections(reader, section_offset, section_count, names)
    return Elf(
        type=elf_type,
        machine=machine,
        flags=flags,
        entry=entry,
        segments=tuple(segments),
        sections=tuple(sections),
        symbols=tuple(symbols),
        symbol_table=tuple(table),
    )


def _taken(reader: ByteReader, taken: int, what: str) -> int:
    """Bytes that parts of a file have taken so far. Raises UserError when they lie upon each other, which
    would make a small file large.
    """
    if taken > 2 * len(reader):
        raise reader.error(f"damaged ELF: its {what} hold {taken} bytes and more, the file has {len(reader)}")
    return taken


class _NameReader:
    """Reads names, as many as one file may have."""

    def __init__(self, reader: ByteReader) -> None:
        self._reader = reader
        self._left = MAX_NAME_CHARACTERS

    def at(self, offset: int, what: str) -> str:
        """The name at an offset of the file. UserError when there are too many."""
        name = self._reader.zero_terminated(offset, what)
        self._left -= len(name)
        if self._left < 0:
            raise self._reader.error(
                f"the names in the ELF have more than {MAX_NAME_CHARACTERS >> 20} Mi characters together"
            )
        return name


def _read_sections(
    reader: ByteReader, table: int, count: int, names: int
) -> tuple[list[ElfSection], list[ElfSymbol], list[ElfSymbol]]:
    reader.need(table, count * _SECTION_ENTRY_BYTES, "the ELF section headers")
    headers = [
        reader.words(table + i * _SECTION_ENTRY_BYTES, 10, "an ELF section header") for i in range(count)
    ]
    name_reader, taken = _NameReader(reader), 0
    sections: list[ElfSection] = []
    symbols: list[ElfSymbol] = []
    table_of_symbols: list[ElfSymbol] = []
    if count and names >= count:
        raise reader.error(f"damaged ELF: section {names} should have the sections' names, there are {count}")
    for name, kind, flags, address, offset, size_bytes, link, info, *_ in headers:
        title = name_reader.at(headers[names][4] + name, "an ELF section's name")
        content = b"" if kind in (0, NOBITS) else reader.block(offset, size_bytes, f"ELF section {title}")
        taken = _taken(reader, taken + len(content), "sections")
        sections.append(
            ElfSection(
                name=title,
                type=kind,
                address=address,
                size_bytes=size_bytes,
                data=content,
                flags=flags,
                link=link,
                info=info,
            )
        )
        if kind == SYMTAB:
            if link >= count:
                raise reader.error(
                    f"damaged ELF: the symbols' names should be in section {link}, there are {count}"
                )
            for i in range(size_bytes // _SYMBOL_BYTES):
                text, value, symbol_bytes, symbol_kind, _, section = struct.unpack_from(
                    "<IIIBBH", content, i * _SYMBOL_BYTES
                )
                symbol_name = ""
                if text:
                    symbol_name = name_reader.at(headers[link][4] + text, "an ELF symbol's name")
                    symbols.append(ElfSymbol(symbol_name, value, symbol_bytes, section, symbol_kind))
                elif symbol_kind & 15 == _SECTION_SYMBOL and section < count:
                    symbol_name = name_reader.at(
                        headers[names][4] + headers[section][0], "an ELF section's name"
                    )
                table_of_symbols.append(ElfSymbol(symbol_name, value, symbol_bytes, section, symbol_kind))
    return sections, symbols, table_of_symbols


def check_core_elf(elf: Elf, architecture: str, name: str) -> None:
    """Raises UserError unless this is a linked program for `architecture` (aie2, aie2p) that fits a core."""
    reader = ByteReader(b"", name)
    if elf.machine != MACHINE:
        raise reader.error(
            f"the ELF is for machine {elf.machine}, expected {MACHINE} (AI Engine)",
            "it was compiled for another machine; use Peano's clang with the NPU's target",
        )
    if elf.type != EXECUTABLE:
        hint = "it was not linked; run the link step and use its output" if elf.type == RELOCATABLE else None
        raise reader.error(
            f"the ELF is {_TYPES.get(elf.type, f'of type {elf.type}')}, expected an executable", hint
        )
    if architecture_of(elf.flags) != architecture:
        made_for = architecture_of(elf.flags) or f"flags {elf.flags}"
        raise reader.error(
            f"the ELF is for {made_for}, the device is {architecture}",
            f"compile with --target={architecture}-none-unknown-elf",
        )
    if not elf.segments:
        raise reader.error("the ELF has no segment to load", "its program is empty; check the link step")
    if elf.entry:
        raise reader.error(
            f"the ELF's entry is 0x{elf.entry:x}, expected 0", "link with the core's linker script"
        )
    if not any(segment.address == 0 for segment in elf.segments):
        raise reader.error(
            "the ELF has no program at address 0, where a core starts", "link with the core's linker script"
        )
    for segment in elf.segments:
        end = segment.address + segment.memory_bytes
        if PROGRAM_MEMORY_BYTES <= segment.address < DATA_START:
            raise reader.error(
                f"the segment at 0x{segment.address:x} lies neither in program memory nor in data memory"
            )
        if segment.address < DATA_START:
            if end > PROGRAM_MEMORY_BYTES:
                raise reader.error(
                    f"the program takes {end} bytes, a core has {PROGRAM_MEMORY_BYTES}",
                    "compile with -Os, unroll less, or split the work over several cores",
                )
        elif end > DATA_END:
            raise reader.error(
                f"the data segment at 0x{segment.address:x} ends at 0x{end:x}, "
                f"data memory ends at 0x{DATA_END:x}",
                "make buffers, stack or constant tables smaller",
            )


def made_by(elf: Elf) -> str:
    """The compilers named in .comment, as "LLD 19.0.0; clang version 19.0.0", or ""."""
    comment = elf.section(".comment")
    return comment.data.strip(b"\0").replace(b"\0", b"; ").decode("utf-8", "replace") if comment else ""


def write_core_elf(
    segments: Sequence[tuple[int, bytes, int]], flags: int, elf_type: int = EXECUTABLE
) -> bytes:
    """A core program of segments given as (address, bytes, bytes in memory), without sections."""
    table = b""
    body = b""
    start = -(-(ELF_HEADER_BYTES + _PROGRAM_HEADER_BYTES * len(segments)) // 16) * 16
    for address, data, memory_bytes in segments:
        body += bytes(-len(body) % 16)
        access = 5 if address < DATA_START else 6
        table += struct.pack(
            "<8I", _LOAD, start + len(body), address, address, len(data), memory_bytes, access, 16
        )
        body += data
    identity = IDENTITY.ljust(16, b"\0")
    header = struct.pack(
        "<HHIIIIIHHHHHH", elf_type, MACHINE, 1, 0, ELF_HEADER_BYTES, 0, flags, ELF_HEADER_BYTES,
        _PROGRAM_HEADER_BYTES, len(segments), 0, 0, 0,
    )  # fmt: skip
    return (identity + header + table).ljust(start, b"\0") + body
