"""Unrolling of `scf.for` loops that use objectFifos, so that each access has one buffer.

A loop that directly holds acquires is unrolled by the least common multiple of the depths of the fifos
acquired in it, inner loops first. What remains of the trips is unrolled fully. So a remainder of an inner
loop puts its acquires directly into the outer loop, which is then unrolled too. Each loop is unrolled by its
own factor; MLIR-AIE takes that of the first loop for all loops beside it, and crashes when they differ.
"""

from __future__ import annotations

from math import lcm

from npuninja.errors import UserError
from npuninja.ir.core import Block, Operation, Region, Value, clone
from npuninja.ir.syntax import group, operand
from npuninja.lowering.objectfifo.model import ObjectFifo
from npuninja.lowering.op_builders import constant, constant_value

#: A loop with at least this many trips is one that never ends: its remainder is never reached.
ENDLESS_TRIPS = 1 << 31


_LARGEST_INDEX = (1 << 63) - 1
#: Operations of an unrolled loop: a core has 16 KiB of program memory; each takes an instruction or more.
MAX_UNROLLED_OPERATIONS = 50_000


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
            _remove_dead_loop(loop)
        else:
            _unroll(loop, trips, min(factor, trips), _remainder(trips, factor), False)


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
            _remove_dead_loop(op)
            continue
        remainder = _remainder(trips, factor)
        # A loop that never ends does not reach its remainder: one that would be long anyway stays a loop, as
        # in MLIR-AIE, unless it is a single trip.
        keep = trips >= ENDLESS_TRIPS and inner_straight and remainder > 1
        _unroll(op, trips, min(factor, trips), remainder, keep)
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


