"""A whole block: its bundles in order, branches and loops, locks, and what comes behind it."""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.core_runtime import STEP_DONE, STEP_FAULT
from npuninja.machine_code.families.fields import F_CONDITION, Fields
from npuninja.machine_code.flow import DELAY_SLOTS
from npuninja.machine_code.prepare import PreparedBundle
from npuninja.machine_code.translator.in_flight import (
    LC,
    LE,
    LR,
    LS,
    PART,
    R26,
    RUNTIME_FUNCTIONS,
    SLOT_BYTES,
    STORE,
    WRITE,
    GiveUpError,
    JumpInFlight,
    is_translatable,
)
from npuninja.machine_code.translator.ports import PORTS, Ports
from npuninja.machine_code.wasm_writer import WrittenFunction
from npuninja.records import NamedTuple

_MAX_BLOCK_BUNDLES = 96
VECTOR_LOADS = {"OP_LOAD_VECTOR", "OP_LOAD_CONV", "OP_LOAD_UPS", "OP_LOAD_UNPACK"}
VECTOR_STORES = {"OP_STORE_VECTOR", "OP_STORE_PACK", "OP_STORE_CONV", "OP_STORE_SRS"}

_IN_STATE = -2  # in place of a local: the runtime's state has it


class _Jump(NamedTuple):
    """A branch whose delay slots are being issued: behind how many bundles of the block it is done, where it goes (a
    target or a local), the local with its condition (-1: always).
    """

    done: int
    op: int
    target: int | None
    local: int
    condition: int
    address: int


