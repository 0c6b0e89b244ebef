"""Which `scf.for` loops that use objectFifos are unrolled, and how far, so that each access has one buffer.

A loop that directly holds acquires is unrolled by the least common multiple of the depths of the fifos
acquired in it, inner loops first. What remains of the trips is unrolled fully. So a remainder of an inner
loop puts its acquires directly into the outer loop, which is then unrolled too. Each loop is unrolled by its
own factor; MLIR-AIE takes that of the first loop for all loops of its block, and crashes when they differ.
"""

from __future__ import annotations

from math import lcm

from npuninja.errors import UserError
from npuninja.ir.core import Block, Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.control_flow.unrolling import (
    MAX_UNROLLED_OPERATIONS,
    remove_dead_loop,
    trip_count,
    unroll,
)
from npuninja.lowering.objectfifo.model import ObjectFifo
from npuninja.lowering.op_builders import constant_value

#: A loop with at least this many trips is one that never ends: its remainder is never reached.
ENDLESS_TRIPS = 1 << 31


def unroll_by_own_accesses(core: Operation, fifo_of: dict[str, ObjectFifo]) -> None:
    """Unrolls the loops of a core as MLIR-AIE of August 2026 does, in place, inner loops first.

    The factor of a loop is the least common multiple of the depths of the fifos that it acquires or releases
    itself, not in a loop within it, in the text as written; what remains of the trips is unrolled fully. A
    loop with unknown trips or too many copies stays as it is.

    Source: AIEObjectFifoStatefulTransform.cpp (annotateUnrollHints), AIEObjectFifoUnroll.cpp.
    """
    depths: dict[int, list[int]] = {}
    loops: list[Operation] = []
    for op in core.walk():
        if op.name == "scf.for":
            loops.append(op)
        elif op.name in ("aie.objectfifo.acquire", "aie.objectfifo.release"):
            fifo, loop = fifo_of.get(op.symbol("objFifo_name")), op.enclosing("scf.for")
            if fifo is not None and loop is not None:
                depths.setdefault(id(loop), []).append(max(fifo.depth, 1))
    for loop in reversed(loops):  # an outer loop comes before those within it
        factor, trips = lcm(*depths.get(id(loop), [1])), trip_count(loop)
        if factor == 1 or trips is None or _copies(loop, trips, factor) > MAX_UNROLLED_OPERATIONS:
            continue
        if trips == 0:
            remove_dead_loop(loop)
        else:
            unroll(loop, trips, min(factor, trips), _remainder(trips, factor), False)


def unroll_fifo_loops(core: Operation, fifo_of: dict[str, ObjectFifo]) -> list[int]:
    """Unrolls the loops of a core in place and returns the factors above 1, each once, in ascending order.

    Raises:
        UserError: the trips of an acquiring loop are not known, or its copies would be too many.
    """
    factors: set[int] = set()
    for region in core.regions:
        for block in region.blocks:
            _unroll_in(block, fifo_of, factors)
    return sorted(factors - {1})


def _unroll_in(block: Block, fifo_of: dict[str, ObjectFifo], factors: set[int]) -> bool:
    """Unrolls the loops in a block; says if the last became, or left, more than one straight trip in it."""
    straight = False
    for op in list(block.ops):
        inner_straight = False
        for region in op.regions:
            for inner in region.blocks:
                inner_straight = _unroll_in(inner, fifo_of, factors)
        if op.name != "scf.for":
            straight = inner_straight or straight
            continue
        factor = _factor(op, fifo_of)
        if factor is None:
            continue
        trips = trip_count(op)
        factors.add(factor)
        if trips is None:
            raise UserError(
                "a loop that acquires objects of objectFifos must have constant bounds",
                op.loc,
                hint="give constant bounds, or set dynamic_objfifo_lowering = true on the core",
            )
        if trips == 0:
            remove_dead_loop(op)
            continue
        remainder = _remainder(trips, factor)
        # A loop that never ends does not reach its remainder: one that would be long anyway stays a loop, as
        # in MLIR-AIE, unless it is a single trip.
        keep = trips >= ENDLESS_TRIPS and inner_straight and remainder > 1
        unroll(op, trips, min(factor, trips), remainder, keep)
        straight = trips <= factor or (remainder > 1 and not keep)
    return straight


def _remainder(trips: int, factor: int) -> int:
    """How many trips are left when a loop runs `factor` of them at once."""
    return trips % factor if trips > factor else 0


def _copies(loop: Operation, trips: int, factor: int) -> int:
    """How many operations an unrolled loop has."""
    return (min(factor, trips) + _remainder(trips, factor)) * sum(1 for _ in loop.walk())


def _factor(loop: Operation, fifo_of: dict[str, ObjectFifo]) -> int | None:
    """The unroll factor of a loop, or None when it holds no acquire directly."""
    depths = [
        fifo.depth
        for op in loop.body.ops
        if op.name == "aie.objectfifo.acquire"
        and (fifo := fifo_of.get(op.symbol("objFifo_name"))) is not None
    ]
    return lcm(*(max(depth, 1) for depth in depths)) if depths else None


def is_unreachable(loop: Operation) -> bool:
    """Whether a loop is what is left of one that never ends."""
    low = constant_value(operand(loop, "lowerBound"))
    return low is not None and low >= ENDLESS_TRIPS - 1
