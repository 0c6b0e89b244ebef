"""Views whose numbers are constants, and views of views, as MLIR's canonicalizer leaves them (MemRefOps.cpp).

memref.subview %b[%c0, %i] …                           ->  memref.subview %b[0, %i] …
memref.reinterpret_cast (memref.subview %b[0] …) …     ->  memref.reinterpret_cast %b …
"""

from __future__ import annotations

from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.syntax import group, operand
from npuninja.lowering.op_builders import constant_value

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
    """Makes constant offsets static while another offset is not: the type of the result stays as it is then."""
    statics, segments = op.attributes.get("static_offsets"), op.segments
    if not isinstance(statics, DenseArrayAttr) or segments is None:
        return
    values = group(op, "offsets")
    numbers = [constant_value(value) for value in values]
    left = [value for value, number in zip(values, numbers) if number is None]
    if not left or len(left) == len(values):
        return
    rest = iter(numbers)
    folded = []
    for entry in statics.values:
        number = next(rest) if entry == DYNAMIC_INDEX else entry
        folded.append(DYNAMIC_INDEX if number is None else number)
    op.attributes["static_offsets"] = DenseArrayAttr(statics.type, tuple(folded))
    op.operands[1 : 1 + segments[1]] = left
    op.segments = (segments[0], len(left), *segments[2:])


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