class TranslatedBlock(Ports):
    """One block being translated."""

    def build(self) -> bytes:
        """The function's body."""
        try:
            return self._build()
        except GiveUpError:
            return self._give_up()

    def _build(self) -> bytes:
        # The clock is read first, so that it is there wherever a slot's address is needed.
        self.code.load_at(self.places.counter("cycle"))
        self.clock = self.code.new()
        address, now = self.start, 0
        jump = self._initial_jump()
        while True:
            entry = self.owner.program.get(address)
            if (
                entry is None
                or not is_translatable(entry)
                or (now and (self.may_wait(entry, now) or now >= _MAX_BLOCK_BUNDLES))
            ):
                self.finish(now)
                self.go(address, now, self._keep_jump(jump, now))
                return self.code.body()
            self.land(now)
            if not now:
                self.wait_for_ports(entry)
            self.read_late(now)
            made = self.issue(entry, now, jump)
            if made is not None:
                jump = made
            done = any(f.op == "OP_DONE" for _, f in entry.operations)
            now += 1
            following = entry.bundle.end
            if done:
                self.finish(now)
                self._stop(following, now)
                return self.code.body()
            if jump is not None and now == jump.done:
                self.finish(now)
                self._jump(jump, following, now)
                return self.code.body()
            if address in self.owner.loop_ends:
                if jump is not None:
                    return self._give_up()
                self.finish(now)
                self._loop(address, following, now)
                return self.code.body()
            address = following

    def _initial_jump(self) -> _Jump | None:
        jump = self.start_jump
        if jump is None:
            return None
        condition = _IN_STATE if jump.is_conditional else -1
        return _Jump(jump.left, 0, jump.target, _IN_STATE, condition, jump.address)

    def _keep_jump(self, jump: _Jump | None, now: int) -> JumpInFlight | None:
        """Keeps what a branch depends on, for the block that goes on in its delay slots."""
        if jump is None:
            return None
        for name, local in (("jump_condition", jump.condition), ("jump_target", jump.local)):
            if local >= 0:
                self.store_word(self.places.word(name), local)
        return JumpInFlight(jump.done - now, jump.target, jump.condition != -1, jump.address)

    def _give_up(self) -> bytes:
        """A block that cannot be: the interpreter takes the whole of it."""
        self.code = WrittenFunction()
        self._take_shape()
        self.cache.clear()
        self.dirty.clear()
        self.code.load_at(self.places.counter("cycle"))
        self.clock = self.code.new()
        self.hand_over(self.start, -1, 0, self.start_jump)
        return self.code.body()

    def _stop(self, following: int, now: int) -> None:
        code = self.code
        code.const(0)
        code.const(1)
        code.memory(w.STORE, self.places.word("stopped"))
        self.hand_over_and(following, now, -STEP_DONE)

    def _jump(self, jump: _Jump, following: int, now: int) -> None:
        if jump.condition == _IN_STATE:
            self.code.load_at(self.places.word("jump_condition"))
            self.code.when()
        elif jump.condition >= 0:
            self.code.get(jump.condition)
            self.code.when()
        if jump.target is not None:
            self.go(jump.target, now)
        else:
            local = jump.local
            if local == _IN_STATE:
                self.code.load_at(self.places.word("jump_target"))
                local = self.code.new()
            self.go_computed(local, now, self.owner.return_sites.get(jump.address, set()))
        if jump.condition != -1:
            self.code.end()
            self.go(following, now)

    def _loop(self, address: int, following: int, now: int) -> None:
        code, bank = self.code, self.owner.bank
        code.load_at(bank + LE)
        code.const(address)
        code.op(w.EQ)
        code.load_at(bank + LC)
        count = code.new()
        code.get(count)
        code.const(0)
        code.op(w.NE, w.AND)
        code.when()
        code.const(0)
        code.get(count)
        code.const(1)
        code.op(w.SUB)
        code.memory(w.STORE, bank + LC)
        code.get(count)
        code.const(1)
        code.op(w.NE)
        code.when()
        code.load_at(bank + LS)
        start = code.new()
        expected = self.owner.loop_starts.get(address)
        if expected is not None:
            code.get(start)
            code.const(expected)
            code.op(w.EQ)
            code.when()
            self.go(expected, now)
            code.end()
        self.go_computed(start, now, set())
        code.end()
        code.end()
        self.go(following, now)

    def issue(self, entry: PreparedBundle, now: int, jump: _Jump | None) -> _Jump | None:
        """Emits a bundle; the branch it begins, if any."""
        made: _Jump | None = None
        stores: list[tuple[int, Fields, int]] = []
        releases: list[tuple[int, Fields]] = []
        accesses: list[tuple[int, int]] = []
        parts = [p for p in self.pending if p.due == now and p.kind == PART]
        merged = [self._merge(p, now) for p in parts]
        late = [p for p in self.pending if p.due == now and p.kind == STORE]
        for p in (*parts, *late):
            self.pending.remove(p)
        for number, (op, f) in enumerate(entry.operations):
            name = f.op
            if name == "OP_ACQ":
                self._acquire(op, f, entry.bundle.address)
            elif name == "OP_REL":
                releases.append((op, f))
            elif name in ("OP_J", "OP_JL", "OP_JZ", "OP_JNZ", "OP_JNZD"):
                made = self._branch(op, f, now, entry.bundle.address)
                if jump is not None:
                    self._branch_in_slot(op, made, jump)
            elif name == "OP_LOAD":
                self._load(op, f, now, accesses)
            elif name == "OP_LOAD_GATHER":
                self._gather(op, f, now, accesses)
            elif name in PORTS:
                self.port(op, f, number, now)
            elif name in VECTOR_LOADS:
                self._vector_load(op, f, now, accesses)
            elif name == "OP_STORE_PART":
                address = self.address(f, op, now)
                self.guard(op, address, f.size)
                accesses.append((address, 4))
                self._part(op, f, now, address)
            elif name == "OP_STORE" or name in VECTOR_STORES:
                stores.append((op, f, self.address(f, op, now)))
            else:
                self._compute(op, f, now)
        for p in late:
            self.code.const(p.op)
            self.slot_address(now, p.slot)
            self.code.call(RUNTIME_FUNCTIONS["t_store_now"])
            self.slot_base(now)
            self.code.memory(w.LOAD, self.places.ring + p.slot * SLOT_BYTES + 128)
            accesses.append((self.code.new(), self.owner.fields_at[p.op].size))
        for address, word in merged:
            self.code.get(address)
            self.code.get(word)
            self.code.memory(w.STORE, 0)
            accesses.append((address, 4))
        for op, f, address in stores:
            self._store(op, f, now, address, accesses)
        self.conflicts(accesses)
        for op, f in releases:
            self._release(op, f, now)
        return made if jump is None else None

    def _branch_in_slot(self, op: int, made: _Jump, jump: _Jump) -> None:
        if made.condition >= 0:
            self.code.get(made.condition)
            self.code.when()
        self.code.const(op)
        self.code.const(jump.address)
        self.code.call(RUNTIME_FUNCTIONS["t_branch_fault"])
        self.code.const(-STEP_FAULT)
        self.code.leave()
        if made.condition >= 0:
            self.code.end()

    def _acquire(self, op: int, f: Fields, address: int) -> None:
        code = self.code
        # Operands are read in front of the condition: what is read inside it is not there behind it.
        number, value = self._operand(f, f.a), self._operand(f, f.b)
        if f.flags & F_CONDITION:
            code.get(self.scalar(R26))
            code.when()
        code.const(op)
        code.get(number)
        code.get(value)
        code.call(RUNTIME_FUNCTIONS["t_acquire"])
        result = code.new()
        code.get(result)
        code.const(1)
        code.op(w.NE)
        code.when()
        self.stay_at(address)
        code.get(result)
        code.op(w.EQZ)
        code.when()
        code.const(0)
        code.load_at(self.places.word("wait_kind"))
        code.op(w.SUB)
        code.leave()
        code.end()
        code.const(-STEP_FAULT)
        code.leave()
        code.end()
        if f.flags & F_CONDITION:
            code.end()

    def _operand(self, f: Fields, address: int) -> int:
        self.value(f, address)
        return self.code.new()

    def _release(self, op: int, f: Fields, now: int) -> None:
        number, value = self._operand(f, f.a), self._operand(f, f.b)
        if f.flags & F_CONDITION:
            self.code.get(self.scalar(R26))
            self.code.when()
        self.code.const(op)
        self.code.get(number)
        self.code.get(value)
        self.code.const(now)
        self.code.call(RUNTIME_FUNCTIONS["t_release"])
        self.check()
        if f.flags & F_CONDITION:
            self.code.end()

    def _branch(self, op: int, f: Fields, now: int, address: int) -> _Jump:
        code = self.code
        condition, done = -1, now + 1 + DELAY_SLOTS
        if f.op == "OP_JZ":
            code.get(self.scalar(f.b - self.owner.bank))
            code.op(w.EQZ)
            condition = code.new()
        elif f.op in ("OP_JNZ", "OP_JNZD"):
            code.get(self.scalar(f.b - self.owner.bank))
            condition = code.new()
        if f.op == "OP_JNZD":
            code.get(condition)
            code.const(1)
            code.op(w.SUB)
            self.write_later(f, op, now, code.new())
        if f.op == "OP_JL":
            code.const(f.extra)
            self.add(now + 4, WRITE, LR, 4, 1, op, code.new(), now)
        if f.a == f.imm_at:
            return _Jump(done, op, f.imm & 0xFFFFF, -1, condition, address)
        code.get(self.scalar(f.a - self.owner.bank))
        return _Jump(done, op, None, code.new(), condition, address)
