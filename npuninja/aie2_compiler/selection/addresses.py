"""Addresses: pointers and offsets within a block, the stack pointer, loads and stores.

Addresses of symbols: `%hi(X+n)` is X itself, `%lo(X+n)` is n. Both parts are of one address, so the sum is
right, whichever `%lo` goes with which `%hi`.
"""

from __future__ import annotations

import re

from npuninja.aie2_compiler.registers import NUMBERS, OFFSETS, POINTERS, STACK, STACK_BIAS_BYTES, TEMPORARIES
from npuninja.aie2_compiler.riscv import RiscvInstruction
from npuninja.aie2_compiler.selection.frame import PADD_STEP_BYTES, SP
from npuninja.aie2_compiler.selection.registers import Registers

MEMORY = re.compile(r"(.*)\((\w+)\)")
HALF = re.compile(r"%(hi|lo)\(([\w.$@]+?)([+-]\d+)?\)")
_WORD_REACH = range(-128, 128)  # s6 times 4
_PART_REACH = range(-4, 4)
_SP_REACH = range(-8192, 0)


class Addresses(Registers):
    """Registers for addresses: pointers, offsets and modifiers, reused while they hold what is wanted."""

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

    def address(self, item: RiscvInstruction, text: str, reach: range) -> str:
        """`[p0, #4]`, `[p0, dj1]` or `[sp, #-64]` for `4(a0)`, `64(sp)`."""
        found = MEMORY.fullmatch(text)
        if found is None:
            raise self.unknown(item)
        offset, base = self.number(found[1]) if found[1] else 0, NUMBERS[found[2]]
        if base == SP:
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
        """An offset from the stack pointer: what is above the frame, the caller's, is now further away."""
        if self.rounded is None or offset < self.rounded[0]:
            return offset
        return offset + self.rounded[1] - self.rounded[0]

    def number(self, text: str) -> int:
        """A number, or the part of a `%lo` that is one."""
        half = HALF.fullmatch(text)
        if half is not None and half[1] == "lo":
            return int(half[3] or 0)
        return int(text, 0)

    def stack_step(self, item: RiscvInstruction) -> None:
        """Selects instructions for `addi sp, sp, n`."""
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
        """Adds to the stack pointer."""
        self.forget(STACK)
        if step % PADD_STEP_BYTES == 0:
            self.emit(f"paddb [sp], #{step}", f"padda [sp], #{step}")
            return
        made = self.temporary()
        self.emit(f"mov {made}, {STACK}")
        if -64 <= step < 64:
            self.emit(f"add {made}, {made}, #{step}")
        else:
            self.emit(f"add {made}, {made}, {self.constant(step)}")
        self.emit(f"mov {STACK}, {made}")

    def set_stack(self, register: str, step: int) -> None:
        """`sp = register + step`, for frames whose size data say."""
        self.frame = None
        self.forget(STACK)
        made = self.temporary()
        bias = self.constant(step + STACK_BIAS_BYTES)
        self.emit(f"add {made}, {register}, {bias}")
        self.emit(f"mov {STACK}, {made}")

    def upper(self, item: RiscvInstruction) -> None:
        """`lui`: a constant, or the address of a symbol."""
        into, text = item.operands
        half = HALF.fullmatch(text)
        if half is None:
            self.constant(int(text, 0) << 12, self.target(into))
            return
        self.emit(f"movxm {self.target(into)}, #{self.aliases.get(half[2], half[2])}")

    def symbol_address(self, item: RiscvInstruction) -> None:
        """`la`: the address of a symbol."""
        into, text = item.operands
        self.emit(f"movxm {self.target(into)}, #{text}")

    def load(self, item: RiscvInstruction, name: str) -> None:
        """A load; `name` is its mnemonic on AIE2."""
        into, text = item.operands
        reach = _WORD_REACH if name == "lda" else _PART_REACH
        place = self.address(item, text, reach)
        self.emit(f"{name} {self.target(into)}, {place}")

    def store(self, item: RiscvInstruction, name: str) -> None:
        """A store; `name` is its mnemonic on AIE2."""
        register, text = item.operands
        reach = _WORD_REACH if name == "st" else _PART_REACH
        place = self.address(item, text, reach)
        self.emit(f"{name} {self.source(register)}, {place}")
