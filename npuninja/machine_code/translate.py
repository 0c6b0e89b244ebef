"""The translator: machine code to WebAssembly, one function a block.

A block is keyed by its address and by what is in flight there (its *shape*): delayed results are resolved here, not at
run time. Within a block registers are local variables; between blocks they lie in the runtime's bank, and what is in flight
lies in the runtime's ring, by the cycle in which it is due. A block returns the number of the next one, or a status.

Memory is accessed when an access is issued, and not four cycles later: loads and stores keep their order, part-word stores
are four cycles early alike. Where a block has no successor here (a computed jump to an unknown place, an instruction that is
interpreted only) what is in flight is handed to the interpreter, which goes on and gives control back when nothing is in
flight. So the interpreter is the judge and the fallback.
"""

from __future__ import annotations

from typing import NamedTuple

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.core_runtime import MEMORY_BYTES, STEP_DONE, STEP_FAULT, RuntimePlaces
from npuninja.machine_code.flow import DELAY_SLOTS, Flow, analyse
from npuninja.machine_code.prepare import (
    F_BYPASS,
    F_CONDITION,
    F_MASK,
    F_SIGNED,
    MODE_2D,
    MODE_INDEX,
    MODE_POST,
    Fields,
    Prepared,
    PreparedBundle,
)
from npuninja.machine_code.registers import place_of
from npuninja.machine_code.wasm_writer import FunctionCode, write_module

#: Bumped when the same program gives another module.
VERSION = 3
_MAX_BLOCK_BUNDLES = 96
_MAX_SHAPES = 24  # of one address
_MAX_BLOCKS = 6000
_RING_SLOTS, _SLOT_BYTES = 8, 256
_PROGRAM_BYTES = 0x4000

_R, _SP, _SPECIAL, _LS, _LE, _LC = 0, place_of("sp").offset, place_of("lr").offset, 296, 300, 304
_SCALARS_END = place_of("q0").offset
_CARRY = place_of("srCarry").offset
_R26, _R27, _R29, _R31, _LR = (place_of(n).offset for n in ("r26", "r27", "r29", "r31", "lr"))

#: Kinds of what is in flight, as T_… of runtime/core.h numbers them.
_WRITE, _PART, _STORE, _UNPACK, _UPS, _UPS_SHIFTED, _PRODUCT = range(7)
#: What the translated module imports from the runtime: parameters and results.
_IMPORTS = {
    "t_bad": (2, 0), "t_branch_fault": (2, 0), "t_touch": (2, 0), "t_touch_more": (2, 0), "t_acquire": (3, 1),
    "t_release": (3, 1), "t_vector": (3, 1), "t_load": (3, 1), "t_ups_shift": (3, 0), "t_ups": (3, 0),
    "t_unpack": (3, 0), "t_product": (2, 0), "t_accumulate": (3, 1), "t_store": (3, 1), "t_store_late": (2, 0),
    "t_stack": (1, 0), "t_push": (7, 0),
}  # fmt: skip
_FUNCTIONS = {name: number for number, name in enumerate(_IMPORTS)}

_BINARY = {
    "OP_ADD_NC": w.ADD, "OP_AND": w.AND, "OP_OR": w.OR, "OP_XOR": w.XOR, "OP_EQ": w.EQ, "OP_NE": w.NE,
    "OP_LT": w.LT_S, "OP_LTU": w.LT_U, "OP_GE": w.GE_S, "OP_GEU": w.GE_U, "OP_MUL": w.MUL,
}  # fmt: skip
_VECTOR_LOADS = {"OP_LOAD_VECTOR", "OP_LOAD_CONV", "OP_LOAD_UPS", "OP_LOAD_UNPACK"}
_VECTOR_STORES = {"OP_STORE_VECTOR", "OP_STORE_PACK", "OP_STORE_CONV", "OP_STORE_SRS"}
_PRODUCTS = {"OP_MAC", "OP_MAC_F", "OP_ACC_ADD", "OP_ACC_ADD_F", "OP_ACC_COPY"}


class InFlight(NamedTuple):
    """Something on its way: due in so many cycles, behind others of that cycle, in this slot of the ring's cycle; what it
    is, where it goes.
    """

    due: int
    rank: int
    slot: int
    kind: int
    dst: int
    size: int
    banks: int
    op: int


Shape = tuple[InFlight, ...]


