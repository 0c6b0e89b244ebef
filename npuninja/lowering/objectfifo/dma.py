"""DMA channels, DMA programs, flows and shim allocations of split objectFifos.

Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp (createDMA and what it calls). A memtile and a core tile
follow one scheme here; a shim tile has a program only for registered external buffers.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import MEMTILE_FIRST_OWN_CHANNEL, TilePlace
from npuninja.arch.switch import MAX_PACKET_ID
from npuninja.errors import UserError
from npuninja.ir.attributes import BDPadLayoutArrayAttr, PacketInfoAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.types import element_count, memref
from npuninja.lowering import op_builders
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import ALLOCATION_SUFFIX
from npuninja.lowering.objectfifo.model import Dims, Link, ObjectFifo, ObjectFifos
from npuninja.lowering.tiles import DMA_REGIONS, append, kind_at, ops_of, place_of

if TYPE_CHECKING:
    from typing import Iterator

_REGION_OF = {
    "shim": ("aie.shim_dma", "shim_dma"),
    "mem": ("aie.memtile_dma", "memtile_dma"),
    "core": ("aie.mem", "mem"),
}


def create_dmas(fifos: ObjectFifos, rules: Rules, packets: bool) -> None:
    """Makes the channels, programs, flows and allocations of all split fifos.

    Args:
        fifos: of one device, with their locks and buffers.
        rules: of the generation.
        packets: objects travel in packets, each fifo's with an id of its own, so that fifos can share wires.

    Raises:
        UserError: a tile has too few DMA channels, a fifo has several shim ends, or packet ids run out.
    """
    for producer, consumers in fifos.splits:
        _check_shim_ends(producer, consumers)
    _assign_channels(fifos, rules)
    packet_ids = _packet_ids(fifos.device)
    for producer, consumers in fifos.splits:
        packet = _next_packet(packet_ids, producer) if packets else None
        if producer.stream_port is None:
            _create_program(fifos, producer, "MM2S", producer.dims_to, producer.pads, packet, rules)
            _create_allocation(fifos, producer, producer, "MM2S", rules, packet)
        for consumer in consumers:
            if consumer.stream_port is None:
                _create_program(fifos, consumer, "S2MM", consumer.dims_from[0], None, None, rules)
                _create_allocation(fifos, producer, consumer, "S2MM", rules, None)
        _create_flows(producer, consumers, packet)


def _create_flows(producer: ObjectFifo, consumers: list[ObjectFifo], packet: PacketInfoAttr | None) -> None:
    """Puts the flows of a fifo after it; the last consumer's comes first."""
    source = _end_of_flow(producer, producer.plio)
    dests = [_end_of_flow(consumer, producer.plio) for consumer in consumers]
    if packet is not None:
        flow = op_builders.packet_flow(packet.pkt_id, source, dests[::-1], {})
        flow.loc = producer.op.loc
        producer.op.insert_after(flow)
        return
    for dest in dests:
        producer.op.insert_after(op_builders.flow(*source, *dest, producer.op.loc))


def _packet_ids(device: Operation) -> Iterator[int]:
    """The ids that no packet flow of the design has.

    The reference starts above some id of the design, not always the largest, and may then use one twice.
    """
    first = 0
    taken = [op.integer("ID") for op in ops_of(device, "aie.packet_flow")]
    for number in taken:
        if number > first:
            first = number + 1
    return (number for number in range(first, MAX_PACKET_ID + 1) if number not in taken)


def _next_packet(ids: Iterator[int], producer: ObjectFifo) -> PacketInfoAttr:
    number = next(ids, None)
    if number is None:
        raise UserError(
            f"there is no packet id left for objectFifo '@{producer.name}': they go up to {MAX_PACKET_ID}",
            producer.op.loc,
            hint="lower the design without packets, or give its own packet flows lower ids",
        )
    return PacketInfoAttr(0, number)


def _check_shim_ends(producer: ObjectFifo, consumers: list[ObjectFifo]) -> None:
    if sum(map(_on_shim, [producer, *consumers])) > 1:
        raise UserError(
            f"objectFifo '@{producer.name}' ends at more than one shim tile, "
            "so its name would stand for several channels",
            producer.op.loc,
            hint="use a fifo for each shim tile",
        )


def _on_shim(fifo: ObjectFifo) -> bool:
    return kind_at(fifo.producer).name == "shim"


def _end_of_flow(end: ObjectFifo, plio: bool) -> tuple[Value, str, int]:
    if end.stream_port is not None:
        return end.producer, "Core", end.stream_port
    return end.producer, "PLIO" if plio and _on_shim(end) else "DMA", end.channel


def allocation_name(fifo: ObjectFifo) -> str:
    """The name of the shim allocation of a fifo of the design."""
    return fifo.name + ALLOCATION_SUFFIX


