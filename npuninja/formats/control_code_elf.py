"""aiebu's layout of the ELF files of control code: sections, segments, symbols and relocations.

`instruction_elf` writes the partial ELF with it (one stream, for use with an XCLBIN), `full_elf` the one with
configurations. A file has, in this order: the header, a program header for each loaded section, these
sections, all others by number, the section headers.

Sources: aiebu, elfwriter.cpp (what is put in, in which order); XRT, elf_patcher.h (numbers of relocations);
files of aiebu-asm of XRT 2.25 (what lies where).
"""

from __future__ import annotations

import hashlib
import struct

from npuninja import TYPE_CHECKING
from npuninja.formats.elf import IDENTITY, PROGBITS, RELA
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

OS_ABI = 0x45
#: Relocations: the 48-bit address in words 1 and 2 of a shim's descriptor; a 64-bit address in two words.
SHIM_ADDRESS, ADDRESS = 5, 8
#: Symbols that XRT knows: control packets, the scratchpad. The symbol of a PDI has its section's name.
CONTROL_PACKETS, SCRATCHPAD = "control-packet", "scratch-pad-ctrl"
TEXT, DATA = 6, 3  # flags of a section of code, of one that is written to

_MACHINE = 1
_HEADER = struct.Struct("<16s2H5I6H")
_PROGRAM = struct.Struct("<8I")
SECTION = struct.Struct("<10I")
SYMBOL = struct.Struct("<3I2BH")
RELOCATION = struct.Struct("<2Ii")
STRINGS, DYNAMIC_SYMBOLS, DYNAMIC, NOTE, GROUP = 3, 11, 6, 7, 17
_LOADED_ALIGNMENT = 16
_GLOBAL_OBJECT = 0x11
UID_NOTE = ".note.xrt.UID"


class FileSection(NamedTuple):
    """One section; its number is its place in the list plus 1. `link` and `info` are the header's fields."""

    name: str
    kind: int
    data: bytes
    flags: int = 0
    link: int = 0
    info: int = 0
    alignment: int = 0
    entry_bytes: int = 0


class FilledPlace(NamedTuple):
    """A place in a stream that XRT fills in.

    `offset`: bytes into the stream. `symbol`: what is filled in. `kind`: SHIM_ADDRESS or ADDRESS.
    `buffer_bytes`: the symbol's size. `addend_bytes`: from the start of what the symbol stands for.
    """

    offset: int
    symbol: str
    kind: int
    buffer_bytes: int
    addend_bytes: int


class DynamicTables:
    """.dynstr, .dynsym, .rela.dyn and .dynamic: symbols and relocations of all control code."""

    def __init__(self) -> None:
        self._symbols: dict[tuple[int, str, int], int] = {}
        self._relocations: list[tuple[int, int, int, int]] = []

    def add(self, section: int, relocations: Sequence[FilledPlace]) -> None:
        """Takes the relocations of the section with this number."""
        for relocation in relocations:
            key = section, relocation.symbol, relocation.buffer_bytes
            number = self._symbols.setdefault(key, len(self._symbols) + 1)
            self._relocations.append(
                (relocation.offset, number, relocation.kind, _signed(relocation.addend_bytes))
            )

    def sections(self, first: int) -> list[FileSection]:
        """The four sections, of which the first gets the number `first`."""
        names, table, relocations = b"\0", SYMBOL.pack(0, 0, 0, 0, 0, 0), b""
        for section, symbol, buffer_bytes in self._symbols:
            table += SYMBOL.pack(len(names), 0, buffer_bytes, _GLOBAL_OBJECT, 0, section)
            names += symbol.encode() + b"\0"
        for offset, number, kind, addend in self._relocations:
            relocations += RELOCATION.pack(offset, number << 8 | kind, addend)
        # DT_RELA and DT_RELASZ with the number of the section and its size, as aiebu writes them.
        dynamic = struct.pack("<4I", 7, first + 2, 8, len(relocations)) if relocations else b""
        return [
            FileSection(".dynstr", STRINGS, names),
            FileSection(
                ".dynsym", DYNAMIC_SYMBOLS, table, link=first, info=1, alignment=8, entry_bytes=SYMBOL.size
            ),
            FileSection(
                ".rela.dyn",
                RELA,
                relocations,
                link=first + 1,
                alignment=8,
                entry_bytes=RELOCATION.size,
            ),
            FileSection(".dynamic", DYNAMIC, dynamic, link=first, alignment=8, entry_bytes=8),
        ]


