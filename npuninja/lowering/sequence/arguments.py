"""From a memref in a runtime sequence back to the sequence argument it is a part of."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import bits, element_of, memref, strides_and_offset
from npuninja.lowering.lookup import constants_of
from npuninja.lowering.op_builders import constant_value
from npuninja.records import NamedTuple


class ArgumentOffset(NamedTuple):
    """A place in a host buffer: `number` of the argument, and bytes from its start."""

    number: int
    offset_bytes: int


def argument_of(value: Value, user: Operation) -> ArgumentOffset:
    """Follows casts and subviews to the sequence argument. Raises UserError at `user` when there is none."""
    offset_bytes = 0
    while True:
        owner = value.owner
        if isinstance(owner, Block):
            return ArgumentOffset(owner.args.index(value), offset_bytes)
        if owner is not None and owner.name == "memref.subview":
            offset_bytes += _subview_offset_bytes(owner)
            if user.name == "aie.dma_bd" and "dimensions" not in user.attributes:
                _require_one_piece(owner)
        elif owner is not None and owner.name == "memref.view":
            offset_bytes += _view_offset_bytes(owner)
        elif owner is None or owner.name not in ("memref.cast", "memref.reinterpret_cast"):
            raise UserError(
                f"'{user.name}' moves %{value.name}, which is no part of an argument of the runtime sequence",
                user.loc,
                hint="only buffers the host passes can be moved; take them as arguments of the sequence",
            )
        elif owner.name == "memref.reinterpret_cast":
            offset_bytes += (
                sum(constants_of(owner, "offsets")) * bits(element_of(operand(owner, "source").type)) // 8
            )
        value = operand(owner, "source")


def _subview_offset_bytes(op: Operation) -> int:
    source = memref(operand(op, "source").type)
    strides, _ = strides_and_offset(source)
    return sum(o * s for o, s in zip(constants_of(op, "offsets"), strides)) * bits(source.element) // 8


def _require_one_piece(op: Operation) -> None:
    """A transfer without sizes and strides knows where its part begins, not its gaps."""
    shape = memref(operand(op, "source").type).shape
    sizes, steps = op.numbers("static_sizes"), op.numbers("static_strides")
    inside = True  # all dimensions further in are whole
    pieces = False
    for size, whole, step in zip(reversed(sizes), reversed(shape), reversed(steps)):
        pieces = pieces or (size != 1 and (not inside or step != 1))
        inside = inside and size == whole
    if pieces:
        raise UserError(
            "this part of the argument does not lie in memory in one piece",
            op.loc,
            hint="move the argument itself, with the sizes and strides of the part",
        )


def _view_offset_bytes(op: Operation) -> int:
    shift = constant_value(operand(op, "byte_shift"))
    if shift is None or group(op, "sizes"):
        raise UserError("the view's place and shape must be known when the design is built", op.loc)
    return shift
