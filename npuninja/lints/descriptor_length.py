"""Lint: a DMA chain is longer than the data it moves."""

from __future__ import annotations

from npuninja.diag.errors import Warnings
from npuninja.ir.attributes import BDDimLayoutArrayAttr, DenseArrayAttr, EnumAttr, IntegerAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import DYNAMIC, bits, element_count, memref
from npuninja.lints.dma_channels import Channel, channels
from npuninja.lowering.sequence_lookup import DYNAMIC as DYNAMIC_ENTRY
from npuninja.lowering.tiles import ops_of


def check_descriptor_lengths(device: Operation, warnings: Warnings) -> None:
    """Warns of a transfer that goes beyond its buffer, one that starts again before it ends because its length is more than
    its dimensions have, and a chain that waits for more data than the chain at the other end of its flow ever sends."""
    for op in device.walk():
        if op.name == "aie.dma_bd":
            _check_descriptor(op, warnings)
        elif op.name == "aiex.npu.dma_memcpy_nd":
            _check_transfer(op, warnings)
    _check_flows(device, warnings)


def _elements(value: Value) -> int | None:
    """The number of elements of a memref, None where it is known only at run time."""
    if not value.type.startswith("memref<") or DYNAMIC in memref(value.type).shape:
        return None
    return element_count(memref(value.type).shape)


def _length(op: Operation) -> int | None:
    """The elements that a descriptor moves."""
    return op.integer("len") if "len" in op.attributes else _elements(op.operands[0])


def _check_descriptor(op: Operation, warnings: Warnings) -> None:
    count, length, offset = _elements(op.operands[0]), _length(op), op.integer("offset", 0)
    dimensions = op.attributes.get("dimensions")
    if count is None or length is None:
        return
    if isinstance(dimensions, BDDimLayoutArrayAttr) and dimensions.dims:
        chosen = 1
        for dim in dimensions.dims:
            chosen *= dim.size
        reach = offset + sum((dim.size - 1) * dim.stride for dim in dimensions.dims) + 1
        if length > chosen and "pad_dimensions" not in op.attributes:
            warnings.add(
                f"this descriptor moves {length} elements, but its dimensions have {chosen}: it goes through them again",
                op.loc,
            )
    else:
        reach = offset + length
    if reach > count:
        warnings.add(f"this descriptor goes up to element {reach}, its buffer has {count}", op.loc)


def _check_transfer(op: Operation, warnings: Warnings) -> None:
    count = _elements(op.operands[0])
    parts = [op.attributes[f"static_{what}"] for what in ("offsets", "sizes", "strides")]
    offsets, sizes, strides = (part.values if isinstance(part, DenseArrayAttr) else () for part in parts)
    if count is None or DYNAMIC_ENTRY in (*offsets, *sizes, *strides):
        return
    reach = sum(at * step for at, step in zip(offsets, strides)) + 1
    reach += sum((size - 1) * step for size, step in zip(sizes, strides) if size > 1)
    if reach > count:
        warnings.add(f"this transfer goes up to element {reach}, its buffer has {count}", op.loc)


def _check_flows(device: Operation, warnings: Warnings) -> None:
    by_end = {(channel.region.operands[0], channel.direction, channel.number): channel for channel in channels(device)}
    for flow in ops_of(device, "aie.flow"):
        ends = []
        for tile, side, direction in zip(flow.operands, ("source", "dest"), ("MM2S", "S2MM")):
            bundle, number = flow.attributes[f"{side}_bundle"], flow.attributes[f"{side}_channel"]
            assert isinstance(bundle, EnumAttr), flow
            assert isinstance(number, IntegerAttr), flow
            ends.append(by_end.get((tile, direction, number.value)) if bundle.case == "DMA" else None)
        sender, receiver = ends
        if sender is None or receiver is None:
            continue
        sent, wanted = _total_bytes(sender), _total_bytes(receiver)
        if sent is not None and wanted is not None and wanted > sent:
            warnings.add(
                f"this chain waits for {wanted} bytes, but the one that feeds it sends {sent} and ends", receiver.start.loc
            )


def _total_bytes(channel: Channel) -> int | None:
    """What a chain moves altogether, None when it never ends or has a length known only at run time."""
    if channel.ring:
        return None
    total = 0
    for op in (op for block in channel.blocks for op in block.ops if op.name == "aie.dma_bd"):
        length = _length(op)
        if length is None:
            return None
        total += length * bits(memref(op.operands[0].type).element) // 8
    return total * (channel.start.integer("repeat_count", 0) + 1)