class JumpInFlight(NamedTuple):
    """A branch in whose delay slots a block begins: bundles still to be issued, the target (None: in the state), whether
    it depends on a condition (in the state), the address of the branch.
    """

    left: int
    target: int | None
    is_conditional: bool
    address: int


class Translation(NamedTuple):
    """A translated program: the module, the block at each address where nothing is in flight, and for each lookup
    table the blocks that computed jumps lead to, by address.
    """

    module: bytes
    entries: dict[int, int]
    lookups: list[dict[int, int]]
    blocks: int


class _Pending:
    """In flight inside a block; a scalar result is in a local until the block ends."""

    __slots__ = ("banks", "dst", "due", "kind", "local", "op", "order", "size", "slot")

    def __init__(self, due: int, slot: int, kind: int, dst: int, size: int, banks: int, op: int) -> None:
        self.due, self.slot, self.kind = due, slot, kind
        self.dst, self.size, self.banks, self.op = dst, size, banks, op
        self.local = -1
        self.order = (0, 0)  # of what is due in the same cycle: when its stage began, and which came first


class Translator:
    """Translates one program for a runtime."""

    def __init__(self, prepared: Prepared, places: RuntimePlaces) -> None:
        self.program = prepared.by_address
        self.places = places
        self.bank = places.layout.bank
        self.bypass = places.layout.bypass_bank
        self.flow: Flow = analyse([p.bundle for _, p in sorted(self.program.items())])
        self.fields_at: dict[int, Fields] = {
            at: fields for p in self.program.values() for at, fields in p.operations
        }
        self.loop_ends = _loop_ends(self.program)
        self.loop_starts = {loop.end: loop.start for loop in self.flow.loops.values()}
        self.carry_is_read = any(
            f.op in ("OP_ADC", "OP_SBC") or self.bank + _CARRY in (f.a, f.b) for f in self.fields_at.values()
        )
        self._numbers: dict[tuple[int, Shape, JumpInFlight | None], int] = {}
        self._shapes_at: dict[int, int] = {}
        self._queue: list[tuple[int, Shape, JumpInFlight | None]] = []
        self._lookup_numbers: dict[Shape, int] = {}
        self._wanted: list[tuple[Shape, int]] = []
        self.return_sites = _return_sites(self.flow)

    def block(self, address: int, shape: Shape, jump: JumpInFlight | None = None) -> int:
        """The number of a block; 0 when there shall be none, and the interpreter goes on."""
        key = (address, shape, jump)
        found = self._numbers.get(key)
        if found is not None:
            return found
        entry = self.program.get(address)
        if entry is None or not _translatable(entry):
            return 0
        count = self._shapes_at.get(address, 0)
        if (count >= _MAX_SHAPES and shape) or len(self._numbers) >= _MAX_BLOCKS:
            return 0
        self._shapes_at[address] = count + 1
        number = self._numbers[key] = len(self._numbers) + 1
        self._queue.append(key)
        return number

    def lookup(self, shape: Shape) -> int:
        """The number of the lookup table of a shape, -1 when there are too many."""
        found = self._lookup_numbers.get(shape)
        if found is None:
            if len(self._lookup_numbers) >= self.places.max_lookups:
                return -1
            found = self._lookup_numbers[shape] = len(self._lookup_numbers)
        return found

    def translate(self) -> Translation:
        """Translates everything that is reachable from the start."""
        self.block(0, ())
        for address in sorted(
            set(self.flow.calls) | {b.after for b in self.flow.branches.values() if b.after}
        ):
            self.block(address, ())
        for branch in self.flow.branches.values():
            if branch.target is not None:
                self.block(branch.target, ())
        functions: list[tuple[int, bytes]] = []
        while self._queue:
            functions.append((0, _Block(self, *self._queue.pop(0)).build()))
        lookups: list[dict[int, int]] = [{} for _ in self._lookup_numbers]
        for (address, shape, jump), number in self._numbers.items():
            if jump is None and shape in self._lookup_numbers:
                lookups[self._lookup_numbers[shape]][address] = number
        entries = {
            at: number for (at, shape, jump), number in self._numbers.items() if not shape and jump is None
        }
        return Translation(self._module(functions), entries, lookups, len(functions))

    def _module(self, functions: list[tuple[int, bytes]]) -> bytes:
        types = list(dict.fromkeys([(0, 1), (1, 1), *_IMPORTS.values()]))
        first = len(_IMPORTS)
        driver = FunctionCode(parameters=1)
        driver.op(0x03, w.BLOCK_VOID)  # loop
        driver.get(0)
        driver.op(0x11, 0, 0)  # call_indirect
        driver.set(0)
        driver.get(0)
        driver.const(0)
        driver.op(w.GT_S, 0x0D, 0)  # br_if
        driver.end()
        driver.const(0)
        driver.get(0)
        driver.op(w.SUB)
        return write_module(
            types,
            [(name, types.index(kind)) for name, kind in _IMPORTS.items()],
            MEMORY_BYTES // 65536,
            [*functions, (types.index((1, 1)), driver.body())],
            {"run": first + len(functions)},
            range(first, first + len(functions)),
        )


