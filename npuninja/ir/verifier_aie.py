"""Rules for the operations of the AIE dialect, after the `verify` functions in AIEDialect.cpp of MLIR-AIE."""

from __future__ import annotations

from typing import Callable

from npuninja.arch.devices import (
    DATA_WINDOW_BYTES,
    DEFAULT_STACK_BYTES,
    DEVICES,
    MAX_ITERATIONS,
    TileKind,
    memory_window,
)
from npuninja.arch.switch import MASTER_COUNTS, SLAVE_COUNTS
from npuninja.errors import UserError
from npuninja.ir.attributes import (
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
    DenseArrayAttr,
    EnumAttr,
    IntegerAttr,
    PacketInfoAttr,
    is_contiguous,
)
from npuninja.ir.core import Block, Operation
from npuninja.ir.numbers import iteration_of
from npuninja.ir.tiles import device_of, kind_at, kind_name_of, place_of
from npuninja.ir.types import DYNAMIC, bits, element_count, memref, size_bytes
from npuninja.ir.verifier_tiles import op_error, require_pad_value, require_tiles

_TASKS = ("aiex.dma_configure_task", "aiex.dma_configure_task_for", "aie.bd_chain")
_BUFFERS = ("aie.buffer", "aie.external_buffer")
_DMA_REGIONS = {"aie.mem": "core", "aie.memtile_dma": "mem", "aie.shim_dma": "shim"}
_KIND_WORDS = {"core": "a core tile", "mem": "a memtile", "shim": "a shim tile"}
#: Locks that a core sees: its own and those of three neighbours, 16 each.
_CORE_LOCKS = 64
_TAIL_HINT = "dimensions are written outermost first"


def _check_tiles(op: Operation) -> None:
    require_tiles(op, op.operands)


def _check_first_tile(op: Operation) -> None:
    require_tiles(op, op.operands[:1])


# Devices and tiles


def _check_device(op: Operation) -> None:
    attribute = op.enum("device")
    if attribute not in DEVICES:
        raise op_error(op, f"{attribute} is not an NPU", f"NPU devices are {', '.join(DEVICES)}")
    owners: dict[tuple[str, object], Operation] = {}
    for each in op.body.ops:
        if each.name in _ONE_PER_TILE:
            tile = each.operands[0]
            placed = (
                each.name == "aie.core"
                and isinstance(tile.owner, Operation)
                and tile.owner.name == "aie.tile"
            )
            first = owners.setdefault((each.name, place_of(tile) if placed else tile), each)
            if first is not each:
                raise op_error(each, "the tile already has one", note=first)


_ONE_PER_TILE = ("aie.core", "aie.mem", "aie.memtile_dma", "aie.shim_dma", "aie.switchbox", "aie.shim_mux")


def _check_tile(op: Operation) -> None:
    device = device_of(op)
    if device is None:
        return
    column, row = op.integer("col"), op.integer("row")
    if not 0 <= column < device.columns:
        raise op_error(
            op, f"column {column} is outside {device.name}, which has columns 0 to {device.columns - 1}"
        )
    if not 0 <= row < device.rows:
        raise op_error(op, f"row {row} is outside {device.name}, which has rows 0 to {device.rows - 1}")


def _check_core(op: Operation) -> None:
    _check_first_tile(op)
    kind, device = kind_at(op.tile), device_of(op)
    if kind is not None and device is not None and kind.name != "core":
        rows = device.family.rows.of_kind("core")
        raise op_error(
            op,
            f"tile {place_of(op.tile)} is {_KIND_WORDS[kind.name]}; cores are in rows {rows[0]} to {rows[-1]}",
        )
    is_empty = [o.name for block in op.regions[0].blocks for o in block.ops] == ["aie.end"]
    if "elf_file" in op.attributes and not is_empty:
        raise op_error(op, "a core with 'elf_file' must have an empty body (exactly one 'aie.end')")
    stack_bytes = op.integer("stack_size", DEFAULT_STACK_BYTES)
    if not 0 <= stack_bytes < DATA_WINDOW_BYTES:
        raise op_error(
            op,
            f"stack_size is {stack_bytes}; a core has {DATA_WINDOW_BYTES} bytes of data memory for stack and buffers",
        )
    for name in ("link_files", "link_merge_files"):
        if "link_with" in op.attributes and name in op.attributes:
            raise op_error(op, f"'link_with' and '{name}' exclude each other")
    both = set(op.strings("link_files")) & set(op.strings("link_merge_files"))
    if both:
        raise op_error(op, f"{min(both)!r} is both in 'link_files' and in 'link_merge_files'")


