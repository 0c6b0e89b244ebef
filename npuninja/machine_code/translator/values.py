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
    InFlightShape,
    JumpInFlight,
    Owner,
    Pending,
)
from npuninja.machine_code.wasm_writer import WasmExpression, WrittenFunction, constant, loaded, word_at


class Values:
    """The values of a block: what registers hold, and what is on its way."""

    def __init__(self, owner: Owner, address: int, shape: InFlightShape, jump: JumpInFlight | None) -> None:
        self.owner = owner
        self.start = address
        self.shape = shape
        self.start_jump = jump
        self.sequence = 0
        self.addresses = owner.addresses
        self.begin()

    def begin(self) -> None:
        """Nothing is written, and in flight is what was where the block begins."""
        self.code = WrittenFunction()
        self.cache: dict[int, int] = {}
        self.dirty: set[int] = set()
        self.pending: list[Pending] = []
        for i in self.shape:
            pending = Pending(i.due, i.slot, i.kind, i.dst, i.size, i.banks, i.op)
            pending.order = (i.begins or -99, i.rank - 99)
            self.pending.append(pending)
        # The clock is read first, so that it is there wherever a slot's address is needed.
        self.clock = self.code.let(word_at(self.addresses.counter("cycle")))

    def scalar(self, offset: int) -> int:
        """The local that holds a scalar register now."""
        local = self.cache.get(offset)
        if local is None:
            local = self.cache[offset] = self.code.let(word_at(self.owner.bank + offset))
        return local

    def value(self, fields: Fields, address: int) -> WasmExpression:
        """An operand: a register, or the instruction's own number."""
        if address == fields.imm_at:
            return constant(fields.imm & 0xFFFFFFFF)
        return self.scalar(address - self.owner.bank)

    def set_scalar(self, offset: int, local: int) -> None:
        """A result lands in a scalar register."""
        self.cache[offset] = local
        if offset == SP:
            self.code.when((w.GT_U, local, word_at(self.addresses.word("stack_high"))))
            self.code.call(RUNTIME_FUNCTIONS["t_stack"], local)
            self.code.end()
        if offset >= SPECIAL and offset != LR:
            self.code.store_at(self.owner.bank + offset, local)
            self.dirty.discard(offset)
        else:
            self.dirty.add(offset)

    def flush(self, offsets: set[int] | None = None) -> None:
        """Writes registers that differ from the bank into it."""
        for offset in sorted(self.dirty if offsets is None else self.dirty & offsets):
            self.code.store_at(self.owner.bank + offset, self.cache[offset])
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

    def slot_base(self, due: int) -> WasmExpression:
        """The ring's address of a cycle, without the ring's own."""
        return w.SHL, (w.AND, (w.ADD, self.clock, constant(due)), constant(15)), constant(11)

    def slot_address(self, due: int, slot: int) -> WasmExpression:
        """The ring's address of a slot."""
        return w.ADD, self.slot_base(due), constant(self.addresses.ring + slot * SLOT_BYTES)

    def key_address(self, key: int) -> WasmExpression:
        """The ring's address of a slot by its key; 0 for none."""
        return self.slot_address(key // 64, key % 64) if key >= 0 else constant(0)

    def slot_word(self, due: int, slot: int, offset: int = 0) -> WasmExpression:
        """A word of a slot in the ring, loaded: of the cycle `due`, `offset` bytes into the slot."""
        return loaded(self.slot_base(due), self.addresses.ring + slot * SLOT_BYTES + offset)

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
        """Something more in flight; `began` is the cycle of the stage that makes it (the fifth of a load)."""
        pending = Pending(due, self.free_slot(due) if local < 0 else -1, kind, dst, size, banks, op)
        pending.local = local
        self.sequence += 1
        pending.order = (began, self.sequence)
        self.pending.append(pending)
        return pending

    def write_later(self, fields: Fields, op: int, now: int, local: int, stage: int = 0) -> None:
        """A scalar result, cut to what its register keeps."""
        if fields.mask == 0:  # a shift register: what does not fit acts as 0
            fits = w.LT_U, (w.ADD, local, constant(32)), constant(96)
            local = self.code.let((w.CHOOSE, (w.AND, local, constant(63)), constant(0), fits))
        elif fields.mask != 0xFFFFFFFF:
            local = self.code.let((w.AND, local, constant(fields.mask)))
        self.add(now + fields.latency, WRITE, fields.dst, 4, 1, op, local, now + stage)

    def vector_later(
        self, fields: Fields, op: int, due: int, size: int, began: int, *, dst: int | None = None
    ) -> tuple[int, int]:
        """Room for a vector result; where its bytes go. Readers on its bypass see it a cycle earlier."""
        dst = fields.dst if dst is None else dst
        if fields.flags & F_BYPASS:
            # Two entries, one slot: the later one's.
            early = self.add(due - 1, WRITE, dst, size, 2, op, began=began)
            late = self.add(due, WRITE, dst, size, 1, op, began=began)
            return late.key, early.key
        return self.add(due, WRITE, dst, size, 3, op, began=began).key, -1

    def copy_slot(self, from_key: int, to_key: int, size: int) -> None:
        """Copies what one slot of the ring holds into another."""
        target = self.code.let(self.slot_base(to_key // 64))
        source = self.code.let(self.slot_base(from_key // 64))
        a = self.addresses.ring + from_key % 64 * SLOT_BYTES
        b = self.addresses.ring + to_key % 64 * SLOT_BYTES
        self._copy(target, b, source, a, size)

    def _copy(self, target: WasmExpression, to_offset: int, source: int, from_offset: int, size: int) -> None:
        for at in range(0, size, 16):
            self.code.put(target, source)
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
                self._land_word(p, now)
                continue
            source = self.code.let(self.slot_base(now))
            start = self.addresses.ring + p.slot * SLOT_BYTES
            if p.size == 8:
                for half in (0, 4):
                    self.set_scalar(p.dst + half, self.code.let(loaded(source, start + half)))
                continue
            for bit, bank in ((1, self.owner.bank), (2, self.owner.bypass)):
                if p.banks & bit:
                    self._copy(constant(0), bank + p.dst, source, start, p.size)

    def _land_word(self, p: Pending, now: int) -> None:
        if p.local < 0:
            p.local = self.code.let(self.slot_word(now, p.slot))
        if p.kind == MAYBE:  # a word of a stream, if there was one
            came = self.slot_word(now, p.slot, 128)
            p.local = self.code.let((w.CHOOSE, p.local, self.scalar(p.dst), came))
        self.set_scalar(p.dst, p.local)

    def some_meet(self) -> bool:
        """Whether results in flight of two different instructions come to one register in one cycle."""
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
            source = self.slot_address(now, p.slot)
            if p.kind == UPS:
                following = self.add(now + 1, UPS_SHIFTED, 0, 0, 0, p.op)
                self.code.call(
                    RUNTIME_FUNCTIONS["t_ups_shift"], constant(p.op), source, self.key_address(following.key)
                )
                continue
            due, size, function = now + 1, 64, "t_unpack"
            if p.kind == UPS_SHIFTED:
                due, size = now + fields.latency - 7, fields.size * fields.y // fields.x
                function = "t_ups"
            elif p.kind == PRODUCT:
                due, size = now + fields.latency - 2, 64 if fields.op in ("OP_MAC_F", "OP_ACC_ADD_F") else 128
                function = "t_accumulate"
            elif fields.op == "OP_VUNPACK":
                source = constant(0)  # a register, not a load's slot
            key, early = self.vector_later(fields, p.op, due, size, now)
            self.code.call(RUNTIME_FUNCTIONS[function], constant(p.op), source, self.key_address(key))
            if p.kind == PRODUCT:
                self.check()
            if early >= 0:
                self.copy_slot(key, early, size)

    def check(self) -> None:
        """Leaves with a fault when the value on the stack is 0."""
        self.code.when(w.EQZ)
        self.code.leave(constant(-STEP_FAULT))
        self.code.end()


def _meet(due: list[Pending]) -> bool:
    """Whether results of two instructions land in one register."""
    return any(
        a.op != b.op and a.banks & b.banks and a.dst < b.dst + b.size and b.dst < a.dst + a.size
        for i, a in enumerate(due)
        for b in due[:i]
    )
