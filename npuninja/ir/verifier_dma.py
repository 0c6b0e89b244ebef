"""Rules for DMA programs: regions, channels, buffer descriptors; after MLIR-AIE's AIEDialect.cpp."""

from __future__ import annotations

from math import prod

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import MAX_ITERATIONS, WORD_BITS, TileKind
from npuninja.errors import UserError
from npuninja.ir.attributes import (
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
    EnumAttr,
    is_contiguous,
)
from npuninja.ir.core import Block, Operation
from npuninja.ir.numbers import iteration_of
from npuninja.ir.syntax import operand
from npuninja.ir.tiles import device_of, kind_at, kind_name_of, place_of
from npuninja.ir.types import DYNAMIC, bits, element_count, memref, size_bytes
from npuninja.ir.verifier_tiles import (
    DMA_REGIONS,
    KIND_WORDS,
    check_packet,
    check_reach,
    home_of,
    op_error,
    require_pad_value,
    require_tiles,
)

if TYPE_CHECKING:
    from typing import Callable

_BUFFERS = ("aie.buffer", "aie.external_buffer")
_TAIL_HINT = "dimensions are written outermost first"


def _check_dma_region(op: Operation) -> None:
    require_tiles(op, [op.tile])
    wanted, found = DMA_REGIONS[op.name], kind_name_of(op.tile)
    if found is not None and found != wanted:
        place = place_of(op.tile)
        which = f"tile {place}" if place is not None else "the tile"
        raise op_error(op, f"{which} is {KIND_WORDS[found]}, expected {KIND_WORDS[wanted]}")
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
            action = op.typed("action", EnumAttr)
            part = "release" if action is not None and action.case == "Release" else "acquire"
        elif op.name == "aie.dma" and block.parent is not None and len(block.parent.blocks) > 1:
            raise op_error(op, "it is in a region of several blocks", "aie.dma takes a region of one block")
        if part and seen.setdefault(part, op) is not op:
            raise op_error(
                op, f"the block has a second {part}, and a buffer descriptor holds one", note=seen[part]
            )


def _check_channels(op: Operation, kind: TileKind) -> None:
    """Each start names a channel that is there. A channel may be started twice: its queue takes both."""
    for block in op.regions[0].blocks:
        for start in block.ops:
            if start.name in ("aie.dma_start", "aie.dma"):
                _check_channel(start, kind)


def _check_channel(op: Operation, kind: TileKind) -> tuple[str, int]:
    """The direction and number of the channel that an operation names, which a tile of this kind has."""
    direction, channel = op.enum("channel_dir"), op.integer("channel_index")
    limit = kind.channels(direction)
    if not 0 <= channel < limit:
        raise op_error(op, f"channel {channel} does not exist, a {kind.name} tile has 0 to {limit - 1}")
    if op.integer("pad_value", 0):
        if kind.name != "mem" or direction != "MM2S":
            raise op_error(op, "'pad_value' is for channels of memtiles that send (MM2S)")
        require_pad_value(op)
    return direction, channel


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
    check_packet(op)
    home = home_of(op)
    if "offset" not in op.attributes or len(op.operands) > 1:
        _check_values(op, home)
        return
    _check_iteration(op, home)
    if home is None or home.name == "aie.core":
        return  # in a sequence or chain: checked when it is placed on a tile
    kind = kind_at(home.tile)
    buffer = operand(op, "buffer").made_by(*_BUFFERS)
    if buffer is None:
        raise op_error(
            op, "its operand is not a buffer", "buffers are made by 'aie.buffer' or 'aie.external_buffer'"
        )
    if home.name == "aie.mem" and buffer.operands[:1] != home.operands[:1]:
        raise op_error(op, "the DMA of a core tile can only reach a buffer of the same tile", note=buffer)
    if kind is None:
        return
    if home.name == "aie.memtile_dma":
        check_reach(op, buffer, home)
    for name in ("bd_id", "next_bd_id"):
        number = op.integer(name, 0)
        if not 0 <= number < kind.bds:
            raise op_error(op, f"{name} is {number}, a {kind.name} tile has 0 to {kind.bds - 1}")
    _check_extent(op, kind, buffer)
    if op.integer("burst_length", 0) and home.name != "aie.shim_dma":
        raise op_error(op, "'burst_length' is for shim tiles only")
    _check_pads(op, home)
    _check_dimensions(op, kind)


