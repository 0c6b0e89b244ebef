"""Lint: a DMA chain is longer than the data it moves."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.attributes import BDDimLayoutArrayAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.ir.types import DYNAMIC, bits, element_count, memref
from npuninja.lowering.dma_channels import Channel, channels
from npuninja.lowering.tiles import ops_of


def check_descriptor_lengths(device: Operation, warnings: Warnings) -> None:
    """Warns of chains that are longer than their data.

    That is a descriptor that goes beyond its buffer, one that starts again before it ends because its length
    is more than its dimensions have, and a chain that waits for more than the other end of its flow ever
    sends.

    Transfers of runtime sequences are looked at when they are lowered (npuninja/lowering/sequence/checks.py).
    """
    found = channels(device)
    for channel in found:
        for op in channel.descriptors:
            _check_descriptor(op, warnings)
    _check_flows(device, found, warnings)


def _elements(value: Value) -> int | None:
    """The number of elements of a memref, None where it is known only at run time."""
    if not value.type.startswith("memref<") or DYNAMIC in memref(value.type).shape:
        return None
    return element_count(memref(value.type).shape)


def _length(op: Operation) -> int | None:
    """The elements that a descriptor moves."""
    return op.integer("len") if "len" in op.attributes else _elements(operand(op, "buffer"))


def _check_descriptor(op: Operation, warnings: Warnings) -> None:
    count, length, offset = _elements(operand(op, "buffer")), _length(op), op.integer("offset", 0)
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
                f"this descriptor moves {length} elements, but its dimensions have {chosen}: "
                "it goes through them again",
                op.loc,
            )
    else:
        reach = offset + length
    if reach > count:
        warnings.add(f"this descriptor goes up to element {reach}, its buffer has {count}", op.loc)


def _check_flows(device: Operation, found: list[Channel], warnings: Warnings) -> None:
    by_end = {(channel.region.tile, channel.direction, channel.number): channel for channel in found}
    for flow in ops_of(device, "aie.flow"):
        ends = []
        for side, direction in (("source", "MM2S"), ("dest", "S2MM")):
            end = (operand(flow, side), direction, flow.integer(f"{side}_channel"))
            ends.append(by_end.get(end) if flow.enum(f"{side}_bundle") == "DMA" else None)
        sender, receiver = ends
        if sender is None or receiver is None:
            continue
        sent, wanted = _total_bytes(sender), _total_bytes(receiver)
        if sent is not None and wanted is not None and wanted > sent:
            warnings.add(
                f"this chain waits for {wanted} bytes, but the one that feeds it sends {sent} and ends",
                receiver.start.loc,
            )


def _total_bytes(channel: Channel) -> int | None:
    """What a chain moves altogether, None when it never ends or has a length known only at run time."""
    if channel.ring:
        return None
    total = 0
    for op in channel.descriptors:
        length = _length(op)
        if length is None:
            return None
        total += length * bits(memref(operand(op, "buffer").type).element) // 8
    return total * (channel.start.integer("repeat_count", 0) + 1)