def _translatable(entry: PreparedBundle) -> bool:
    return all(
        f.op != "OP_UNSUPPORTED" and not f.op.startswith(("OP_STREAM", "OP_CASCADE", "OP_LOAD_GATHER"))
        for _, f in entry.operations
    )


def _loop_ends(program: dict[int, PreparedBundle]) -> set[int]:
    """Every constant that is ever put into `le`."""
    return {
        f.imm & 0xFFFFF
        for p in program.values()
        for _, f in p.operations
        if f.op == "OP_MOV" and f.dst == _LE and f.a == f.imm_at
    }


def _return_sites(flow: Flow) -> dict[int, set[int]]:
    """By the address of a return: where it may lead, from the calls of the functions it belongs to."""
    sites: dict[int, set[int]] = {}
    callers: dict[int, set[int]] = {}
    for call in flow.branches.values():
        if call.is_call and call.target is not None and call.after is not None:
            callers.setdefault(call.target, set()).add(call.after)
    for entry, after in callers.items():
        seen: set[int] = set()
        stack = [entry]
        while stack:
            address = stack.pop()
            while address in flow.bundles and address not in seen:
                seen.add(address)
                bundle = flow.bundles[address]
                branch = flow.branches.get(address)
                if branch is not None:
                    if branch.mnemonic == "ret lr":
                        sites.setdefault(address, set()).update(after)
                    if branch.target is not None and not branch.is_call:
                        stack.append(branch.target)
                    if branch.after is not None and branch.mnemonic not in ("j", "ret lr"):
                        stack.append(branch.after)
                    break
                if address in flow.loops:
                    stack.append(flow.loops[address].start)
                address = bundle.end
    return sites


class _GiveUpError(Exception):
    """A block that only the interpreter does right."""


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