def _create_allocation(
    fifos: ObjectFifos,
    producer: ObjectFifo,
    end: ObjectFifo,
    direction: str,
    rules: Rules,
    packet: PacketInfoAttr | None,
) -> None:
    if _on_shim(end):
        column = place_of(end.producer)[0]
        op = op_builders.shim_dma_allocation(
            allocation_name(producer),
            end.producer,
            column,
            direction,
            end.channel,
            producer.plio,
            rules.allocation_has_tile,
            packet,
            producer.op.loc,
        )
        append(fifos.device, op)


def _assign_channels(fifos: ObjectFifos, rules: Rules) -> None:
    """Gives each end the channel the design wants for it, else the lowest free one of its tile.

    Ends with buffers in another memtile come first: channels 4 and 5 do not reach a neighbour's memory.
    """
    taken: set[tuple[TilePlace, str, int]] = set()
    for region in ops_of(fifos.device, *DMA_REGIONS):
        for op in region.walk():
            if op.name in ("aie.dma_start", "aie.dma"):
                taken.add((place_of(region.tile), op.enum("channel_dir"), op.integer("channel_index")))
    if rules.reserves_allocations:
        for op in ops_of(fifos.device, "aie.shim_dma_allocation"):
            if op.operands:
                taken.add((place_of(op.tile), op.enum("channel_dir"), op.integer("channel_index")))
    ends = [
        (end, direction)
        for producer, consumers in fifos.splits
        for end, direction in [(producer, "MM2S"), *((consumer, "S2MM") for consumer in consumers)]
    ]
    for end, direction in ends:
        if end.pinned is not None:
            _take_pinned(end, direction, end.pinned, taken)
    for elsewhere in (True, False):
        for end, direction in ends:
            if end.pinned is None and end.stream_port is None and _buffers_elsewhere(end) == elsewhere:
                _take_channel(end, direction, elsewhere, taken)


def _buffers_elsewhere(end: ObjectFifo) -> bool:
    place = place_of(end.producer)
    return any(place_of(buffer.op.tile) != place for buffer in end.holder.buffers)


def _take_pinned(
    end: ObjectFifo, direction: str, channel: int, taken: set[tuple[TilePlace, str, int]]
) -> None:
    place, name = place_of(end.producer), end.op.string("sym_name")
    if end.stream_port is not None:
        raise UserError(
            f"objectFifo '@{name}' has a stream port at tile {place}, so no DMA channel can be given for it",
            end.op.loc,
        )
    kind = kind_at(end.producer)
    count = kind.channels(direction)
    if not 0 <= channel < count or (place, direction, channel) in taken:
        why = "is in use" if 0 <= channel < count else f"does not exist (0 to {count - 1})"
        raise UserError(
            f"{direction} channel {channel} of tile {place}, which objectFifo '@{name}' asks for, {why}",
            end.op.loc,
        )
    taken.add((place, direction, channel))
    end.channel = channel


def _take_channel(
    end: ObjectFifo, direction: str, elsewhere: bool, taken: set[tuple[TilePlace, str, int]]
) -> None:
    place = place_of(end.producer)
    kind = kind_at(end.producer)
    count = kind.channels(direction)
    limit = min(count, MEMTILE_FIRST_OWN_CHANNEL) if elsewhere else count
    for channel in range(limit):
        if (place, direction, channel) not in taken:
            taken.add((place, direction, channel))
            end.channel = channel
            return
    way = "output (MM2S)" if direction == "MM2S" else "input (S2MM)"
    reason = "; those that reach a neighbour's memory are all taken" if limit < count else ""
    tile = end.producer.owner
    raise UserError(
        f"objectFifo '@{end.op.string('sym_name')}' needs one more {way} DMA channel "
        f"than the {count} of tile {place}{reason}",
        end.op.loc,
        hint="use another tile, or a memtile to join or distribute objects",
        notes=(("the tile", tile.loc),) if isinstance(tile, Operation) else (),
    )


def _create_program(
    fifos: ObjectFifos,
    fifo: ObjectFifo,
    direction: str,
    dims: Dims,
    pads: BDPadLayoutArrayAttr | None,
    packet: PacketInfoAttr | None,
    rules: Rules,
) -> None:
    """Adds the chain of buffer descriptors of one end to the DMA program of its tile."""
    target, link = fifo.holder, fifo.link
    buffers = fifo.externals if _on_shim(fifo) else target.buffers
    if not buffers:
        return
    bds: list[list[Operation]] = []
    if target is not fifo and kind_at(fifo.producer).name == "core":
        # A core tile goes round its own fifo's depth, whatever the link's owner has.
        buffers = buffers[: fifo.depth]
    iterations = fifo.iterations if kind_at(fifo.producer).name == "mem" else None
    tasks, repeat = _tasks_and_repeat(fifo, buffers, iterations, rules)
    for buffer in buffers:
        for offset, length, leg in _transfers(fifo, target, link, buffer, repeat, rules.orders_memtile_fifos):
            bd = [op_builders.dma_bd(buffer, offset, length, dims, pads, fifo.op.loc)]
            if packet is not None:
                bd.insert(0, op_builders.dma_bd_packet(packet, fifo.op.loc))
            bds.append(_with_locks(bd, fifo, target, link, direction, leg))
    start = _append_chain(
        _program_of(fifos.device, fifo.producer), direction, fifo, bds, ends=iterations is not None
    )
    if tasks > 1:
        start.attributes["repeat_count"] = op_builders.i32(tasks - 1)
    if pads is not None and fifo.pad_value:
        start.attributes["pad_value"] = op_builders.i32(fifo.pad_value)


