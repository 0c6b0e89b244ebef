"""Instructions of RV32 that are one or two of AIE2."""

from __future__ import annotations

from npuninja.aie2_compiler.registers import CONDITION, NUMBERS, STACK, STACK_BIAS_BYTES, ZERO
from npuninja.aie2_compiler.riscv import RiscvInstruction
from npuninja.aie2_compiler.selection.addresses import Addresses
from npuninja.aie2_compiler.selection.frame import SP


class SelectedArithmetic(Addresses):
    """Sums, shifts, comparisons, choices."""

    def add_immediate(self, item: RiscvInstruction) -> None:
        """`addi`, the stack pointer among its operands too."""
        into, register, text = item.operands
        if NUMBERS[into] == SP:
            if NUMBERS[register] == SP:
                self.stack_step(item)
            else:
                self.set_stack(self.source(register), self.number(text))
            return
        value = self.number(text)
        if NUMBERS[register] == SP:
            made = self.temporary()
            self.emit(f"mov {made}, {STACK}")
            bias = self.constant(self.in_frame(value) - STACK_BIAS_BYTES)
            self.emit(f"add {self.target(into)}, {made}, {bias}")
            return
        source = self.source(register)
        self.add_number(self.target(into), source, value)

    def add_number(self, into: str, source: str, value: int) -> None:
        """A register and a number."""
        if value == 0:
            self.move(into, source)
        elif -64 <= value < 64:
            near = [f"add.nc {into}, {source}, #{value}"] if -32 <= value < 32 else []
            self.emit(f"add {into}, {source}, #{value}", *near)
        else:
            number = self.constant(value)
            self.emit(f"add {into}, {source}, {number}")

    def move_register(self, item: RiscvInstruction) -> None:
        """Selects instructions for `mv`."""
        into, register = item.operands
        if NUMBERS[into] == SP:
            self.set_stack(self.source(register), 0)
            return
        source = self.source(register)
        self.move(self.target(into), source)

    def load_immediate(self, item: RiscvInstruction) -> None:
        """Selects instructions for `li`."""
        into, text = item.operands
        self.constant(self.number(text), self.target(into))

    def binary(self, item: RiscvInstruction, name: str, swapped: bool = False) -> None:
        """Two registers, one result; the operands of AIE2's instruction may be the other way round."""
        into, *operands = item.operands
        made = self.temporary() if NUMBERS[into] == SP else ""  # dynamic arrays: sub sp, sp, a0
        a, b = map(self.source, operands)
        if swapped:
            a, b = b, a
        if made:
            self.emit(f"{name} {made}, {a}, {b}")
            self.set_stack(made, 0)
        else:
            self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def binary_immediate(self, item: RiscvInstruction, name: str) -> None:
        """A register and a number."""
        into, left, text = item.operands
        a, value = self.source(left), self.number(text)
        if name == "and" and value in (255, 65535):
            self.emit(f"extend.u{8 if value == 255 else 16} {self.target(into)}, {a}")
            return
        b = self.constant(value)
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def unary(self, item: RiscvInstruction, name: str) -> None:
        """One register, one result."""
        into, register = item.operands
        a = self.source(register)
        self.emit(f"{name} {self.target(into)}, {a}")

    def shift_immediate(self, item: RiscvInstruction, name: str, sign: int) -> None:
        """A shift by a number; `sign` 1 is left."""
        into, left, text = item.operands
        a, b = self.source(left), self.constant(sign * self.number(text))
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def shift(self, item: RiscvInstruction, name: str, right: bool) -> None:
        """RV32 takes five bits of the count; AIE2 takes its sign for the direction."""
        into, left, register = item.operands
        a, count = self.source(left), self.source(register)
        mask, made = self.constant(31), self.temporary()
        self.emit(f"and {made}, {count}, {mask}")
        if right:
            self.emit(f"sub {made}, {ZERO}, {made}")
        self.emit(f"{name} {self.target(into)}, {a}, {made}")

    def with_zero(self, item: RiscvInstruction, name: str, swapped: bool) -> None:
        """A register and 0; `swapped`: 0 comes first."""
        into, register = item.operands
        a = self.source(register)
        pair = f"{ZERO}, {a}" if swapped else f"{a}, {ZERO}"
        self.emit(f"{name} {self.target(into)}, {pair}")

    def complement(self, item: RiscvInstruction) -> None:
        """Selects instructions for `not`."""
        into, register = item.operands
        a, ones = self.source(register), self.constant(-1)
        self.emit(f"xor {self.target(into)}, {a}, {ones}")

    def with_complement(self, item: RiscvInstruction, name: str) -> None:
        """andn, orn; xnor is the complement of xor."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        made, ones = self.temporary(), self.constant(-1)
        self.emit(f"xor {made}, {b}, {ones}")
        self.emit(f"{name} {self.target(into)}, {a}, {made}")

    def choose(self, item: RiscvInstruction, test: str, smaller: bool) -> None:
        """min, max: a comparison and a choice."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        self.emit(f"{test} {CONDITION}, {a}, {b}")
        first, second = (a, b) if smaller else (b, a)
        self.emit(f"sel.nez {self.target(into)}, {first}, {second}, {CONDITION}")

    def conditional_zero(self, item: RiscvInstruction, name: str) -> None:
        """czero.eqz d, a, c: 0 where c is 0, else a; czero.nez the opposite."""
        into, value, condition = item.operands
        a = self.source(value)
        self.emit(f"mov {CONDITION}, {self.source(condition)}")
        self.emit(f"{name} {self.target(into)}, {ZERO}, {a}, {CONDITION}")
