"""What is on its way when a block ends, and where the runtime keeps registers and results."""

from __future__ import annotations

from typing import Protocol

from npuninja.machine_code.core_runtime import RuntimeAddresses
from npuninja.machine_code.families.fields import Fields
from npuninja.machine_code.prepare import PreparedBundle
from npuninja.machine_code.registers import place_of
from npuninja.records import NamedTuple

RING_SLOTS, SLOT_BYTES = 8, 256

SP, SPECIAL = place_of("sp").offset, place_of("lr").offset
LS, LE, LC = (place_of(n).offset for n in ("ls", "le", "lc"))
SCALARS_END = place_of("q0").offset
CARRY = place_of("srCarry").offset
R26, R27, R28, R29, R31, LR = (place_of(n).offset for n in ("r26", "r27", "r28", "r29", "r31", "lr"))
STREAM_IN_THERE, STREAM_OUT_TAKEN = (place_of(n).offset for n in ("srSS0", "srMS0"))

#: Kinds of what is in flight, as T_… of runtime/core.h numbers them.
WRITE, PART, STORE, UNPACK, UPS, UPS_SHIFTED, PRODUCT, CASCADE, MAYBE = range(9)
#: What the translated module imports from the runtime: parameters and results.
IMPORTS = {
    "t_bad": (2, 0), "t_branch_fault": (2, 0), "t_touch": (2, 0), "t_touch_more": (2, 0), "t_acquire": (3, 1),
    "t_release": (4, 1), "t_vector": (3, 1), "t_load": (3, 1), "t_ups_shift": (3, 0), "t_ups": (3, 0),
    "t_unpack": (3, 0), "t_product": (2, 0), "t_accumulate": (3, 1), "t_store": (3, 1), "t_store_now": (2, 0),
    "t_stack": (1, 0), "t_push": (8, 0), "t_gather": (2, 1), "t_ports": (3, 1), "t_received": (1, 1), "t_try_get": (1, 1),
    "t_try_put": (1, 1),
}  # fmt: skip
RUNTIME_FUNCTIONS = {name: number for number, name in enumerate(IMPORTS)}

PRODUCTS = {"OP_MAC", "OP_MAC_F", "OP_ACC_ADD", "OP_ACC_ADD_F", "OP_ACC_COPY"}


class InFlight(NamedTuple):
    """Something on its way: due in so many cycles, behind others of that cycle, made by a stage that begins
    in so many cycles (a load's does later than its memory is read here), in this slot of the ring's cycle;
    what it is, where it goes.
    """

    due: int
    rank: int
    begins: int
    slot: int
    kind: int
    dst: int
    size: int
    banks: int
    op: int


InFlightShape = tuple[InFlight, ...]


class JumpInFlight(NamedTuple):
    """A branch in whose delay slots a block begins: bundles still to be issued, the target (None: in the
    state), whether it depends on a condition (in the state), the address of the branch.
    """

    left: int
    target: int | None
    is_conditional: bool
    address: int


class Pending:
    """In flight inside a block; a scalar result is in a local until the block ends."""

    __slots__ = ("banks", "dst", "due", "kind", "local", "op", "order", "size", "slot")

    def __init__(self, due: int, slot: int, kind: int, dst: int, size: int, banks: int, op: int) -> None:
        self.due, self.slot, self.kind = due, slot, kind
        self.dst, self.size, self.banks, self.op = dst, size, banks, op
        self.local = -1
        self.order = (0, 0)  # of what is due in the same cycle: when its stage began, and which came first

    @property
    def key(self) -> int:
        """Its cycle and slot in one number."""
        return self.due * 64 + self.slot


class GiveUpError(Exception):
    """A block that only the interpreter does right."""


class Owner(Protocol):
    """What a block asks the translation of its program for.

    Attributes:
        program: bundles by address.
        addresses: of the runtime's tables.
        bank, bypass: addresses of the two banks of registers.
        fields_at: operations by their address in the runtime.
        loop_ends: every constant that is ever put into `le`.
        loop_starts: of the loops that are known, by their ends.
        carry_is_read: whether anything in the program reads the carry.
        return_sites: by the address of a return, where it may lead.
    """

    program: dict[int, PreparedBundle]
    addresses: RuntimeAddresses
    bank: int
    bypass: int
    fields_at: dict[int, Fields]
    loop_ends: set[int]
    loop_starts: dict[int, int]
    carry_is_read: bool
    return_sites: dict[int, set[int]]

    def block(self, address: int, shape: InFlightShape, jump: JumpInFlight | None = None) -> int:
        """The number of a block; 0 when there shall be none."""

    def lookup(self, shape: InFlightShape) -> int:
        """The number of the lookup table of a shape, -1 when there are too many."""


def is_translatable(entry: PreparedBundle) -> bool:
    """Whether translated code has all that a bundle does."""
    # A bundle may wait for one thing at a time here: one that has a lock and a port is interpreted.
    if entry.blocks and entry.waits_for_port:
        return False
    return "OP_UNSUPPORTED" not in [f.op for _, f in entry.operations]
