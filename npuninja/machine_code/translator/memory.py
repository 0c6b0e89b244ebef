"""Loads and stores of a block, when they are issued."""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.core_runtime import STEP_FAULT
from npuninja.machine_code.families.fields import F_SIGNED, MODE_2D, MODE_INDEX, MODE_POST, Fields
from npuninja.machine_code.registers import place_of
from npuninja.machine_code.translator.in_flight import (
    PART,
    RUNTIME_FUNCTIONS,
    SLOT_BYTES,
    STORE,
    UNPACK,
    UPS,
    WRITE,
    Pending,
)
from npuninja.machine_code.translator.values import Values


class TranslatedMemory(Values):
    """What a block does with memory."""

    def address(self, fields: Fields, op: int, now: int) -> int:
        """The local with an access's address; pointer updates are under way."""
        pointer = self.scalar(fields.pointer)
        code = self.code
        if fields.mode == MODE_INDEX:
            if fields.modifier == fields.imm_at and fields.imm == 0:
                return pointer
            code.get(pointer)
            self.value(fields, fields.modifier)
            code.op(w.ADD)
            code.const(0xFFFFF)
            code.op(w.AND)
            return code.new()
        if fields.mode == MODE_POST:
            code.get(pointer)
            self.value(fields, fields.modifier)
            code.op(w.ADD)
            code.const(0xFFFFF)
            code.op(w.AND)
            self.add(now + 1, WRITE, fields.pointer, 4, 1, op, code.new(), now)
        elif fields.mode == MODE_2D:
            number = fields.modifier
            m, dn, dj, dc = (
                self.scalar(place_of(f"{kind}{number}").offset) for kind in ("m", "dn", "dj", "dc")
            )
            code.get(dc)
            code.get(dn)
            code.op(w.EQ)
            wraps = code.new()
            code.get(pointer)
            code.get(m)
            code.get(dj)
            code.get(wraps)
            code.op(w.CHOOSE, w.ADD)
            code.const(0xFFFFF)
            code.op(w.AND)
            self.add(now + 1, WRITE, fields.pointer, 4, 1, op, code.new(), now)
            code.const(0)
            code.get(dc)
            code.const(1)
            code.op(w.ADD)
            code.const(0xFFFFF)
            code.op(w.AND)
            code.get(wraps)
            code.op(w.CHOOSE)
            self.add(now + 1, WRITE, place_of(f"dc{number}").offset, 4, 1, op, code.new(), now)
        return pointer

    def guard(self, op: int, address: int, size: int) -> None:
        """Leaves with a fault unless a scalar access of so many bytes may go there."""
        code = self.code
        code.load_at(self.places.word("windows"))
        code.get(address)
        code.const(16)
        code.op(w.SHR_U)
        code.const(4)
        code.op(w.SUB)
        shift = code.new()
        code.get(shift)
        code.op(w.SHR_U)
        code.const(1)
        code.op(w.AND, w.EQZ)
        code.get(shift)
        code.const(3)
        code.op(w.GT_U, w.OR)
        if size > 1:
            code.get(address)
            code.const(size - 1)
            code.op(w.AND, w.OR)
        code.when()
        code.const(op)
        code.get(address)
        code.call(RUNTIME_FUNCTIONS["t_bad"])
        code.const(-STEP_FAULT)
        code.leave()
        code.end()

    def conflicts(self, accesses: list[tuple[int, int]]) -> None:
        """Counts the bank conflicts of one cycle's accesses: (local with the address, bytes)."""
        if len(accesses) < 2:
            return
        for number, (address, size) in enumerate(accesses):
            self.code.get(address)
            self.code.const(size)
            self.code.call(RUNTIME_FUNCTIONS["t_touch_more" if number else "t_touch"])

    def _load(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        address = self.address(f, op, now)
        self.guard(op, address, f.size)
        accesses.append((address, f.size))
        is_signed = bool(f.flags & F_SIGNED)
        opcode = {1: w.LOAD8_S if is_signed else w.LOAD8_U, 2: w.LOAD16_S if is_signed else w.LOAD16_U}.get(
            f.size, w.LOAD
        )
        self.code.get(address)
        self.code.memory(opcode, 0)
        self.write_later(f, op, now, self.code.new(), stage=4)

    def _vector_load(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        address = self.address(f, op, now)
        accesses.append((address, f.size))
        size = 64 if f.op == "OP_LOAD_CONV" else f.size
        early = -1
        if f.op in ("OP_LOAD_UPS", "OP_LOAD_UNPACK"):
            kind = UPS if f.op == "OP_LOAD_UPS" else UNPACK
            key = self._key(self.add(now + 6, kind, 0, 0, 0, op))
        else:
            key, early = self.vector_later(f, op, now + f.latency, size, now + 4)
        self.code.const(op)
        self.code.get(address)
        self.slot_address(key // 64, key % 64)
        self.code.call(RUNTIME_FUNCTIONS["t_load"])
        self.check()
        if early >= 0:
            self.copy_slot(key, early, size)

    def _gather(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        """Four table look-ups: each is read in the two places where it may lie."""
        self.flush_sources(f)
        key, early = self.vector_later(f, op, now + f.latency, 32, now + 4)
        code = self.code
        code.const(op)
        self.slot_address(key // 64, key % 64)
        code.call(RUNTIME_FUNCTIONS["t_gather"])
        self.check()
        for number in range(8):
            self.slot_base(key // 64)
            code.memory(w.LOAD, self.places.ring + key % 64 * SLOT_BYTES + 128 + 4 * number)
            accesses.append((code.new(), 8))
        if early >= 0:
            self.copy_slot(key, early, 32)

    def _key(self, p: Pending) -> int:
        return p.due * 64 + p.slot

    def _part(self, op: int, f: Fields, now: int, address: int) -> None:
        """A part-word store: its word is read now, its source and the write come six cycles later."""
        p = self.add(now + 6, PART, 0, 0, 0, op)
        code = self.code
        self.slot_base(p.due)
        base = code.new()
        start = self.places.ring + p.slot * SLOT_BYTES
        code.get(base)
        code.get(address)
        code.memory(w.STORE, start)
        code.get(base)
        code.get(address)
        code.const(-4)
        code.op(w.AND)
        code.memory(w.LOAD, 0)
        code.memory(w.STORE, start + 4)

    def _merge(self, p: Pending, now: int) -> tuple[int, int]:
        """The word that a part-word store writes: locals with its address and its value."""
        code = self.code
        f = self.owner.fields_at[p.op]
        self.slot_base(now)
        base = code.new()
        start = self.places.ring + p.slot * SLOT_BYTES
        code.get(base)
        code.memory(w.LOAD, start)
        address = code.new()
        code.get(address)
        code.const(3)
        code.op(w.AND)
        code.const(3)
        code.op(w.SHL)
        shift = code.new()
        mask = 0xFF if f.size == 1 else 0xFFFF
        code.get(base)
        code.memory(w.LOAD, start + 4)
        code.const(mask)
        code.get(shift)
        code.op(w.SHL)
        code.const(-1)
        code.op(w.XOR, w.AND)
        self.value(f, f.a)
        code.const(mask)
        code.op(w.AND)
        code.get(shift)
        code.op(w.SHL, w.OR)
        word = code.new()
        code.get(address)
        code.const(-4)
        code.op(w.AND)
        return code.new(), word

    def _store(self, op: int, f: Fields, now: int, address: int, accesses: list[tuple[int, int]]) -> None:
        code = self.code
        if f.op == "OP_STORE":
            self.guard(op, address, 4)
            code.get(address)
            self.value(f, f.a)
            code.memory(w.STORE, 0)
            accesses.append((address, 4))
            return
        self.flush_sources(f)
        code.const(op)
        code.get(address)
        if f.op in ("OP_STORE_CONV", "OP_STORE_SRS"):
            p = self.add(now + 2, STORE, 0, 0, 0, op)
            self.slot_address(p.due, p.slot)
        else:
            code.const(0)
            accesses.append((address, f.size))
        code.call(RUNTIME_FUNCTIONS["t_store"])
        self.check()