class _Block:
    """One block being translated."""

    def __init__(self, owner: Translator, address: int, shape: Shape, jump: JumpInFlight | None) -> None:
        self.owner = owner
        self.start = address
        self.shape = shape
        self.start_jump = jump
        self.code = FunctionCode()
        self.pending: list[_Pending] = []
        self.sequence = 0
        self._take_shape()
        self.cache: dict[int, int] = {}
        self.dirty: set[int] = set()
        self.clock = -1
        self.places = owner.places

    def _take_shape(self) -> None:
        self.pending = []
        for i in self.shape:
            pending = _Pending(i.due, i.slot, i.kind, i.dst, i.size, i.banks, i.op)
            pending.order = (-99, i.rank)
            self.pending.append(pending)

    # --- Registers.

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
        if offset == _SP:
            self.code.get(local)
            self.code.load_at(self.places.word("stack_high"))
            self.code.op(w.GT_U)
            self.code.when()
            self.code.get(local)
            self.code.call(_FUNCTIONS["t_stack"])
            self.code.end()
        if offset >= _SPECIAL and offset not in (_LR,):
            self.store_word(self.owner.bank + offset, local)
            self.dirty.discard(offset)
        else:
            self.dirty.add(offset)

    def store_word(self, address: int, local: int) -> None:
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
        offsets: set[int] = {_R29} if fields.op in ("OP_VINSERT", "OP_VBCSTSHFL") else set()
        for address in (fields.a, fields.b, fields.c, fields.d, fields.extra):
            offset = address - self.owner.bank
            if 0 <= offset < _SCALARS_END:
                offsets |= {offset, offset + 4}
        self.flush(offsets)

    # --- What is in flight.

    def slot_base(self, due: int) -> None:
        """Puts the ring's address of a cycle on the stack, without the ring's own."""
        if self.clock < 0:
            code, self.code = self.code, FunctionCode()
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
        self.slot_base(due)
        self.code.const(self.places.ring + slot * _SLOT_BYTES)
        self.code.op(w.ADD)

    def free_slot(self, due: int) -> int:
        used = {p.slot for p in self.pending if p.due == due}
        for slot in range(_RING_SLOTS):
            if slot not in used:
                return slot
        raise _GiveUpError

    def add(
        self, due: int, kind: int, dst: int, size: int, banks: int, op: int, local: int = -1, began: int = 0
    ) -> _Pending:
        """Something more in flight; `began` is the cycle of the stage that makes it (a load's is the fifth)."""
        pending = _Pending(due, self.free_slot(due) if local < 0 else -1, kind, dst, size, banks, op)
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
        self.add(now + fields.latency, _WRITE, fields.dst, 4, 1, op, local, now + stage)

    def vector_later(self, fields: Fields, op: int, due: int, size: int, began: int) -> tuple[int, int]:
        """Room for a vector result; where its bytes go. Readers on its bypass network see it a cycle earlier."""
        if fields.flags & F_BYPASS:
            # Two entries, one slot: the later one's.
            early = self.add(due - 1, _WRITE, fields.dst, size, 2, op, began=began)
            late = self.add(due, _WRITE, fields.dst, size, 1, op, began=began)
            return late.due * 64 + late.slot, early.due * 64 + early.slot
        late = self.add(due, _WRITE, fields.dst, size, 3, op, began=began)
        return late.due * 64 + late.slot, -1

    def copy_slot(self, from_key: int, to_key: int, size: int) -> None:
        self.slot_base(to_key // 64)
        target = self.code.new()
        self.slot_base(from_key // 64)
        source = self.code.new()
        a = self.places.ring + from_key % 64 * _SLOT_BYTES
        b = self.places.ring + to_key % 64 * _SLOT_BYTES
        self._copy(target, b, source, a, size)

    def _copy(self, target: int, to_offset: int, source: int, from_offset: int, size: int) -> None:
        for at in range(0, size, 16):
            self.code.get(target) if target >= 0 else self.code.const(0)
            self.code.get(source) if source >= 0 else self.code.const(0)
            self.code.vector(0, from_offset + at)
            self.code.vector(11, to_offset + at)

    def land(self, now: int) -> None:
        """Results that are due."""
        due = [p for p in self.pending if p.due == now and p.kind == _WRITE]
        if len(due) > 1 and _meet(due):
            raise _GiveUpError  # which of the two stays is not known: the interpreter has its order
        for p in sorted(due, key=lambda p: p.order):
            self.pending.remove(p)
            if p.size == 4:
                if p.local < 0:
                    self.slot_base(now)
                    self.code.memory(w.LOAD, self.places.ring + p.slot * _SLOT_BYTES)
                    p.local = self.code.new()
                self.set_scalar(p.dst, p.local)
                continue
            self.slot_base(now)
            source = self.code.new()
            start = self.places.ring + p.slot * _SLOT_BYTES
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

    def read_late(self, now: int) -> None:
        """Operands that are read in later stages: accumulators, shifts, sources of unpack."""
        for p in [
            p for p in self.pending if p.due == now and p.kind in (_UNPACK, _UPS, _UPS_SHIFTED, _PRODUCT)
        ]:
            self.pending.remove(p)
            fields = self.owner.fields_at[p.op]
            if p.kind == _UPS:
                following = self.add(now + 1, _UPS_SHIFTED, 0, 0, 0, p.op)
                self.code.const(p.op)
                self.slot_address(now, p.slot)
                self.slot_address(following.due, following.slot)
                self.code.call(_FUNCTIONS["t_ups_shift"])
                continue
            due, size = now + 1, 64
            if p.kind == _UPS_SHIFTED:
                due, size = now + fields.latency - 7, fields.size * fields.y // fields.x
            elif p.kind == _PRODUCT:
                due, size = now + fields.latency - 2, 64 if fields.op in ("OP_MAC_F", "OP_ACC_ADD_F") else 128
            key, early = self.vector_later(fields, p.op, due, size, now)
            self.code.const(p.op)
            if p.kind == _UNPACK and fields.op == "OP_VUNPACK":
                self.code.const(0)
            else:
                self.slot_address(now, p.slot)
            self.slot_address(key // 64, key % 64)
            self.code.call(
                _FUNCTIONS[{_UNPACK: "t_unpack", _UPS_SHIFTED: "t_ups", _PRODUCT: "t_accumulate"}[p.kind]]
            )
            if p.kind == _PRODUCT:
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

    # --- Memory.

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
            self.add(now + 1, _WRITE, fields.pointer, 4, 1, op, code.new(), now)
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
            self.add(now + 1, _WRITE, fields.pointer, 4, 1, op, code.new(), now)
            code.const(0)
            code.get(dc)
            code.const(1)
            code.op(w.ADD)
            code.const(0xFFFFF)
            code.op(w.AND)
            code.get(wraps)
            code.op(w.CHOOSE)
            self.add(now + 1, _WRITE, place_of(f"dc{number}").offset, 4, 1, op, code.new(), now)
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
        code.call(_FUNCTIONS["t_bad"])
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
            self.code.call(_FUNCTIONS["t_touch_more" if number else "t_touch"])

    # --- The block.

    def build(self) -> bytes:
        """The function's body."""
        try:
            return self._build()
        except _GiveUpError:
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
                or not _translatable(entry)
                or (now and (entry.blocks or now >= _MAX_BLOCK_BUNDLES))
            ):
                self.finish(now)
                self.go(address, now, self._keep_jump(jump, now))
                return self.code.body()
            self.land(now)
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
        self.code = FunctionCode()
        self._take_shape()
        self.cache.clear()
        self.dirty.clear()
        self.code.load_at(self.places.counter("cycle"))
        self.clock = self.code.new()
        self.hand_over(self.start, -1, 0, self.start_jump)
        return self.code.body()

    def finish(self, now: int) -> None:
        """Everything into memory at the end of a block of `now` bundles; the counters go on."""
        self.flush()
        for p in self.pending:
            if p.local >= 0:
                p.slot = self.free_slot(p.due)
                self.slot_base(p.due)
                self.code.get(p.local)
                self.code.memory(w.STORE, self.places.ring + p.slot * _SLOT_BYTES)
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
            op = 0 if p.kind == _WRITE else p.op
            items.append(InFlight(p.due - now, rank, p.slot, p.kind, p.dst, p.size, p.banks, op))
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
            self.code.const(_PROGRAM_BYTES)
            self.code.op(w.LT_U)
            self.code.when()
            self.code.get(local)
            self.code.const(1)
            self.code.op(w.SHL)
            self.code.memory(w.LOAD, self.places.lookups + table * 2 * _PROGRAM_BYTES)
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
        for p in self.pending:
            code.const(p.kind)
            code.const(p.op)
            code.const(p.due - now)
            code.const(p.dst)
            code.const(p.size)
            code.const(p.banks)
            self.slot_address(p.due, p.slot)
            code.call(_FUNCTIONS["t_push"])
        code.const(0)
        if local >= 0:
            code.get(local)
        else:
            code.const(address)
        code.memory(w.STORE, self.places.word("pc"))
        code.const(0)
        code.leave()

    def _stop(self, following: int, now: int) -> None:
        code = self.code
        code.const(0)
        code.const(1)
        code.memory(w.STORE, self.places.word("stopped"))
        self.hand_over_and(following, now, -STEP_DONE)

    def hand_over_and(self, address: int, now: int, status: int) -> None:
        self.hand_over(address, -1, now)
        # The last thing emitted is `const 0; leave`: the status takes the 0's place.
        del self.code.code[-3:]
        self.code.const(status)
        self.code.leave()

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
        code.load_at(bank + _LE)
        code.const(address)
        code.op(w.EQ)
        code.load_at(bank + _LC)
        count = code.new()
        code.get(count)
        code.const(0)
        code.op(w.NE, w.AND)
        code.when()
        code.const(0)
        code.get(count)
        code.const(1)
        code.op(w.SUB)
        code.memory(w.STORE, bank + _LC)
        code.get(count)
        code.const(1)
        code.op(w.NE)
        code.when()
        code.load_at(bank + _LS)
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

    # --- One bundle.

    def issue(self, entry: PreparedBundle, now: int, jump: _Jump | None) -> _Jump | None:
        """Emits a bundle; the branch it begins, if any."""
        made: _Jump | None = None
        stores: list[tuple[int, Fields, int]] = []
        releases: list[tuple[int, Fields]] = []
        accesses: list[tuple[int, int]] = []
        parts = [p for p in self.pending if p.due == now and p.kind == _PART]
        merged = [self._merge(p, now) for p in parts]
        late = [p for p in self.pending if p.due == now and p.kind == _STORE]
        for p in (*parts, *late):
            self.pending.remove(p)
        for op, f in entry.operations:
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
            elif name in _VECTOR_LOADS:
                self._vector_load(op, f, now, accesses)
            elif name == "OP_STORE_PART":
                address = self.address(f, op, now)
                self.guard(op, address, f.size)
                accesses.append((address, 4))
                self._part(op, f, now, address)
            elif name == "OP_STORE" or name in _VECTOR_STORES:
                stores.append((op, f, self.address(f, op, now)))
            else:
                self._compute(op, f, now)
        for p in late:
            self.code.const(p.op)
            self.slot_address(now, p.slot)
            self.code.call(_FUNCTIONS["t_store_late"])
            self.slot_base(now)
            self.code.memory(w.LOAD, self.places.ring + p.slot * _SLOT_BYTES + 128)
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
            self._release(op, f)
        return made if jump is None else None

    def _branch_in_slot(self, op: int, made: _Jump, jump: _Jump) -> None:
        if made.condition >= 0:
            self.code.get(made.condition)
            self.code.when()
        self.code.const(op)
        self.code.const(jump.address)
        self.code.call(_FUNCTIONS["t_branch_fault"])
        self.code.const(-STEP_FAULT)
        self.code.leave()
        if made.condition >= 0:
            self.code.end()

    def _acquire(self, op: int, f: Fields, address: int) -> None:
        code = self.code
        # Operands are read in front of the condition: what is read inside it is not there behind it.
        number, value = self._operand(f, f.a), self._operand(f, f.b)
        if f.flags & F_CONDITION:
            code.get(self.scalar(_R26))
            code.when()
        code.const(op)
        code.get(number)
        code.get(value)
        code.call(_FUNCTIONS["t_acquire"])
        result = code.new()
        code.get(result)
        code.const(1)
        code.op(w.NE)
        code.when()
        for name, word in (
            ("resume", self.owner.block(self.start, self.shape, self.start_jump)),
            ("pc", address),
        ):
            code.const(0)
            code.const(word)
            code.memory(w.STORE, self.places.word(name))
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

    def _release(self, op: int, f: Fields) -> None:
        number, value = self._operand(f, f.a), self._operand(f, f.b)
        if f.flags & F_CONDITION:
            self.code.get(self.scalar(_R26))
            self.code.when()
        self.code.const(op)
        self.code.get(number)
        self.code.get(value)
        self.code.call(_FUNCTIONS["t_release"])
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
            self.add(now + 4, _WRITE, _LR, 4, 1, op, code.new(), now)
        if f.a == f.imm_at:
            return _Jump(done, op, f.imm & 0xFFFFF, -1, condition, address)
        code.get(self.scalar(f.a - self.owner.bank))
        return _Jump(done, op, None, code.new(), condition, address)

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
            kind = _UPS if f.op == "OP_LOAD_UPS" else _UNPACK
            key = self._key(self.add(now + 6, kind, 0, 0, 0, op))
        else:
            key, early = self.vector_later(f, op, now + f.latency, size, now + 4)
        self.code.const(op)
        self.code.get(address)
        self.slot_address(key // 64, key % 64)
        self.code.call(_FUNCTIONS["t_load"])
        self.check()
        if early >= 0:
            self.copy_slot(key, early, size)

    def _key(self, p: _Pending) -> int:
        return p.due * 64 + p.slot

    def _part(self, op: int, f: Fields, now: int, address: int) -> None:
        """A part-word store: its word is read now, its source and the write come six cycles later."""
        p = self.add(now + 6, _PART, 0, 0, 0, op)
        code = self.code
        self.slot_base(p.due)
        base = code.new()
        start = self.places.ring + p.slot * _SLOT_BYTES
        code.get(base)
        code.get(address)
        code.memory(w.STORE, start)
        code.get(base)
        code.get(address)
        code.const(-4)
        code.op(w.AND)
        code.memory(w.LOAD, 0)
        code.memory(w.STORE, start + 4)

    def _merge(self, p: _Pending, now: int) -> tuple[int, int]:
        """The word that a part-word store writes: locals with its address and its value."""
        code = self.code
        f = self.owner.fields_at[p.op]
        self.slot_base(now)
        base = code.new()
        start = self.places.ring + p.slot * _SLOT_BYTES
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
            p = self.add(now + 2, _STORE, 0, 0, 0, op)
            self.slot_address(p.due, p.slot)
        else:
            code.const(0)
            accesses.append((address, f.size))
        code.call(_FUNCTIONS["t_store"])
        self.check()

    def _compute(self, op: int, f: Fields, now: int) -> None:
        """Everything that touches no memory: scalars inline, vectors by the runtime."""
        code, name = self.code, f.op
        a, b = f.a, f.b
        if name == "OP_EVENT":
            code.const(0)
            code.load_at(self.places.word("events"))
            code.const(1)
            code.op(w.ADD)
            code.memory(w.STORE, self.places.word("events"))
            return
        if name == "OP_DONE":
            return
        if name == "OP_PADD":
            self.address(f, op, now)
            return
        if name in _PRODUCTS or name == "OP_VUNPACK" or name.startswith("OP_V") or name == "OP_ACC_CLEAR":
            self._vector(op, f, now)
            return
        if name == "OP_MOV":
            self.value(f, a)
        elif name in _BINARY:
            self.value(f, a)
            self.value(f, b)
            code.op(_BINARY[name])
        elif name in ("OP_ADD", "OP_SUB"):
            self._sum(op, f, now)
            return
        elif name in ("OP_LSHL", "OP_ASHL"):
            self.value(f, a)
            self.value(f, b)
            code.op(w.SHL)
            self.value(f, a)
            code.const(0)
            self.value(f, b)
            code.op(w.SUB, w.SHR_U if name == "OP_LSHL" else w.SHR_S)
            self.value(f, b)
            code.const(0)
            code.op(w.GE_S, w.CHOOSE)
        elif name == "OP_ABS":
            code.const(0)
            self.value(f, a)
            code.op(w.SUB)
            self.value(f, a)
            self.value(f, a)
            code.const(0)
            code.op(w.LT_S, w.CHOOSE)
        elif name in ("OP_CLZ", "OP_CLB"):
            self.value(f, a)
            if name == "OP_CLB":
                self.value(f, a)
                code.const(31)
                code.op(w.SHR_S, w.XOR)
            code.op(w.CLZ)
        elif name in ("OP_EQZ", "OP_NEZ"):
            self.value(f, a)
            code.op(w.EQZ)
            if name == "OP_NEZ":
                code.op(w.EQZ)
        elif name == "OP_EXTEND":
            self.value(f, a)
            if f.flags & F_SIGNED:
                code.op(w.EXTEND8 if f.x == 8 else w.EXTEND16)
            else:
                code.const((1 << f.x) - 1)
                code.op(w.AND)
        elif name in ("OP_SELEQZ", "OP_SELNEZ"):
            self.value(f, b if name == "OP_SELEQZ" else a)
            self.value(f, a if name == "OP_SELEQZ" else b)
            code.get(self.scalar(_R27))
            code.op(w.CHOOSE)
        elif name == "OP_DIVS":
            self._divide(op, f, now)
            return
        elif name in ("OP_ADC", "OP_SBC"):
            self._sum_with_carry(op, f, now)
            return
        elif name == "OP_MOV_CNTR":
            code.get(self.clock)
            code.const(now)
            code.op(w.ADD)
            self.add(now + f.latency, _WRITE, f.dst, 4, 1, op, code.new(), now)
            code.load_at(self.places.counter("cycle") + 4)
            self.add(now + f.latency, _WRITE, f.dst + 4, 4, 1, op, code.new(), now)
            return
        else:
            raise AssertionError(name)
        self.write_later(f, op, now, code.new())

    def _sum(self, op: int, f: Fields, now: int) -> None:
        code = self.code
        self.value(f, f.a)
        self.value(f, f.b)
        code.op(w.ADD if f.op == "OP_ADD" else w.SUB)
        result = code.new()
        if self.owner.carry_is_read:
            if f.op == "OP_ADD":
                code.get(result)
                self.value(f, f.a)
                code.op(w.LT_U)
            else:
                self.value(f, f.a)
                self.value(f, f.b)
                code.op(w.GE_U)
            self.add(now + 1, _WRITE, _CARRY, 4, 1, op, code.new(), now)
        self.write_later(f, op, now, result)

    def _sum_with_carry(self, op: int, f: Fields, now: int) -> None:
        """a + b + carry, or a + ~b + carry: the carry out is the usual one."""
        code = self.code
        self.value(f, f.a)
        first = code.new()
        self.value(f, f.b)
        if f.op == "OP_SBC":
            code.const(-1)
            code.op(w.XOR)
        second = code.new()
        code.get(self.scalar(_CARRY))
        code.const(1)
        code.op(w.AND)
        carry = code.new()
        code.get(first)
        code.get(second)
        code.op(w.ADD)
        partial = code.new()
        code.get(partial)
        code.get(carry)
        code.op(w.ADD)
        result = code.new()
        code.get(partial)
        code.get(first)
        code.op(w.LT_U)
        code.get(result)
        code.get(partial)
        code.op(w.LT_U, w.OR)
        self.add(now + 1, _WRITE, _CARRY, 4, 1, op, code.new(), now)
        self.write_later(f, op, now, result)

    def _divide(self, op: int, f: Fields, now: int) -> None:
        code = self.code
        quotient = self.scalar(_R31)
        self.value(f, f.a)
        code.const(1)
        code.op(w.SHL)
        code.get(quotient)
        code.const(31)
        code.op(w.SHR_U, w.OR)
        rest = code.new()
        code.get(rest)
        self.value(f, f.b)
        code.op(w.GE_U)
        self.value(f, f.a)
        code.const(31)
        code.op(w.SHR_U, w.OR)
        fits = code.new()
        code.get(rest)
        self.value(f, f.b)
        code.op(w.SUB)
        code.get(rest)
        code.get(fits)
        code.op(w.CHOOSE)
        self.write_later(f, op, now, code.new())
        code.get(quotient)
        code.const(1)
        code.op(w.SHL)
        code.get(fits)
        code.op(w.OR)
        self.add(now + 1, _WRITE, _R31, 4, 1, op, code.new(), now)

    def _vector(self, op: int, f: Fields, now: int) -> None:
        code, name = self.code, f.op
        self.flush_sources(f)
        if name in _PRODUCTS:
            p = self.add(now + 2, _PRODUCT, 0, 0, 0, op)
            code.const(op)
            self.slot_address(p.due, p.slot)
            code.call(_FUNCTIONS["t_product"])
            return
        if name == "OP_VUNPACK":
            self.add(now + 6, _UNPACK, 0, 0, 0, op)
            return
        size = _result_bytes(f)
        mask = -1
        if f.flags & F_MASK:
            lanes = 512 // f.x
            p = self.add(
                now + f.latency, _WRITE, f.dst2 if size else f.dst, 8 if lanes == 64 else 4, 1, op, began=now
            )
            mask = self._key(p)
        key = early = -1
        if size > 8:
            key, early = self.vector_later(f, op, now + f.latency, size, now)
        elif size:
            key = self._key(self.add(now + f.latency, _WRITE, f.dst, size, 1, op, began=now))
        code.const(op)
        self.slot_address(key // 64, key % 64) if key >= 0 else code.const(0)
        self.slot_address(mask // 64, mask % 64) if mask >= 0 else code.const(0)
        code.call(_FUNCTIONS["t_vector"])
        self.check()
        if early >= 0:
            self.copy_slot(key, early, size)


def _meet(due: list[_Pending]) -> bool:
    """Whether results of two instructions land in one register."""
    return any(
        a.op != b.op and a.banks & b.banks and a.dst < b.dst + b.size and b.dst < a.dst + a.size
        for i, a in enumerate(due)
        for b in due[:i]
    )


def _result_bytes(f: Fields) -> int:
    """The bytes of a vector instruction's result; 0 for a mask alone."""
    if f.op in ("OP_VLT", "OP_VGE", "OP_VEQZ", "OP_VLT_BF16", "OP_VGE_BF16"):
        return 0
    if f.op == "OP_VEXTRACT":
        return 8 if f.x == 64 else 4
    if f.op in ("OP_VMOV", "OP_ACC_CLEAR", "OP_VSRS"):
        return f.size
    if f.op in ("OP_VPACK", "OP_VCONV_BF16"):
        return 32
    if f.op == "OP_VUPS":
        return f.size * f.y // f.x
    return 64
