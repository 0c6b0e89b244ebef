"""Descriptors and channel starts of static DMA programs: `aie.mem`, `aie.memtile_dma`, `aie.shim_dma`.

Sources: MLIR-AIE AIERT.cpp (what is configured), AIETargetShared.cpp (order of blocks).
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.arch import registers
from npuninja.arch.devices import (
    LOCK_VALUE_MAX,
    LOCK_VALUE_MIN,
    MEMTILE_LOCK_BASES,
    MEMTILE_WINDOWS,
    DeviceModel,
    TileKind,
    TilePlace,
    memory_window,
)
from npuninja.arch.families import FAMILIES
from npuninja.errors import UserError
from npuninja.formats.cdo import BlockWrite, Command, MaskWrite, Write
from npuninja.ir.attributes import BDDimLayoutArrayAttr, BDPadLayoutArrayAttr, PacketInfoAttr, is_contiguous
from npuninja.ir.core import Block, Operation
from npuninja.ir.numbers import iteration_of
from npuninja.ir.syntax import operand
from npuninja.ir.types import bits, element_count, memref
from npuninja.lowering.configuration.bd import BufferDescriptor, LockFields, descriptor_words
from npuninja.lowering.dma_channels import Channel, channels_of
from npuninja.lowering.sequence_bd import burst_code
from npuninja.lowering.tiles import place_of

if TYPE_CHECKING:
    from typing import Iterator

_WORD_BYTES = 4
_MAX_DIMENSIONS = 4


def dma_program(program: Operation, model: DeviceModel) -> Iterator[Command]:
    """All descriptors of one DMA program, then its channels' starts. Raises UserError, located."""
    place = place_of(program.tile)
    blocks = _ordered_blocks(program)
    inner = [op.regions for op in program.walk() if op.name == "aie.dma"]
    # A block inside `aie.dma` is one descriptor; such programs have no descriptors of the other form.
    for block in [region.entry for regions in inner for region in regions] or blocks:
        for op in block.ops:
            if op.name == "aie.dma_bd":
                yield _write_descriptor(op, block, place, model)
    channels = {channel.start: channel for channel in channels_of(program)}
    for start in [op for block in blocks for op in block.ops if op in channels]:
        yield from _pad_value(channels[start], place, model)
        yield from _start_channel(start, place, model.kind_of(place[1]))


def _ordered_blocks(program: Operation) -> list[Block]:
    """The blocks that can be reached, in the order in which the reference configures them.

    Depth first: the block found last is looked into first, but listed where it was found.
    """
    order = [program.regions[0].entry]
    pending = [order[0]]
    while pending:
        block = pending.pop()
        for op in block.ops:
            for target, _ in op.successors:
                if target not in order:
                    order.append(target)
                    pending.append(target)
    return order


def _write_descriptor(op: Operation, block: Block, place: TilePlace, model: DeviceModel) -> BlockWrite:
    if "bd_id" not in op.attributes:
        raise UserError("the buffer descriptor has no id", op.loc, hint="lower resources first")
    tile = model.kind_of(place[1])
    kind = tile.name
    number = op.integer("bd_id")
    if not 0 <= number < tile.bds:
        raise UserError(
            f"buffer descriptor {number} does not exist: a tile in row {place[1]} has {tile.bds}",
            op.loc,
        )
    descriptor = _descriptor(op, block, place, model)
    words = descriptor_words(descriptor, kind, op)
    return BlockWrite(
        registers.tile_address(*place, registers.bd_offset(kind, number)),
        struct.pack(f"<{len(words)}I", *words),
    )


def _descriptor(op: Operation, block: Block, place: TilePlace, model: DeviceModel) -> BufferDescriptor:
    tile = model.kind_of(place[1])
    type = memref(operand(op, "buffer").type)
    element_bytes = bits(type.element) // 8
    length_bytes = (
        op.integer("len") if "len" in op.attributes else element_count(type.shape)
    ) * element_bytes
    address_bytes = _base_address(op, place, model) + op.integer("offset", 0) * element_bytes
    for what, value in (("address", address_bytes), ("length", length_bytes)):
        if value % _WORD_BYTES:
            raise UserError(
                f"the buffer descriptor's {what} is {value} bytes, expected a multiple of 4", op.loc
            )
    steps, wraps = _dimensions(op, element_bytes, tile)
    packet = op.typed("packet", PacketInfoAttr)
    for other in block.ops:
        if other.name == "aie.dma_bd_packet":
            packet = PacketInfoAttr(other.integer("packet_type"), other.integer("packet_id"))
    if packet is not None and not length_bytes:
        raise UserError("a packet of length 0 is not possible", op.loc)
    return BufferDescriptor(
        address_bytes=address_bytes,
        length_words=length_bytes // _WORD_BYTES,
        steps=steps,
        wraps=wraps,
        pads=_pads(op, element_bytes, place, tile.name),
        packet=packet,
        next_bd=op.integer("next_bd_id") if "next_bd_id" in op.attributes else None,
        locks=_locks(block, place, model),
        burst=_burst(op, model) if tile.name == "shim" else 0,
        iteration=_iteration(op, element_bytes),
    )


