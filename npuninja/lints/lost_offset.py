"""Lint: a view that does not begin at its buffer's start is cast to a type that says it does."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.ir.types import memref, strides_and_offset


def check_lost_offsets(device: Operation, warnings: Warnings) -> None:
    """Warns of each `memref.cast` of a view with an offset to the identity layout.

    MLIR-AIE passes a memref to a kernel as the bare pointer of its buffer and takes the offset from the type;
    after such a cast the type has none, and every access goes to the start of the buffer. The emulated core
    keeps the offset.
    """
    for op in device.walk():
        if op.name != "memref.cast":
            continue
        source, target = op.operands[0].type, op.result.type
        if not (source.startswith("memref<") and target.startswith("memref<")):
            continue
        try:
            offset = strides_and_offset(memref(source))[1]
        except ValueError:
            continue  # an affine map: its lowering says what it thinks of it
        if offset and not memref(target).layout:
            where = (
                "at an offset known only at run time" if offset < 0 else f"at element {offset} of its buffer"
            )
            warnings.add(
                f"this cast loses the offset of a view that begins {where}: on an NPU every access through it goes to the "
                "start of the buffer. Keep the strided type, or pass the buffer and the offset",
                op.loc,
            )
