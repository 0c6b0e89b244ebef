"""Bytes to bundles to instructions: exactly one reading of each, or an error with address and bytes."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.machine_code.instruction_set import (
    Instruction,
    InstructionSet,
    Operand,
    bundle_bytes,
    instruction_set,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator

#: Registers whose text is not their name (pairs are printed as such).
PAIR_TEXT = {f"l{i}": f"r{17 + 2 * i}:r{16 + 2 * i}" for i in range(8)}


class Decoded(NamedTuple):
    """An instruction with the values of its operands in the table's order: a register's name, or a number."""

    instruction: Instruction
    operands: tuple[str | int, ...]

    @property
    def text(self) -> str:
        """As an assembler takes it."""
        return instruction_text(self)

    def operand(self, name: str) -> str | int:
        """The value of the operand with this name."""
        for operand, value in zip(self.instruction.operands, self.operands):
            if operand.name == name:
                return value
        raise KeyError(name)


class Bundle(NamedTuple):
    """What is issued in one cycle: its address, bytes, and instructions in the order of the format."""

    address: int
    data: bytes
    instructions: tuple[Decoded, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes in program memory."""
        return len(self.data)

    @property
    def end(self) -> int:
        """The address after it."""
        return self.address + len(self.data)

    @property
    def text(self) -> str:
        """Its instructions, separated."""
        return "; ".join(instruction_text(i) for i in self.instructions)


class UndecodableError(UserError):
    """Bytes that are no bundle.

    Attributes:
        address: of the bundle.
    """

    def __init__(self, address: int, data: bytes, why: str) -> None:
        super().__init__(
            f"the bytes {data.hex(' ')} at 0x{address:x} are no bundle: {why}",
            hint="is this machine code of AIE2, and does the program really reach this address?",
        )
        self.address = address


#: So many bits of a word sort out most instructions of its slot.
_TELLING_BITS = 6
#: The size of a bundle by its first byte.
BUNDLE_BYTES = tuple(map(bundle_bytes, range(256)))


@lru_cache(maxsize=65536)
def instruction_text(decoded: Decoded) -> str:
    """An instruction as assemblers and objdump write it."""
    instruction, values = decoded
    if not instruction.arguments:
        return instruction.mnemonic
    texts = {
        operand.name: f"#{value}" if isinstance(value, int) else PAIR_TEXT.get(value, value)
        for operand, value in zip(instruction.operands, values)
    }
    return f"{instruction.mnemonic} {instruction.arguments.format_map(texts)}"


class _OperandReader(NamedTuple):
    """How an operand is read off a word: the field's lowest bit, its mask (0 when it is in several pieces),
    and the register of each of its values (else the immediate says what it stands for).
    """

    low: int
    mask: int
    registers: tuple[str | None, ...]
    operand: Operand


@cache
def _readers(instruction: Instruction) -> tuple[_OperandReader, ...]:
    made = []
    for operand in instruction.operands:
        (_, width, low), *others = operand.pieces
        mask = 0 if others else (1 << width) - 1
        made.append(_OperandReader(low, mask, operand.registers, operand))
    return tuple(made)


def _values(instruction: Instruction, word: int) -> tuple[str | int, ...] | None:
    """The operands in a word that has the instruction's fixed bits; None when a field names no register."""
    values: list[str | int] = []
    for low, mask, registers, operand in _readers(instruction):
        field = word >> low & mask if mask else operand.field(word)
        if registers:
            register = registers[field]
            if register is None:
                return None
            values.append(register)
        else:
            assert operand.immediate is not None
            values.append(operand.immediate.value(field))
    return tuple(values)


Fixed = list[tuple[int, int, Instruction]]
"""Instructions with their fixed bits: mask and value."""


def _telling_bits(fixed: Fixed) -> int:
    """The bits of a slot's word that most of its instructions fix."""
    counts: dict[int, int] = {}
    for mask, number in Counter(mask for mask, _, _ in fixed).items():
        for bit in range(mask.bit_length()):
            if mask >> bit & 1:
                counts[bit] = counts.get(bit, 0) + number
    return sum(1 << bit for bit in sorted(counts, key=lambda bit: -counts[bit])[:_TELLING_BITS])


class _Format(NamedTuple):
    """A bundle format for decoding: of each slot its name, its lowest bit, its mask, the words seen."""

    mask: int
    value: int
    slots: tuple[tuple[str, int, int, dict[int, Decoded | None]], ...]


