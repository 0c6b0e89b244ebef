"""Blocks and registers: a register of RV32 has one home; constants go to a few temporaries in turn."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from npuninja.aie2_compiler.operations import MachineOperation, operation
from npuninja.aie2_compiler.registers import (
    GENERAL,
    LINK,
    NUMBERS,
    RETURN_ADDRESS,
    STACK,
    STACK_BIAS_BYTES,
    TEMPORARIES,
    ZERO,
    home,
)
from npuninja.aie2_compiler.riscv import RiscvFunction, RiscvInstruction
from npuninja.aie2_compiler.scheduling import ScheduledBlock
from npuninja.aie2_compiler.selection.frame import SP, rounded_frame
from npuninja.errors import InternalError, Location
from npuninja.records import NamedTuple

RA = 1
_RETURN = re.compile(r"\b(?:ra|x1)\b")


class LabelledBlock(NamedTuple):
    """A block with the labels in front of it."""

    labels: tuple[str, ...]
    block: ScheduledBlock


class Selected(NamedTuple):
    """A function: its blocks, and the bytes of stack that it takes itself (None: it depends on data)."""

    name: str
    is_global: bool
    blocks: list[LabelledBlock]
    frame_bytes: int | None


class Registers(ABC):
    """A function being translated: its blocks, and which register holds what."""

    def __init__(self, function: RiscvFunction, aliases: dict[str, str]) -> None:
        self.function = function
        self.aliases = aliases
        self.blocks: list[LabelledBlock] = []
        self.operations: list[MachineOperation] = []
        self.labels: list[str] = []
        self.frame: int | None = 0
        self.depth = 0
        self.next = {"temporary": 0, "pointer": 0, "offset": 0}
        #: What is known to be in a pointer or offset register, within a block.
        self.held: dict[str, tuple[object, ...]] = {}
        #: Temporaries that the instruction at hand still needs.
        self.busy: set[str] = set()
        #: The C line of the instruction at hand.
        self.place: Location | None = None
        #: The frame as the compiler has it and as the core gets it, if it is constant (`rounded_frame`).
        self.rounded = rounded_frame(function)
        #: Whether the function uses x1: loaded from lr at the function's beginning, back in lr at its end.
        self.saves_link = False

    # ---- blocks

    def select(self) -> Selected:
        """Translates the whole function."""
        self.saves_link = any(
            isinstance(item, RiscvInstruction) and any(_RETURN.search(text) for text in item.operands)
            for item in self.function.items
        )
        if self.saves_link:
            self.emit(f"mov {RETURN_ADDRESS}, {LINK}")
        for item in self.function.items:
            if isinstance(item, str):
                self.finish()
                self.labels.append(item)
                continue
            self.busy.clear()
            self.place = item.place
            self.instruction(item)
        self.finish()
        return Selected(self.function.name, self.function.is_global, self.blocks, self.frame)

    @abstractmethod
    def instruction(self, item: RiscvInstruction) -> None:
        """Translates one instruction."""

    def finish(self, leaving: MachineOperation | None = None) -> None:
        """Ends the block, with what leaves it."""
        if self.operations or leaving is not None:
            self.blocks.append(LabelledBlock(tuple(self.labels), ScheduledBlock(self.operations, leaving)))
            self.labels, self.operations = [], []
        self.held = {}

    def unknown(self, item: RiscvInstruction) -> InternalError:
        """The error for an instruction that is not known here."""
        text = f"{item.mnemonic} {', '.join(item.operands)}"
        return InternalError(
            f"npuninja-aie2 does not know '{text}' (function {self.function.name}, "
            f"line {item.line} of the assembly)"
        )

    def emit(self, *texts: str) -> None:
        """Adds an operation, given the texts of its forms."""
        self.operations.append(self.operation(*texts))

    def operation(self, *texts: str) -> MachineOperation:
        """An operation of the instruction at hand, with its C line."""
        return operation(*texts)._replace(place=self.place)

    # ---- registers

    def temporary(self, *, keep: bool = True) -> str:
        """A temporary for the instruction at hand; one that is not kept is for the next operation only."""
        while (found := TEMPORARIES[self.turn("temporary", len(TEMPORARIES))]) in self.busy:
            pass
        if keep:
            self.busy.add(found)
        return found

    def turn(self, kind: str, count: int) -> int:
        """The next of `count` registers of a kind."""
        number = self.next[kind]
        self.next[kind] = (number + 1) % count
        return number

    def source(self, name: str) -> str:
        """A register that holds what a register of RV32 holds."""
        number = NUMBERS[name]
        if number in (0, RA) or number in GENERAL:
            return home(number)
        if number != SP:
            raise InternalError(f"npuninja-aie2: the compiler used {name}")
        made = self.temporary()
        self.emit(f"mov {made}, {STACK}")
        bias = self.constant(-STACK_BIAS_BYTES)
        self.emit(f"add {made}, {made}, {bias}")
        return made

    def target(self, name: str) -> str:
        """The home of a register that is written; what was known of its old value is forgotten."""
        number = NUMBERS[name]
        if number == 0:
            return self.temporary()
        if number != RA and number not in GENERAL:
            raise InternalError(f"npuninja-aie2: the compiler wrote {name}")
        self.forget(home(number))
        return home(number)

    def forget(self, register: str) -> None:
        """Nothing is known any more of where a register's value lies."""
        self.held = {where: what for where, what in self.held.items() if what[0] != register}

    def constant(self, value: int, into: str = "") -> str:
        """A register that holds a number."""
        value = (value + 0x80000000) % 0x100000000 - 0x80000000
        if not value and not into:
            return ZERO
        made = into or self.temporary(keep=False)
        self.emit(*constant_forms(made, value))
        return made

    def move(self, into: str, register: str) -> None:
        """Copies a register."""
        if into != register:
            self.emit(f"mov {into}, {register}", f"or {into}, {register}, {register}")


def constant_forms(register: str, value: int) -> list[str]:
    """The instructions that put a number into a register, shortest first."""
    value = (value + 0x80000000) % 0x100000000 - 0x80000000
    forms = [f"mov {register}, #{value}"] if -512 <= value < 512 else []
    if -1024 <= value < 1024:
        forms += [f"mova {register}, #{value}", f"movx {register}, #{value}"]
    return forms or [f"movxm {register}, #{value}"]
