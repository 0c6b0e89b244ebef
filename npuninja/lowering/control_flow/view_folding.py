"""Views whose numbers are constants, and views of views, as MLIR's canonicalizer leaves them (MemRefOps.cpp).

memref.subview %b[%c0, %i] …                           ->  memref.subview %b[0, %i] …
memref.reinterpret_cast (memref.subview %b[0] …) …     ->  memref.reinterpret_cast %b …
"""

from __future__ import annotations

from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.numbers import entries, static_entries
from npuninja.ir.syntax import operand
from npuninja.lowering.op_builders import known_number

_SOURCES = ("memref.cast", "memref.reinterpret_cast")


def fold_views_in(holder: Operation) -> None:
    """Folds the views in one core, function or sequence in place. What is without a use then stays."""
    for op in holder.walk():
        if op.name == "memref.subview":
            _fold_offsets(op)
        elif op.name == "memref.reinterpret_cast":
            source = _before_views(operand(op, "source"))
            if source is not operand(op, "source"):
                op.operands[0] = source


def _fold_offsets(op: Operation) -> None:
    """Makes constant offsets static while another offset is not: the result's type stays as it is then."""
    if "static_offsets" not in op.attributes or op.segments is None:
        return
    folded = list(map(known_number, entries(op, "offsets")))
    left = [entry for entry in folded if isinstance(entry, Value)]
    if left and len(left) < op.segments[1]:
        op.attributes["static_offsets"] = static_entries(folded)
        op.operands[1 : 1 + op.segments[1]] = left
        op.segments = (op.segments[0], len(left), *op.segments[2:])


def _before_views(value: Value) -> Value:
    """What a reinterpretation reads instead of a view that starts at the same place."""
    owner = value.owner
    if not isinstance(owner, Operation):
        return value
    offsets = owner.attributes.get("static_offsets")
    at_start = isinstance(offsets, DenseArrayAttr) and not any(offsets.values)
    if owner.name in _SOURCES or (owner.name == "memref.subview" and at_start):
        return _before_views(operand(owner, "source"))
    return value