def trip_count(loop: Operation) -> int | None:
    """How often an `scf.for` runs, or None when its bounds are not constants or its step is not positive."""
    low, high, step = map(constant_value, _bounds(loop))
    if low is None or high is None or step is None or step <= 0:
        return None
    return max(0, -(-(high - low) // step))


def _bounds(loop: Operation) -> tuple[Value, Value, Value]:
    return operand(loop, "lowerBound"), operand(loop, "upperBound"), operand(loop, "step")


def _counting(loop: Operation) -> tuple[int, int, str]:
    """Where a loop with constant bounds starts, its step, and their type."""
    start = operand(loop, "lowerBound")
    low, step = constant_value(start), constant_value(operand(loop, "step"))
    assert low is not None, loop
    assert step is not None, loop
    return low, step, start.type


def terminator_values(block: Block) -> list[Value]:
    """What the (often omitted) `scf.yield` of a block yields."""
    return block.ops[-1].operands if block.ops and block.ops[-1].name == "scf.yield" else []


def _body_ops(block: Block) -> list[Operation]:
    return [op for op in block.ops if op.name != "scf.yield"]


def _remove_dead_loop(loop: Operation) -> None:
    _replace_results(loop, group(loop, "initArgs"))
    loop.erase()


def _replace_results(loop: Operation, values: list[Value]) -> None:
    if loop.results:
        top = loop.enclosing("aie.core") or loop.parent_op
        assert top is not None
        top.replace_uses(dict(zip(loop.results, values)))


def unroll_entirely(loop: Operation, trips: int) -> None:
    """Replaces a loop with constant bounds by its trips, of which there is at least one, as straight code."""
    _unroll(loop, trips, trips, 0, False)


def peel_first_trip(loop: Operation) -> list[Operation]:
    """Puts the first trip of a loop with constant bounds, of which there are at least two, before the loop.

    Returns:
        The operations of that trip, in order.
    """
    low, step, type = _counting(loop)
    first: list[Operation] = []
    carried = _straight(loop, low, step, 1, type, group(loop, "initArgs"), first)
    start = constant(low + step, type)
    for op in (*first, start):
        loop.insert_before(op)
    _, high, by = _bounds(loop)
    loop.operands = [start.result, high, by, *carried]
    return first


def _unroll(loop: Operation, trips: int, factor: int, remainder: int, keep_remainder: bool) -> None:
    """Replaces a loop by one of `factor` copies of its body a trip, and code for the other trips behind."""
    low, step, type = _counting(loop)
    carried = group(loop, "initArgs")
    main_trips = (trips - remainder) // factor
    end = low + main_trips * factor * step
    _check_unrolled(loop, factor, remainder, end)
    before: list[Operation] = []
    if main_trips == 1:
        carried = _straight(loop, low, step, factor, type, carried, before)
    else:
        main = loop
        if remainder or factor > 1:
            main = _main_loop(loop, end, step, factor, type, before)
        before.append(main)
        carried = main.results
    if remainder:
        if keep_remainder:
            carried = _remainder_loop(loop, end, type, carried, before)
        else:
            carried = _straight(loop, end, step, remainder, type, carried, before)
    block = loop.parent
    assert block is not None
    at = block.ops.index(loop)
    block.ops.pop(at)
    for i, op in enumerate(before):
        block.insert(at + i, op)
    if loop.results and before[-1] is not loop:
        owner = block.parent.parent if block.parent is not None else None
        assert owner is not None
        top = owner if owner.name == "aie.core" else owner.enclosing("aie.core") or owner
        top.replace_uses(dict(zip(loop.results, carried)))


def _check_unrolled(loop: Operation, factor: int, remainder: int, end: int) -> None:
    """UserError when the copies are too many, or the number at which the main loop ends is too large."""
    count = (factor + remainder) * sum(1 for _ in loop.walk())
    if count > MAX_UNROLLED_OPERATIONS:
        raise UserError(
            f"the loop becomes {factor} copies of its body, {count} operations; at most "
            f"{MAX_UNROLLED_OPERATIONS} are possible",
            loop.loc,
            hint="the depths of the objectFifos it takes from have a large common multiple: make them alike",
        )
    if factor > 1 and end > _LARGEST_INDEX:
        raise UserError(
            f"the loop's last number, {end}, is more than 64 bits hold: "
            "MLIR-AIE makes a core of it whose loop never runs",
            loop.loc,
            hint="let an endless loop count in steps of 1",
        )


def _main_loop(
    loop: Operation, high: int, step: int, factor: int, type: str, out: list[Operation]
) -> Operation:
    """A loop up to `high` with `factor` copies of the body; its constants go to `out`."""
    bounds = [constant(high, type), constant(step * factor, type)]
    out += bounds
    source = loop.body
    args = [Value(arg.type, arg.name) for arg in source.args]
    body = Block(args)
    carried: list[Value] = args[1:]
    for copy in range(factor):
        induction = args[0]
        ops: list[Operation] = []
        if copy and _is_used(source, source.args[0]):
            induction = _advance(args[0], operand(loop, "step"), copy, type, ops)
        carried = _copy_body(source, induction, carried, ops)
        for op in ops:
            body.append(op)
    if carried:
        body.append(Operation("scf.yield", list(carried)))
    return Operation(
        "scf.for",
        [operand(loop, "lowerBound"), bounds[0].result, bounds[1].result, *group(loop, "initArgs")],
        dict(loop.attributes),
        tuple(result.type for result in loop.results),
        [Region([body])],
        segments=loop.segments,
        loc=loop.loc,
        result_names=tuple(result.name for result in loop.results),
    )


def _straight(
    loop: Operation, start: int, step: int, copies: int, type: str, carried: list[Value], out: list[Operation]
) -> list[Value]:
    """`copies` trips from `start` as straight code in `out`; returns what the last one yields."""
    source = loop.body
    first: Value | None = None
    if _is_used(source, source.args[0]):
        out.append(constant(start, type))
        first = out[-1].result
    for copy in range(copies):
        induction = source.args[0]
        if first is not None:
            induction = _advance(first, operand(loop, "step"), copy, type, out) if copy else first
        carried = _copy_body(source, induction, carried, out)
    return carried


def _remainder_loop(
    loop: Operation, start: int, type: str, carried: list[Value], out: list[Operation]
) -> list[Value]:
    values: dict[Value, Value] = {}
    rest = clone(loop, values)
    out.append(constant(start, type))
    _, high, step = _bounds(rest)
    rest.operands = [out[-1].result, high, step, *carried]
    out.append(rest)
    return rest.results


def _advance(induction: Value, step: Value, copy: int, type: str, out: list[Operation]) -> Value:
    """`induction + step * copy`, as operations; the constants among them are folded later if at all."""
    number = constant(copy, type)
    product = Operation("arith.muli", [step, number.result], {}, (type,))
    total = Operation("arith.addi", [induction, product.result], {}, (type,))
    out += [number, product, total]
    return total.result


def _copy_body(source: Block, induction: Value, carried: list[Value], out: list[Operation]) -> list[Value]:
    values: dict[Value, Value] = {source.args[0]: induction, **dict(zip(source.args[1:], carried))}
    out += [clone(op, values) for op in _body_ops(source)]
    return [values.get(value, value) for value in terminator_values(source)]


def _is_used(block: Block, value: Value) -> bool:
    return any(op.uses(value) for op in block.ops)
