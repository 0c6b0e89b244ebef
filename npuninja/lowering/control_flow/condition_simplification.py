"""Loops and conditions whose course is known: what runs once stands alone, what never runs is gone (MLIR:
canonicalize).
"""

from __future__ import annotations

from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.syntax import group, operand
from npuninja.lowering.objectfifo.loop_unroll import terminator_values, trip_count
from npuninja.lowering.op_builders import constant_value


def simplify_conditions_in(holder: Operation) -> bool:
    """Replaces, in a core, function or sequence, loops of one trip or none and conditions on constants by what
    they do. Says whether there were any.
    """
    found = False
    replaced: dict[Value, Value] = {}
    for op in reversed(list(holder.walk())):  # inner ones first
        before = op.parent
        if op.name == "scf.for":
            trips = trip_count(op)
            if trips == 0:
                _replace(op, None, {}, group(op, "initArgs"), replaced)
            elif trips == 1:
                _replace(
                    op,
                    op.body,
                    dict(zip(op.body.args, [operand(op, "lowerBound"), *group(op, "initArgs")])),
                    None,
                    replaced,
                )
        elif op.name == "scf.if":
            flag = constant_value(operand(op, "condition"))
            if flag is not None:
                chosen = op.regions[0 if flag else 1] if flag or len(op.regions) > 1 else None
                _replace(
                    op, chosen.entry if chosen is not None and chosen.blocks else None, {}, None, replaced
                )
        elif op.name == "scf.index_switch":
            number = constant_value(operand(op, "arg"))
            if number is not None:
                _replace(op, _chosen(op, number), {}, None, replaced)
        found = found or op.parent is not before
    while replaced:
        holder.replace_uses(replaced)
        used = {value for op in holder.walk() for value in op.operands}
        replaced = {old: new for old, new in replaced.items() if old in used}
    return found


def _chosen(switch: Operation, number: int) -> Block:
    """The block of an scf.index_switch that runs for a number; the first region is the default."""
    cases = switch.numbers("cases")
    region = switch.regions[cases.index(number) + 1 if number in cases else 0]
    return region.entry


def _replace(
    op: Operation,
    body: Block | None,
    values: dict[Value, Value],
    results: list[Value] | None,
    replaced: dict[Value, Value],
) -> None:
    """Puts the operations of `body` in the place of `op`; its results are what the body yields, or `results`."""
    if body is not None:
        results = [values.get(value, value) for value in terminator_values(body)]
        for inner in list(body.ops):
            if inner.name != "scf.yield":
                op.insert_before(inner)
    op.erase()
    replaced.update(values)
    replaced.update(zip(op.results, results or []))
