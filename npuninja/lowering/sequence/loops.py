"""Loops in runtime sequences: the array's controller has no branches, so every trip is written out."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.ir.numbers import entries, static_entries
from npuninja.ir.syntax import group
from npuninja.lowering.control_flow.condition_simplification import simplify_conditions_in
from npuninja.lowering.control_flow.constant_folding import fold_constants_in
from npuninja.lowering.control_flow.unrolling import trip_count, unroll_entirely
from npuninja.lowering.lookup import sequences
from npuninja.lowering.op_builders import known_number
from npuninja.lowering.tiles import ops_of

#: More operations than this in one sequence are a mistake: each is several words of instructions.
MAX_OPERATIONS = 100_000


def unroll_sequence_loops(device: Operation) -> None:
    """Writes out the loops of a device's sequences; what is computed from their counters becomes numbers.

    Raises:
        UserError: the bounds of a loop, or a condition, are not constants, or the result is too long.
    """
    for sequence in sequences(device):
        names = {op.name for op in sequence.walk()}
        if any(name.startswith("arith.") and name != "arith.constant" for name in names):
            fold_constants_in(sequence)
        if any(name.startswith("scf.") for name in names):
            _unroll(sequence)
            for op in sequence.walk():
                if op.name.startswith("scf.") and op.name != "scf.yield":
                    raise UserError(
                        f"{op.name} in a runtime sequence needs constant bounds or a constant condition",
                        op.loc,
                    )
                if op.name == "aiex.npu.dma_memcpy_nd":
                    _make_static(op)
            fold_constants_in(sequence)


def _unroll(sequence: Operation) -> None:
    """Writes out the loops, outer ones first: the bounds of an inner one may depend on an outer counter."""
    length = sum(1 for _ in sequence.walk())
    is_first = True
    while True:
        fold_constants_in(sequence)
        simplify_conditions_in(sequence)
        if is_first:  # said before it is written out, which takes a while
            for outer in ops_of(sequence, "scf.for"):
                if _least_operations(outer) > MAX_OPERATIONS:
                    raise _too_long(outer, trip_count(outer) or 1)
            is_first = False
        loops = ((op, trip_count(op)) for op in sequence.walk() if op.name == "scf.for")
        op, trips = next(((op, trips) for op, trips in loops if trips), (None, None))
        if op is None or trips is None:
            return
        length += (trips - 1) * sum(1 for _ in op.walk())
        if length > MAX_OPERATIONS:
            raise _too_long(op, trips)
        unroll_entirely(op, trips)


def _least_operations(op: Operation) -> int:
    """How many operations one stands for, with loops inside whose bounds are known."""
    inside = sum(
        _least_operations(inner) for region in op.regions for block in region.blocks for inner in block.ops
    )
    trips = trip_count(op) if op.name == "scf.for" else None
    return 1 + inside * (1 if trips is None else trips)


def _too_long(loop: Operation, trips: int) -> UserError:
    return UserError(
        f"the runtime sequence would have more than {MAX_OPERATIONS} operations with this loop's "
        f"{trips} trips",
        loop.loc,
        hint="let the DMA repeat: use the outermost size of the transfer, or repeat_count",
    )


def _make_static(op: Operation) -> None:
    """Numbers instead of constant operands in the offsets, sizes and strides of a transfer."""
    operands, segments = group(op, "memref"), [1]
    for what in ("offsets", "sizes", "strides"):
        found = list(map(known_number, entries(op, what)))
        op.attributes[f"static_{what}"] = static_entries(found)
        kept = [entry for entry in found if isinstance(entry, Value)]
        operands += kept
        segments.append(len(kept))
    op.operands, op.segments = operands, tuple(segments)
