"""Loops and conditions whose course is known: what runs once stands alone, what never runs is gone.

MLIR does this in `canonicalize`.
"""

from __future__ import annotations

from npuninja.ir.core import Block, Operation, Value, final
from npuninja.ir.syntax import group, operand
from npuninja.lowering.control_flow.unrolling import terminator_values, trip_count
from npuninja.lowering.op_builders import constant_value
from npuninja.records import NamedTuple


def simplify_conditions_in(holder: Operation) -> bool:
    """Replaces, in a core, function or sequence, loops of one trip or none and conditions on constants by
    what they do. Says whether there were any.
    """
    found = False
    replaced: dict[Value, Value] = {}
    for op in reversed(list(holder.walk())):  # inner ones first
        course = _course_of(op)
        if course is not None:
            _replace(op, course, replaced)
            found = True
    if replaced:
        holder.replace_uses({value: final(value, replaced) for value in replaced})
    return found


class _Course(NamedTuple):
    """What a loop or condition does, where that is known.

    Attributes:
        body: the block that runs; None when none does.
        values: those of the block's arguments.
        results: what takes the place of the operation's results where no block runs.
    """

    body: Block | None
    values: dict[Value, Value]
    results: list[Value]


def _course_of(op: Operation) -> _Course | None:
    """What an operation does; None when that depends, or the operation is another one."""
    if op.name == "scf.for":
        trips, inits = trip_count(op), group(op, "initArgs")
        if trips == 0:
            return _Course(None, {}, inits)
        if trips == 1:
            return _Course(op.body, dict(zip(op.body.args, [operand(op, "lowerBound"), *inits])), [])
    elif op.name == "scf.if":
        flag = constant_value(operand(op, "condition"))
        if flag is not None:
            chosen = op.regions[:1] if flag else op.regions[1:]
            return _Course(chosen[0].entry if chosen and chosen[0].blocks else None, {}, [])
    elif op.name == "scf.index_switch":
        number, cases = constant_value(operand(op, "arg")), op.numbers("cases")
        if number is not None:  # the first region is the default
            return _Course(op.regions[cases.index(number) + 1 if number in cases else 0].entry, {}, [])
    return None


def _replace(op: Operation, course: _Course, replaced: dict[Value, Value]) -> None:
    """Puts the operations of the block that runs in the place of `op`; its results are what that yields."""
    body, values, results = course
    if body is not None:
        results = [values.get(value, value) for value in terminator_values(body)]
        for inner in list(body.ops):
            if inner.name != "scf.yield":
                op.insert_before(inner)
    op.erase()
    replaced.update(values)
    replaced.update(zip(op.results, results))
