"""Cascade flows to the cascade directions of their tiles (MLIR-AIE: aie-lower-cascade-flows)."""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.tiles import append, ops_of, place_of


def lower_cascade_flows(device: Operation) -> None:
    """Replaces the cascade flows by an `aie.configure_cascade` at each tile: north to south by default.

    Raises:
        UserError: the destination is neither south nor east of the source.
    """
    inputs: dict[TilePlace, str] = {}
    outputs: dict[TilePlace, str] = {}
    flows = list(ops_of(device, "aie.cascade_flow"))
    for op in flows:
        source, dest = (place_of(operand(op, f"{end}_tile")) for end in ("source", "dest"))
        if dest == (source[0], source[1] - 1):
            outputs[source], inputs[dest] = "South", "North"
        elif dest == (source[0] + 1, source[1]):
            outputs[source], inputs[dest] = "East", "West"
        else:
            raise UserError(
                f"a cascade goes to the south or east neighbour, not from tile {source} to {dest}", op.loc
            )
    for tile in list(ops_of(device, "aie.tile")):
        place = place_of(tile.result)
        if place in inputs or place in outputs:
            directions = {
                "inputDir": EnumAttr("CascadeDir", inputs.get(place, "North")),
                "outputDir": EnumAttr("CascadeDir", outputs.get(place, "South")),
            }
            append(device, Operation("aie.configure_cascade", [tile.result], dict(directions)))
    for op in flows:
        op.erase()
