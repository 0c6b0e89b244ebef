"""Registers as local variables of a block's function, and results on their way to them."""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.core_runtime import STEP_FAULT
from npuninja.machine_code.families.fields import F_BYPASS, Fields
from npuninja.machine_code.translator.in_flight import (
    LR,
    MAYBE,
    PRODUCT,
    R28,
    R29,
    RING_SLOTS,
    RUNTIME_FUNCTIONS,
    SCALARS_END,
    SLOT_BYTES,
    SP,
    SPECIAL,
    UNPACK,
    UPS,
    UPS_SHIFTED,
    WRITE,
    GiveUpError,
    JumpInFlight,
    Owner,
    Pending,
    Shape,
)
from npuninja.machine_code.wasm_writer import WrittenFunction


class Values:
    """The values of a block: what registers hold, and what is on its way."""

    def __init__(self, owner: Owner, address: int, shape: Shape, jump: JumpInFlight | None) -> None:
        self.owner = owner
        self.start = address
        self.shape = shape
        self.start_jump = jump
        self.code = WrittenFunction()
        self.pending: list[Pending] = []
        self.sequence = 0
        self._take_shape()
        self.cache: dict[int, int] = {}
        self.dirty: set[int] = set()
        self.clock = -1
        self.places = owner.places

    def _take_shape(self) -> None:
        self.pending = self.at_start()

    def at_start(self) -> list[Pending]:
        """What is in flight where the block begins."""
        found = []
        for i in self.shape:
            pending = Pending(i.due, i.slot, i.kind, i.dst, i.size, i.banks, i.op)
            pending.order = (i.begins or -99, i.rank - 99)
            found.append(pending)
        return found

    def scalar(self, offset: int) -> int:
        """The local that holds a scalar register now."""
        local = self.cache.get(offset)
        if local is None:
            self.code.load_at(self.owner.bank + offset)
            local = self.cache[offset] = self.code.new()
        return local

    def value(self, fields: Fields, address: int) -> None:
        """Puts an operand on the stack: a register, or the instruction's own number."""
        if address == fields.imm_at:
            self.code.const(fields.imm & 0xFFFFFFFF)
        else:
            self.code.get(self.scalar(address - self.owner.bank))

    def set_scalar(self, offset: int, local: int) -> None:
        """A result lands in a scalar register."""
        self.cache[offset] = local
        if offset == SP:
            self.code.get(local)
            self.code.load_at(self.places.word("stack_high"))
            self.code.op(w.GT_U)
            self.code.when()
            self.code.get(local)
            self.code.call(RUNTIME_FUNCTIONS["t_stack"])
            self.code.end()
        if offset >= SPECIAL and offset not in (LR,):
            self.store_word(self.owner.bank + offset, local)
            self.dirty.discard(offset)
        else:
            self.dirty.add(offset)

    def store_word(self, address: int, local: int) -> None:
        """Writes a local into memory."""
        self.code.const(0)
        self.code.get(local)
        self.code.memory(w.STORE, address)

    def flush(self, offsets: set[int] | None = None) -> None:
        """Writes registers that differ from the bank into it."""
        for offset in sorted(self.dirty if offsets is None else self.dirty & offsets):
            self.store_word(self.owner.bank + offset, self.cache[offset])
            self.dirty.discard(offset)

    def flush_sources(self, fields: Fields) -> None:
        """Before the runtime reads an instruction's operands in the bank."""
        offsets: set[int] = set()
        if fields.op in ("OP_VINSERT", "OP_VBCSTSHFL"):
            offsets.add(R29)
        elif fields.op == "OP_STREAM_WRITE":
            offsets.add(R28)
        for address in (fields.a, fields.b, fields.c, fields.d, fields.extra):
            offset = address - self.owner.bank
            if 0 <= offset < SCALARS_END:
                offsets |= {offset, offset + 4}
        self.flush(offsets)

    def slot_base(self, due: int) -> None:
        """Puts the ring's address of a cycle on the stack, without the ring's own."""
        if self.clock < 0:
            code, self.code = self.code, WrittenFunction()
            self.code = code
            self.code.load_at(self.places.counter("cycle"))
            self.clock = self.code.new()
        self.code.get(self.clock)
        self.code.const(due)
        self.code.op(w.ADD)
        self.code.const(15)
        self.code.op(w.AND)
        self.code.const(11)
        self.code.op(w.SHL)

    def slot_address(self, due: int, slot: int) -> None:
        """Puts the ring's address of a slot on the stack."""
        self.slot_base(due)
        self.code.const(self.places.ring + slot * SLOT_BYTES)
        self.code.op(w.ADD)

    def free_slot(self, due: int) -> int:
        """A slot of a cycle that nothing uses. Raises GiveUpError when there is none left."""
        used = {p.slot for p in self.pending if p.due == due}
        for slot in range(RING_SLOTS):
            if slot not in used:
                return slot
        raise GiveUpError

    def add(
        self, due: int, kind: int, dst: int, size: int, banks: int, op: int, local: int = -1, began: int = 0
    ) -> Pending:
        """Something more in flight; `began` is the cycle of the stage that makes it (a load's is the fifth)."""
        pending = Pending(due, self.free_slot(due) if local < 0 else -1, kind, dst, size, banks, op)
        pending.local = local
        self.sequence += 1
        pending.order = (began, self.sequence)
        self.pending.append(pending)
        return pending

    def write_later(self, fields: Fields, op: int, now: int, local: int, stage: int = 0) -> None:
        """A scalar result, cut to what its register keeps."""
        if fields.mask == 0:  # a shift register: what does not fit acts as 0
            self.code.get(local)
            self.code.const(63)
            self.code.op(w.AND)
            self.code.const(0)
            self.code.get(local)
            self.code.const(32)
            self.code.op(w.ADD)
            self.code.const(96)
            self.code.op(w.LT_U, w.CHOOSE)
            local = self.code.new()
        elif fields.mask != 0xFFFFFFFF:
            self.code.get(local)
            self.code.const(fields.mask)
            self.code.op(w.AND)
            local = self.code.new()
        self.add(now + fields.latency, WRITE, fields.dst, 4, 1, op, local, now + stage)

    def vector_later(
        self, fields: Fields, op: int, due: int, size: int, began: int, *, dst: int | None = None
    ) -> tuple[int, int]:
        """Room for a vector result; where its bytes go. Readers on its bypass network see it a cycle earlier."""
        dst = fields.dst if dst is None else dst
        if fields.flags & F_BYPASS:
            # Two entries, one slot: the later one's.
            early = self.add(due - 1, WRITE, dst, size, 2, op, began=began)
            late = self.add(due, WRITE, dst, size, 1, op, began=began)
            return late.due * 64 + late.slot, early.due * 64 + early.slot
        late = self.add(due, WRITE, dst, size, 3, op, began=began)
        return late.due * 64 + late.slot, -1

    def copy_slot(self, from_key: int, to_key: int, size: int) -> None:
        """Copies what one slot of the ring holds into another."""
        self.slot_base(to_key // 64)
        target = self.code.new()
        self.slot_base(from_key // 64)
        source = self.code.new()
        a = self.places.ring + from_key % 64 * SLOT_BYTES
        b = self.places.ring + to_key % 64 * SLOT_BYTES
        self._copy(target, b, source, a, size)

    def _copy(self, target: int, to_offset: int, source: int, from_offset: int, size: int) -> None:
        for at in range(0, size, 16):
            self.code.get(target) if target >= 0 else self.code.const(0)
            self.code.get(source) if source >= 0 else self.code.const(0)
            self.code.vector(0, from_offset + at)
            self.code.vector(11, to_offset + at)

    def land(self, now: int) -> None:
        """Results that are due."""
        due = [p for p in self.pending if p.due == now and p.kind in (WRITE, MAYBE)]
        if len(due) > 1 and _meet(due):
            raise GiveUpError  # which of the two stays is not known: the interpreter has its order
        for p in sorted(due, key=lambda p: p.order):
            self.pending.remove(p)
            if p.size == 4:
                if p.local < 0:
                    self.slot_base(now)
                    self.code.memory(w.LOAD, self.places.ring + p.slot * SLOT_BYTES)
                    p.local = self.code.new()
                if p.kind == MAYBE:  # a word of a stream, if there was one
                    old = self.scalar(p.dst)
                    self.code.get(p.local)
                    self.code.get(old)
                    self.slot_base(now)
                    self.code.memory(w.LOAD, self.places.ring + p.slot * SLOT_BYTES + 128)
                    self.code.op(w.CHOOSE)
                    p.local = self.code.new()
                self.set_scalar(p.dst, p.local)
                continue
            self.slot_base(now)
            source = self.code.new()
            start = self.places.ring + p.slot * SLOT_BYTES
            if p.size == 8:
                for half in (0, 4):
                    self.code.get(source)
                    self.code.memory(w.LOAD, start + half)
                    self.set_scalar(p.dst + half, self.code.new())
                continue
            if p.banks & 1:
                self._copy(-1, self.owner.bank + p.dst, source, start, p.size)
            if p.banks & 2:
                self._copy(-1, self.owner.bypass + p.dst, source, start, p.size)

    def some_meet(self) -> bool:
        """Whether of what is in flight two results of different instructions come to one register in one cycle."""
        by_cycle: dict[int, list[Pending]] = {}
        for p in self.pending:
            if p.kind in (WRITE, MAYBE):
                by_cycle.setdefault(p.due, []).append(p)
        return any(len(due) > 1 and _meet(due) for due in by_cycle.values())

    def read_late(self, now: int) -> None:
        """Operands that are read in later stages: accumulators, shifts, sources of unpack."""
        for p in [p for p in self.pending if p.due == now and p.kind in (UNPACK, UPS, UPS_SHIFTED, PRODUCT)]:
            self.pending.remove(p)
            fields = self.owner.fields_at[p.op]
            if p.kind == UPS:
                following = self.add(now + 1, UPS_SHIFTED, 0, 0, 0, p.op)
                self.code.const(p.op)
                self.slot_address(now, p.slot)
                self.slot_address(following.due, following.slot)
                self.code.call(RUNTIME_FUNCTIONS["t_ups_shift"])
                continue
            due, size = now + 1, 64
            if p.kind == UPS_SHIFTED:
                due, size = now + fields.latency - 7, fields.size * fields.y // fields.x
            elif p.kind == PRODUCT:
                due, size = now + fields.latency - 2, 64 if fields.op in ("OP_MAC_F", "OP_ACC_ADD_F") else 128
            key, early = self.vector_later(fields, p.op, due, size, now)
            self.code.const(p.op)
            if p.kind == UNPACK and fields.op == "OP_VUNPACK":
                self.code.const(0)
            else:
                self.slot_address(now, p.slot)
            self.slot_address(key // 64, key % 64)
            self.code.call(
                RUNTIME_FUNCTIONS[{UNPACK: "t_unpack", UPS_SHIFTED: "t_ups", PRODUCT: "t_accumulate"}[p.kind]]
            )
            if p.kind == PRODUCT:
                self.check()
            if early >= 0:
                self.copy_slot(key, early, size)

    def check(self) -> None:
        """Leaves with a fault when the value on the stack is 0."""
        self.code.op(w.EQZ)
        self.code.when()
        self.code.const(-STEP_FAULT)
        self.code.leave()
        self.code.end()


def _meet(due: list[Pending]) -> bool:
    """Whether results of two instructions land in one register."""
    return any(
        a.op != b.op and a.banks & b.banks and a.dst < b.dst + b.size and b.dst < a.dst + a.size
        for i, a in enumerate(due)
        for b in due[:i]
    )
