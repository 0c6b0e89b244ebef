"""Instructions of RV32 that AIE2 has nothing like: rotations, counts of bits, upper words of products."""

from __future__ import annotations

from npuninja.aie2_compiler.registers import CONDITION, TEMPORARIES, ZERO
from npuninja.aie2_compiler.riscv import RiscvInstruction
from npuninja.aie2_compiler.selection.arithmetic import SelectedArithmetic
from npuninja.aie2_compiler.selection.registers import constant_forms


class Expansions(SelectedArithmetic):
    """Several operations for one instruction."""

    def rotate(self, item: RiscvInstruction, left: bool) -> None:
        """A rotation by a register."""
        into, value, register = item.operands
        a, count, mask = self.source(value), self.source(register), self.constant(31)
        one, other = self.temporary(), self.temporary()
        self.emit(f"and {one}, {count}, {mask}")
        # Left by n is right by 32 - n; a count of 32 does nothing, as n = 0 wants it: both parts are equal.
        self.emit(
            f"sub {other}, {one}, {self.constant(32)}" if left else f"sub {other}, {self.constant(32)}, {one}"
        )
        if not left:
            self.emit(f"sub {one}, {ZERO}, {one}")
        self.emit(f"lshl {one}, {a}, {one}")
        self.emit(f"lshl {other}, {a}, {other}")
        self.emit(f"or {self.target(into)}, {one}, {other}")

    def rotate_immediate(self, item: RiscvInstruction) -> None:
        """A rotation to the right by a number."""
        into, value, text = item.operands
        a, count = self.source(value), self.number(text) & 31
        if count == 0:
            self.move(self.target(into), a)
            return
        one, other = self.temporary(), self.temporary()
        self.emit(f"lshl {one}, {a}, {self.constant(-count)}")
        self.emit(f"lshl {other}, {a}, {self.constant(32 - count)}")
        self.emit(f"or {self.target(into)}, {one}, {other}")

    def reverse_bytes(self, item: RiscvInstruction) -> None:
        """`rev8`: four bytes the other way round."""
        into, register = item.operands
        a = self.source(register)
        first, second = self.temporary(), self.temporary()
        self.emit(f"lshl {first}, {a}, {self.constant(-24)}")
        self.emit(f"lshl {second}, {a}, {self.constant(24)}")
        self.emit(f"or {first}, {first}, {second}")
        self.emit(f"lshl {second}, {a}, {self.constant(-8)}")
        self.emit(f"and {second}, {second}, {self.constant(0xFF00)}")
        self.emit(f"or {first}, {first}, {second}")
        self.emit(f"lshl {second}, {a}, {self.constant(8)}")
        self.emit(f"and {second}, {second}, {self.constant(0xFF0000)}")
        self.emit(f"or {self.target(into)}, {first}, {second}")

    def trailing_zeros(self, item: RiscvInstruction) -> None:
        """32 - clz(~x & (x - 1)): the bits below the lowest set one."""
        into, register = item.operands
        a, first = self.source(register), self.temporary()
        self.emit(f"add {first}, {a}, #-1")
        second = self.temporary()
        self.emit(f"xor {second}, {a}, {self.constant(-1)}")
        self.emit(f"and {first}, {first}, {second}")
        self.emit(f"clz {first}, {first}")
        self.emit(f"sub {self.target(into)}, {self.constant(32)}, {first}")

    def count_ones(self, item: RiscvInstruction) -> None:
        """`cpop`: bits that are set, by adding up neighbours."""
        into, register = item.operands
        a, first, second = self.source(register), self.temporary(), self.temporary()
        self.emit(f"lshl {first}, {a}, {self.constant(-1)}")
        self.emit(f"and {first}, {first}, {self.constant(0x55555555)}")
        self.emit(f"sub {first}, {a}, {first}")
        self.emit(f"lshl {second}, {first}, {self.constant(-2)}")
        mask = self.constant(0x33333333)
        self.emit(f"and {second}, {second}, {mask}")
        self.emit(f"and {first}, {first}, {mask}")
        self.emit(f"add {first}, {first}, {second}")
        self.emit(f"lshl {second}, {first}, {self.constant(-4)}")
        self.emit(f"add {first}, {first}, {second}")
        self.emit(f"and {first}, {first}, {self.constant(0x0F0F0F0F)}")
        self.emit(f"mul {first}, {first}, {self.constant(0x01010101)}")
        self.emit(f"lshl {self.target(into)}, {first}, {self.constant(-24)}")

    def high_product(self, item: RiscvInstruction, left_signed: bool, right_signed: bool) -> None:
        """The upper word of a product, from four products of halves; then what signs add."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        t = list(TEMPORARIES)
        high = CONDITION  # the sixth register that is free here
        shift = t[4]
        self.emit(*constant_forms(shift, -16))
        self.emit(f"extend.u16 {t[0]}, {a}")  # al
        self.emit(f"extend.u16 {t[1]}, {b}")  # bl
        self.emit(f"lshl {t[2]}, {a}, {shift}")  # ah
        self.emit(f"mul {t[3]}, {t[0]}, {t[1]}")  # al bl
        self.emit(f"mul {t[1]}, {t[2]}, {t[1]}")  # ah bl
        self.emit(f"lshl {t[3]}, {t[3]}, {shift}")
        self.emit(f"add {t[1]}, {t[1]}, {t[3]}")  # middle
        self.emit(f"lshl {t[3]}, {b}, {shift}")  # bh
        self.emit(f"mul {t[0]}, {t[0]}, {t[3]}")  # al bh
        self.emit(f"mul {high}, {t[2]}, {t[3]}")  # ah bh
        self.emit(f"extend.u16 {t[2]}, {t[1]}")
        self.emit(f"add {t[0]}, {t[0]}, {t[2]}")  # lower
        self.emit(f"lshl {t[0]}, {t[0]}, {shift}")
        self.emit(f"lshl {t[1]}, {t[1]}, {shift}")
        self.emit(f"add {high}, {high}, {t[0]}")
        self.emit(f"add {high}, {high}, {t[1]}")
        for signed, one, other in ((left_signed, a, b), (right_signed, b, a)):
            if signed:
                self.emit(*constant_forms(t[0], -31))
                self.emit(f"ashl {t[1]}, {one}, {t[0]}")
                self.emit(f"and {t[1]}, {t[1]}, {other}")
                self.emit(f"sub {high}, {high}, {t[1]}")
        self.move(self.target(into), high)
