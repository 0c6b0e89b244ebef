"""A whole block: its bundles in order, branches and loops, locks, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable

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
    STORE,
    WRITE,
    GiveUpError,
    JumpInFlight,
    Pending,
    is_translatable,
)
from npuninja.machine_code.translator.ports import PORTS, Ports
from npuninja.machine_code.wasm_writer import constant, word_at
from npuninja.records import NamedTuple

_MAX_BLOCK_BUNDLES = 96
_BRANCHES = ("OP_J", "OP_JL", "OP_JZ", "OP_JNZ", "OP_JNZD")
_IN_STATE = -2  # in place of a local: the runtime's state has it


class _Jump(NamedTuple):
    """A branch whose delay slots are being issued: behind how many bundles of the block it is done, where it
    goes (a target or a local), the local with its condition (-1: always).
    """

    done: int
    target: int | None
    local: int
    condition: int
    address: int


class TranslatedBlock(Ports):
    """One block being translated."""

    def build(self) -> bytes:
        """The function's body."""
        try:
            self._build()
        except GiveUpError:  # a block that cannot be: the interpreter takes the whole of it
            self.begin()
            self.hand_over(constant(self.start), 0, self.start_jump)
        return self.code.body()

    def _build(self) -> None:
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
                return
            self.land(now)
            if not now:
                self.wait_for_ports(entry)
            self.read_late(now)
            made = self.issue(entry, now, jump)
            if made is not None:
                jump = made
            done = "OP_DONE" in [f.op for _, f in entry.operations]
            now += 1
            following = entry.bundle.end
            if done:
                self.finish(now)
                self.code.store_at(self.addresses.word("stopped"), constant(1))
                self.hand_over(constant(following), now, status=-STEP_DONE)
                return
            if jump is not None and now == jump.done:
                self.finish(now)
                self._jump(jump, following, now)
                return
            if address in self.owner.loop_ends:
                if jump is not None:
                    raise GiveUpError
                self.finish(now)
                self._loop(address, following, now)
                return
            address = following

    def _initial_jump(self) -> _Jump | None:
        jump = self.start_jump
        if jump is None:
            return None
        condition = _IN_STATE if jump.is_conditional else -1
        return _Jump(jump.left, jump.target, _IN_STATE, condition, jump.address)

    def _keep_jump(self, jump: _Jump | None, now: int) -> JumpInFlight | None:
        """Keeps what a branch depends on, for the block that goes on in its delay slots."""
        if jump is None:
            return None
        for name, local in (("jump_condition", jump.condition), ("jump_target", jump.local)):
            if local >= 0:
                self.code.store_at(self.addresses.word(name), local)
        return JumpInFlight(jump.done - now, jump.target, jump.condition != -1, jump.address)

    def _jump(self, jump: _Jump, following: int, now: int) -> None:
        if jump.condition == _IN_STATE:
            self.code.when(word_at(self.addresses.word("jump_condition")))
        elif jump.condition >= 0:
            self.code.when(jump.condition)
        if jump.target is not None:
            self.go(jump.target, now)
        else:
            local = jump.local
            if local == _IN_STATE:
                local = self.code.let(word_at(self.addresses.word("jump_target")))
            self.go_computed(local, now, self.owner.return_sites.get(jump.address, set()))
        if jump.condition != -1:
            self.code.end()
            self.go(following, now)

    def _loop(self, address: int, following: int, now: int) -> None:
        code, bank = self.code, self.owner.bank
        is_end = w.EQ, word_at(bank + LE), constant(address)
        count = code.let(word_at(bank + LC))
        code.when((w.AND, is_end, (w.NE, count, constant(0))))
        code.store_at(bank + LC, (w.SUB, count, constant(1)))
        code.when((w.NE, count, constant(1)))
        start = code.let(word_at(bank + LS))
        expected = self.owner.loop_starts.get(address)
        if expected is not None:
            code.when((w.EQ, start, constant(expected)))
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
            if f.op == "OP_REL":
                releases.append((op, f))
            elif f.op in _BRANCHES:
                made = self._branch(op, f, now, entry.bundle.address)
                if jump is not None:
                    self._branch_in_slot(op, made, jump)
            elif f.op == "OP_ACQ":
                self._acquire(op, f, entry.bundle.address)
            elif f.op in PORTS:
                self.port(op, f, number, now)
            elif f.op.startswith("OP_STORE") and f.op != "OP_STORE_PART":
                stores.append((op, f, self.address(f, op, now)))
            elif f.op.startswith(("OP_LOAD", "OP_STORE")):
                _ACCESSES.get(f.op, TranslatedBlock._vector_load)(self, op, f, now, accesses)
            else:
                self._compute(op, f, now)
        # What is written comes last, in the machine's order: stores under way, then this bundle's.
        self._late_stores(late, now, accesses)
        for address, word in merged:
            self.code.store(address, word)
            accesses.append((address, 4))
        for op, f, address in stores:
            self._store(op, f, now, address, accesses)
        self.conflicts(accesses)
        for op, f in releases:
            self._release(op, f, now)
        return made if jump is None else None

    def _late_stores(self, late: list[Pending], now: int, accesses: list[tuple[int, int]]) -> None:
        """Stores of converted lanes, whose bytes were made while they were under way."""
        for p in late:
            self.code.call(RUNTIME_FUNCTIONS["t_store_now"], constant(p.op), self.key_address(p.key))
            place = self.code.let(self.slot_word(now, p.slot, 128))
            accesses.append((place, self.owner.fields_at[p.op].size))

    def _branch_in_slot(self, op: int, made: _Jump, jump: _Jump) -> None:
        if made.condition >= 0:
            self.code.when(made.condition)
        self.code.call(RUNTIME_FUNCTIONS["t_branch_fault"], constant(op), constant(jump.address))
        self.code.leave(constant(-STEP_FAULT))
        if made.condition >= 0:
            self.code.end()

    def _acquire(self, op: int, f: Fields, address: int) -> None:
        code = self.code
        # Operands are read in front of the condition: what is read inside it is not there after it.
        number, value = self.value(f, f.a), self.value(f, f.b)
        if f.flags & F_CONDITION:
            code.when(self.scalar(R26))
        code.call(RUNTIME_FUNCTIONS["t_acquire"], constant(op), number, value)
        result = code.new()
        code.when((w.NE, result, constant(1)))
        self.stay_at(address)
        code.when((w.EQZ, result))
        code.leave((w.SUB, constant(0), word_at(self.addresses.word("wait_kind"))))
        code.end()
        code.leave(constant(-STEP_FAULT))
        code.end()
        if f.flags & F_CONDITION:
            code.end()

    def _release(self, op: int, f: Fields, now: int) -> None:
        number, value = self.value(f, f.a), self.value(f, f.b)
        if f.flags & F_CONDITION:
            self.code.when(self.scalar(R26))
        self.code.call(RUNTIME_FUNCTIONS["t_release"], constant(op), number, value, constant(now))
        self.check()
        if f.flags & F_CONDITION:
            self.code.end()

    def _branch(self, op: int, f: Fields, now: int, address: int) -> _Jump:
        code = self.code
        condition, done = -1, now + 1 + DELAY_SLOTS
        if f.op in ("OP_JZ", "OP_JNZ", "OP_JNZD"):
            tested = self.scalar(f.b - self.owner.bank)
            condition = code.let((w.EQZ, tested)) if f.op == "OP_JZ" else tested
        if f.op == "OP_JNZD":
            self.write_later(f, op, now, code.let((w.SUB, condition, constant(1))))
        if f.op == "OP_JL":
            self.add(now + 4, WRITE, LR, 4, 1, op, code.let(constant(f.extra)), now)
        if f.a == f.imm_at:
            return _Jump(done, f.imm & 0xFFFFF, -1, condition, address)
        return _Jump(done, None, self.scalar(f.a - self.owner.bank), condition, address)


#: Accesses that are no vector loads and do not wait for the others of their bundle.
_ACCESSES: dict[str, Callable[[TranslatedBlock, int, Fields, int, list[tuple[int, int]]], None]] = {
    "OP_LOAD": TranslatedBlock._load,
    "OP_LOAD_GATHER": TranslatedBlock._gather,
    "OP_STORE_PART": TranslatedBlock._part,
}