class Decoder:
    """Decodes one instruction set; remembers the bundles and the words it has seen."""

    def __init__(self, instructions: InstructionSet) -> None:
        self.set = instructions
        self._words: dict[str, dict[int, Decoded | None]] = {slot: {} for slot in instructions.slot_bits}
        self._bundles: dict[bytes, tuple[Decoded, ...]] = {}
        #: By slot the bits that most instructions fix; by their values what a word may be; made on demand.
        self._fixed: dict[str, Fixed] = {}
        for instruction in instructions.instructions:
            fixed = self._fixed.setdefault(instruction.slot, [])
            fixed.append((instruction.mask, instruction.value, instruction))
        self._telling = {slot: _telling_bits(fixed) for slot, fixed in self._fixed.items()}
        self._likely: dict[tuple[str, int], Fixed] = {}
        self._formats = {
            size: [
                _Format(
                    made.mask,
                    made.value,
                    tuple(
                        (slot, low, (1 << instructions.slot_bits[slot]) - 1, self._words[slot])
                        for slot, low in made.slots
                    ),
                )
                for made in formats
            ]
            for size, formats in instructions.formats.items()
        }

    def slot_readings(self, slot: str, word: int) -> list[Decoded]:
        """All instructions that a slot's word can be; a word of a real program is exactly one."""
        bits = self._telling[slot]
        key = (slot, word & bits)
        likely = self._likely.get(key)
        if likely is None:
            fixed = self._fixed[slot]
            likely = self._likely[key] = [one for one in fixed if not (one[1] ^ word) & one[0] & bits]
        found = []
        for mask, value, instruction in likely:
            if word & mask == value:
                values = _values(instruction, word)
                if values is not None:
                    found.append(Decoded(instruction, values))
        return found

    def slot(self, slot: str, word: int) -> Decoded | None:
        """The instruction of a slot's word; None when the word is no instruction."""
        memo = self._words[slot]
        if word in memo:
            return memo[word]
        readings = self.slot_readings(slot, word)
        decoded = readings[0] if len(readings) == 1 else None
        memo[word] = decoded
        return decoded

    def bundle(self, data: bytes | memoryview, offset: int, address: int) -> Bundle:
        """The bundle at `offset` of `data`, which lies at `address`. Raises UndecodableError."""
        size = BUNDLE_BYTES[data[offset]]
        raw = bytes(data[offset : offset + size])
        instructions = self._bundles.get(raw)
        if instructions is None:
            instructions = self._bundles[raw] = self._decoded(raw, size, address)
        return Bundle(address, raw, instructions)

    def _decoded(self, raw: bytes, size: int, address: int) -> tuple[Decoded, ...]:
        if len(raw) < size:
            raise UndecodableError(address, raw, f"it would have {size} bytes, {len(raw)} are left")
        word = int.from_bytes(raw, "little")
        for made in self._formats[size]:
            if word & made.mask == made.value:
                break
        else:
            raise UndecodableError(address, raw, f"no format of {size} bytes fits")
        instructions = []
        for slot, low, mask, memo in made.slots:
            part = word >> low & mask
            decoded = memo[part] if part in memo else self.slot(slot, part)
            if decoded is None:
                readings = self.slot_readings(slot, part)
                why = "is no instruction" if not readings else f"has {len(readings)} readings"
                raise UndecodableError(address, raw, f"slot {slot} holds 0x{part:x}, which {why}")
            instructions.append(decoded)
        return tuple(instructions)

    def bundles(self, data: bytes, address: int) -> Iterator[Bundle]:
        """The bundles of a piece of program memory. A rest at the end, shorter than a bundle, is padding and
        left out. Raises UndecodableError.
        """
        offset, end, known = 0, len(data), self._bundles
        while offset < end:
            size = BUNDLE_BYTES[data[offset]]
            following = offset + size
            if following > end:
                return
            raw = data[offset:following]
            instructions = known.get(raw)
            if instructions is None:
                instructions = known[raw] = self._decoded(raw, size, address + offset)
            yield Bundle(address + offset, raw, instructions)
            offset = following


@cache
def decoder(name: str = "aie2") -> Decoder:
    """The decoder of an instruction set. Raises UserError when there is no table for it."""
    return Decoder(instruction_set(name))