def _iteration(op: Operation, element_bytes: int) -> tuple[int, int, int] | None:
    """Step in words, number of steps and the first one."""
    try:
        iteration = iteration_of(op)
    except ValueError as problem:
        raise UserError(str(problem), op.loc) from None
    if iteration is None or iteration.size <= 1 or iteration.stride <= 0:
        return None
    step_bytes = iteration.stride * element_bytes
    if step_bytes % _WORD_BYTES:
        raise UserError(f"the iteration's step is {step_bytes} bytes, expected a multiple of 4", op.loc)
    return step_bytes // _WORD_BYTES, iteration.size, iteration.current


def _base_address(op: Operation, place: TilePlace, model: DeviceModel) -> int:
    """The buffer's address as the tile's DMA sees it."""
    buffer = operand(op, "buffer").owner
    if not isinstance(buffer, Operation) or buffer.name not in ("aie.buffer", "aie.external_buffer"):
        raise UserError(
            "a buffer descriptor of a DMA program needs an aie.buffer or aie.external_buffer", op.loc
        )
    on_shim = model.tile_kind(place[1]) == "shim"
    if (buffer.name == "aie.external_buffer") != on_shim:
        expected = "an aie.external_buffer" if on_shim else "an aie.buffer"
        raise UserError(f"a DMA in row {place[1]} needs {expected}, got {buffer.name}", op.loc)
    if buffer.name == "aie.external_buffer":
        return buffer.integer("address", 0)  # without one it is patched when the sequence runs
    if "address" not in buffer.attributes:
        raise UserError(
            f"buffer '{buffer.result.name}' has no address", buffer.loc, hint="lower resources first"
        )
    return buffer.integer("address") + _window(
        op, place, place_of(buffer.tile), model, MEMTILE_WINDOWS, "buffer"
    )


def _window(
    op: Operation, place: TilePlace, owner: TilePlace, model: DeviceModel, bases: dict[str, int], what: str
) -> int:
    """What is added to an address or lock number of `owner`: 0, or the neighbour's window of a memtile."""
    if model.tile_kind(place[1]) == model.tile_kind(owner[1]) == "mem":
        window = memory_window(model, place, owner)
        if window is not None:
            return bases[window]
    elif owner == place:
        return 0
    raise UserError(f"the DMA of tile {place} cannot reach a {what} of tile {owner}", op.loc)