def _check_logical_tile(op: Operation) -> None:
    if "allocation_scheme" in op.attributes and op.enum("tile_type").startswith("Shim"):
        raise op_error(op, "a shim tile has no memory, so no allocation_scheme")


def _check_on_own_tile(op: Operation) -> None:
    """aie.buffer and aie.lock."""
    _check_first_tile(op)
    kind = kind_at(op.tile)
    if kind is None:
        return
    if op.name == "aie.lock":
        number = op.attributes.get("lockID")
        if isinstance(number, IntegerAttr) and not 0 <= number.value < kind.locks:
            raise op_error(op, f"lock id {number.value} is invalid, the tile has 0 to {kind.locks - 1}")
        return
    if kind.name == "shim":
        raise op_error(op, "a shim tile has no memory", "use 'aie.external_buffer' for host memory")
    if DYNAMIC in memref(op.result.type).shape:
        raise op_error(op, f"a buffer needs a static shape, got {op.result.type}")


# Use of locks and buffers


def _check_use_lock(op: Operation) -> None:
    owner = op.operands[0].owner
    if isinstance(owner, Block):
        holder = owner.parent.parent if owner.parent is not None else None
        if holder is not None and holder.name in ("aie.bd_chain", "func.func"):
            return  # whoever starts the chain or calls the function passes the lock
    if isinstance(owner, Operation) and owner.name == "arith.constant" and _home_is_code(op):
        number = owner.attributes.get("value")
        if isinstance(number, IntegerAttr) and not 0 <= number.value < _CORE_LOCKS:
            raise op_error(op, f"a core sees locks 0 to {_CORE_LOCKS - 1}, not {number.value}")
        return  # the number by which a core knows a lock, as in lowered code
    if not (isinstance(owner, Operation) and owner.name == "aie.lock"):
        raise op_error(op, "its operand is not a lock", "locks are made by 'aie.lock'")
    home = _home(op)
    if home is None:
        if (parent := op.parent_op) is not None and parent.name in _TASKS:
            return  # the lowering of tasks knows what the generation allows
        if op.enclosing("aie.runtime_sequence") or op.enclosing("aiex.runtime_sequence"):
            raise op_error(op, "locks cannot be used in a runtime sequence", "use 'aiex.set_lock'")
        raise op_error(op, "locks are used in a core or a DMA region")
    _check_reach(op, owner, home)
    count = op.operands[1].owner if len(op.operands) > 1 else None
    known = count is None or (isinstance(count, Operation) and count.name == "arith.constant")
    if not known and home.name != "aie.core":
        raise op_error(op, "the count of a lock in a DMA program must be a constant")


def _home_is_code(op: Operation) -> bool:
    home = _home(op)
    return home.name == "aie.core" if home is not None else op.enclosing("func.func") is not None


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
    there, here, device = place_of(owner.tile), place_of(home.tile), device_of(op)
    if there is None or here is None or device is None or there == here:
        return
    if not device.contains(*there) or not device.contains(*here):
        return  # the tile's own rule reports it
    if memory_window(device, here, there) is None:
        what = "lock" if owner.name == "aie.lock" else "buffer"
        raise op_error(op, f"the {what} is on tile {there}, which tile {here} cannot reach", note=owner)


# DMA regions


def _check_dma_region(op: Operation) -> None:
    _check_first_tile(op)
    wanted, found = _DMA_REGIONS[op.name], kind_name_of(op.operands[0])
    if found is not None and found != wanted:
        place = place_of(op.tile)
        which = f"tile {place}" if place is not None else "the tile"
        raise op_error(op, f"{which} is {_KIND_WORDS[found]}, expected {_KIND_WORDS[wanted]}")
    for block in op.regions[0].blocks:
        _check_descriptor_block(block)
    kind = kind_at(op.tile)
    if kind is None:
        return
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


