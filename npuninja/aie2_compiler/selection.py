"""Instructions of RV32 to operations of AIE2, function by function.

A register of RV32 has one home, so the compiler's own register allocation is kept. Addresses need pointer registers:
within a block it is remembered which pointer holds which register. Constants go to a few temporaries in turn.

The rule for addresses of symbols: `%hi(X+n)` is X itself, `%lo(X+n)` is n. Both parts are of one address, so the sum is
right, whichever `%lo` goes with which `%hi`.
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

from npuninja.aie2_compiler.operations import Operation, operation
from npuninja.aie2_compiler.registers import (
    CONDITION,
    GENERAL,
    LINK,
    NUMBERS,
    OFFSETS,
    POINTERS,
    RETURN_ADDRESS,
    STACK,
    STACK_BIAS_BYTES,
    TEMPORARIES,
    ZERO,
    home,
)
from npuninja.aie2_compiler.riscv import Function, Instruction
from npuninja.aie2_compiler.scheduling import Block
from npuninja.errors import InternalError

_MEMORY = re.compile(r"(.*)\((\w+)\)")
_HALF = re.compile(r"%(hi|lo)\(([\w.$@]+?)([+-]\d+)?\)")
_WORD_REACH = range(-128, 128)  # s6 times 4
_PART_REACH = range(-4, 4)
_SP_REACH = range(-8192, 0)
_RA, _SP = 1, 2
_RETURN = re.compile(r"\b(?:ra|x1)\b")
_PADD_STEP_BYTES = 32
_STORES = ("sw", "sh", "sb")


class Placed(NamedTuple):
    """A block with the labels in front of it."""

    labels: tuple[str, ...]
    block: Block


class Selected(NamedTuple):
    """A function: its blocks, and the bytes of stack that it takes itself (None: it takes as much as data say)."""

    name: str
    is_global: bool
    blocks: list[Placed]
    frame_bytes: int | None


class _Selector:
    def __init__(self, function: Function, aliases: dict[str, str]) -> None:
        self.function = function
        self.aliases = aliases
        self.blocks: list[Placed] = []
        self.operations: list[Operation] = []
        self.labels: list[str] = []
        self.frame: int | None = 0
        self.depth = 0
        self.next = {"temporary": 0, "pointer": 0, "offset": 0}
        #: What is known to be in a pointer or offset register, within a block.
        self.held: dict[str, tuple[object, ...]] = {}
        #: Temporaries that the instruction at hand still needs.
        self.busy: set[str] = set()
        #: The frame as the compiler has it and as the core gets it, where that is one constant; see `_rounded_frame`.
        self.rounded = _rounded_frame(function)
        #: Whether the function uses x1, which has its value from lr at the function's beginning, back in lr at its end.
        self.saves_link = False

    # ---- blocks

    def select(self) -> Selected:
        self.saves_link = any(
            isinstance(item, Instruction) and any(_RETURN.search(text) for text in item.operands)
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
            self.instruction(item)
        self.finish()
        return Selected(self.function.name, self.function.is_global, self.blocks, self.frame)

    def finish(self, leaving: Operation | None = None) -> None:
        if self.operations or leaving is not None:
            self.blocks.append(Placed(tuple(self.labels), Block(self.operations, leaving)))
            self.labels, self.operations = [], []
        self.held = {}

    def unknown(self, item: Instruction) -> InternalError:
        text = f"{item.mnemonic} {', '.join(item.operands)}"
        return InternalError(
            f"npuninja-aie2 does not know '{text}' (function {self.function.name}, line {item.line} of the assembly)"
        )

    def emit(self, *texts: str) -> None:
        self.operations.append(operation(*texts))

    # ---- registers

    def temporary(self, *, keep: bool = True) -> str:
        """A temporary for the instruction at hand; one that is not kept is for the next operation only."""
        while (found := TEMPORARIES[self.turn("temporary", len(TEMPORARIES))]) in self.busy:
            pass
        if keep:
            self.busy.add(found)
        return found

    def turn(self, kind: str, count: int) -> int:
        number = self.next[kind]
        self.next[kind] = (number + 1) % count
        return number

    def source(self, name: str) -> str:
        """A register that holds what a register of RV32 holds."""
        number = NUMBERS[name]
        if number in (0, _RA) or number in GENERAL:
            return home(number)
        if number != _SP:
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
        if number != _RA and number not in GENERAL:
            raise InternalError(f"npuninja-aie2: the compiler wrote {name}")
        self.forget(home(number))
        return home(number)

    def forget(self, register: str) -> None:
        self.held = {where: what for where, what in self.held.items() if what[0] != register}

    def constant(self, value: int, into: str = "") -> str:
        """A register that holds a number."""
        value = (value + 0x80000000) % 0x100000000 - 0x80000000
        if not value and not into:
            return ZERO
        made = into or self.temporary(keep=False)
        self.emit(*_constant_forms(made, value))
        return made

    def move(self, into: str, register: str) -> None:
        if into != register:
            self.emit(f"mov {into}, {register}", f"or {into}, {register}, {register}")

    # ---- addresses

    def pointer(self, register: str) -> str:
        """A pointer register with the value of another."""
        found = next((w for w, what in self.held.items() if what == (register, "p")), None)
        if found is None:
            found = POINTERS[self.turn("pointer", len(POINTERS))]
            self.emit(f"mov {found}, {register}")
            self.held.pop(found, None)
            if register not in TEMPORARIES:
                self.held[found] = (register, "p")
        return found

    def offset(self, value: int) -> str:
        """An offset register with a number."""
        found = next((w for w, what in self.held.items() if what == (value, "dj")), None)
        if found is None:
            found = OFFSETS[self.turn("offset", len(OFFSETS))]
            forms = [f"mov {found}, #{value}"] if -512 <= value < 512 else []
            forms += [f"mova {found}, #{value}"] if -1024 <= value < 1024 else []
            self.emit(*forms, f"movxm {found}, #{value}")
            self.held[found] = (value, "dj")
        return found

    def address(self, item: Instruction, text: str, reach: range) -> str:
        """`[p0, #4]`, `[p0, dj1]` or `[sp, #-64]` for `4(a0)`, `64(sp)`."""
        found = _MEMORY.fullmatch(text)
        if found is None:
            raise self.unknown(item)
        offset, base = self.number(found[1]) if found[1] else 0, NUMBERS[found[2]]
        if base == _SP:
            offset = self.in_frame(offset) - STACK_BIAS_BYTES
            if offset in _SP_REACH and offset % 4 == 0 and reach is _WORD_REACH:
                return f"[sp, #{offset}]"
            register = STACK
        else:
            register = self.source(found[2])
        pointer = self.pointer(register)
        if offset in reach and (reach is not _WORD_REACH or offset % 4 == 0):
            return f"[{pointer}, #{offset}]"
        return f"[{pointer}, {self.offset(offset)}]"

    def in_frame(self, offset: int) -> int:
        """An offset from the stack pointer: what lies above the frame, the caller's, is further away than it was."""
        if self.rounded is None or offset < self.rounded[0]:
            return offset
        return offset + self.rounded[1] - self.rounded[0]

    def number(self, text: str) -> int:
        half = _HALF.fullmatch(text)
        if half is not None and half[1] == "lo":
            return int(half[3] or 0)
        return int(text, 0)

    # ---- instructions

    def instruction(self, item: Instruction) -> None:
        handler = _HANDLERS.get(item.mnemonic)
        if handler is None:
            raise self.unknown(item)
        handler(self, item)

    def stack_step(self, item: Instruction) -> None:
        """`addi sp, sp, n`."""
        step = self.number(item.operands[2])
        if self.rounded is not None:
            step = self.rounded[1] if step > 0 else -self.rounded[1]
        if self.frame is not None and step < 0:
            self.depth -= step
            self.frame = max(self.frame, self.depth)
        elif step > 0:
            # There may be several ends: each begins with the whole frame.
            self.depth = 0
        self.move_stack(step)

    def move_stack(self, step: int) -> None:
        self.forget(STACK)
        if step % _PADD_STEP_BYTES == 0:
            self.emit(f"paddb [sp], #{step}", f"padda [sp], #{step}")
            return
        made = self.temporary()
        self.emit(f"mov {made}, {STACK}")
        if -64 <= step < 64:
            self.emit(f"add {made}, {made}, #{step}")
        else:
            self.emit(f"add {made}, {made}, {self.constant(step)}")
        self.emit(f"mov {STACK}, {made}")

    def add_immediate(self, item: Instruction) -> None:
        into, register, text = item.operands
        if NUMBERS[into] == _SP:
            if NUMBERS[register] == _SP:
                self.stack_step(item)
            else:
                self.set_stack(self.source(register), self.number(text))
            return
        value = self.number(text)
        if NUMBERS[register] == _SP:
            made = self.temporary()
            self.emit(f"mov {made}, {STACK}")
            bias = self.constant(self.in_frame(value) - STACK_BIAS_BYTES)
            self.emit(f"add {self.target(into)}, {made}, {bias}")
            return
        source = self.source(register)
        self.add_number(self.target(into), source, value)

    def add_number(self, into: str, source: str, value: int) -> None:
        if value == 0:
            self.move(into, source)
        elif -64 <= value < 64:
            near = [f"add.nc {into}, {source}, #{value}"] if -32 <= value < 32 else []
            self.emit(f"add {into}, {source}, #{value}", *near)
        else:
            number = self.constant(value)
            self.emit(f"add {into}, {source}, {number}")

    def set_stack(self, register: str, step: int) -> None:
        """`sp = register + step`, for frames whose size data say."""
        self.frame = None
        self.forget(STACK)
        made = self.temporary()
        bias = self.constant(step + STACK_BIAS_BYTES)
        self.emit(f"add {made}, {register}, {bias}")
        self.emit(f"mov {STACK}, {made}")

    def move_register(self, item: Instruction) -> None:
        into, register = item.operands
        if NUMBERS[into] == _SP:
            self.set_stack(self.source(register), 0)
            return
        source = self.source(register)
        self.move(self.target(into), source)

    def upper(self, item: Instruction) -> None:
        into, text = item.operands
        half = _HALF.fullmatch(text)
        if half is None:
            self.constant(int(text, 0) << 12, self.target(into))
            return
        self.emit(f"movxm {self.target(into)}, #{self.aliases.get(half[2], half[2])}")

    def symbol_address(self, item: Instruction) -> None:
        into, text = item.operands
        self.emit(f"movxm {self.target(into)}, #{text}")

    def binary(self, item: Instruction, name: str) -> None:
        into, left, right = item.operands
        if NUMBERS[into] == _SP:  # dynamic arrays: sub sp, sp, a0
            made = self.temporary()
            a, b = self.source(left), self.source(right)
            self.emit(f"{name} {made}, {a}, {b}")
            self.set_stack(made, 0)
            return
        a, b = self.source(left), self.source(right)
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def binary_immediate(self, item: Instruction, name: str) -> None:
        into, left, text = item.operands
        a, value = self.source(left), self.number(text)
        if name == "and" and value in (255, 65535):
            self.emit(f"extend.u{8 if value == 255 else 16} {self.target(into)}, {a}")
            return
        b = self.constant(value)
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def unary(self, item: Instruction, name: str) -> None:
        into, register = item.operands
        a = self.source(register)
        self.emit(f"{name} {self.target(into)}, {a}")

    def shift_immediate(self, item: Instruction, name: str, sign: int) -> None:
        into, left, text = item.operands
        a, b = self.source(left), self.constant(sign * self.number(text))
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def shift(self, item: Instruction, name: str, *, right: bool) -> None:
        """RV32 takes five bits of the count; AIE2 takes its sign for the direction."""
        into, left, register = item.operands
        a, count = self.source(left), self.source(register)
        mask, made = self.constant(31), self.temporary()
        self.emit(f"and {made}, {count}, {mask}")
        if right:
            self.emit(f"sub {made}, {ZERO}, {made}")
        self.emit(f"{name} {self.target(into)}, {a}, {made}")

    def compare(self, item: Instruction, name: str, *, swapped: bool = False) -> None:
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        if swapped:
            a, b = b, a
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def compare_immediate(self, item: Instruction, name: str) -> None:
        into, left, text = item.operands
        a, b = self.source(left), self.constant(self.number(text))
        self.emit(f"{name} {self.target(into)}, {a}, {b}")

    def compare_zero(self, item: Instruction, name: str, *, swapped: bool) -> None:
        into, left = item.operands
        a = self.source(left)
        pair = f"{ZERO}, {a}" if swapped else f"{a}, {ZERO}"
        self.emit(f"{name} {self.target(into)}, {pair}")

    def negate(self, item: Instruction) -> None:
        into, register = item.operands
        a = self.source(register)
        self.emit(f"sub {self.target(into)}, {ZERO}, {a}")

    def complement(self, item: Instruction) -> None:
        into, register = item.operands
        a, ones = self.source(register), self.constant(-1)
        self.emit(f"xor {self.target(into)}, {a}, {ones}")

    def with_complement(self, item: Instruction, name: str) -> None:
        """andn, orn; xnor is the complement of xor."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        made, ones = self.temporary(), self.constant(-1)
        self.emit(f"xor {made}, {b}, {ones}")
        self.emit(f"{name} {self.target(into)}, {a}, {made}")

    def choose(self, item: Instruction, test: str, *, smaller: bool) -> None:
        """min, max: a comparison and a choice."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        self.emit(f"{test} {CONDITION}, {a}, {b}")
        first, second = (a, b) if smaller else (b, a)
        self.emit(f"sel.nez {self.target(into)}, {first}, {second}, {CONDITION}")

    def conditional_zero(self, item: Instruction, name: str) -> None:
        """czero.eqz d, a, c: 0 where c is 0, else a; czero.nez the opposite."""
        into, value, condition = item.operands
        a = self.source(value)
        self.emit(f"mov {CONDITION}, {self.source(condition)}")
        self.emit(f"{name} {self.target(into)}, {ZERO}, {a}, {CONDITION}")

    def rotate(self, item: Instruction, *, left: bool) -> None:
        into, value, register = item.operands
        a, count, mask = self.source(value), self.source(register), self.constant(31)
        one, other = self.temporary(), self.temporary()
        self.emit(f"and {one}, {count}, {mask}")
        # Left by n is right by 32 - n; a count of 32 does nothing, as n = 0 wants it: then both parts are equal.
        self.emit(
            f"sub {other}, {one}, {self.constant(32)}" if left else f"sub {other}, {self.constant(32)}, {one}"
        )
        if not left:
            self.emit(f"sub {one}, {ZERO}, {one}")
        self.emit(f"lshl {one}, {a}, {one}")
        self.emit(f"lshl {other}, {a}, {other}")
        self.emit(f"or {self.target(into)}, {one}, {other}")

    def rotate_immediate(self, item: Instruction) -> None:
        into, value, text = item.operands
        a, count = self.source(value), self.number(text) & 31
        if count == 0:
            self.move(self.target(into), a)
            return
        one, other = self.temporary(), self.temporary()
        self.emit(f"lshl {one}, {a}, {self.constant(-count)}")
        self.emit(f"lshl {other}, {a}, {self.constant(32 - count)}")
        self.emit(f"or {self.target(into)}, {one}, {other}")

    def reverse_bytes(self, item: Instruction) -> None:
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

    def trailing_zeros(self, item: Instruction) -> None:
        """32 - clz(~x & (x - 1)): the bits below the lowest set one."""
        into, register = item.operands
        a, first = self.source(register), self.temporary()
        self.emit(f"add {first}, {a}, #-1")
        second = self.temporary()
        self.emit(f"xor {second}, {a}, {self.constant(-1)}")
        self.emit(f"and {first}, {first}, {second}")
        self.emit(f"clz {first}, {first}")
        self.emit(f"sub {self.target(into)}, {self.constant(32)}, {first}")

    def count_ones(self, item: Instruction) -> None:
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

    def high_product(self, item: Instruction, *, left_signed: bool, right_signed: bool) -> None:
        """The upper word of a product, from four products of halves; then what signs add."""
        into, left, right = item.operands
        a, b = self.source(left), self.source(right)
        t = list(TEMPORARIES)
        high = CONDITION  # the sixth register that is free here
        shift = t[4]
        self.emit(*_constant_forms(shift, -16))
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
                self.emit(*_constant_forms(t[0], -31))
                self.emit(f"ashl {t[1]}, {one}, {t[0]}")
                self.emit(f"and {t[1]}, {t[1]}, {other}")
                self.emit(f"sub {high}, {high}, {t[1]}")
        self.move(self.target(into), high)

    def load(self, item: Instruction, name: str) -> None:
        into, text = item.operands
        reach = _WORD_REACH if name == "lda" else _PART_REACH
        place = self.address(item, text, reach)
        self.emit(f"{name} {self.target(into)}, {place}")

    def store(self, item: Instruction, name: str) -> None:
        register, text = item.operands
        reach = _WORD_REACH if name == "st" else _PART_REACH
        place = self.address(item, text, reach)
        self.emit(f"{name} {self.source(register)}, {place}")

    # ---- leaving a block

    def branch(self, item: Instruction, test: str, *, when: bool, swapped: bool = False) -> None:
        """To a label, if a comparison of two registers gives `when`."""
        left, right, label = item.operands
        a, b = self.source(left), self.source(right)
        if swapped:
            a, b = b, a
        made = self.temporary()
        self.emit(f"{test} {made}, {a}, {b}")
        self.finish(operation(f"{'jnz' if when else 'jz'} {made}, {label}"))

    def branch_zero(self, item: Instruction, test: str, *, when: bool, swapped: bool = False) -> None:
        left, label = item.operands
        a = self.source(left)
        if test:
            made = self.temporary()
            pair = f"{ZERO}, {a}" if swapped else f"{a}, {ZERO}"
            self.emit(f"{test} {made}, {pair}")
            a = made
        self.finish(operation(f"{'jnz' if when else 'jz'} {a}, {label}"))

    def jump(self, item: Instruction) -> None:
        label = item.operands[-1]
        if item.mnemonic == "tail":
            self.give_link_back()
        self.finish(operation(f"j {self.aliases.get(label, label)}"))

    def call(self, item: Instruction) -> None:
        name = item.operands[-1].strip('"')
        self.finish(operation(f"jl {self.aliases.get(name, name)}"))

    def give_link_back(self) -> None:
        if self.saves_link:
            self.emit(f"mov {LINK}, {RETURN_ADDRESS}")

    def return_(self, item: Instruction) -> None:
        self.give_link_back()
        self.finish(operation("ret lr"))

    def jump_register(self, item: Instruction, *, links: bool) -> None:
        register = item.operands[-1]
        found = _MEMORY.fullmatch(register)
        if found is not None:
            if self.number(found[1] or "0"):
                raise self.unknown(item)
            register = found[2]
        if NUMBERS[register] == _RA and not links:
            self.return_(item)
            return
        self.frame = None  # who is called is not known
        pointer = self.pointer(self.source(register))
        if not links:
            self.give_link_back()
        self.finish(operation(f"{'jl' if links else 'j'} {pointer}"))

    def stop(self, item: Instruction) -> None:
        """unreachable code: the core ends."""
        self.emit("done")

    def nothing(self, item: Instruction) -> None:
        """nop, fence: bundles are issued in order."""


