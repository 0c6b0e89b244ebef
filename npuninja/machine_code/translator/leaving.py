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
    JumpInFlight,
    Shape,
)


class Leaving(TranslatedArithmetic):
    """How a block is left."""

    def finish(self, now: int) -> None:
        """Everything into memory at the end of a block of `now` bundles; the counters go on."""
        if self.some_meet():
            raise GiveUpError  # behind the block it is not known any more which instructions they are of
        self.flush()
        for p in self.pending:
            if p.local >= 0:
                p.slot = self.free_slot(p.due)
                self.slot_base(p.due)
                self.code.get(p.local)
                self.code.memory(w.STORE, self.places.ring + p.slot * SLOT_BYTES)
                p.local = -1
        for counter in ("cycle", "issued"):
            at = self.places.counter(counter)
            self.code.const(0)
            self.code.load_at(at, w.LOAD64)
            self.code.op(0x42)
            self.code.code += w.signed(now)
            self.code.op(w.ADD64)
            self.code.memory(w.STORE64, at)

    def shape_after(self, now: int) -> Shape:
        """What is in flight behind the block."""
        items = []
        for rank, p in enumerate(sorted(self.pending, key=lambda p: (p.due, p.order))):
            # The instruction matters only to what is not a plain result.
            op = 0 if p.kind == WRITE else p.op
            begins = max(0, p.order[0] - now) if p.kind == WRITE else 0
            items.append(InFlight(p.due - now, rank, begins, p.slot, p.kind, p.dst, p.size, p.banks, op))
        return tuple(items)

    def go(self, address: int, now: int, jump: JumpInFlight | None = None) -> None:
        """Leaves for a block at a known address."""
        shape = self.shape_after(now)
        number = self.owner.block(address, shape, jump)
        if number:
            self.code.const(number)
            self.code.leave()
        else:
            self.hand_over(address, -1, now, jump)

    def go_computed(self, local: int, now: int, sites: set[int]) -> None:
        """Leaves for a block at an address in a local."""
        shape = self.shape_after(now)
        table = self.owner.lookup(shape)
        if table >= 0:
            for site in sites:
                self.owner.block(site, shape)
            self.code.get(local)
            self.code.const(PROGRAM_MEMORY_BYTES)
            self.code.op(w.LT_U)
            self.code.when()
            self.code.get(local)
            self.code.const(1)
            self.code.op(w.SHL)
            self.code.memory(w.LOAD, self.places.lookups + table * 2 * PROGRAM_MEMORY_BYTES)
            number = self.code.new()
            self.code.get(number)
            self.code.when()
            self.code.get(number)
            self.code.leave()
            self.code.end()
            self.code.end()
        self.hand_over(-1, local, now)

    def hand_over(self, address: int, local: int, now: int, jump: JumpInFlight | None = None) -> None:
        """Gives what is in flight to the interpreter, which goes on at an address."""
        code = self.code
        if jump is not None:
            if jump.is_conditional:
                code.load_at(self.places.word("jump_condition"))
                code.when()
            for name, value in (("branch_in", jump.left), ("branch_at", jump.address)):
                code.const(0)
                code.const(value)
                code.memory(w.STORE, self.places.word(name))
            code.const(0)
            if jump.target is None:
                code.load_at(self.places.word("jump_target"))
            else:
                code.const(jump.target)
            code.memory(w.STORE, self.places.word("branch_target"))
            if jump.is_conditional:
                code.end()
        for p in sorted(self.pending, key=lambda p: (p.due, p.order)):
            code.const(p.kind)
            code.const(p.op)
            code.const(p.due - now)
            code.const(p.dst)
            code.const(p.size)
            code.const(p.banks)
            self.slot_address(p.due, p.slot)
            code.const(max(0, p.order[0] - now) if p.kind == WRITE else 0)
            code.call(RUNTIME_FUNCTIONS["t_push"])
        code.const(0)
        if local >= 0:
            code.get(local)
        else:
            code.const(address)
        code.memory(w.STORE, self.places.word("pc"))
        code.const(0)
        code.leave()

    def hand_over_and(self, address: int, now: int, status: int) -> None:
        """Gives what is on its way to the interpreter and leaves with a status."""
        self.hand_over(address, -1, now)
        # The last thing emitted is `const 0; leave`: the status takes the 0's place.
        del self.code.code[-3:]
        self.code.const(status)
        self.code.leave()

    def stay_at(self, address: int) -> None:
        """Notes where the core waits, and that the block begins again when it goes on. Stores in flight are done before."""
        for item in self.shape:
            if item.kind == STORE:
                self.code.const(item.op)
                self.slot_address(item.due, item.slot)
                self.code.call(RUNTIME_FUNCTIONS["t_store_now"])
        for name, word in (
            ("resume", self.owner.block(self.start, self.shape, self.start_jump)),
            ("pc", address),
        ):
            self.code.const(0)
            self.code.const(word)
            self.code.memory(w.STORE, self.places.word(name))
