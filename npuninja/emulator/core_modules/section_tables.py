"""What a module's sections say, as far as rewriting needs it; sections with items added; modules of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_code import ByteCursor, FunctionCode
from npuninja.formats.wasm_module import section_bytes, unsigned_leb128
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
    """The number at an offset, and the offset after it."""
    cursor = ByteCursor(data)
    cursor.at = at
    return cursor.number(), cursor.at


def locals_count(code: bytes, function: FunctionCode) -> int:
    """How many variables a function has, its parameters included; `code` is the code section."""
    cursor = ByteCursor(code)
    cursor.at = function.offset
    count = len(function.parameters)
    for _ in range(cursor.number()):
        count += cursor.number()
        cursor.byte()
    return count


def with_items(data: bytes, items: Sequence[bytes]) -> bytes:
    """A section that is a vector, with items added."""
    count, start = number_at(data, 0)
    return unsigned_leb128(count + len(items)) + data[start:] + b"".join(items)


class AddedTypes:
    """Types of functions that a module gets after its own, each once.

    Args:
        first: the number of the first of them.

    Attributes:
        items: the types, as the section has them.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self.items: list[bytes] = []

    def number(self, parameters: bytes, results: bytes) -> bytes:
        """The number of a type."""
        entry = b"\x60" + unsigned_leb128(len(parameters)) + parameters
        entry += unsigned_leb128(len(results)) + results
        if entry not in self.items:
            self.items.append(entry)
        return unsigned_leb128(self._first + self.items.index(entry))


_Mark = TypeVar("_Mark")
#: A function's code, and of each of its instructions where it begins there and what is known of it.
Marked = tuple[bytes, "list[tuple[int, _Mark]]"]


def with_code(
    sections: Mapping[int, bytes], bodies: Sequence[Marked[_Mark]], added: Sequence[bytes], nowhere: _Mark
) -> tuple[bytes, tuple[int, ...], tuple[_Mark, ...]]:
    """A core's module; where in it each instruction begins, and what is known of it.

    Args:
        sections: what is in front of the code, by number.
        bodies: its functions.
        added: functions after them, with their sizes.
        nowhere: what is known of the instructions of these.
    """
    head = unsigned_leb128(len(bodies) + len(added))
    sized = [unsigned_leb128(len(code)) + code for code, _ in bodies]
    content = b"".join((head, *sized, *added))
    numbers = [number for number in wasm_sections.OF_CORES[:-1] if number in sections]
    module = WASM_MAGIC + b"".join(section_bytes(number, sections[number]) for number in numbers)
    module += section_bytes(wasm_sections.CODE, content)
    at = len(module) - len(content) + len(head)
    starts: list[int] = []
    marks: list[_Mark] = []
    for (code, found), whole in zip(bodies, sized):
        starts += [at + len(whole) - len(code) + offset for offset, _ in found]
        marks += [mark for _, mark in found]
        at += len(whole)
    return module, (*starts, at), (*marks, nowhere)
