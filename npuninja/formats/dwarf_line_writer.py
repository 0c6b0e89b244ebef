"""A DWARF line table (`.debug_line`, version 4) of rows: the counterpart of `dwarf_lines`.

Source: DWARF 4, section 6.2. One unit; a sequence for each piece of code; every row by plain opcodes, as
tables here are small.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import Location
from npuninja.formats.dwarf_lines import (
    ADVANCE_LINE,
    ADVANCE_PC,
    COPY,
    END_SEQUENCE,
    SET_ADDRESS,
    SET_COLUMN,
    SET_FILE,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterable, Sequence

#: Operands of the standard opcodes 1 to 12.
_OPERANDS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))
_ADDRESS_BYTES = 4


class CodeRows(NamedTuple):
    """Rows of one piece of code: (address, place) by address, and the address after its last byte."""

    rows: tuple[tuple[int, Location], ...]
    end: int


class WrittenLines(NamedTuple):
    """A table, and the offset in it of each sequence's first address (4 bytes), for a relocation."""

    data: bytes
    address_offsets: tuple[int, ...]


def write_line_table(sequences: Sequence[CodeRows]) -> WrittenLines:
    """The line table of sequences; those without rows have none."""
    files: dict[str, int] = {}
    for sequence in sequences:
        for _, place in sequence.rows:
            files.setdefault(place.file, len(files) + 1)
    header = struct.pack("<BBBbBB", 1, 1, 1, -5, 14, len(_OPERANDS) + 1) + _OPERANDS
    header += b"\0"  # no folders: names are whole
    for name in files:
        header += name.encode() + b"\0" + bytes(3)
    header += b"\0"
    body = bytearray(struct.pack("<HI", 4, len(header)) + header)
    offsets = []
    for sequence in sequences:
        if not sequence.rows:
            offsets.append(-1)
            continue
        start = sequence.rows[0][0]
        body += bytes((0, 1 + _ADDRESS_BYTES, SET_ADDRESS))
        offsets.append(4 + len(body))
        body += struct.pack("<I", start)
        body += _rows(sequence, files)
    return WrittenLines(struct.pack("<I", len(body)) + bytes(body), tuple(offsets))


def _rows(sequence: CodeRows, files: dict[str, int]) -> bytes:
    out = bytearray()
    address, file, line, column = sequence.rows[0][0], 1, 1, 0
    for at, place in sequence.rows:
        if at != address:
            out += bytes((ADVANCE_PC,)) + _unsigned(at - address)
        if files[place.file] != file:
            out += bytes((SET_FILE,)) + _unsigned(files[place.file])
        if place.line != line:
            out += bytes((ADVANCE_LINE,)) + _signed(place.line - line)
        if place.column != column:
            out += bytes((SET_COLUMN,)) + _unsigned(place.column)
        address, file, line, column = at, files[place.file], place.line, place.column
        out.append(COPY)
    out += bytes((ADVANCE_PC,)) + _unsigned(sequence.end - address) + bytes((0, 1, END_SEQUENCE))
    return bytes(out)


def _unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _signed(value: int) -> bytes:
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


def without_repeats(rows: Iterable[tuple[int, Location]]) -> tuple[tuple[int, Location], ...]:
    """Rows without those that say the same as the one before."""
    kept: list[tuple[int, Location]] = []
    for row in rows:
        if not kept or kept[-1][1] != row[1]:
            kept.append(row)
    return tuple(kept)
