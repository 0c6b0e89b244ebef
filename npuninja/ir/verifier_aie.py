"""Rules for the operations of the AIE dialect, after the `verify` functions in AIEDialect.cpp of MLIR-AIE."""

from __future__ import annotations

from typing import Callable

from npuninja.arch.devices import DEVICES, Device, TileKind, kind_of, memory_window, tile_kind
from npuninja.diag.errors import UserError
from npuninja.ir.attributes import (
    ArrayAttr,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
    EnumAttr,
    IntegerAttr,
    PacketInfoAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import DYNAMIC, bits, element_count, memref, size_bytes

_TILES = ("aie.tile", "aie.logical_tile")
_BUFFERS = ("aie.buffer", "aie.external_buffer")
_DMA_REGIONS = {"aie.mem": "core", "aie.memtile_dma": "mem", "aie.shim_dma": "shim"}
_KIND_WORDS = {"core": "a core tile", "mem": "a memtile", "shim": "a shim tile"}
_TAIL_HINT = "dimensions are written outermost first"


def device_of(op: Operation) -> Device | None:
    """The NPU device around `op`, or None when there is none."""
    device = op.enclosing("aie.device")
    attribute = device.attributes.get("device") if device is not None else None
    return DEVICES.get(attribute.case) if isinstance(attribute, EnumAttr) else None


def place_of(tile: Value) -> tuple[int, int] | None:
    """Column and row of a tile, or None for a logical tile that has no place yet."""
    op = tile.owner
    if isinstance(op, Operation) and "col" in op.attributes and "row" in op.attributes:
        return op.integer("col"), op.integer("row")
    return None


def _error(op: Operation, message: str, hint: str | None = None, note: Operation | None = None) -> UserError:
    notes = (("it is here", note.loc),) if note is not None else ()
    return UserError(f"'{op.name}': {message}", op.loc, hint=hint, notes=notes)


def _require_tile(op: Operation, values: list[Value]) -> None:
    for value in values:
        if not (isinstance(value.owner, Operation) and value.owner.name in _TILES):
            name = f"'%{value.name}'" if value.name else "an operand"
            raise _error(op, f"{name} is not a tile", "tiles are made by 'aie.tile'")


def _check_tiles(op: Operation) -> None:
    _require_tile(op, op.operands)


def _check_first_tile(op: Operation) -> None:
    _require_tile(op, op.operands[:1])


# Devices and tiles


def _check_device(op: Operation) -> None:
    attribute = op.attributes["device"]
    assert isinstance(attribute, EnumAttr), op
    if attribute.case not in DEVICES:
        raise _error(op, f"{attribute.case} is not an NPU", f"NPU devices are {', '.join(DEVICES)}")
    owners: dict[tuple[str, Value], Operation] = {}
    for each in op.body.ops:
        if each.name in _ONE_PER_TILE:
            first = owners.setdefault((each.name, each.operands[0]), each)
            if first is not each:
                raise _error(each, "the tile already has one", note=first)


_ONE_PER_TILE = ("aie.core", "aie.mem", "aie.memtile_dma", "aie.shim_dma", "aie.switchbox", "aie.shim_mux")


def _check_tile(op: Operation) -> None:
    device = device_of(op)
    if device is None:
        return
    column, row = op.integer("col"), op.integer("row")
    if not 0 <= column < device.columns:
        raise _error(op, f"column {column} is outside {device.name}, which has columns 0 to {device.columns - 1}")
    if not 0 <= row < device.rows:
        raise _error(op, f"row {row} is outside {device.name}, which has rows 0 to {device.rows - 1}")


def _check_core(op: Operation) -> None:
    _check_first_tile(op)
    place = place_of(op.operands[0])
    if place is not None and tile_kind(place[1]) != "core":
        raise _error(op, f"tile {place} is {_KIND_WORDS[tile_kind(place[1])]}; cores are in rows 2 to 5")
    is_empty = [o.name for block in op.regions[0].blocks for o in block.ops] == ["aie.end"]
    if "elf_file" in op.attributes and not is_empty:
        raise _error(op, "a core with 'elf_file' must have an empty body (exactly one 'aie.end')")
    if "link_with" in op.attributes and "link_files" in op.attributes:
        raise _error(op, "'link_with' and 'link_files' exclude each other")


def _check_on_own_tile(op: Operation) -> None:
    """aie.buffer and aie.lock."""
    _check_first_tile(op)
    place = place_of(op.operands[0])
    if place is None:
        return
    kind = kind_of(place[1])
    if op.name == "aie.lock":
        number = op.attributes.get("lockID")
        if isinstance(number, IntegerAttr) and not 0 <= number.value < kind.locks:
            raise _error(op, f"lock id {number.value} is invalid, the tile has 0 to {kind.locks - 1}")
        return
    if tile_kind(place[1]) == "shim":
        raise _error(op, "a shim tile has no memory", "use 'aie.external_buffer' for host memory")
    if DYNAMIC in memref(op.result.type).shape:
        raise _error(op, f"a buffer needs a static shape, got {op.result.type}")


# Use of locks and buffers


def _check_use_lock(op: Operation) -> None:
    owner = op.operands[0].owner
    if not (isinstance(owner, Operation) and owner.name == "aie.lock"):
        raise _error(op, "its operand is not a lock", "locks are made by 'aie.lock'")
    home = _home(op)
    if home is None:
        if op.enclosing("aie.runtime_sequence") or op.enclosing("aiex.runtime_sequence"):
            raise _error(op, "locks cannot be used in a runtime sequence", "use 'aiex.set_lock'")
        raise _error(op, "locks are used in a core or a DMA region")
    _check_reach(op, owner, home)


def _home(op: Operation) -> Operation | None:
    """The core or DMA region around `op`."""
    parent = op.parent_op
    while parent is not None and parent.name not in ("aie.core", *_DMA_REGIONS):
        parent = parent.parent_op
    return parent


def _check_reach(op: Operation, owner: Operation, home: Operation) -> None:
    """A lock or buffer of another tile must be in a memory that the tile sees."""
    if owner.operands[:1] == home.operands[:1] or not owner.operands:
        return
    there, here, device = place_of(owner.operands[0]), place_of(home.operands[0]), device_of(op)
    if there is None or here is None or device is None or there == here:
        return
    if not device.contains(*there) or not device.contains(*here):
        return  # the tile's own rule reports it
    if memory_window(device, here, there) is None:
        what = "lock" if owner.name == "aie.lock" else "buffer"
        raise _error(op, f"the {what} is on tile {there}, which tile {here} cannot reach", note=owner)


# DMA regions


def _check_dma_region(op: Operation) -> None:
    _check_first_tile(op)
    place = place_of(op.operands[0])
    if place is None:
        return
    wanted = _DMA_REGIONS[op.name]
    if tile_kind(place[1]) != wanted:
        raise _error(op, f"tile {place} is {_KIND_WORDS[tile_kind(place[1])]}, expected {_KIND_WORDS[wanted]}")
    kind = kind_of(place[1])
    with_bd = [b for b in op.regions[0].blocks if any(o.name == "aie.dma_bd" for o in b.ops)]
    if len(with_bd) > kind.bds:
        first = next(o for o in with_bd[kind.bds].ops if o.name == "aie.dma_bd")
        raise UserError(
            f"'{op.name}' has more than {kind.bds} blocks with a buffer descriptor ({len(with_bd)})",
            op.loc,
            notes=(("there is no descriptor left for this one", first.loc),),
            hint="use a smaller depth, or fewer objectFifos on the tile",
        )
    _check_channels(op, kind)


def _check_channels(op: Operation, kind: TileKind) -> None:
    used: dict[tuple[str, int], Operation] = {}
    for block in op.regions[0].blocks:
        for start in block.ops:
            if start.name not in ("aie.dma_start", "aie.dma"):
                continue
            direction = start.attributes["channel_dir"]
            assert isinstance(direction, EnumAttr), start
            channel = start.integer("channel_index")
            limit = kind.s2mm_channels if direction.case == "S2MM" else kind.mm2s_channels
            if not 0 <= channel < limit:
                raise _error(start, f"channel {channel} does not exist, a {kind.name} tile has 0 to {limit - 1}")
            first = used.setdefault((direction.case, channel), start)
            if first is not start:
                raise _error(start, f"DMA channel {direction.case} {channel} is started twice", note=first)


def _check_dma_bd(op: Operation) -> None:
    _check_packet(op)
    home = _home(op)
    if home is None or home.name == "aie.core":
        return  # in a sequence or chain: checked when it is placed on a tile
    place = place_of(home.operands[0])
    buffer = op.operands[0].owner
    if not (isinstance(buffer, Operation) and buffer.name in _BUFFERS):
        raise _error(op, "its operand is not a buffer", "buffers are made by 'aie.buffer' or 'aie.external_buffer'")
    if home.name == "aie.mem" and buffer.operands[:1] != home.operands[:1]:
        raise _error(op, "the DMA of a core tile can only reach a buffer of the same tile", note=buffer)
    if place is None:
        return
    if home.name == "aie.memtile_dma":
        _check_reach(op, buffer, home)
    kind = kind_of(place[1])
    for name in ("bd_id", "next_bd_id"):
        number = op.attributes.get(name)
        if isinstance(number, IntegerAttr) and not 0 <= number.value < kind.bds:
            raise _error(op, f"{name} is {number.value}, a {kind.name} tile has 0 to {kind.bds - 1}")
    type = memref(op.operands[0].type)
    if "len" not in op.attributes and DYNAMIC in type.shape:
        raise _error(op, "a buffer of dynamic shape needs a length")
    length = op.integer("len", 0) * bits(type.element) if "len" in op.attributes else 8 * size_bytes(op.operands[0].type)
    if length % 32:
        raise _error(op, f"the transfer has {length // 8} bytes, which is no multiple of 4")
    if op.integer("offset", 0) * bits(type.element) % 32:
        raise _error(op, f"offset {op.integer('offset')} elements is no multiple of 4 bytes")
    if op.integer("burst_length", 0) and home.name != "aie.shim_dma":
        raise _error(op, "'burst_length' is for shim tiles only")
    _check_dimensions(op, kind, home)


def _check_dimensions(op: Operation, kind: TileKind, home: Operation) -> None:
    dims = op.attributes.get("dimensions", BDDimLayoutArrayAttr(()))
    pads = op.attributes.get("pad_dimensions", BDPadLayoutArrayAttr(()))
    assert isinstance(dims, BDDimLayoutArrayAttr), op
    assert isinstance(pads, BDPadLayoutArrayAttr), op
    type = memref(op.operands[0].type)
    if pads.pads:
        if home.name != "aie.memtile_dma":
            raise _error(op, "padding is only supported by the DMA of a memtile")
        if len(pads.pads) != len(dims.dims):
            raise _error(op, f"padding has {len(pads.pads)} dimensions, the transfer {len(dims.dims)}")
    if not dims.dims:
        return
    if len(dims.dims) > kind.bd_dimensions:
        raise _error(op, f"{len(dims.dims)} dimensions, a {kind.name} tile has at most {kind.bd_dimensions}")
    for dim in dims.dims:
        if dim.size < 1 or dim.size > 1023:
            raise _error(op, f"size {dim.size} is outside [1:1023]", _TAIL_HINT)
        if dim.stride < 0 or dim.stride >= 1 << 19 or (dim.stride == 0 and dim.size > 1):
            raise _error(op, f"stride {dim.stride} is outside [1:{(1 << 19) - 1}]", _TAIL_HINT)
    if DYNAMIC not in type.shape:
        last = sum((d.size - 1) * d.stride for d in dims.dims)
        if last >= element_count(type.shape):
            count = element_count(type.shape)
            raise _error(op, f"sizes and strides reach element {last} of a buffer of {count}", _TAIL_HINT)
    if bits(type.element) < 32 and dims.dims[-1].stride != 1:
        raise _error(
            op,
            f"the innermost stride is {dims.dims[-1].stride}, but must be 1 for elements of {bits(type.element)} bits",
            "streams carry 32-bit words, so single smaller elements cannot be picked",
        )


def _check_packet(op: Operation) -> None:
    packet = op.attributes.get("packet")
    if isinstance(packet, PacketInfoAttr):
        if not 0 <= packet.pkt_type <= 7:
            raise _error(op, f"packet type {packet.pkt_type} is outside [0:7]")
        if not 0 <= packet.pkt_id <= 31:
            raise _error(op, f"packet id {packet.pkt_id} is outside [0:31]")


# Switches


def _check_switch(op: Operation) -> None:
    """Each output port of a switchbox or shim mux has one source."""
    _check_first_tile(op)
    used: dict[tuple[str, int], Operation] = {}
    for each in op.body.ops:
        if each.name not in ("aie.connect", "aie.masterset"):
            continue
        bundle = each.attributes["dest_bundle"]
        assert isinstance(bundle, EnumAttr), each
        port = bundle.case, each.integer("dest_channel")
        if port[1] < 0 or ("source_channel" in each.attributes and each.integer("source_channel") < 0):
            raise _error(each, "a channel cannot be negative")
        first = used.setdefault(port, each)
        if first is not each:
            place = place_of(op.operands[0])
            raise _error(each, f"output {port[0]} : {port[1]} of tile {place} already has a source", note=first)


def _check_amsels(op: Operation) -> None:
    for value in op.operands:
        if not (isinstance(value.owner, Operation) and value.owner.name == "aie.amsel"):
            raise _error(op, "its operand is not an 'aie.amsel'")


# objectFifos


def _check_objectfifo(op: Operation) -> None:
    _require_tile(op, op.operands)
    producer, *consumers = op.operands
    if not consumers:
        raise _error(op, "an objectFifo needs at least one consumer")
    depth = op.attributes["elemNumber"]
    if isinstance(depth, ArrayAttr) and len(depth.items) != len(consumers) + 1:
        raise _error(
            op,
            f"{len(depth.items)} depths, expected {len(consumers) + 1}",
            "the array has the producer's depth, then one for each consumer",
        )
    depths = [d.value for d in (depth.items if isinstance(depth, ArrayAttr) else (depth,)) if isinstance(d, IntegerAttr)]
    if min(depths, default=0) < 1:
        raise _error(op, f"depth {min(depths, default=0)}, expected at least 1")
    _check_objectfifo_options(op, producer, consumers, depths[0])


def _check_objectfifo_options(op: Operation, producer: Value, consumers: list[Value], depth: int) -> None:
    place = place_of(producer)
    kind = tile_kind(place[1]) if place else ""
    to_stream = op.attributes.get("dimensionsToStream", BDDimLayoutArrayAttr(()))
    from_stream = op.attributes.get("dimensionsFromStreamPerConsumer", BDDimLayoutArrayArrayAttr(()))
    assert isinstance(to_stream, BDDimLayoutArrayAttr), op
    assert isinstance(from_stream, BDDimLayoutArrayArrayAttr), op
    if kind == "shim":
        if to_stream.dims:
            raise _error(op, "'dimensionsToStream' is not supported for a shim tile")
        for name in ("repeat_count", "initValues"):
            if name in op.attributes:
                raise _error(op, f"'{name}' is not supported for a shim tile as the producer")
    if from_stream.arrays and len(from_stream.arrays) != len(consumers):
        raise _error(op, f"dimensions for {len(from_stream.arrays)} consumers, but there are {len(consumers)}")
    for consumer, dims in zip(consumers, from_stream.arrays):
        there = place_of(consumer)
        if dims and there is not None and tile_kind(there[1]) == "shim":
            raise _error(op, "'dimensionsFromStream' is not supported for a shim tile")
    if "padDimensions" in op.attributes and kind not in ("mem", ""):
        raise _error(op, "'padDimensions' is only supported for a memtile as the producer")
    values = op.attributes.get("initValues")
    if isinstance(values, ArrayAttr) and len(values.items) != depth:
        raise _error(op, f"{len(values.items)} initial values, but depth {depth}")
    if op.integer("repeat_count", 1) < 1:
        raise _error(op, f"repeat_count is {op.integer('repeat_count')}, expected at least 1")


def _check_link(op: Operation) -> None:
    ins, outs = op.attributes["fifoIns"], op.attributes["fifoOuts"]
    sources, targets = op.attributes["src_offsets"], op.attributes["dst_offsets"]
    if not (isinstance(ins, ArrayAttr) and isinstance(outs, ArrayAttr)):
        raise _error(op, "expected lists of objectFifos in brackets")
    if not (isinstance(sources, ArrayAttr) and isinstance(targets, ArrayAttr)):
        raise _error(op, "expected lists of offsets in brackets")
    if not ins.items or not outs.items:
        raise _error(op, "a link needs at least one objectFifo on each side")
    if len(ins.items) > 1 and len(outs.items) > 1:
        raise _error(op, "a link either joins or distributes, it cannot do both")
    for fifos, offsets, side in ((ins, sources, "input"), (outs, targets, "output")):
        if len(fifos.items) > 1 and len(offsets.items) != len(fifos.items):
            raise _error(op, f"{len(fifos.items)} {side} objectFifos, but {len(offsets.items)} offsets")


def _check_access_in_core(op: Operation) -> None:
    """acquire and release."""
    if op.enclosing("aie.core") is None:
        raise _error(op, "must be inside a core")
    if op.integer("size") < 0 or (op.integer("size") < 1 and op.name.endswith("acquire")):
        raise _error(op, f"size is {op.integer('size')}, expected at least 1")


def _check_subview_access(op: Operation) -> None:
    owner = op.operands[0].owner
    if not (isinstance(owner, Operation) and owner.name == "aie.objectfifo.acquire"):
        raise _error(op, "its operand is not the result of 'aie.objectfifo.acquire'")
    size, index = owner.integer("size"), op.integer("index")
    if not 0 <= index < size:
        raise _error(op, f"element {index} of {size} acquired", "elements count from 0", owner)
    if owner.result.type != f"!aie.objectfifosubview<{op.result.type}>":
        raise _error(op, f"the result has type {op.result.type}, but {owner.result.type} was acquired")


AIE_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.device": _check_device,
    "aie.tile": _check_tile,
    "aie.core": _check_core,
    "aie.buffer": _check_on_own_tile,
    "aie.lock": _check_on_own_tile,
    "aie.use_lock": _check_use_lock,
    "aie.mem": _check_dma_region,
    "aie.memtile_dma": _check_dma_region,
    "aie.shim_dma": _check_dma_region,
    "aie.dma_bd": _check_dma_bd,
    "aie.switchbox": _check_switch,
    "aie.shim_mux": _check_switch,
    "aie.masterset": _check_amsels,
    "aie.rule": _check_amsels,
    "aie.flow": _check_tiles,
    "aie.cascade_flow": _check_tiles,
    "aie.packet_source": _check_tiles,
    "aie.packet_dest": _check_tiles,
    "aie.configure_cascade": _check_tiles,
    "aie.shim_dma_allocation": _check_tiles,
    "aie.objectfifo": _check_objectfifo,
    "aie.objectfifo.link": _check_link,
    "aie.objectfifo.allocate": _check_tiles,
    "aie.objectfifo.acquire": _check_access_in_core,
    "aie.objectfifo.release": _check_access_in_core,
    "aie.objectfifo.subview.access": _check_subview_access,
}
