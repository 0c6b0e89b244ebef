"""Bytes to bundles to instructions: exactly one reading of each, or an error with address and bytes."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Iterator, NamedTuple

from npuninja.errors import UserError
from npuninja.machine_code.instruction_set import Instruction, InstructionSet, bundle_bytes, instruction_set

#: Registers whose text is not their name (pairs are printed as such).
PAIR_TEXT = {f"l{i}": f"r{17 + 2 * i}:r{16 + 2 * i}" for i in range(8)}
#: Most instructions of a slot differ in these bits of its word.
_LOW_BITS = 0xFF


class Decoded(NamedTuple):
    """An instruction with the values of its operands: a register's name, or a number, in the table's order."""

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
    """What is issued in one cycle: where it is, its bytes, and its instructions in the order of the format."""

    address: int
    data: bytes
    instructions: tuple[Decoded, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes in program memory."""
        return len(self.data)

    @property
    def end(self) -> int:
        """The address behind it."""
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


class Decoder:
    """Decodes one instruction set; remembers the words it has seen."""

    def __init__(self, instructions: InstructionSet) -> None:
        self.set = instructions
        self._words: dict[str, dict[int, Decoded | None]] = {slot: {} for slot in instructions.slot_bits}
        #: By slot and the lowest bits of a word: what may fit, made when it is asked for.
        self._likely: dict[tuple[str, int], list[Instruction]] = {}

    def slot_readings(self, slot: str, word: int) -> list[Decoded]:
        """All instructions that a slot's word can be; a word of a real program is exactly one."""
        key = (slot, word & _LOW_BITS)
        likely = self._likely.get(key)
        if likely is None:
            likely = self._likely[key] = [
                instruction
                for mask, group in self.set.candidates[slot]
                for value, some in group.items()
                if not (value ^ word) & mask & _LOW_BITS
                for instruction in some
            ]
        found = []
        for instruction in likely:
            if word & instruction.mask != instruction.value:
                continue
            values: list[str | int] = []
            for operand in instruction.operands:
                field = operand.field(word)
                if operand.immediate is not None:
                    values.append(operand.immediate.value(field))
                    continue
                register = operand.registers[field]
                if register is None:
                    break
                values.append(register)
            else:
                found.append(Decoded(instruction, tuple(values)))
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
        size = bundle_bytes(data[offset])
        raw = bytes(data[offset : offset + size])
        if len(raw) < size:
            raise UndecodableError(address, raw, f"it would have {size} bytes, {len(raw)} are left")
        word = int.from_bytes(raw, "little")
        for made in self.set.formats[size]:
            if word & made.mask == made.value:
                break
        else:
            raise UndecodableError(address, raw, f"no format of {size} bytes fits")
        instructions = []
        for slot, low in made.slots:
            part = word >> low & ((1 << self.set.slot_bits[slot]) - 1)
            memo = self._words[slot]
            decoded = memo[part] if part in memo else self.slot(slot, part)
            if decoded is None:
                readings = self.slot_readings(slot, part)
                why = "is no instruction" if not readings else f"has {len(readings)} readings"
                raise UndecodableError(address, raw, f"slot {slot} holds 0x{part:x}, which {why}")
            instructions.append(decoded)
        return Bundle(address, raw, tuple(instructions))

    def bundles(self, data: bytes, address: int) -> Iterator[Bundle]:
        """The bundles of a piece of program memory one after the other. A rest that is shorter than a bundle at
        the end is padding and left out. Raises UndecodableError.
        """
        offset, end = 0, len(data)
        while offset < end:
            if offset + bundle_bytes(data[offset]) > end:
                return
            bundle = self.bundle(data, offset, address + offset)
            yield bundle
            offset += bundle.size_bytes


@cache
def decoder(name: str = "aie2") -> Decoder:
    """The decoder of an instruction set. Raises UserError when there is no table for it."""
    return Decoder(instruction_set(name))