def _rounded_frame(function: Function) -> tuple[int, int] | None:
    """Bytes of a function's frame, and the same as a multiple of 32, which real programs keep their stack at (aie2-isa,
    "ABI and ELF"). None where the stack pointer is set otherwise too: its frame then stays as the compiler made it.
    """
    steps: set[int] = set()
    for item in function.items:
        if isinstance(item, str) or not item.operands or NUMBERS.get(item.operands[0]) != _SP:
            continue
        if item.mnemonic in _STORES:
            return None
        if item.mnemonic != "addi" or NUMBERS.get(item.operands[1]) != _SP:
            return None
        steps.add(abs(int(item.operands[2], 0)))
    if len(steps) != 1:
        return None
    (size,) = steps
    for item in function.items:
        # The end of the frame as a base: a frame pointer, from which the compiler counts downwards.
        if (
            not isinstance(item, str)
            and item.mnemonic == "addi"
            and NUMBERS.get(item.operands[1]) == _SP != NUMBERS.get(item.operands[0])
            and int(item.operands[2], 0) == size
        ):
            return None
    return size, -(-size // _PADD_STEP_BYTES) * _PADD_STEP_BYTES


def _constant_forms(register: str, value: int) -> list[str]:
    value = (value + 0x80000000) % 0x100000000 - 0x80000000
    forms = [f"mov {register}, #{value}"] if -512 <= value < 512 else []
    if -1024 <= value < 1024:
        forms += [f"mova {register}, #{value}", f"movx {register}, #{value}"]
    return forms or [f"movxm {register}, #{value}"]


_Handler = Callable[[_Selector, Instruction], None]


def _handlers() -> dict[str, _Handler]:
    made: dict[str, _Handler] = {}

    def add(names: str, handler: _Handler) -> None:
        made.update(dict.fromkeys(names.split(), handler))

    for rv, name in {
        "add": "add",
        "sub": "sub",
        "and": "and",
        "or": "or",
        "xor": "xor",
        "mul": "mul",
    }.items():
        add(rv, lambda s, i, n=name: s.binary(i, n))  # type: ignore[misc]
    for rv, name in {"andi": "and", "ori": "or", "xori": "xor"}.items():
        add(rv, lambda s, i, n=name: s.binary_immediate(i, n))  # type: ignore[misc]
    for rv, name in {
        "sext.b": "extend.s8", "sext.h": "extend.s16", "zext.b": "extend.u8", "zext.h": "extend.u16", "clz": "clz",
        "seqz": "eqz", "snez": "nez",
    }.items():  # fmt: skip
        add(rv, lambda s, i, n=name: s.unary(i, n))  # type: ignore[misc]
    add("addi", _Selector.add_immediate)
    add("mv", _Selector.move_register)
    add("li", lambda s, i: _ignore(s.constant(s.number(i.operands[1]), s.target(i.operands[0]))))
    add("lui", _Selector.upper)
    add("la lla", _Selector.symbol_address)
    add("slli", lambda s, i: s.shift_immediate(i, "lshl", 1))
    add("srli", lambda s, i: s.shift_immediate(i, "lshl", -1))
    add("srai", lambda s, i: s.shift_immediate(i, "ashl", -1))
    add("sll", lambda s, i: s.shift(i, "lshl", right=False))
    add("srl", lambda s, i: s.shift(i, "lshl", right=True))
    add("sra", lambda s, i: s.shift(i, "ashl", right=True))
    add("slt", lambda s, i: s.compare(i, "lt"))
    add("sltu", lambda s, i: s.compare(i, "ltu"))
    add("sgt", lambda s, i: s.compare(i, "lt", swapped=True))
    add("sgtu", lambda s, i: s.compare(i, "ltu", swapped=True))
    add("slti", lambda s, i: s.compare_immediate(i, "lt"))
    add("sltiu", lambda s, i: s.compare_immediate(i, "ltu"))
    add("sltz", lambda s, i: s.compare_zero(i, "lt", swapped=False))
    add("sgtz", lambda s, i: s.compare_zero(i, "lt", swapped=True))
    add("neg", _Selector.negate)
    add("not", _Selector.complement)
    add("andn", lambda s, i: s.with_complement(i, "and"))
    add("orn", lambda s, i: s.with_complement(i, "or"))
    add("xnor", lambda s, i: s.with_complement(i, "xor"))
    add("min", lambda s, i: s.choose(i, "lt", smaller=True))
    add("minu", lambda s, i: s.choose(i, "ltu", smaller=True))
    add("max", lambda s, i: s.choose(i, "lt", smaller=False))
    add("maxu", lambda s, i: s.choose(i, "ltu", smaller=False))
    add("czero.eqz", lambda s, i: s.conditional_zero(i, "sel.eqz"))
    add("czero.nez", lambda s, i: s.conditional_zero(i, "sel.nez"))
    add("rol", lambda s, i: s.rotate(i, left=True))
    add("ror", lambda s, i: s.rotate(i, left=False))
    add("rori", _Selector.rotate_immediate)
    add("rev8", _Selector.reverse_bytes)
    add("ctz", _Selector.trailing_zeros)
    add("cpop", _Selector.count_ones)
    add("mulhu", lambda s, i: s.high_product(i, left_signed=False, right_signed=False))
    add("mulhsu", lambda s, i: s.high_product(i, left_signed=True, right_signed=False))
    add("mulh", lambda s, i: s.high_product(i, left_signed=True, right_signed=True))
    for rv, name in {"lw": "lda", "lh": "lda.s16", "lhu": "lda.u16", "lb": "lda.s8", "lbu": "lda.u8"}.items():
        add(rv, lambda s, i, n=name: s.load(i, n))  # type: ignore[misc]
    for rv, name in {"sw": "st", "sh": "st.s16", "sb": "st.s8"}.items():
        add(rv, lambda s, i, n=name: s.store(i, n))  # type: ignore[misc]
    add("beq", lambda s, i: s.branch(i, "eq", when=True))
    add("bne", lambda s, i: s.branch(i, "ne", when=True))
    add("blt", lambda s, i: s.branch(i, "lt", when=True))
    add("bge", lambda s, i: s.branch(i, "lt", when=False))
    add("bltu", lambda s, i: s.branch(i, "ltu", when=True))
    add("bgeu", lambda s, i: s.branch(i, "ltu", when=False))
    add("bgt", lambda s, i: s.branch(i, "lt", when=True, swapped=True))
    add("ble", lambda s, i: s.branch(i, "lt", when=False, swapped=True))
    add("bgtu", lambda s, i: s.branch(i, "ltu", when=True, swapped=True))
    add("bleu", lambda s, i: s.branch(i, "ltu", when=False, swapped=True))
    add("beqz", lambda s, i: s.branch_zero(i, "", when=False))
    add("bnez", lambda s, i: s.branch_zero(i, "", when=True))
    add("bltz", lambda s, i: s.branch_zero(i, "lt", when=True))
    add("bgez", lambda s, i: s.branch_zero(i, "lt", when=False))
    add("bgtz", lambda s, i: s.branch_zero(i, "lt", when=True, swapped=True))
    add("blez", lambda s, i: s.branch_zero(i, "lt", when=False, swapped=True))
    add("j tail", _Selector.jump)
    add("call", _Selector.call)
    add("ret", _Selector.return_)
    add("jr", lambda s, i: s.jump_register(i, links=False))
    add("jalr", lambda s, i: s.jump_register(i, links=True))
    add("nop fence", _Selector.nothing)
    add("ebreak unimp", _Selector.stop)
    return made


def _ignore(value: object) -> None:
    """For handlers that only do."""


_HANDLERS = _handlers()


def select(function: Function, aliases: dict[str, str]) -> Selected:
    """The operations of a function. Raises InternalError for an instruction that is not known here."""
    return _Selector(function, aliases).select()
