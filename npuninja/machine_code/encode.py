"""Text to instructions to bundles: the table read the other way."""

from __future__ import annotations

import re
from functools import cache

from npuninja import TYPE_CHECKING
from npuninja.machine_code.decode import PAIR_TEXT, Bundle, decoder
from npuninja.machine_code.instruction_set import BundleFormat, Instruction, InstructionSet, instruction_set
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

_PAIRS = {text: name for name, text in PAIR_TEXT.items()}
FILLER_OF_SLOT = {
    "lda": "NOPA",
    "ldb": "NOPB",
    "alu": "NOPX",
    "mv": "NOPM",
    "st": "NOPS",
    "vec": "NOPV",
    "lng": "NOPXM",
    "nop": "NOP",
}
_OPERAND = re.compile(r"\\\{(\w+)\\\}")
#: Immediates of these may be symbols: relocations exist for them.
_SYMBOLIC = frozenset({"j", "jl", "jz", "jnz", "movxm", "mova", "movx", "mov"})
_NUMBER = re.compile(r"#?([+-]?(?:0x[0-9a-f]{1,18}|\d{1,20}))", re.I)


class EncodeError(Exception):
    """Text that is no instruction, or instructions that fit into no bundle; the text says why."""


class LabelReference(NamedTuple):
    """A symbol that is where an immediate is wanted: it is filled in later."""

    symbol: str
    addend: int


class Parsed(NamedTuple):
    """An instruction read from text: its row, its fields, and the symbol that one immediate refers to."""

    instruction: Instruction
    fields: tuple[int, ...]
    reference: LabelReference | None = None

    def word(self) -> int:
        """The slot's word."""
        word = self.instruction.value
        for operand, field in zip(self.instruction.operands, self.fields):
            word |= operand.place(field)
        return word


class _Matcher(NamedTuple):
    pattern: re.Pattern[str]
    names: tuple[str, ...]


@cache
def _matcher(instruction: Instruction) -> _Matcher:
    text = re.escape(instruction.arguments).replace(r"\ ", " ").replace(" ", r"\s*")
    names = tuple(_OPERAND.findall(text))
    pattern = _OPERAND.sub(lambda m: r"([^\s,\[\]]+)", text)
    return _Matcher(re.compile(pattern), names)


@cache
def _by_mnemonic(name: str) -> dict[str, list[Instruction]]:
    found: dict[str, list[Instruction]] = {}
    for instruction in instruction_set(name).instructions:
        found.setdefault(instruction.mnemonic, []).append(instruction)
    return found


def _split(text: str, known: dict[str, list[Instruction]]) -> tuple[str, str]:
    words = text.split(None, 2)
    if len(words) >= 2 and f"{words[0]} {words[1]}" in known:
        return f"{words[0]} {words[1]}", words[2] if len(words) > 2 else ""
    head, _, rest = text.partition(" ")
    return head, rest.strip()


def _field(instruction: Instruction, index: int, text: str) -> tuple[int | None, LabelReference | None, str]:
    operand = instruction.operands[index]
    if operand.immediate is not None:
        number = _NUMBER.fullmatch(text)
        if number is None:
            reference = _reference(text) if instruction.mnemonic in _SYMBOLIC else None
            if reference is None or reference.symbol in _register_names():
                return None, None, f"'{text}' is no number"
            return 0, reference, ""
        try:
            value = int(number[1], 0)
        except ValueError:  # a zero in front, or thousands of digits
            return None, None, f"'{text[:40]}' is no number"
        field = operand.immediate.field(value)
        if field is None:
            low, high = operand.immediate.limits()
            step = f" in steps of {operand.immediate.scale}" if operand.immediate.scale > 1 else ""
            return None, None, f"#{value} is not between {low} and {high}{step}"
        return field, None, ""
    register = _PAIRS.get(text, text)
    for code, name in enumerate(operand.registers):
        if name == register:
            return code, None, ""
    return None, None, f"'{text}' cannot be there (class {operand.kind})"


@cache
def _register_names() -> frozenset[str]:
    """All names that stand for a register somewhere."""
    names = {"SS", "SCD", "MCD", "ms", "cntr"}
    for instruction in instruction_set("aie2").instructions:
        for operand in instruction.operands:
            names.update(name for name in operand.registers if name is not None)
    return frozenset(names)


def _reference(text: str) -> LabelReference | None:
    found = re.fullmatch(r"#?([A-Za-z_.$][\w.$@]*)([+-]\d{1,20})?", text)
    return LabelReference(found[1], int(found[2] or 0)) if found else None


def parse_instruction(text: str, isa: str = "aie2") -> Parsed:
    """Reads one instruction. Raises EncodeError."""
    known = _by_mnemonic(isa)
    text = " ".join(text.split())
    mnemonic, arguments = _split(text, known)
    if mnemonic not in known:
        raise EncodeError(f"there is no instruction '{mnemonic}'")
    reasons = []
    for instruction in known[mnemonic]:
        matcher = _matcher(instruction)
        found = matcher.pattern.fullmatch(arguments)
        if found is None:
            reasons.append(f"expected: {mnemonic} {instruction.arguments}".strip())
            continue
        texts: dict[str, str] = {}
        consistent = True
        for name, value in zip(matcher.names, found.groups()):
            consistent = consistent and texts.setdefault(name, value) == value
        if not consistent:
            reasons.append("a register that is both read and written is named twice alike")
            continue
        fields = []
        reference = None
        for index, operand in enumerate(instruction.operands):
            field, symbol, why = _field(instruction, index, texts[operand.name])
            if field is None:
                reasons.append(why)
                break
            fields.append(field)
            reference = symbol or reference
        else:
            return Parsed(instruction, tuple(fields), reference)
    raise EncodeError(f"'{text}': " + "; or ".join(dict.fromkeys(reasons)))


def choose_format(slots: Sequence[str], table: InstructionSet) -> BundleFormat:
    """The shortest format that has these slots. Raises EncodeError."""
    wanted = frozenset(slots)
    if len(wanted) != len(slots):
        twice = next(s for s in slots if list(slots).count(s) > 1)
        raise EncodeError(f"two instructions for the slot {twice} in one bundle")
    exact = table.format_of_slots.get(wanted)
    if exact is not None:
        return exact
    for size in sorted(table.formats):
        for made in table.formats[size]:
            if wanted <= {name for name, _ in made.slots}:
                return made
    raise EncodeError(f"no bundle has the slots {', '.join(sorted(wanted))} together")


def encode_bundle(parsed: Sequence[Parsed], isa: str = "aie2") -> bytes:
    """The bytes of a bundle with these instructions; slots of the format that are left get fillers."""
    table = instruction_set(isa)
    if not parsed:
        parsed = [Parsed(table.by_name["NOP"], ())]
    made = choose_format([p.instruction.slot for p in parsed], table)
    words = {p.instruction.slot: p.word() for p in parsed}
    value = made.value
    for slot, low in made.slots:
        word = words.get(slot)
        if word is None:
            word = table.by_name[FILLER_OF_SLOT[slot]].value
        value |= word << low
    return value.to_bytes(made.size_bytes, "little")


def parse_bundle(text: str, isa: str = "aie2") -> list[Parsed]:
    """The instructions of one line, separated by `;`. Raises EncodeError."""
    return [parse_instruction(part, isa) for part in text.split(";") if part.strip()]


def assemble_bundle(text: str, address: int = 0, isa: str = "aie2") -> Bundle:
    """A bundle from its text, for programs made in code. Raises EncodeError."""
    data = encode_bundle(parse_bundle(text, isa), isa)
    return decoder(isa).bundle(data, 0, address)
