"""Ids of the buffer descriptors in DMA programs (MLIR-AIE: aie-assign-bd-ids)."""

from __future__ import annotations

from npuninja.arch.devices import MEMTILE_FIRST_OWN_CHANNEL, TilePlace, bd_reachable
from npuninja.errors import UserError
from npuninja.ir.attributes import BoolAttr, DenseArrayAttr, EnumAttr
from npuninja.ir.core import Block, Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.dma_channels import channels_of
from npuninja.lowering.op_builders import i32
from npuninja.lowering.tiles import DMA_REGIONS, kind_at, ops_of, place_of


def assign_bd_ids(device: Operation) -> None:
    """Gives each `aie.dma_bd` without an id the lowest free one for its channel, and each its successor's id.

    Raises:
        UserError: a program has more descriptors than its tile, an id its channel cannot use, or a
            neighbour's buffer or lock that its channel does not reach.
    """
    for name in DMA_REGIONS:
        for program in ops_of(device, name):
            _assign(program)
    for binding in ops_of(device, "aie.objectfifo_rearm_binding"):
        _note_starts(device, binding)


def _note_starts(device: Operation, binding: Operation) -> None:
    """Notes in a binding with which descriptor each of its channels starts, and how often it repeats."""
    directions, channels = binding.attributes.get("channel_dirs"), binding.attributes.get("channel_indices")
    if "head_bd_ids" in binding.attributes or "repeat_counts" in binding.attributes:
        return
    if not isinstance(directions, DenseArrayAttr) or not isinstance(channels, DenseArrayAttr):
        return
    starts = {
        (program.tile, op.attributes["channel_dir"], op.integer("channel_index")): op
        for program in ops_of(device, "aie.mem", "aie.memtile_dma")
        for op in program.walk()
        if op.name == "aie.dma_start"
    }
    heads, repeats = [], []
    for tile, direction, channel in zip(binding.operands, directions.values, channels.values):
        if direction not in (0, 1):
            raise UserError(f"channel_dirs holds 0 for S2MM and 1 for MM2S, not {direction}", binding.loc)
        start = starts.get((tile, EnumAttr("DMAChannelDir", ("S2MM", "MM2S")[direction]), channel))
        head = _descriptor(start.successors[0][0]) if start is not None else None
        if start is None or head is None:
            return  # a reset for this binding says so
        heads.append(head.integer("bd_id"))
        repeats.append(start.integer("repeat_count", 0))
    binding.attributes["head_bd_ids"] = DenseArrayAttr("i32", tuple(heads))
    binding.attributes["repeat_counts"] = DenseArrayAttr("i32", tuple(repeats))


def _assign(program: Operation) -> None:
    place = place_of(program.tile)
    model = kind_at(program.tile)
    kind = model.name
    channels = {bd: channel.number for channel in channels_of(program) for bd in channel.descriptors}
    bds = [op for op in program.walk() if op.name == "aie.dma_bd"]
    taken: dict[int, Operation] = {}
    for op in bds:
        channel = channels.get(op, 0)
        _check_reach(op, place, kind, channel)
        if "bd_id" in op.attributes:
            number = op.integer("bd_id")
            if not bd_reachable(kind, channel, number):
                raise UserError(
                    f"buffer descriptor {number} cannot be used by channel {channel} of tile {place}", op.loc
                )
            taken[number] = op
    for op in bds:
        if "bd_id" not in op.attributes:
            usable = [n for n in range(model.bds) if bd_reachable(kind, channels.get(op, 0), n)]
            free = next((n for n in usable if n not in taken), None)
            if free is None:
                raise UserError(
                    f"tile {place} needs more than the {len(usable)} buffer descriptors its DMA "
                    "channel can use",
                    op.loc,
                    hint="use fewer or shallower objectFifos on this tile, or a smaller repeat_count",
                )
            taken[free] = op
            op.attributes["bd_id"] = i32(free)
    for region in program.regions:
        for block in region.blocks:
            _chain(block)


def _check_reach(op: Operation, place: TilePlace, kind: str, channel: int) -> None:
    """The last channels of a memtile do not reach the buffers and locks of its neighbours."""
    if kind != "mem" or channel < MEMTILE_FIRST_OWN_CHANNEL or op.parent is None:
        return
    for user in op.parent.ops:
        used = {"aie.dma_bd": "buffer", "aie.use_lock": "lock"}.get(user.name)
        if used:
            owner = operand(user, used).owner
            if isinstance(owner, Operation) and owner.operands and place_of(owner.tile) != place:
                raise UserError(
                    f"channel {channel} of memtile {place} reaches no {owner.name[4:]} of its neighbours",
                    user.loc,
                    notes=((f"the {owner.name[4:]}", owner.loc),),
                    hint=f"use a channel below {MEMTILE_FIRST_OWN_CHANNEL}",
                )


def _descriptor(block: Block) -> Operation | None:
    return next((op for op in block.ops if op.name == "aie.dma_bd"), None)


def _chain(block: Block) -> None:
    """Notes in each descriptor the id of the next one."""
    for op in block.ops:
        if op.name == "aie.dma":
            _chain_regions(op)
    last = block.last
    descriptor = _descriptor(block)
    if descriptor is not None and last is not None and last.name == "aie.next_bd":
        following = _descriptor(last.successors[0][0])
        if following is not None and "next_bd_id" not in descriptor.attributes:
            descriptor.attributes["next_bd_id"] = following.attributes["bd_id"]


def _chain_regions(op: Operation) -> None:
    """The regions of an `aie.dma` follow each other, the first after the last when it loops."""
    loop = op.attributes.get("loop")
    loops = not (isinstance(loop, BoolAttr) and not loop.value)
    bds = [bd for region in op.regions for bd in region.entry.ops if bd.name == "aie.dma_bd"]
    for i, bd in enumerate(bds):
        if i + 1 < len(bds) or loops:
            bd.attributes.setdefault("next_bd_id", bds[(i + 1) % len(bds)].attributes["bd_id"])
