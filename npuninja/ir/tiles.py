"""Tiles in a design: the device around an operation, and the place and kind of a tile."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES, DeviceModel, TileKind
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value

#: What aie-opt names the value of a tile by, for each kind of tile: `shim_noc_tile_0_0`.
TILE_NAMES = {"shim": "shim_noc_tile", "mem": "mem_tile", "core": "tile"}


#: `tile_type` of a logical tile, as `TileKind` names the kinds.
LOGICAL_KINDS = {"CoreTile": "core", "MemTile": "mem", "ShimNOCTile": "shim", "ShimPLTile": "shim"}


def device_of(op: Operation) -> DeviceModel | None:
    """The NPU device around `op`, or None when there is none."""
    device = op.enclosing("aie.device")
    attribute = device.attributes.get("device") if device is not None else None
    return DEVICES.get(attribute.case) if isinstance(attribute, EnumAttr) else None


def kind_at(tile: Value) -> TileKind | None:
    """What a tile holds; None for a logical tile that has no place yet, and outside an NPU's device."""
    place, owner = place_of(tile), tile.owner
    device = device_of(owner) if isinstance(owner, Operation) else None
    return device.kind_of(place[1]) if place is not None and device is not None else None


def place_of(tile: Value) -> tuple[int, int] | None:
    """Column and row of a tile, or None for a logical tile that has no place yet."""
    op = tile.owner
    if isinstance(op, Operation) and "col" in op.attributes and "row" in op.attributes:
        return op.integer("col"), op.integer("row")
    return None


def kind_name_of(tile: Value) -> str | None:
    """`core`, `mem` or `shim`, from a tile's place or a logical one's type; None when neither is given."""
    kind, owner = kind_at(tile), tile.owner
    if kind is not None:
        return kind.name
    attribute = owner.attributes.get("tile_type") if isinstance(owner, Operation) else None
    return LOGICAL_KINDS.get(attribute.case) if isinstance(attribute, EnumAttr) else None
