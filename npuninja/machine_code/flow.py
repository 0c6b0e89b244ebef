"""Control flow of machine code: branches with delay slots, zero-overhead loops, basic blocks, functions.

Rules (aie2-isa §4): the five bundles after a branch are issued, then its target. A zero-overhead loop goes
from the bundle at `ls` to the one at `le`; both are constants in every program known.
"""

from __future__ import annotations

import bisect

from npuninja import TYPE_CHECKING
from npuninja.machine_code.decode import Bundle, Decoded
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator, Mapping, Sequence

#: Bundles that are issued after a branch before its target.
DELAY_SLOTS = 5
#: Mnemonics that change the program counter: whether the way straight on is possible too.
BRANCHES = {"j": False, "jl": True, "jz": True, "jnz": True, "jnzd": True, "ret lr": False}
CALLS = frozenset({"jl"})
#: How far apart the writes of `ls` and `le` of one loop may be, in bundles.
_LOOP_SETUP_BUNDLES = 64


class Branch(NamedTuple):
    """A branch: its bundle's address, its mnemonic, its target (None when it is in a register), and the
    address after its delay slots (None when the program ends before).
    """

    address: int
    mnemonic: str
    target: int | None
    after: int | None

    @property
    def is_call(self) -> bool:
        """Whether it comes back to `after`."""
        return self.mnemonic in CALLS


class Loop(NamedTuple):
    """A zero-overhead loop: its body's first bundle and last one, and its trips where they are a constant."""

    start: int
    end: int
    trips: int | None


class FlowBlock(NamedTuple):
    """Bundles that are issued in a row: the first one's address, the end, how many: its issue cycles."""

    start: int
    end: int
    cycles: int


class ControlFlow(NamedTuple):
    """What is known of the control flow of one program.

    Attributes:
        bundles: by address.
        branches: by the address of the bundle they are in.
        delay_slots: address of a bundle -> (its number from 1, address of the branch).
        loops: by the address of their last bundle.
        blocks: in order of address.
        calls: addresses that something calls.
    """

    bundles: dict[int, Bundle]
    branches: dict[int, Branch]
    delay_slots: dict[int, tuple[int, int]]
    loops: dict[int, Loop]
    blocks: tuple[FlowBlock, ...]
    calls: frozenset[int]

    def block_at(self, address: int) -> FlowBlock | None:
        """The block that begins at an address."""
        return next((b for b in self.blocks if b.start == address), None)


def branch_of(bundle: Bundle) -> Decoded | None:
    """The instruction of a bundle that changes the program counter, or None."""
    for decoded in bundle.instructions:
        if decoded.instruction.mnemonic in BRANCHES:
            return decoded
    return None


def ends_core(bundle: Bundle) -> bool:
    """Whether a core comes to its end in a bundle."""
    return any(decoded.instruction.mnemonic == "done" for decoded in bundle.instructions)


def target_of(decoded: Decoded) -> int | None:
    """The address that a branch names, None when a register has it."""
    for value in decoded.operands:
        if isinstance(value, int):
            return value
    return None


def _constant(bundle: Bundle, register: str) -> int | None:
    """The constant that a bundle writes into a register, or None."""
    for decoded in bundle.instructions:
        if decoded.instruction.mnemonic in ("movxm", "mov", "movx", "mova") and decoded.operands[:1] == (
            register,
        ):
            value = decoded.operands[1] if len(decoded.operands) > 1 else None
            return value if isinstance(value, int) else None
    return None


def analyse(
    bundles: Sequence[Bundle], leaders: Sequence[int] = (), fixed: Mapping[int, int] | None = None
) -> ControlFlow:
    """The control flow of bundles in order of address.

    Args:
        bundles: of the program.
        leaders: further addresses where blocks begin, such as symbols.
        fixed: constants that relocations give to the bundles at these addresses, in an object.
    """
    by_address = {bundle.address: bundle for bundle in bundles}
    fixed = fixed or {}
    found = list(_loops(bundles, by_address, fixed))
    loops = {loop.end: loop for loop in found}
    branches: dict[int, Branch] = {}
    delay_slots: dict[int, tuple[int, int]] = {}
    for index, bundle in enumerate(bundles):
        decoded = branch_of(bundle)
        if decoded is None:
            continue
        address = bundle.address
        slots = bundles[index + 1 : index + 1 + DELAY_SLOTS]
        after = slots[-1].end if len(slots) == DELAY_SLOTS else None
        target = fixed.get(address, target_of(decoded))
        branches[address] = Branch(address, decoded.instruction.mnemonic, target, after)
        delay_slots.update({slot.address: (number, address) for number, slot in enumerate(slots, 1)})
    begins = {*leaders, *(loop.start for loop in found), *(by_address[end].end for end in loops)}
    begins |= {at for branch in branches.values() for at in (branch.after, branch.target) if at is not None}
    calls = frozenset(b.target for b in branches.values() if b.is_call and b.target is not None)
    return ControlFlow(by_address, branches, delay_slots, loops, _blocks(bundles, begins), calls)


def _loops(
    bundles: Sequence[Bundle], by_address: Mapping[int, Bundle], fixed: Mapping[int, int]
) -> Iterator[Loop]:
    """Zero-overhead loops: of writes of `ls` and `le` that are near each other."""
    latest: dict[str, tuple[int, int]] = {}
    for index, bundle in enumerate(bundles):
        for register in ("ls", "le"):
            value = _constant(bundle, register)
            if value is not None:
                latest[register] = index, fixed.get(bundle.address, value)
        if len(latest) == 2:
            (start_index, start), (end_index, end) = latest.pop("ls"), latest.pop("le")
            is_near = abs(start_index - end_index) <= _LOOP_SETUP_BUNDLES
            if is_near and start <= end and start in by_address and end in by_address:
                yield Loop(start, end, _trips(bundles, start))


def _trips(bundles: Sequence[Bundle], start: int) -> int | None:
    """How often a loop's body is issued: the constant in the last write of `lc` before it, if it is one."""
    place = bisect.bisect_left([b.address for b in bundles], start)
    for bundle in reversed(bundles[max(0, place - _LOOP_SETUP_BUNDLES) : place]):
        if branch_of(bundle) is not None:
            return None
        if any(d.operands[:1] == ("lc",) for d in bundle.instructions):
            return _constant(bundle, "lc")
    return None


def _blocks(bundles: Sequence[Bundle], begins: set[int]) -> tuple[FlowBlock, ...]:
    blocks: list[FlowBlock] = []
    for index, bundle in enumerate(bundles):
        gap = index > 0 and bundles[index - 1].end != bundle.address
        if not blocks or bundle.address in begins or gap:
            blocks.append(FlowBlock(bundle.address, bundle.end, 1))
        else:
            start, _, cycles = blocks[-1]
            blocks[-1] = FlowBlock(start, bundle.end, cycles + 1)
    return tuple(blocks)
