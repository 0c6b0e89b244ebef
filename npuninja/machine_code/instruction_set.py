"""The table of an instruction set: instructions, bundle formats, register classes, timing.

The data are in `tables/NAME.json` (layout: `tables/README.md`). Nothing here knows what an instruction does.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError, UserError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Sequence

#: Instruction sets by the architecture and the file that describes them.
TABLES = {"aie2": "aie2.json"}
#: Bytes of a bundle by its first byte (aie2-isa: the prefix code of the bundle's length).
_LENGTH_BY_LOW_BITS = {0b0001: 2, 0b1001: 4, 0b0011: 8, 0b1011: 10, 0b0111: 12, 0b1111: 14}
_IMMEDIATE = re.compile(r"([usn])(\d+)(?:x(\d+))?")
_ACCESS = re.compile(r"([rw])(\d+)([mv]?)")
_TO_MASK = str.maketrans({c: "1" if c in "01" else "0" for c in "01-abcdefghijklmnopqrstuvwxyz"})
_TO_VALUE = str.maketrans({c: "1" if c == "1" else "0" for c in "01-abcdefghijklmnopqrstuvwxyz"})


class Access(NamedTuple):
    """When an instruction reads or writes a register: `stage` as in the table, and the bypass network."""

    is_write: bool
    stage: int
    bypass: str


class Immediate(NamedTuple):
    """A number in an instruction: `kind` u, s or n (always negative), its bits and its factor."""

    kind: str
    bits: int
    scale: int

    def value(self, field: int) -> int:
        """The number that a field stands for."""
        if self.kind == "n" or (self.kind == "s" and field >> (self.bits - 1)):
            field -= 1 << self.bits
        return field * self.scale

    def field(self, value: int) -> int | None:
        """The field that stands for a number, or None when there is none."""
        number, rest = divmod(value, self.scale)
        if rest:
            return None
        low, high = self.limits()
        if not low <= value <= high:
            return None
        return number & ((1 << self.bits) - 1)

    def limits(self) -> tuple[int, int]:
        """The least and the greatest number, scaled."""
        if self.kind == "u":
            low, high = 0, (1 << self.bits) - 1
        elif self.kind == "s":
            low, high = -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        else:
            low, high = -(1 << self.bits), -1
        return low * self.scale, high * self.scale


class Operand(NamedTuple):
    """One operand of an instruction.

    Attributes:
        name: in the text of the instruction.
        kind: register class or immediate, as in the table.
        pieces: (bits of the value from bit .., width, lowest bit in the slot), to gather the field.
        bits: width of the whole field.
        immediate: for an immediate, else None.
        registers: for a register class, the register of each code (None: no register).
        accesses: when the register is read and written.
    """

    name: str
    kind: str
    pieces: tuple[tuple[int, int, int], ...]
    bits: int
    immediate: Immediate | None
    registers: tuple[str | None, ...]
    accesses: tuple[Access, ...]

    def field(self, word: int) -> int:
        """The operand's field in a slot's word."""
        value = 0
        for low, width, at in self.pieces:
            value |= (word >> at & ((1 << width) - 1)) << low
        return value

    def place(self, field: int) -> int:
        """A slot's word with this field alone."""
        word = 0
        for low, width, at in self.pieces:
            word |= (field >> low & ((1 << width) - 1)) << at
        return word


class Implicit(NamedTuple):
    """A register that an instruction uses without naming it."""

    register: str
    access: Access


