"""Transfers of a sequence with contiguous inner dimensions become linear ones (2026-02: AIEXDialect.cpp).

A linear transfer needs no wraps, so it escapes their limits.
"""

from __future__ import annotations

from math import prod

from npuninja.ir.attributes import (
    BDDimLayoutArrayAttr,
    DenseArrayAttr,
    IntegerAttr,
    SymbolRefAttr,
    is_contiguous,
)
from npuninja.ir.core import Operation
from npuninja.ir.syntax import group, operand
from npuninja.lowering.lookup import numbers_of
from npuninja.lowering.tiles import kind_at, ops_of

_ZERO_PADDING = tuple(f"d{dim}_zero_{side}" for dim in range(3) for side in ("before", "after"))


def linearize_transfers(device: Operation) -> None:
    """Rewrites `[r, a, b, c][s, b*c, c, 1]` to `[r, 1, 1, a*b*c][s, 0, 0, 1]` in all transfers to a shim."""
    elsewhere = {
        op.string("sym_name")
        for op in ops_of(device, "aie.shim_dma_allocation")
        if op.operands and kind_at(op.tile).name != "shim"
    }
    for op in device.walk():
        if op.name == "aiex.npu.dma_memcpy_nd":
            metadata = op.attributes.get("metadata")
            if not (isinstance(metadata, SymbolRefAttr) and metadata.path[-1] in elsewhere):
                _linearize(op)


def linearize_descriptors(device: Operation, *, keeps_iteration: bool) -> None:
    """Drops the dimensions of every `aie.dma_bd` of a shim tile that walks through memory without a gap.

    `keeps_iteration`: not of those whose length leaves out the outermost one, which is an iteration then.
    """
    for op in device.walk():
        if op.name == "aie.dma_bd" and _is_on_shim(op):
            dimensions = op.attributes.get("dimensions")
            dims = dimensions.dims if isinstance(dimensions, BDDimLayoutArrayAttr) else ()
            if not dims or (len(dims) == 1 and dims[0].stride == 1) or not is_contiguous(dims[::-1]):
                continue
            length = IntegerAttr(prod(dim.size for dim in dims), "i32")
            if keeps_iteration and op.attributes.get("len", length) != length:
                continue
            del op.attributes["dimensions"]
            op.attributes.setdefault("len", length)


def _is_on_shim(bd: Operation) -> bool:
    """Whether the descriptor is known to be a shim tile's: by its buffer, its region or its task's tile."""
    owner = operand(bd, "buffer").owner
    if isinstance(owner, Operation) and owner.name == "aie.external_buffer":
        return True
    holder = bd.parent_op
    if holder is not None and holder.name == "aie.dma":
        holder = holder.parent_op
    if holder is None or holder.name not in ("aie.shim_dma", "aiex.dma_configure_task"):
        return False
    return kind_at(holder.tile).name == "shim"


def _linearize(op: Operation) -> None:
    offsets, sizes, strides = (numbers_of(op, what) for what in ("offsets", "sizes", "strides"))
    if offsets is None or sizes is None or strides is None:
        return
    if len(sizes) != 4 or any(key in op.attributes for key in _ZERO_PADDING):
        return
    outer, planes, rows, items = sizes
    contiguous = is_contiguous(zip(sizes[:0:-1], strides[:0:-1]))
    if not contiguous or (planes == rows == 1 and strides[1] == strides[2] == 0):
        return
    start = offsets[1] * strides[1] + offsets[2] * strides[2] + offsets[3]
    op.attributes["static_offsets"] = DenseArrayAttr("i64", (offsets[0], 0, 0, start))
    op.attributes["static_sizes"] = DenseArrayAttr("i64", (outer, 1, 1, planes * rows * items))
    op.attributes["static_strides"] = DenseArrayAttr("i64", (strides[0], 0, 0, 1))
    op.operands, op.segments = group(op, "memref"), (1, 0, 0, 0)
