"""Controller ids of tiles and the flow that brings task completion tokens to the shim DMA.

Rules: MLIR-AIE, AIEGenerateColumnControlOverlay.cpp.
"""

from __future__ import annotations

from npuninja.ir.attributes import BoolAttr, PacketInfoAttr
from npuninja.ir.core import Operation
from npuninja.lowering import op_builders
from npuninja.lowering.tiles import append, model_of, ops_of, place_of, tile_at


def assign_controller_ids(device: Operation) -> None:
    """Gives each `aie.tile` the controller id of its row, unless it has one."""
    ids = model_of(device).family.controller_ids
    for op in ops_of(device, "aie.tile"):
        op.attributes.setdefault("controller_id", PacketInfoAttr(0, ids[place_of(op.result)[1]]))


def add_control_overlay(device: Operation) -> None:
    """Adds, for each column with tiles, the packet flow from the shim tile's control port to its south port.

    Tokens of a column carry the packet id of its shim tile's controller. A column without shim tile has no flow; it
    gets a shim tile without controller id.
    """
    model = model_of(device)
    columns = sorted({place_of(op.result)[0] for op in ops_of(device, "aie.tile")})
    for column in columns:
        shim = tile_at(device, (column, model.shim_row))
        if shim is not None:
            source, dest = (shim.result, "TileControl", 0), (shim.result, "South", 0)
            flags = {"keep_pkt_header": BoolAttr(True), "priority_route": BoolAttr(True)}
            own_id = model.family.controller_ids[model.shim_row]
            controller = shim.attributes.get("controller_id")
            token_id = controller.pkt_id if isinstance(controller, PacketInfoAttr) else own_id
            append(device, op_builders.packet_flow(token_id, source, [dest], dict(flags)))
        else:
            device.body.insert(0, op_builders.tile(column, model.shim_row, model))
