"""The register writes of traces in a runtime sequence."""

from __future__ import annotations

from npuninja.errors import Location
from npuninja.ir.attributes import IntegerAttr
from npuninja.ir.core import Operation
from npuninja.lowering.op_builders import i32


def ui32(value: int) -> IntegerAttr:
    """`value : ui32`, of a number that may be signed."""
    return IntegerAttr(value & 0xFFFFFFFF, "ui32")


def write32(offset: int, value: int, column: int, row: int, loc: Location | None) -> Operation:
    """`aiex.npu.write32` of a register, by its offset in a tile."""
    return Operation(
        "aiex.npu.write32",
        attributes={"address": ui32(offset), "value": ui32(value), "column": i32(column), "row": i32(row)},
        loc=loc,
    )


def maskwrite32(offset: int, value: int, mask: int, column: int, row: int, loc: Location | None) -> Operation:
    """`aiex.npu.maskwrite32` of a register, by its offset in a tile."""
    write = write32(offset, value, column, row, loc)
    return Operation("aiex.npu.maskwrite32", attributes={**write.attributes, "mask": ui32(mask)}, loc=loc)
