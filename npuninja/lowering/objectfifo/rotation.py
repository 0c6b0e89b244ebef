"""What a core holds of objectFifos at a place of its code, numbers or values; and what can be known of them.

`Outlooker` only looks at code and says which numbers are known after it; `rotating` writes the code.
"""

from __future__ import annotations

from npuninja.ir.core import Block, Operation, Value
from npuninja.lowering.objectfifo.model import ObjectFifos
from npuninja.lowering.objectfifo.split import ACCESSES, ACQUIRE, FifoPort, key_of
from npuninja.records import NamedTuple

#: A number of a port: known, or an i32 in the code.
Number = int | Value
#: The same while code is only looked at: known, or not.
KnownNumber = int | None
#: One of the two numbers of one port: `first` or `held`.
RotationField = tuple[FifoPort, str]


class Rotation(NamedTuple):
    """What a core holds of one port at a place of its code, numbers known or values."""

    first: Number
    held: Number


class Outlook(NamedTuple):
    """A `Rotation` of which only known numbers are kept."""

    first: KnownNumber
    held: KnownNumber


Rotations = dict[FifoPort, Rotation]
Outlooks = dict[FifoPort, Outlook]
_NOTHING_KNOWN = Outlook(None, None)


class Outlooker:
    """Looks at code without a change.

    Attributes:
        keys: the ports that the core acquires.
    """

    def __init__(self, core: Operation, fifos: ObjectFifos) -> None:
        self.fifos = fifos
        self.keys = list(dict.fromkeys(key_of(op) for op in core.walk() if op.name == ACQUIRE))

    def behind(self, block: Block, state: Outlooks) -> Outlooks:
        """What is known after a block."""
        state = dict(state)
        for op in block.ops:
            if op.name in ACCESSES:
                key = key_of(op)
                if key in state:
                    state[key] = self._moved(op, state[key])
            elif op.regions and (touched := self.touched(op)):
                state.update(self._behind_operation(op, {key: state[key] for key in touched}))
        return state

    def _moved(self, op: Operation, before: Outlook) -> Outlook:
        size = op.integer("size")
        if op.name == ACQUIRE:
            return Outlook(before.first, None if before.held is None else max(before.held, size))
        depth = max(self.fifos.by_name[key_of(op)[0]].depth, 1)
        index = 0 if depth == 1 else None if before.first is None else (before.first + size) % depth
        return Outlook(index, None if before.held is None else before.held - size)

    def _behind_operation(self, op: Operation, state: Outlooks) -> Outlooks:
        if any(len(region.blocks) > 1 for region in op.regions):
            return dict.fromkeys(state, _NOTHING_KNOWN)
        blocks = [region.blocks[0] for region in op.regions if region.blocks]
        if op.name == "scf.for":
            return self.at_every_trip(blocks, state)
        if op.name == "scf.while":
            return self.behind(blocks[0], self.at_every_trip(blocks, state))
        ends = [self.behind(block, state) for block in blocks]
        if op.name == "scf.if" and len(blocks) < 2:
            ends.append(state)
        known = ends[0]
        for end in ends[1:]:
            known = _joined(known, end)
        return known

    def at_every_trip(self, blocks: list[Block], state: Outlooks) -> Outlooks:
        """What is known at the start of every trip of a loop, from what is known at the first trip's.

        The loop's blocks run one after the other.
        """
        while True:
            joined = _joined(state, self.behind_all(blocks, state))
            if joined == state:
                return state
            state = joined

    def behind_all(self, blocks: list[Block], state: Outlooks) -> Outlooks:
        """What is known behind blocks that run one after the other."""
        for block in blocks:
            state = self.behind(block, state)
        return state

    def at_start(self, loop: Operation, state: Rotations, touched: list[FifoPort]) -> Outlooks:
        """What is known of the touched ports at the start of every trip."""
        entry = outlooks({key: state[key] for key in touched})
        if any(len(region.blocks) > 1 for region in loop.regions):
            return dict.fromkeys(entry, _NOTHING_KNOWN)
        return self.at_every_trip([region.entry for region in loop.regions], entry)

    def touched(self, op: Operation) -> list[FifoPort]:
        """The ports whose numbers an operation with regions may change."""
        inside = {key_of(inner) for inner in op.walk() if inner.name in ACCESSES}
        return [key for key in self.keys if key in inside]


def _joined(a: Outlooks, b: Outlooks) -> Outlooks:
    return {key: Outlook(*(x if x == y else None for x, y in zip(a[key], b[key], strict=True))) for key in a}


def outlooks(state: Rotations) -> Outlooks:
    """What is known of a state."""
    return {key: Outlook(*(n if isinstance(n, int) else None for n in port)) for key, port in state.items()}


def unknown(known: Outlooks) -> list[RotationField]:
    """The numbers that are not known."""
    return [
        (key, field)
        for key, port in known.items()
        for field, number in zip(Outlook._fields, port)
        if number is None
    ]


def with_known(state: Rotations, known: Outlooks) -> Rotations:
    """A state with what is known of some ports; what is not known is filled in by the caller."""
    changed = dict(state)
    for key, port in known.items():
        changed[key] = Rotation(*(old if n is None else n for n, old in zip(port, state[key])))
    return changed


def with_values(state: Rotations, fields: list[RotationField], values: list[Value]) -> Rotations:
    """A state with some of its numbers replaced by values."""
    changed = dict(state)
    for (key, field), value in zip(fields, values):
        changed[key] = changed[key]._replace(**{field: value})
    return changed


def differing(before: Rotations, ends: list[Rotations]) -> list[RotationField]:
    """The numbers that are not the same at all ends of a condition, or are values made in its branches."""
    return [
        (key, field)
        for key in before
        for field in Rotation._fields
        if any(_differs(getattr(end[key], field), ends[0][key], before[key], field) for end in ends)
    ]


def _differs(number: Number, other: Rotation, before: Rotation, field: str) -> bool:
    made_inside = isinstance(number, Value) and number is not getattr(before, field)
    return number != getattr(other, field) or made_inside