def _check_descriptor_block(block: Block) -> None:
    """A block of a DMA region is one descriptor: it takes one lock, moves one buffer, gives one lock back."""
    seen: dict[str, Operation] = {}
    for op in block.ops:
        part = ""
        if op.name == "aie.dma_bd":
            part = "descriptor"
        elif op.name == "aie.use_lock":
            action = op.attributes.get("action")
            part = "release" if isinstance(action, EnumAttr) and action.case == "Release" else "acquire"
        elif op.name == "aie.dma" and block.parent is not None and len(block.parent.blocks) > 1:
            raise op_error(
                op, "it stands in a region of several blocks", "aie.dma takes a region of one block"
            )
        if part and seen.setdefault(part, op) is not op:
            raise op_error(
                op, f"the block has a second {part}, and a buffer descriptor holds one", note=seen[part]
            )


def _check_channels(op: Operation, kind: TileKind) -> None:
    """Each start names a channel that is there. A channel may be started more than once: its task queue takes both."""
    for block in op.regions[0].blocks:
        for start in block.ops:
            if start.name in ("aie.dma_start", "aie.dma"):
                _check_channel(start, kind)


def _check_channel(op: Operation, kind: TileKind) -> tuple[str, int]:
    """The direction and number of the channel that an operation names, which a tile of this kind has."""
    direction = op.attributes["channel_dir"]
    assert isinstance(direction, EnumAttr), op
    channel = op.integer("channel_index")
    limit = kind.s2mm_channels if direction.case == "S2MM" else kind.mm2s_channels
    if not 0 <= channel < limit:
        raise op_error(op, f"channel {channel} does not exist, a {kind.name} tile has 0 to {limit - 1}")
    if op.integer("pad_value", 0):
        if kind.name != "mem" or direction.case != "MM2S":
            raise op_error(op, "'pad_value' is for channels of memtiles that send (MM2S)")
        require_pad_value(op)
    return direction.case, channel


def _check_allocation(op: Operation) -> None:
    require_tiles(op, op.operands)
    device = device_of(op)
    if device is None:
        return
    place = place_of(op.tile) if op.operands else (op.integer("col"), device.shim_row)
    if place is None:
        return
    if not device.contains(*place):
        raise op_error(
            op, f"column {place[0]} is outside {device.name}, which has columns 0 to {device.columns - 1}"
        )
    if place[1] != device.shim_row:
        raise op_error(
            op, f"tile ({place[0]}, {place[1]}) is no shim tile, whose channels reach the host's memory"
        )
    _check_channel(op, device.kind_of(place[1]))


def _check_dma_bd(op: Operation) -> None:
    _check_packet(op)
    home = _home(op)
    if "offset" not in op.attributes or len(op.operands) > 1:
        _check_values(op, home)
        return
    _check_iteration(op, home)
    if home is None or home.name == "aie.core":
        return  # in a sequence or chain: checked when it is placed on a tile
    kind = kind_at(home.tile)
    buffer = op.operands[0].owner
    if not (isinstance(buffer, Operation) and buffer.name in _BUFFERS):
        raise op_error(
            op, "its operand is not a buffer", "buffers are made by 'aie.buffer' or 'aie.external_buffer'"
        )
    if home.name == "aie.mem" and buffer.operands[:1] != home.operands[:1]:
        raise op_error(op, "the DMA of a core tile can only reach a buffer of the same tile", note=buffer)
    if kind is None:
        return
    if home.name == "aie.memtile_dma":
        _check_reach(op, buffer, home)
    for name in ("bd_id", "next_bd_id"):
        number = op.attributes.get(name)
        if isinstance(number, IntegerAttr) and not 0 <= number.value < kind.bds:
            raise op_error(op, f"{name} is {number.value}, a {kind.name} tile has 0 to {kind.bds - 1}")
    type = memref(op.operands[0].type)
    if "len" not in op.attributes and DYNAMIC in type.shape:
        raise op_error(op, "a buffer of dynamic shape needs a length")
    length = (
        op.integer("len", 0) * bits(type.element)
        if "len" in op.attributes
        else 8 * size_bytes(op.operands[0].type)
    )
    if length % 32:
        raise op_error(op, f"the transfer has {length // 8} bytes, which is no multiple of 4")
    if length // 32 > kind.max_length_words:
        raise op_error(
            op,
            f"the length is {length // 32} words, and a descriptor of {_KIND_WORDS[kind.name]} counts up to "
            f"{kind.max_length_words}",
            "share the transfer between two descriptors",
        )
    address = buffer.integer("address", 0)
    if (8 * address + op.integer("offset", 0) * bits(type.element)) % 32:
        behind = f" behind address {address}" if address else ""
        raise op_error(op, f"offset {op.integer('offset', 0)} elements{behind} is no multiple of 4 bytes")
    if op.integer("burst_length", 0) and home.name != "aie.shim_dma":
        raise op_error(op, "'burst_length' is for shim tiles only")
    _check_dimensions(op, kind, home)


