"""Controller ids of tiles and the flow that brings task completion tokens to the shim DMA.

Rules: MLIR-AIE, AIEGenerateColumnControlOverlay.cpp.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import BoolAttr, EnumAttr, PacketInfoAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.lowering import op_builders
from npuninja.lowering.generation import Rules
from npuninja.lowering.tiles import append, model_around, model_of, ops_of, place_of, tile_at

_SHIM_CHANNELS = 2  # of MM2S


#: Control flows are routed first, and what arrives keeps its header.
_CONTROL = {"keep_pkt_header": BoolAttr(True), "priority_route": BoolAttr(True)}


def assign_controller_ids(device: Operation) -> None:
    """Gives each `aie.tile` the controller id of its row, unless it has one."""
    ids = model_of(device).family.controller_ids
    for op in ops_of(device, "aie.tile"):
        op.attributes.setdefault("controller_id", PacketInfoAttr(0, ids[place_of(op.result)[1]]))


def add_control_overlay(device: Operation, overlay: str = "") -> None:
    """Adds, for each column with tiles, the packet flow from the shim's control port to its south port.

    It adds nothing when the whole overlay is there. Tokens of a column carry the packet id of its shim tile's
    controller. A column without shim tile has no flow; it gets a shim tile without controller id.
    """
    if overlay:
        return
    model = model_of(device)
    columns = sorted({place_of(op.result)[0] for op in ops_of(device, "aie.tile")})
    for column in columns:
        shim = tile_at(device, (column, model.shim_row))
        if shim is not None:
            source, dest = (shim.result, "TileControl", 0), (shim.result, "South", 0)
            append(device, op_builders.packet_flow(_controller_id(shim), source, [dest], dict(_CONTROL)))
        else:
            device.body.insert(0, op_builders.tile(column, model.shim_row, model))


def route_control_packets(device: Operation, overlay: str, rules: Rules, *, wanted: str) -> None:
    """The whole overlay, if asked for at this place: `first`, or `true`, after what drops unused tiles.

    aiecc's `--generate-ctrl-pkt-overlay`: the shim's DMA reaches the control port of every tile from the shim
    to the design's highest, in all columns between its first and its last; the lower rows by channel 0, the
    upper by channel 1. Each channel has the allocation `ctrlpkt_col<C>_mm2s_chan<K>`.

    Raises:
        UserError: a circuit has one of these channels.
    """
    places = [place_of(op.result) for op in ops_of(device, "aie.tile")]
    if overlay != wanted or not places:
        return
    model = model_of(device)
    own = {column for column, _ in places}
    for column in range(min(own), max(own) + 1):
        highest = max(row for c, row in places if c == column or column not in own)
        tiles, at = [], 0
        for row in range(model.shim_row, highest + 1):
            tile = tile_at(device, (column, row))
            if tile is None:
                tile = op_builders.tile(column, row, model)
                device.body.insert(at, tile)
                at += 1
            tiles.append(tile)
        shim = tiles[0]
        source, dest = (shim.result, "TileControl", 0), (shim.result, "South", 0)
        append(device, op_builders.packet_flow(_controller_id(shim), source, [dest], dict(_CONTROL)))
        for tile in tiles:
            channel = int(place_of(tile.result)[1] >= model.rows // _SHIM_CHANNELS)
            _check_free(device, shim, channel)
            source, dest = (shim.result, "DMA", channel), (tile.result, "TileControl", 0)
            append(device, op_builders.packet_flow(_controller_id(tile), source, [dest], dict(_CONTROL)))
            name = f"ctrlpkt_col{column}_mm2s_chan{channel}"
            if all(op.attributes.get("sym_name") != StringAttr(name) for op in device.body.ops):
                has_tile = rules.allocation_has_tile
                append(
                    device,
                    op_builders.shim_dma_allocation(
                        name, shim.result, column, "MM2S", channel, False, has_tile, None, tile.loc
                    ),
                )


def _controller_id(tile: Operation) -> int:
    """The id of a tile's controller: what its operation says, else that of its row."""
    said = tile.attributes.get("controller_id")
    if isinstance(said, PacketInfoAttr):
        return said.pkt_id
    return model_around(tile).family.controller_ids[place_of(tile.result)[1]]


def _check_free(device: Operation, shim: Operation, channel: int) -> None:
    for flow in ops_of(device, "aie.flow"):
        bundle, number = flow.attributes.get("source_bundle"), flow.integer("source_channel")
        if flow.tile is shim.result and bundle == EnumAttr("WireBundle", "DMA") and number == channel:
            raise UserError(
                f"control packets need MM2S {channel} of the shim, and a flow has it",
                flow.loc,
                hint="lead the flow from the other channel, or build without --generate-ctrl-pkt-overlay",
            )
