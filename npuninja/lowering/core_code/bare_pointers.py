"""Where MLIR's compiled code looks for a view: the offset is in its type, the pointer is the buffer's.

MLIR-AIE compiles cores with bare pointers for memrefs. A function gets the pointer of a view's buffer, never
the view's start; an access through a type without offset goes to the start of the buffer too. So a view that
is cast to the plain type, or passed to a function, loses its offset. Core code of ours does the same, or it
would compute on the emulated array what no NPU computes.

Sources: MLIR MemRefToLLVM (getStridedElementPtr), FuncToLLVM (promoteBarePtrsToDescriptors, bare pointers).
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.ir.types import DYNAMIC, offset_of

#: Operations whose result has the buffer of their first operand.
_SAME_BUFFER = frozenset(
    f"memref.{name}"
    for name in (
        "subview",
        "cast",
        "memory_space_cast",
        "collapse_shape",
        "expand_shape",
        "reinterpret_cast",
        "assume_alignment",
    )
)


def loses_offset(op: Operation) -> bool:
    """Whether an operation is a cast from a type with an offset to one without."""
    return (
        op.name == "memref.cast"
        and offset_of(operand(op, "source").type) != 0
        and offset_of(op.result.type) == 0
    )


def buffer_of(value: Value, user: Operation) -> Value:
    """The memref that begins where the buffer of a view begins. UserError when that is not known."""
    while isinstance(value.owner, Operation) and value.owner.name in _SAME_BUFFER:
        value = value.owner.operands[0]
    if offset_of(value.type) != 0:
        raise UserError(
            f"'{user.name}' needs the buffer that %{value.name or 'this view'} is a part of, "
            "which is not known here",
            user.loc,
            hint="make the view where it is used",
        )
    return value


def passed_buffer(value: Value, call: Operation) -> Value | None:
    """What a call passes instead of a view with an offset: the buffer. None for what it passes as it is.

    Raises:
        UserError: the offset is known only at run time; such a memref has no bare pointer.
    """
    offset = offset_of(value.type)
    if offset == DYNAMIC:
        raise UserError(
            f"@{call.symbol('callee')} cannot get {value.type}: "
            "a memref with an offset known only at run time cannot be passed to a function",
            call.loc,
            hint="pass the buffer and the offset, as two arguments",
        )
    return buffer_of(value, call) if offset else None


def values_read(op: Operation) -> list[Value]:
    """The operands of an operation, and the buffers it takes instead of views."""
    if loses_offset(op):
        return [*op.operands, buffer_of(operand(op, "source"), op)]
    if op.name == "func.call":
        others = (passed_buffer(value, op) for value in op.operands)
        return [*op.operands, *(other for other in others if other is not None)]
    return op.operands
