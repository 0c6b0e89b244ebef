"""Lint: a view that does not begin at its buffer's start is used where only the start can be passed."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.ir.types import memref, offset_of

_ADVICE = "Pass the buffer and the offset to the function, as two arguments"


def check_lost_offsets(device: Operation, warnings: Warnings) -> None:
    """Warns where a view with an offset is cast to the identity layout, or passed to a function.

    MLIR-AIE passes a kernel the bare pointer of the buffer and takes the offset from the type. After such a
    cast the type has none, and every access goes to the buffer's start. The emulated core does the same.
    """
    for op in device.walk():
        if op.name == "memref.cast":
            _check_cast(op, warnings)
        elif op.name == "func.call":
            _check_call(op, warnings)


def _check_cast(op: Operation, warnings: Warnings) -> None:
    source, target = operand(op, "source").type, op.result.type
    offset = offset_of(source)
    if offset and target.startswith("memref<") and not memref(target).layout:
        warnings.add(
            f"this cast loses the offset of a view that begins {_where(offset)}: on an NPU every access "
            f"through it goes to the start of the buffer. {_ADVICE}",
            op.loc,
        )


def _check_call(op: Operation, warnings: Warnings) -> None:
    for value in op.operands:
        offset = offset_of(value.type)
        if offset < 0:
            warnings.add(
                f"@{op.symbol('callee')} cannot get %{value.name}: a memref with an offset known only at "
                f"run time has no pointer that a function could take. {_ADVICE}",
                op.loc,
            )
        elif offset:
            warnings.add(
                f"@{op.symbol('callee')} gets the start of the buffer, not %{value.name}, "
                f"which begins {_where(offset)}. {_ADVICE}",
                op.loc,
            )


def _where(offset: int) -> str:
    return "at an offset known only at run time" if offset < 0 else f"at element {offset} of its buffer"