def _tasks_and_repeat(
    fifo: ObjectFifo, buffers: list[Value], iterations: int | None, rules: Rules
) -> tuple[int, int]:
    """How often the channel runs its chain, and how often the chain moves each buffer."""
    repeat, link = fifo.repeat or 1, fifo.link
    parts = link.legs if link is not None and fifo.holder is fifo else 1
    in_parts = parts > 1 and kind_at(fifo.producer).name == "mem"
    if rules.repeats_in_hardware and repeat > 1 and len(buffers) == 1 and iterations is None and not in_parts:
        return repeat, 1
    return iterations or 1, repeat


def _transfers(
    fifo: ObjectFifo, target: ObjectFifo, link: Link | None, buffer: Value, repeat: int, longest: bool
) -> list[tuple[int, int, int]]:
    """The (offset, length, leg) of the transfers of one buffer, in elements, in order, `repeat` times.

    A member of a one-to-one link moves its own objects where it ends on a core tile, on a memtile the
    buffers'; with `longest` the larger of both.
    """
    if link is None or link.owner is None:
        return [(0, element_count(memref(buffer.type).shape), 0)] * repeat
    if link.legs == 1:
        if kind_at(fifo.producer).name == "core":
            return [(0, fifo.elements, 0)] * repeat
        # What padding adds is in no buffer, but counts.
        length = max(target.elements, fifo.elements) if longest or fifo.pads else target.elements
        return [(0, length, 0)] * repeat
    if target is fifo:
        return [(*link.part(leg), leg) for leg in range(link.legs)] * repeat
    leg = link.leg_of(fifo)
    return [(*link.part(leg), leg)] * repeat


def _with_locks(
    bd: list[Operation], fifo: ObjectFifo, target: ObjectFifo, link: Link | None, direction: str, leg: int
) -> list[Operation]:
    """A descriptor between the acquire and the release of its object."""
    if not target.locks:
        return bd
    loc = fifo.op.loc
    # What is received once and sent several times is acquired and released that often at once.
    count = link.repeat or 1 if link is not None and fifo in link.inputs else 1
    prod, cons = target.locks[2 * leg : 2 * leg + 2]
    acquire, release = (prod, cons) if direction == "S2MM" else (cons, prod)
    return [
        op_builders.use_lock(acquire, "AcquireGreaterEqual", count, loc),
        *bd,
        op_builders.use_lock(release, "Release", count, loc),
    ]


def _program_of(device: Operation, tile: Value) -> Operation:
    """The DMA region of a tile; a new one, with only its end block, is put at the end of the device."""
    column, row = place_of(tile)
    name, prefix = _REGION_OF[kind_at(tile).name]
    for op in ops_of(device, name):
        if place_of(op.tile) == (column, row):
            return op
    block = Block()
    block.append(Operation("aie.end"))
    region = Operation(
        name, [tile], {}, ("index",), [Region([block])], result_names=(f"{prefix}_{column}_{row}",)
    )
    return append(device, region)


def _append_chain(
    program: Operation, direction: str, fifo: ObjectFifo, bds: list[list[Operation]], *, ends: bool
) -> Operation:
    """Puts a channel start and a chain of descriptors before the end block; the chain is closed, or `ends` in
    a block of its own. Returns the start.
    """
    region = program.regions[0]
    end = next(
        (block for block in reversed(region.blocks) if block.ops and block.ops[-1].name == "aie.end"), None
    )
    if end is None:
        raise UserError("the DMA program has no block that ends with aie.end", program.loc)
    last_start = None
    for block in region.blocks:
        op = block.last
        if op is not None and op.name == "aie.dma_start" and op.successors[1][0] is end:
            last_start = op
    at = region.blocks.index(end)
    start, chain = Block(), [Block() for _ in bds]
    following = [*chain[1:], chain[0]]
    if ends:
        following[-1] = Block()
        following[-1].append(Operation("aie.end", loc=fifo.op.loc))
    for i, block in enumerate([start, *chain, *following[-1:] * ends]):
        block.parent = region
        region.blocks.insert(at + i, block)
    start.append(op_builders.dma_start(direction, fifo.channel, chain[0], end, fifo.op.loc))
    for block, ops, next_block in zip(chain, bds, following):
        for op in ops:
            block.append(op)
        block.append(op_builders.next_bd(next_block, fifo.op.loc))
    if last_start is not None:
        last_start.successors[1] = (start, [])
    return start.ops[0]
