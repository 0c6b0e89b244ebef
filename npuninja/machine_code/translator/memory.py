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
from npuninja.machine_code.wasm_writer import WasmExpression, constant, loaded

_ADDRESS_MASK = constant(0xFFFFF)  # of address registers, which have 20 bits
_LOADS = {(1, True): w.LOAD8_S, (1, False): w.LOAD8_U, (2, True): w.LOAD16_S, (2, False): w.LOAD16_U}


class TranslatedMemory(Values):
    """What a block does with memory."""

    def address(self, fields: Fields, op: int, now: int) -> int:
        """The local with an access's address; pointer updates are under way."""
        pointer = self.scalar(fields.pointer)
        if fields.mode == MODE_INDEX:
            if fields.modifier == fields.imm_at and fields.imm == 0:
                return pointer
            return self._sum_of_addresses(pointer, self.value(fields, fields.modifier))
        if fields.mode == MODE_POST:
            following = self._sum_of_addresses(pointer, self.value(fields, fields.modifier))
            self.add(now + 1, WRITE, fields.pointer, 4, 1, op, following, now)
        elif fields.mode == MODE_2D:
            addresses = [place_of(f"{kind}{fields.modifier}").offset for kind in ("m", "dn", "dj", "dc")]
            m, dn, dj, dc = map(self.scalar, addresses)
            wraps = self.code.let((w.EQ, dc, dn))
            following = self._sum_of_addresses(pointer, (w.CHOOSE, m, dj, wraps))
            self.add(now + 1, WRITE, fields.pointer, 4, 1, op, following, now)
            counted = w.AND, (w.ADD, dc, constant(1)), _ADDRESS_MASK
            count = self.code.let((w.CHOOSE, constant(0), counted, wraps))
            self.add(now + 1, WRITE, addresses[3], 4, 1, op, count, now)
        return pointer

    def _sum_of_addresses(self, pointer: int, step: WasmExpression) -> int:
        return self.code.let((w.AND, (w.ADD, pointer, step), _ADDRESS_MASK))

    def guard(self, op: int, address: int, size: int) -> None:
        """Leaves with a fault unless a scalar access of so many bytes may go there."""
        code = self.code
        window = code.let((w.SUB, (w.SHR_U, address, constant(16)), constant(4)))
        is_there = w.AND, (w.SHR_U, w.word_at(self.addresses.word("windows")), window), constant(1)
        bad: WasmExpression = (w.OR, (w.EQZ, is_there), (w.GT_U, window, constant(3)))
        if size > 1:
            bad = (w.OR, bad, (w.AND, address, constant(size - 1)))
        code.when(bad)
        code.call(RUNTIME_FUNCTIONS["t_bad"], constant(op), address)
        code.leave(constant(-STEP_FAULT))
        code.end()

    def conflicts(self, accesses: list[tuple[int, int]]) -> None:
        """Counts the bank conflicts of one cycle's accesses: (local with the address, bytes)."""
        if len(accesses) < 2:
            return
        for number, (address, size) in enumerate(accesses):
            function = "t_touch_more" if number else "t_touch"
            self.code.call(RUNTIME_FUNCTIONS[function], address, constant(size))

    def _load(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        address = self.address(f, op, now)
        self.guard(op, address, f.size)
        accesses.append((address, f.size))
        opcode = _LOADS.get((f.size, bool(f.flags & F_SIGNED)), w.LOAD)
        self.write_later(f, op, now, self.code.let(loaded(address, 0, opcode)), stage=4)

    def _vector_load(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        address = self.address(f, op, now)
        accesses.append((address, f.size))
        size = 64 if f.op == "OP_LOAD_CONV" else f.size
        early = -1
        if f.op in ("OP_LOAD_UPS", "OP_LOAD_UNPACK"):
            kind = UPS if f.op == "OP_LOAD_UPS" else UNPACK
            key = self.add(now + 6, kind, 0, 0, 0, op).key
        else:
            key, early = self.vector_later(f, op, now + f.latency, size, now + 4)
        self.code.call(RUNTIME_FUNCTIONS["t_load"], constant(op), address, self.key_address(key))
        self.check()
        if early >= 0:
            self.copy_slot(key, early, size)

    def _gather(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        """Four table look-ups: each is read in the two places where it may lie."""
        self.flush_sources(f)
        key, early = self.vector_later(f, op, now + f.latency, 32, now + 4)
        code = self.code
        code.call(RUNTIME_FUNCTIONS["t_gather"], constant(op), self.key_address(key))
        self.check()
        for number in range(8):
            place = self.slot_word(key // 64, key % 64, 128 + 4 * number)
            accesses.append((code.let(place), 8))
        if early >= 0:
            self.copy_slot(key, early, 32)

    def _part(self, op: int, f: Fields, now: int, accesses: list[tuple[int, int]]) -> None:
        """A part-word store: its word is read now, its source and the write come six cycles later."""
        address = self.address(f, op, now)
        self.guard(op, address, f.size)
        accesses.append((address, 4))
        p = self.add(now + 6, PART, 0, 0, 0, op)
        base = self.code.let(self.slot_base(p.due))
        start = self.addresses.ring + p.slot * SLOT_BYTES
        self.code.store(base, address, start)
        self.code.store(base, loaded((w.AND, address, constant(-4))), start + 4)

    def _merge(self, p: Pending, now: int) -> tuple[int, int]:
        """The word that a part-word store writes: locals with its address and its value."""
        code = self.code
        f = self.owner.fields_at[p.op]
        base = code.let(self.slot_base(now))
        start = self.addresses.ring + p.slot * SLOT_BYTES
        address = code.let(loaded(base, start))
        shift = code.let((w.SHL, (w.AND, address, constant(3)), constant(3)))
        mask = constant(0xFF if f.size == 1 else 0xFFFF)
        others = w.AND, loaded(base, start + 4), (w.XOR, (w.SHL, mask, shift), constant(-1))
        part = w.SHL, (w.AND, self.value(f, f.a), mask), shift
        word = code.let((w.OR, others, part))
        return code.let((w.AND, address, constant(-4))), word

    def _store(self, op: int, f: Fields, now: int, address: int, accesses: list[tuple[int, int]]) -> None:
        if f.op == "OP_STORE":
            self.guard(op, address, 4)
            self.code.store(address, self.value(f, f.a))
            accesses.append((address, 4))
            return
        self.flush_sources(f)
        kept: WasmExpression = constant(0)
        if f.op in ("OP_STORE_CONV", "OP_STORE_SRS"):
            kept = self.key_address(self.add(now + 2, STORE, 0, 0, 0, op).key)
        else:
            accesses.append((address, f.size))
        self.code.call(RUNTIME_FUNCTIONS["t_store"], constant(op), address, kept)
        self.check()
