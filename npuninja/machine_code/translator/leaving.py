"""The ways out of a block: to the next one, to the interpreter, or to the host because the core waits."""

from __future__ import annotations

from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.translator.arithmetic import TranslatedArithmetic
from npuninja.machine_code.translator.in_flight import (
    RUNTIME_FUNCTIONS,
    SLOT_BYTES,
    STORE,
    WRITE,
    GiveUpError,
    InFlight,
    InFlightShape,
    JumpInFlight,
)
from npuninja.machine_code.wasm_writer import WasmExpression, constant, loaded


class Leaving(TranslatedArithmetic):
    """How a block is left."""

    def finish(self, now: int) -> None:
        """Everything into memory at the end of a block of `now` bundles; the counters go on."""
        if self.some_meet():
            raise GiveUpError  # after the block it is not known any more which instructions they are of
        self.flush()
        for p in self.pending:
            if p.local >= 0:
                p.slot = self.free_slot(p.due)
                self.code.store(self.slot_base(p.due), p.local, self.addresses.ring + p.slot * SLOT_BYTES)
                p.local = -1
        for counter in ("cycle", "issued"):
            at = self.addresses.counter(counter)
            total = w.ADD64, loaded(constant(0), at, w.LOAD64), b"\x42" + w.signed(now)  # i64.const
            self.code.store(constant(0), total, at, w.STORE64)

    def shape_after(self, now: int) -> InFlightShape:
        """What is in flight after the block."""
        items = []
        for rank, p in enumerate(sorted(self.pending, key=lambda p: (p.due, p.order))):
            # The instruction matters only to what is not a plain result.
            op = 0 if p.kind == WRITE else p.op
            begins = max(0, p.order[0] - now) if p.kind == WRITE else 0
            items.append(
                InFlight(
                    due=p.due - now,
                    rank=rank,
                    begins=begins,
                    slot=p.slot,
                    kind=p.kind,
                    dst=p.dst,
                    size=p.size,
                    banks=p.banks,
                    op=op,
                )
            )
        return tuple(items)

    def go(self, address: int, now: int, jump: JumpInFlight | None = None) -> None:
        """Leaves for a block at a known address."""
        shape = self.shape_after(now)
        number = self.owner.block(address, shape, jump)
        if number:
            self.code.leave(constant(number))
        else:
            self.hand_over(constant(address), now, jump)

    def go_computed(self, local: int, now: int, sites: set[int]) -> None:
        """Leaves for a block at an address in a local."""
        shape = self.shape_after(now)
        table = self.owner.lookup(shape)
        if table >= 0:
            for site in sites:
                self.owner.block(site, shape)
            self.code.when((w.LT_U, local, constant(PROGRAM_MEMORY_BYTES)))
            entry = w.SHL, local, constant(1)
            number = self.code.let(loaded(entry, self.addresses.lookups + table * 2 * PROGRAM_MEMORY_BYTES))
            self.code.when(number)
            self.code.leave(number)
            self.code.end()
            self.code.end()
        self.hand_over(local, now)

    def hand_over(
        self, address: WasmExpression, now: int, jump: JumpInFlight | None = None, status: int = 0
    ) -> None:
        """Gives what is in flight to the interpreter, which goes on at an address; leaves with a status."""
        code = self.code
        if jump is not None:
            if jump.is_conditional:
                code.when(w.word_at(self.addresses.word("jump_condition")))
            code.store_at(self.addresses.word("branch_in"), constant(jump.left))
            code.store_at(self.addresses.word("branch_at"), constant(jump.address))
            kept = w.word_at(self.addresses.word("jump_target"))
            target = kept if jump.target is None else constant(jump.target)
            code.store_at(self.addresses.word("branch_target"), target)
            if jump.is_conditional:
                code.end()
        for p in sorted(self.pending, key=lambda p: (p.due, p.order)):
            numbers = map(constant, (p.kind, p.op, p.due - now, p.dst, p.size, p.banks))
            begins = constant(max(0, p.order[0] - now) if p.kind == WRITE else 0)
            code.call(RUNTIME_FUNCTIONS["t_push"], *numbers, self.slot_address(p.due, p.slot), begins)
        code.store_at(self.addresses.word("pc"), address)
        code.leave(constant(status))

    def stay_at(self, address: int) -> None:
        """Notes where the core waits: the block begins again afterwards. Stores in flight are done before."""
        for item in self.shape:
            if item.kind == STORE:
                place = self.slot_address(item.due, item.slot)
                self.code.call(RUNTIME_FUNCTIONS["t_store_now"], constant(item.op), place)
        block = self.owner.block(self.start, self.shape, self.start_jump)
        self.code.store_at(self.addresses.word("resume"), constant(block))
        self.code.store_at(self.addresses.word("pc"), constant(address))