def _check_values(op: Operation, home: Operation | None) -> None:
    """A descriptor some of whose numbers are values: only a sequence, whose loops are unrolled, can have them."""
    counts = [len(values) for name in ("static_sizes", "static_strides") if (values := _list_of(op, name))]
    if len(set(counts)) > 1:
        raise op_error(op, f"{counts[0]} sizes, but {counts[1]} strides")
    if home is not None and len(op.operands) > 1:
        raise op_error(
            op,
            "the descriptors of a DMA program are written when the design is loaded, so they need constants",
        )


def _list_of(op: Operation, name: str) -> tuple[int, ...]:
    values = op.attributes.get(name)
    return values.values if isinstance(values, DenseArrayAttr) else ()


def _check_iteration(op: Operation, home: Operation | None) -> None:
    iteration = iteration_of(op)
    if iteration is None:
        return
    if home is None or home.name not in _DMA_REGIONS:
        raise op_error(
            op, "an iteration is for DMA programs", "in a task, use the outermost of four dimensions"
        )
    size, stride, current = iteration
    if not 1 <= size <= MAX_ITERATIONS:
        raise op_error(op, f"the iteration's size is {size}, expected 1 to {MAX_ITERATIONS}")
    if not 0 <= current < size:
        raise op_error(op, f"the iteration begins with {current}, expected 0 to {size - 1}")
    kind = kind_at(home.tile)
    if size == 1 or kind is None:
        return
    step_bits, limit = stride * bits(memref(op.operands[0].type).element), kind.max_step_words
    if step_bits % 32:
        raise op_error(op, f"the iteration's stride is {step_bits // 8} bytes, which is no multiple of 4")
    if not 1 <= step_bits // 32 <= limit:
        raise op_error(op, f"the iteration's stride is {step_bits // 32} 32-bit words, expected 1 to {limit}")


def _check_dimensions(op: Operation, kind: TileKind, home: Operation) -> None:
    dims = op.attributes.get("dimensions", BDDimLayoutArrayAttr(()))
    pads = op.attributes.get("pad_dimensions", BDPadLayoutArrayAttr(()))
    assert isinstance(dims, BDDimLayoutArrayAttr), op
    assert isinstance(pads, BDPadLayoutArrayAttr), op
    type = memref(op.operands[0].type)
    if pads.pads:
        if home.name != "aie.memtile_dma":
            raise op_error(op, "padding is only supported by the DMA of a memtile")
        if len(pads.pads) != len(dims.dims):
            raise op_error(op, f"padding has {len(pads.pads)} dimensions, the transfer {len(dims.dims)}")
        padded = 1
        for dim, pad in zip(dims.dims, pads.pads):
            padded *= pad.before + dim.size + pad.after
        if "len" in op.attributes and padded > op.integer("len"):
            raise op_error(
                op, f"with its padding the transfer has {padded} elements, its length is {op.integer('len')}"
            )
    if not dims.dims:
        return
    if len(dims.dims) > kind.bd_dimensions:
        raise op_error(
            op, f"{len(dims.dims)} dimensions, a {kind.name} tile has at most {kind.bd_dimensions}"
        )
    # A shim tile moves data without gaps as one line, whatever its dimensions say.
    limited = kind.name != "shim" or not is_contiguous(dims.dims)
    for dim in dims.dims:
        if dim.size < 1 or (limited and dim.size > 1023):
            raise op_error(op, f"size {dim.size} is outside [1:1023]", _TAIL_HINT)
        if dim.stride < 0 or dim.stride >= 1 << 19 or (dim.stride == 0 and dim.size > 1):
            raise op_error(op, f"stride {dim.stride} is outside [1:{(1 << 19) - 1}]", _TAIL_HINT)
    if DYNAMIC not in type.shape:
        last = sum((d.size - 1) * d.stride for d in dims.dims)
        if last >= element_count(type.shape):
            count = element_count(type.shape)
            raise op_error(op, f"sizes and strides reach element {last} of a buffer of {count}", _TAIL_HINT)
    if bits(type.element) != 32 and dims.dims[-1].stride != 1:
        raise op_error(
            op,
            f"the innermost stride is {dims.dims[-1].stride}, but must be 1 for elements of {bits(type.element)} bits",
            "a DMA counts 32-bit words: smaller elements cannot be picked, and larger ones are several words",
        )