def _check_extent(op: Operation, kind: TileKind, buffer: Operation) -> None:
    """Length and start of a descriptor are whole words, and the length fits into its field."""
    type = memref(buffer.result.type)
    if "len" in op.attributes:
        length_bits = op.integer("len") * bits(type.element)
    elif DYNAMIC in type.shape:
        raise op_error(op, "a buffer of dynamic shape needs a length")
    else:
        length_bits = 8 * size_bytes(buffer.result.type)
    if length_bits % WORD_BITS:
        raise op_error(op, f"the transfer has {length_bits // 8} bytes, which is no multiple of 4")
    if length_bits // WORD_BITS > kind.max_length_words:
        raise op_error(
            op,
            f"the length is {length_bits // WORD_BITS} words, "
            f"and a descriptor of {KIND_WORDS[kind.name]} counts up to {kind.max_length_words}",
            "share the transfer between two descriptors",
        )
    address, offset = buffer.integer("address", 0), op.integer("offset", 0)
    if (8 * address + offset * bits(type.element)) % WORD_BITS:
        behind = f" behind address {address}" if address else ""
        raise op_error(op, f"offset {offset} elements{behind} is no multiple of 4 bytes")


def _check_values(op: Operation, home: Operation | None) -> None:
    """A descriptor with values among its numbers: only a sequence, whose loops are unrolled, may have one."""
    counts = [len(values) for name in ("static_sizes", "static_strides") if (values := op.numbers(name))]
    if len(set(counts)) > 1:
        raise op_error(op, f"{counts[0]} sizes, but {counts[1]} strides")
    if home is not None and len(op.operands) > 1:
        raise op_error(
            op,
            "the descriptors of a DMA program are written when the design is loaded, so they need constants",
        )


def _check_iteration(op: Operation, home: Operation | None) -> None:
    iteration = iteration_of(op)
    if iteration is None:
        return
    if home is None or home.name not in DMA_REGIONS:
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
    step_bits, limit = stride * bits(memref(operand(op, "buffer").type).element), kind.max_step_words
    if step_bits % 32:
        raise op_error(op, f"the iteration's stride is {step_bits // 8} bytes, which is no multiple of 4")
    if not 1 <= step_bits // 32 <= limit:
        raise op_error(op, f"the iteration's stride is {step_bits // 32} 32-bit words, expected 1 to {limit}")


def _check_pads(op: Operation, home: Operation) -> None:
    pads = op.typed("pad_dimensions", BDPadLayoutArrayAttr)
    if pads is None or not pads.pads:
        return
    dims = op.typed("dimensions", BDDimLayoutArrayAttr) or BDDimLayoutArrayAttr(())
    if home.name != "aie.memtile_dma":
        raise op_error(op, "padding is only supported by the DMA of a memtile")
    if len(pads.pads) != len(dims.dims):
        raise op_error(op, f"padding has {len(pads.pads)} dimensions, the transfer {len(dims.dims)}")
    padded = prod(pad.before + dim.size + pad.after for dim, pad in zip(dims.dims, pads.pads))
    if "len" in op.attributes and padded > op.integer("len"):
        raise op_error(
            op, f"with its padding the transfer has {padded} elements, its length is {op.integer('len')}"
        )


def _check_dimensions(op: Operation, kind: TileKind) -> None:
    attribute = op.typed("dimensions", BDDimLayoutArrayAttr)
    if attribute is None or not attribute.dims:
        return
    dims, type = attribute.dims, memref(operand(op, "buffer").type)
    if len(dims) > kind.bd_dimensions:
        raise op_error(op, f"{len(dims)} dimensions, a {kind.name} tile has at most {kind.bd_dimensions}")
    # A shim tile moves data without gaps as one line, whatever its dimensions say.
    limited = kind.name != "shim" or not is_contiguous(dims[::-1])
    for dim in dims:
        if dim.size < 1 or (limited and dim.size > 1023):
            raise op_error(op, f"size {dim.size} is outside [1:1023]", _TAIL_HINT)
        if dim.stride < 0 or dim.stride >= 1 << 19 or (dim.stride == 0 and dim.size > 1):
            raise op_error(op, f"stride {dim.stride} is outside [1:{(1 << 19) - 1}]", _TAIL_HINT)
    last = sum((d.size - 1) * d.stride for d in dims)
    if DYNAMIC not in type.shape and last >= (count := element_count(type.shape)):
        raise op_error(op, f"sizes and strides reach element {last} of a buffer of {count}", _TAIL_HINT)
    if bits(type.element) != WORD_BITS and dims[-1].stride != 1:
        raise op_error(
            op,
            f"the innermost stride is {dims[-1].stride}, "
            f"but must be 1 for elements of {bits(type.element)} bits",
            "a DMA counts 32-bit words: smaller elements cannot be picked, and larger ones are several words",
        )


def _check_dma(op: Operation) -> None:
    """`aie.dma`: each block has one descriptor between an acquire and a release."""
    for region in op.regions:
        names = [inner.name for inner in region.entry.ops]
        if names.count("aie.dma_bd") != 1 or names.count("aie.use_lock") != 2:
            raise op_error(op, "each of its blocks needs one aie.dma_bd and two aie.use_lock")


DMA_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.dma": _check_dma,
    **dict.fromkeys(DMA_REGIONS, _check_dma_region),
    "aie.dma_bd": _check_dma_bd,
    "aie.shim_dma_allocation": _check_allocation,
}