class Instruction:
    """One row of the table. `mask` and `value` are its fixed bits in the slot's word.

    Operands are made when they are asked for: a program uses some fifty of six hundred instructions.
    """

    __slots__ = (
        "_operands",
        "_row",
        "_set",
        "arguments",
        "bits",
        "mask",
        "memory",
        "mnemonic",
        "name",
        "schedule",
        "slot",
        "value",
    )

    def __init__(self, owner: InstructionSet, row: Sequence[Any]) -> None:
        self.name: str = row[0]
        self.slot: str = row[1]
        self.mnemonic: str = row[2]
        self.arguments: str = row[3]
        self.bits: str = row[4]
        self.memory: str = row[7]
        self.schedule: str = row[8]
        self.mask = int(self.bits.translate(_TO_MASK), 2)
        self.value = int(self.bits.translate(_TO_VALUE), 2)
        self._row = row
        self._set = owner
        self._operands: tuple[Operand, ...] | None = None

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Its operands in the order of the table."""
        if self._operands is None:
            self._operands = tuple(self._set.operand(text, self.bits) for text in self._row[5])
        return self._operands

    @property
    def implicit(self) -> tuple[Implicit, ...]:
        """Registers it uses without naming them."""
        return _implicit(self._row[6])

    @property
    def is_filler(self) -> bool:
        """Whether it does nothing."""
        return self.schedule == "NOP"

    def __repr__(self) -> str:
        return self.name


class BundleFormat(NamedTuple):
    """One way to pack slots into a bundle: its bytes, fixed bits, and the lowest bit of each slot."""

    size_bytes: int
    mask: int
    value: int
    slots: tuple[tuple[str, int], ...]


class InstructionSet:
    """An instruction set's table, with the indexes that decoding and assembling need.

    Attributes:
        name: aie2.
        instructions: all rows.
        slot_bits: width of each slot.
        formats: by bundle size.
        relocations: by type: bytes of the bundle, and (value's lowest bit, bits, lowest bit in the bundle).
        memory_stages: by schedule class, the stages in which memory is accessed.
        units: by schedule class, issue resources as text.
    """

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        self.name = name
        self.slot_bits: dict[str, int] = table["slots"]
        self._classes: dict[str, Any] = table["classes"]
        self._registers: dict[tuple[str, int], tuple[str | None, ...]] = {}
        self._patterns: dict[str, list[tuple[int, int, str, int, int]]] = {}
        self.instructions = tuple(Instruction(self, row) for row in table["instructions"])
        self.by_name = {i.name: i for i in self.instructions}
        self.formats: dict[int, tuple[BundleFormat, ...]] = {}
        for row in table["bundles"]:
            size = row["bits"] // 8
            made = BundleFormat(
                size, int(row["mask"], 16), int(row["value"], 16), tuple(row["slots"].items())
            )
            self.formats[size] = (*self.formats.get(size, ()), made)
        self.format_of_slots = {
            frozenset(name for name, _ in made.slots): made for some in self.formats.values() for made in some
        }
        self.relocations: dict[int, tuple[int, tuple[tuple[int, int, int], ...]]] = {
            int(number): (size, tuple((a, b, c) for a, b, c in pieces))
            for number, (size, pieces) in table["relocations"].items()
        }
        self.memory_stages: dict[str, tuple[int, ...]] = {
            name: tuple(entry.get("mem", ())) for name, entry in table["sched"].items()
        }
        self.units: dict[str, str] = {name: entry.get("units", "") for name, entry in table["sched"].items()}

    def operand(self, text: str, bits: str) -> Operand:
        """An operand from its description in the table and the instruction's bits."""
        letter, name, kind, *accesses = text.split()
        pieces = _pieces(bits, letter)
        width = sum(piece[1] for piece in pieces)
        immediate = None
        registers: tuple[str | None, ...] = ()
        number = _IMMEDIATE.fullmatch(kind)
        if number is not None and kind not in self._classes:
            immediate = Immediate(number[1], int(number[2]), int(number[3] or 1))
        elif kind in self._classes:
            registers = self.registers(kind, width)
        else:  # a class the table writes only once, with its own name
            raise InternalError(f"the instruction table has no register class '{kind}'")
        return Operand(
            name=name,
            kind=kind,
            pieces=pieces,
            bits=width,
            immediate=immediate,
            registers=registers,
            accesses=tuple(map(_access, accesses)),
        )

    def registers(self, kind: str, bits: int) -> tuple[str | None, ...]:
        """The register of each code of a class whose field has so many bits."""
        key = (kind, bits)
        found = self._registers.get(key)
        if found is None:
            entry = self._classes.get(kind)
            while isinstance(entry, str):
                kind, entry = entry, self._classes[entry]
            if entry and not isinstance(entry[0], list):  # the register of each code
                found = (*entry, *(None,) * ((1 << bits) - len(entry)))
            else:
                found = tuple(self._register(kind, code, bits) for code in range(1 << bits))
            self._registers[key] = found
        return found

    def _register(self, kind: str, code: int, bits: int) -> str | None:
        entry = self._classes.get(kind)
        if entry is None:  # an alternative that is one register
            return kind
        if isinstance(entry, str):
            return self._register(entry, code, bits)
        if entry and isinstance(entry[0], list):
            for mask, value, inner, shift, inner_bits in self._patterns_of(kind):
                # A pattern shorter than the field is about its low bits, a longer one about bits it lacks.
                if (code ^ value) & mask & ((1 << bits) - 1):
                    continue
                if not inner_bits:
                    return inner
                found = self._register(inner, code >> shift & ((1 << inner_bits) - 1), inner_bits)
                if found is not None:
                    return found
            return None
        return entry[code] if code < len(entry) else None

    def _patterns_of(self, kind: str) -> list[tuple[int, int, str, int, int]]:
        """The alternatives of a class: mask and value of a code, and the register; or the class, with the
        shift and the number of its code's bits.
        """
        found = self._patterns.get(kind)
        if found is None:
            found = self._patterns[kind] = [
                (
                    int(pattern.translate(_TO_MASK), 2),
                    int(pattern.translate(_TO_VALUE), 2),
                    str(inner),
                    shift,
                    self._class_bits(inner) if inner in self._classes else 0,
                )
                for pattern, inner, shift in self._classes[kind]
            ]
        return found

    def _class_bits(self, kind: str) -> int:
        entry = self._classes[kind]
        if isinstance(entry, str):
            return self._class_bits(entry)
        return max(1, (len(entry) - 1).bit_length())


def _pieces(bits: str, letter: str) -> tuple[tuple[int, int, int], ...]:
    pieces: list[tuple[int, int, int]] = []
    low, end = 0, len(bits)
    while (end := bits.rfind(letter, 0, end) + 1) > 0:
        start = len(bits[:end].rstrip(letter))
        pieces.append((low, end - start, len(bits) - end))
        low, end = low + end - start, start
    return tuple(pieces)


@cache
def _access(text: str) -> Access:
    found = _ACCESS.fullmatch(text)
    if found is None:
        raise InternalError(f"the instruction table has an access '{text}'")
    return Access(found[1] == "w", int(found[2]), found[3])


@cache
def _implicit(text: str) -> tuple[Implicit, ...]:
    made = []
    for item in text.split():
        register, _, access = item.partition(":")
        made.append(Implicit(register, _access(access)))
    return tuple(made)


def bundle_bytes(first: int) -> int:
    """The size of the bundle that begins with this byte."""
    if not first & 1:
        return 16
    if first & 7 == 0b101:
        return 6
    return _LENGTH_BY_LOW_BITS[first & 15]


def table_path(name: str) -> str:
    """The file with the table of an instruction set of `TABLES`."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables", TABLES[name])


@cache
def instruction_set(name: str) -> InstructionSet:
    """The table of an instruction set.

    Raises:
        UserError: there is no table for it.
    """
    if name not in TABLES:
        raise UserError(
            f"{name.upper()} core programs cannot be read yet: there is no instruction table for them",
            hint=f"tables exist for: {', '.join(sorted(TABLES))}",
        )
    with open(table_path(name), encoding="ascii") as stream:
        return InstructionSet(name, json.load(stream))
