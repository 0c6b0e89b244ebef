"""Loops with constant bounds written out: how often an `scf.for` runs, and its trips as straight code."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Block, Operation, Region, Value, clone
from npuninja.ir.syntax import group, operand
from npuninja.lowering.op_builders import constant, constant_value

_LARGEST_INDEX = (1 << 63) - 1
#: Operations of an unrolled loop: a core has 16 KiB of program memory; each takes an instruction or more.
MAX_UNROLLED_OPERATIONS = 50_000


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


def remove_dead_loop(loop: Operation) -> None:
    """Takes out a loop that never runs; its results are what it starts with."""
    _replace_results(loop, group(loop, "initArgs"))
    loop.erase()


def _replace_results(loop: Operation, values: list[Value]) -> None:
    if loop.results:
        top = loop.enclosing("aie.core") or loop.parent_op
        assert top is not None
        top.replace_uses(dict(zip(loop.results, values)))


def unroll_entirely(loop: Operation, trips: int) -> None:
    """Replaces a loop with constant bounds by its trips, of which there is at least one, as straight code."""
    unroll(loop, trips, trips, 0, False)


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


def unroll(loop: Operation, trips: int, factor: int, remainder: int, keep_remainder: bool) -> None:
    """Replaces a loop by one of `factor` copies of its body a trip, and code for the other trips after it."""
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
