"""Operations of AIE2: one instruction each, with the registers it reads and writes and the units it takes.

All of it follows from the instruction table: nothing about timing is written down here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from npuninja.errors import InternalError, Location
from npuninja.machine_code.encode import EncodeError, parse_instruction
from npuninja.machine_code.instruction_set import Instruction, instruction_set
from npuninja.records import NamedTuple

_UNIT = re.compile(r"(!?)(\w+)@(\d+)(?:x(\d+))?")
_NUMBERED = re.compile(r"(dj|dn|dc|[rpm])\d+")
#: Status bits that no operation made here reads; so their order does not matter.
_UNREAD = frozenset({"srCarry"})


class Touch(NamedTuple):
    """A register read or written: in which stage; whether a bypass may show the write a cycle earlier."""

    register: str
    stage: int
    bypassed: bool


class FunctionalUnit(NamedTuple):
    """A part of the machine that is needed, in which stages; `only_free`: must be free but is not taken."""

    name: str
    first: int
    length: int
    only_free: bool


class Form(NamedTuple):
    """One way to write an operation.

    Attributes:
        text: as the assembler reads it.
        slot: where it is in a bundle.
        reads, writes: registers.
        units: parts of the machine.
        memory: "", "L", "S", or "LS" for a part-word store.
        name: of the instruction in the table.
    """

    text: str
    slot: str
    reads: tuple[Touch, ...]
    writes: tuple[Touch, ...]
    units: tuple[FunctionalUnit, ...]
    memory: str
    name: str

    @property
    def done_after(self) -> int:
        """Bundles after which nothing of it is under way that a later one could meet, part-word stores up to
        the next access of memory.
        """
        ends = [touch.stage for touch in self.writes] + [
            u.first + u.length - 1 for u in self.units if not u.only_free
        ]
        ends += [5] if self.memory else []
        return max(ends, default=1)


class MachineOperation(NamedTuple):
    """What is to be done, in one or more forms; the first that fits is taken. `place`: its C line."""

    forms: tuple[Form, ...]
    place: Location | None = None


@lru_cache(maxsize=8192)
def form(text: str) -> Form:
    """The form for an instruction's text. Raises InternalError when there is no such instruction."""
    try:
        parsed = parse_instruction(text)
    except EncodeError as error:
        raise InternalError(f"npuninja-aie2 made an instruction that does not exist: {error}") from None
    instruction = parsed.instruction
    reads: list[Touch] = []
    writes: list[Touch] = []
    for operand, field in zip(instruction.operands, parsed.fields):
        if operand.immediate is not None:
            continue
        register = operand.registers[field]
        assert register is not None
        for access in operand.accesses:
            (writes if access.is_write else reads).append(Touch(register, access.stage, bool(access.bypass)))
    for item in instruction.implicit:
        if item.register not in _UNREAD:
            touch = Touch(item.register, item.access.stage, bool(item.access.bypass))
            (writes if item.access.is_write else reads).append(touch)
    units = _units(_schedule_class(instruction, writes))
    return Form(
        text=text,
        slot=instruction.slot,
        reads=tuple(reads),
        writes=tuple(writes),
        units=units,
        memory=instruction.memory,
        name=instruction.name,
    )


def _schedule_class(instruction: Instruction, writes: list[Touch]) -> str:
    """The schedule class for the register file that is written, where the table has one for each."""
    known = instruction_set("aie2").units
    found = _NUMBERED.fullmatch(writes[0].register) if writes else None
    if found is not None:
        file = found[1].upper()
        for name in (
            f"{instruction.schedule}_{file}",
            f"{instruction.schedule}_{'RS' if file == 'R' else file}",
        ):
            if name in known:
                return name
    return instruction.schedule


@lru_cache(maxsize=512)
def _units(schedule: str) -> tuple[FunctionalUnit, ...]:
    text = instruction_set("aie2").units.get(schedule, "")
    return tuple(
        FunctionalUnit(name, int(first), int(length or 1), bool(free))
        for free, name, first, length in _UNIT.findall(text)
    )


def operation(*texts: str) -> MachineOperation:
    """An operation from the texts of its forms."""
    return MachineOperation(tuple(map(form, texts)))
