"""Transfers of a runtime sequence whose inner dimensions are contiguous become linear ones (2026-02:
AIEXDialect.cpp).

A linear transfer needs no wraps, so it escapes their limits.
"""

from __future__ import annotations

from npuninja.arch.devices import tile_kind
from npuninja.ir.attributes import DenseArrayAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.lowering.tiles import ops_of, place_of

_ZERO_PADDING = tuple(f"d{dim}_zero_{side}" for dim in range(3) for side in ("before", "after"))


def linearize_transfers(device: Operation) -> None:
    """Rewrites `[r, a, b, c][s, b*c, c, 1]` to `[r, 1, 1, a*b*c][s, 0, 0, 1]` in all transfers to a shim."""
    elsewhere = {
        op.string("sym_name")
        for op in ops_of(device, "aie.shim_dma_allocation")
        if op.operands and tile_kind(place_of(op.operands[0])[1]) != "shim"
    }
    for op in device.walk():
        if op.name == "aiex.npu.dma_memcpy_nd" and len(op.operands) == 1:
            metadata = op.attributes.get("metadata")
            if not (isinstance(metadata, SymbolRefAttr) and metadata.path[-1] in elsewhere):
                _linearize(op)


def _linearize(op: Operation) -> None:
    offsets, sizes, strides = (_static(op, f"static_{what}") for what in ("offsets", "sizes", "strides"))
    if len(sizes) != 4 or any(key in op.attributes for key in _ZERO_PADDING):
        return
    outer, planes, rows, items = sizes
    contiguous = (
        strides[3] == 1 and (rows == 1 or strides[2] == items) and (planes == 1 or strides[1] == items * rows)
    )
    if not contiguous or (planes == rows == 1 and strides[1] == strides[2] == 0):
        return
    start = offsets[1] * strides[1] + offsets[2] * strides[2] + offsets[3]
    op.attributes["static_offsets"] = DenseArrayAttr("i64", (offsets[0], 0, 0, start))
    op.attributes["static_sizes"] = DenseArrayAttr("i64", (outer, 1, 1, planes * rows * items))
    op.attributes["static_strides"] = DenseArrayAttr("i64", (strides[0], 0, 0, 1))


def _static(op: Operation, key: str) -> tuple[int, ...]:
    numbers = op.attributes[key]
    assert isinstance(numbers, DenseArrayAttr), numbers
    return numbers.values