def _check_packet(op: Operation) -> None:
    packet = op.attributes.get("packet")
    if isinstance(packet, PacketInfoAttr):
        if not 0 <= packet.pkt_type <= 7:
            raise op_error(op, f"packet type {packet.pkt_type} is outside [0:7]")
        if not 0 <= packet.pkt_id <= 31:
            raise op_error(op, f"packet id {packet.pkt_id} is outside [0:31]")


# Switches


def _check_switch(op: Operation) -> None:
    """Each output port of a switchbox or shim mux has one source."""
    _check_first_tile(op)
    used: dict[tuple[str, int], Operation] = {}
    for each in op.body.ops:
        if each.name not in ("aie.connect", "aie.masterset"):
            continue
        bundle = each.enum("dest_bundle")
        port = bundle, each.integer("dest_channel")
        if port[1] < 0 or ("source_channel" in each.attributes and each.integer("source_channel") < 0):
            raise op_error(each, "a channel cannot be negative")
        if op.name == "aie.switchbox":
            _check_ports(each, kind_at(op.tile))
        first = used.setdefault(port, each)
        if first is not each:
            place = place_of(op.tile)
            raise op_error(
                each, f"output {port[0]} : {port[1]} of tile {place} already has a source", note=first
            )


def _check_ports(op: Operation, kind: TileKind | None) -> None:
    """The channels of a connection in a switchbox of this kind exist."""
    for end, counts in (("source", SLAVE_COUNTS), ("dest", MASTER_COUNTS)):
        if kind is None or end + "_channel" not in op.attributes:
            continue
        bundle, channel = op.enum(end + "_bundle"), op.integer(end + "_channel")
        most = counts[kind.name].get(bundle)
        if most is not None and channel >= most:
            raise op_error(
                op, f"{bundle} : {channel} does not exist, {_KIND_WORDS[kind.name]} has 0 to {most - 1}"
            )


def _check_amsels(op: Operation) -> None:
    for value in op.operands:
        if not (isinstance(value.owner, Operation) and value.owner.name == "aie.amsel"):
            raise op_error(op, "its operand is not an 'aie.amsel'")


def _check_stream(op: Operation) -> None:
    """A core's streams are read and written in its own block, not in a loop or a condition."""
    parent = op.parent_op
    if parent is not None and parent.name != "aie.core":
        raise op_error(
            op,
            f"it stands in '{parent.name}'",
            "MLIR-AIE takes it directly in aie.core only; in a loop use cf branches, or a kernel",
        )


def _check_dma(op: Operation) -> None:
    """`aie.dma`: each block has one descriptor between an acquire and a release."""
    for region in op.regions:
        names = [inner.name for inner in region.entry.ops]
        if names.count("aie.dma_bd") != 1 or names.count("aie.use_lock") != 2:
            raise op_error(op, "each of its blocks needs one aie.dma_bd and two aie.use_lock")


AIE_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.put_stream": _check_stream,
    "aie.get_stream": _check_stream,
    "aie.dma": _check_dma,
    "aie.device": _check_device,
    "aie.tile": _check_tile,
    "aie.logical_tile": _check_logical_tile,
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
    "aie.packet_source": _check_tiles,
    "aie.packet_dest": _check_tiles,
    "aie.shim_dma_allocation": _check_allocation,
    "aie.objectfifo.allocate": _check_tiles,
}
