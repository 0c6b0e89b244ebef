"""What the sections of a module say, as far as rewriting a core's needs it; and sections with items added."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.formats.wasm_code import ByteCursor
from npuninja.formats.wasm_module import unsigned_leb128
from npuninja.records import NamedTuple

VALUE_LETTERS = {0x7F: "i", 0x7E: "l", 0x7D: "f", 0x7C: "d", 0x7B: "v"}


class Signature(NamedTuple):
    """What a function or a block takes and leaves, a letter of `VALUE_LETTERS` for each value."""

    taken: str
    left: str


def types_of(data: bytes) -> list[Signature]:
    """Those of the type section, in order."""
    cursor = ByteCursor(data)
    found = []
    for _ in range(cursor.number()):
        cursor.byte()
        lists = [
            "".join(VALUE_LETTERS.get(cursor.byte(), "?") for _ in range(cursor.number())) for _ in range(2)
        ]
        found.append(Signature(*lists))
    return found


def import_types(data: bytes) -> list[int]:
    """The number of each imported function's type."""
    cursor = ByteCursor(data)
    found = []
    for _ in range(cursor.number()):
        cursor.text()
        cursor.text()
        cursor.byte()
        found.append(cursor.number())
    return found


def global_types(data: bytes) -> str:
    """The types of the globals. Their first values are constants."""
    cursor = ByteCursor(data)
    found = ""
    for _ in range(cursor.number()):
        found += VALUE_LETTERS[cursor.byte()]
        cursor.byte()
        opcode = cursor.byte()
        if opcode == 0xFD:
            cursor.at += 17
        elif opcode in (0x43, 0x44):
            cursor.at += 4 if opcode == 0x43 else 8
        else:
            cursor.signed()
        cursor.byte()
    return found


def addressed_functions(data: bytes) -> set[int]:
    """The functions whose address is taken: those of the table (flags 0, which is all that linkers write)."""
    cursor = ByteCursor(data)
    found: set[int] = set()
    for _ in range(cursor.number()):
        cursor.number()
        cursor.byte()
        cursor.signed()
        cursor.byte()
        found.update(cursor.number() for _ in range(cursor.number()))
    return found


def memory_pages(data: bytes) -> int:
    """How many pages the one memory has at first."""
    cursor = ByteCursor(data)
    cursor.number()
    cursor.byte()
    return cursor.number()


def number_at(data: bytes, at: int) -> tuple[int, int]:
    """The number at an offset, and the offset behind it."""
    cursor = ByteCursor(data)
    cursor.at = at
    return cursor.number(), cursor.at


def with_items(data: bytes, items: Sequence[bytes]) -> bytes:
    """A section that is a vector, with items added."""
    count, start = number_at(data, 0)
    return unsigned_leb128(count + len(items)) + data[start:] + b"".join(items)