def _signed(value: int) -> int:
    return value - (value >> 31 << 32)


def code_section(name: str, data: bytes, flags: int = TEXT) -> FileSection:
    """A section that is loaded."""
    return FileSection(name, PROGBITS, data, flags, alignment=_LOADED_ALIGNMENT)


def note_section(name: str, kind: int, content: bytes) -> FileSection:
    """A section with one note of XRT."""
    return FileSection(name, NOTE, struct.pack("<3I4s", 4, len(content), kind, b"XRT") + content, alignment=1)


def uid_section(sections: Sequence[FileSection]) -> FileSection:
    """The note that names the file: the MD5 of what is loaded."""
    digest = hashlib.md5(usedforsecurity=False)
    for section in sections:
        if section.kind == PROGBITS:
            digest.update(section.data)
    return note_section(UID_NOTE, 4, digest.digest())


def assemble(sections: Sequence[FileSection], abi_version: int) -> bytes:
    """The file with these sections, to which the section of their names is added as the first."""
    names, places = b"\0.shstrtab\0", [1]
    for section in sections:
        places.append(len(names))
        names += section.name.encode() + b"\0"
    every = [FileSection(".shstrtab", STRINGS, names, alignment=1), *sections]
    loaded = [index for index, section in enumerate(every) if section.kind == PROGBITS]
    programs = 1 + len(loaded)
    start = -(-(_HEADER.size + programs * _PROGRAM.size) // _LOADED_ALIGNMENT) * _LOADED_ALIGNMENT
    body, offsets = bytearray(), [0] * len(every)
    for index in [*loaded, *(index for index in range(len(every)) if index not in loaded)]:
        body += bytes(-(start + len(body)) % (every[index].alignment or 1))
        offsets[index] = start + len(body)
        body += every[index].data
    body += bytes(16 - (start + len(body)) % 16)  # 16 bytes where it is aligned already
    headers = SECTION.pack(*[0] * 10)
    for index, section in enumerate(every):
        address = offsets[index] - start if index in loaded else 0
        headers += SECTION.pack(
            places[index], section.kind, section.flags, address, offsets[index], len(section.data),
            section.link, section.info, section.alignment, section.entry_bytes,
        )  # fmt: skip
    size = programs * _PROGRAM.size
    table = _PROGRAM.pack(6, _HEADER.size, 0, 0, size, size, 4, 0)
    for index in loaded:
        length, access = len(every[index].data), 5 if every[index].flags == TEXT else 6
        address = offsets[index] - start
        table += _PROGRAM.pack(1, offsets[index], address, 0, length, length, access, _LOADED_ALIGNMENT)
    header = _HEADER.pack(
        IDENTITY + bytes((OS_ABI, abi_version)) + bytes(7), 2, _MACHINE, 1, 0, _HEADER.size,
        start + len(body), 0, _HEADER.size, _PROGRAM.size, programs, SECTION.size, len(every) + 1, 1,
    )  # fmt: skip
    return (header + table).ljust(start, b"\0") + bytes(body) + headers


def with_section(elf: bytes, name: str, kind: int, data: bytes) -> bytes:
    """The file with one more section, which is not loaded; all others stay where they are.

    Args:
        elf: a file of `assemble` or of aiebu's assembler, whose section headers are at its end.
    """
    header = list(_HEADER.unpack_from(elf))
    table, count, names_number = header[6], header[12], header[13]
    headers = [list(SECTION.unpack_from(elf, table + number * SECTION.size)) for number in range(count)]
    names = headers[names_number]
    strings = elf[names[4] : names[4] + names[5]]
    body = bytearray(elf[:table])
    place = len(strings)
    names[4], names[5] = len(body), len(strings) + len(name) + 1
    body += strings + name.encode() + b"\0"
    body += bytes(-len(body) % _LOADED_ALIGNMENT)
    headers.append([place, kind, 0, 0, len(body), len(data), 0, 0, 8, 0])
    body += data + bytes(-len(data) % _LOADED_ALIGNMENT)
    header[6], header[12] = len(body), count + 1
    body[: _HEADER.size] = _HEADER.pack(*header)
    return bytes(body) + b"".join(SECTION.pack(*fields) for fields in headers)
