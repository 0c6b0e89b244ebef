"""`memref` operations as C. A memref value is a pointer to its first element; strides come from its type."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.syntax import operand
from npuninja.ir.types import DYNAMIC, memref, strides_and_offset
from npuninja.lowering.core_code.types import element_type

#: Operations whose result points where their operand does.
_SAME_POINTER = {
    "memref.cast",
    "memref.memory_space_cast",
    "memref.collapse_shape",
    "memref.expand_shape",
    "memref.assume_alignment",
}


def strides(type: str, op: Operation) -> tuple[int, ...]:
    """The strides of a memref type in elements. UserError when one is only known at run time."""
    try:
        found, _ = strides_and_offset(memref(type))
    except ValueError as error:
        raise UserError(f"'{op.name}': {error}", op.loc) from None
    if DYNAMIC in found:
        raise UserError(f"'{op.name}' on {type}: strides must be known when the design is built", op.loc)
    return found


def subscript(indices: list[str], steps: tuple[int, ...]) -> str:
    """The linear index of an element."""
    terms = [
        index if step == 1 else f"{index} * {step}"
        for index, step in zip(indices, steps)
        if step and index != "0LL"
    ]
    return " + ".join(terms) or "0"


def expression(op: Operation, operands: list[str]) -> str | None:
    """The C expression of a memref operation with one result; None when `op` is no such operation."""
    if not op.results or not op.operands:
        return None
    base, *rest = operands
    type = op.operands[0].type
    if op.name == "memref.load":
        return f"{base}[{subscript(rest, strides(type, op))}]"
    if op.name in _SAME_POINTER:
        return base
    if op.name == "memref.subview":
        return f"{base} + {subscript(_offsets(op, rest), strides(type, op))}"
    if op.name == "memref.reinterpret_cast":
        if memref(type).layout:
            raise UserError(
                "'memref.reinterpret_cast' of a part of a buffer is not supported in core code", op.loc
            )
        return f"{base} + {_offsets(op, rest)[0]}"
    if op.name == "memref.view":
        return f"({element_type(op.result.type, op)} *)({base} + {rest[0]})"
    if op.name == "memref.dim":
        return _extent(op, memref(type).shape, *rest)
    if op.name == "memref.extract_aligned_pointer_as_index":
        return f"(long long)(unsigned long){base}"
    return None


def statements(op: Operation, operands: list[str]) -> list[str] | None:
    """The C statements of a memref operation without result; None when `op` is no such operation."""
    if op.name == "memref.store":
        value, base, *indices = operands
        return [f"{base}[{subscript(indices, strides(operand(op, 'memref').type, op))}] = {value};"]
    if op.name == "memref.copy":
        return _copy(op, *operands)
    if op.name == "memref.assume_alignment":
        return []
    return None


def _offsets(op: Operation, values: list[str]) -> list[str]:
    """The offsets as C constants, with values in the places of dynamic ones."""
    dynamic = iter(values)
    return [
        next(dynamic) if number == DYNAMIC_INDEX else f"{number}LL" for number in op.numbers("static_offsets")
    ]


def _extent(op: Operation, shape: tuple[int, ...], dimension: str) -> str:
    try:
        extent = shape[int(dimension.removesuffix("LL"))]
    except (ValueError, IndexError):
        raise UserError(
            "'memref.dim' in core code needs a constant dimension of the memref", op.loc
        ) from None
    if extent == DYNAMIC:
        raise UserError("'memref.dim' in core code needs a static dimension", op.loc)
    return f"{extent}LL"


def _copy(op: Operation, source: str, target: str) -> list[str]:
    types = [value.type for value in op.operands]
    shape, other = (memref(type).shape for type in types)
    if DYNAMIC in shape or other != shape:
        raise UserError("'memref.copy' in core code needs two memrefs of one static shape", op.loc)
    indices = [f"i{d}" for d in range(len(shape))]
    loops = "".join(f"for (int {i} = 0; {i} < {extent}; {i}++) " for i, extent in zip(indices, shape))
    read, written = (subscript(indices, strides(type, op)) for type in types)
    return [f"{loops}{target}[{written}] = {source}[{read}];"]