def _dimensions(op: Operation, element_bytes: int, tile: TileKind) -> tuple[list[int], list[int]]:
    """Steps and wraps in words, innermost first; a dimension that is not used has step 1 and wrap 0."""
    steps, wraps = [1] * _MAX_DIMENSIONS, [0] * _MAX_DIMENSIONS
    attribute = op.attributes.get("dimensions")
    if not isinstance(attribute, BDDimLayoutArrayAttr):
        return steps, wraps
    if len(attribute.dims) > tile.bd_dimensions:
        raise UserError(
            f"{len(attribute.dims)} dimensions, "
            f"a buffer descriptor of a {tile.name} tile has {tile.bd_dimensions}",
            op.loc,
        )
    # An innermost wrap of 0 never ends: the words follow each other, and no other dimension counts. MLIR-AIE
    # rounds what is less than a word to 0, which is right where the elements follow each other anyway.
    follows = bool(attribute.dims) and attribute.dims[-1].size * element_bytes < _WORD_BYTES
    follows = follows and is_contiguous(attribute.dims[::-1], counts_single_steps=False)
    for i, dim in enumerate(reversed(attribute.dims)):
        # The innermost stride counts elements that lie side by side, so it stays; its size becomes words.
        step_bytes = dim.stride * (element_bytes if i else _WORD_BYTES)
        size_bytes = dim.size * (_WORD_BYTES if i else element_bytes)
        # A dimension of size 1 never takes its step, so that may be anything.
        whole = not (step_bytes % _WORD_BYTES and dim.size > 1) and not size_bytes % _WORD_BYTES
        if not whole and not follows:
            raise UserError(
                f"dimension {i} (innermost is 0) <size = {dim.size}, stride = {dim.stride}> of "
                f"{element_bytes}-byte elements is not a whole number of 32-bit words",
                op.loc,
            )
        steps[i] = max(step_bytes // _WORD_BYTES, 1)
        wraps[i] = size_bytes // _WORD_BYTES
    return steps, wraps


def _pads(op: Operation, element_bytes: int, place: TilePlace, kind: str) -> list[tuple[int, int]]:
    """Words before and after, innermost first, always three."""
    pads = [(0, 0)] * 3
    attribute = op.attributes.get("pad_dimensions")
    if not isinstance(attribute, BDPadLayoutArrayAttr):
        return pads
    if kind != "mem":
        raise UserError(f"padding is possible on memtiles only, this is row {place[1]}", op.loc)
    if len(attribute.pads) > len(pads):
        raise UserError(
            f"{len(attribute.pads)} padded dimensions, a buffer descriptor has {len(pads)}", op.loc
        )
    for i, pad in enumerate(reversed(attribute.pads)):
        scale = element_bytes if i == 0 else _WORD_BYTES
        if pad.before * scale % _WORD_BYTES or pad.after * scale % _WORD_BYTES:
            raise UserError(
                f"padding {pad.before} before and {pad.after} after, {element_bytes}-byte elements,"
                " is not a whole number of 32-bit words",
                op.loc,
            )
        pads[i] = (pad.before * scale // _WORD_BYTES, pad.after * scale // _WORD_BYTES)
    return pads


def _locks(block: Block, place: TilePlace, model: DeviceModel) -> LockFields:
    """The lock fields from the `aie.use_lock` operations of a block."""
    found = LockFields()
    for op in block.ops:
        if op.name != "aie.use_lock":
            continue
        lock = operand(op, "lock").op
        if "lockID" not in lock.attributes:
            raise UserError(f"lock '{lock.result.name}' has no id", lock.loc, hint="lower resources first")
        number = lock.integer("lockID") + _window(
            op, place, place_of(lock.tile), model, MEMTILE_LOCK_BASES, "lock"
        )
        action = op.enum("action")
        value = op.integer("value", 1)
        # Greater-or-equal is a negative value in the descriptor.
        value = -value if action == "AcquireGreaterEqual" else value
        if not LOCK_VALUE_MIN <= value <= LOCK_VALUE_MAX:
            raise UserError(f"the lock's value {value} is not in {LOCK_VALUE_MIN} … {LOCK_VALUE_MAX}", op.loc)
        if action == "Release":
            found = found._replace(release_value=value, release_id=number)
        else:
            found = found._replace(acquire_enable=1, acquire_value=value, acquire_id=number)
    return found


def _burst(op: Operation, model: DeviceModel) -> int:
    length_bytes = op.integer("burst_length", 0)
    try:
        # 0 asks for 256 bytes, which every family has.
        return burst_code(model.family, length_bytes)
    except KeyError:
        raise UserError(
            f"burst length {length_bytes} bytes does not exist on {model.family.name}", op.loc
        ) from None


def _start_channel(start: Operation, place: TilePlace, tile: TileKind) -> Iterator[Command]:
    """Queues the first descriptor of a channel."""
    kind = tile.name
    direction, channel = _channel(start, place, tile)
    bd = _first_bd(start)
    repeat = start.integer("repeat_count", 0)
    if not 0 <= repeat <= registers.QUEUE_REPEAT_MASK:
        raise UserError(f"repeat_count {repeat} is not in 0 … {registers.QUEUE_REPEAT_MASK}", start.loc)
    # The reference asks for a token where data leaves the array.
    token = 1 if kind == "shim" and direction == "S2MM" else 0
    value = bd | repeat << registers.QUEUE_REPEAT_SHIFT | token << registers.QUEUE_TOKEN_SHIFT
    yield Write(registers.tile_address(*place, registers.channel_queue(kind, direction, channel)), value)
    # AIE2 has no enable bit: aie-rt writes 1 with an empty mask.
    yield MaskWrite(registers.tile_address(*place, registers.channel_control(kind, direction, channel)), 0, 1)


def _channel(start: Operation, place: TilePlace, tile: TileKind) -> tuple[str, int]:
    direction = start.enum("channel_dir")
    channel = start.integer("channel_index")
    count = tile.channels(direction)
    if not 0 <= channel < count:
        raise UserError(
            f"channel {direction} {channel} does not exist: a tile in row {place[1]} has {count}",
            start.loc,
        )
    return direction, channel


def _first_bd(start: Operation) -> int:
    block = start.successors[0][0] if start.name == "aie.dma_start" else start.regions[0].entry
    for op in block.ops:
        if op.name == "aie.dma_bd" and "bd_id" in op.attributes:
            return op.integer("bd_id")
    raise UserError("the channel starts with a block that has no buffer descriptor", start.loc)


def _pad_value(of: Channel, place: TilePlace, model: DeviceModel) -> Iterator[Command]:
    """The constant a channel pads with, unless it is 0: AIE2P's memtiles have a register for each channel."""
    start = of.start
    values = {op.integer("pad_value", 0): op for op in of.descriptors if "pad_dimensions" in op.attributes}
    if start.integer("pad_value", 0):  # where the channel has it, not its descriptors
        values = {start.integer("pad_value"): start}
    if not any(values):
        return
    value, op = next((v, o) for v, o in values.items() if v)
    if not model.family.pads_with_any_value:
        able = " or ".join(name for name, family in FAMILIES.items() if family.pads_with_any_value)
        raise UserError(f"pad_value {value} needs an {able} device; {model.name} pads with 0", op.loc)
    if len(values) > 1:
        raise UserError("one channel cannot pad with different values", op.loc)
    direction, channel = _channel(start, place, model.kind_of(place[1]))
    if direction != "MM2S":
        raise UserError("padding is possible on channels that send (MM2S) only", op.loc)
    yield Write(registers.tile_address(*place, registers.MEMTILE_PAD_VALUE + 4 * channel), value & 0xFFFFFFFF)
