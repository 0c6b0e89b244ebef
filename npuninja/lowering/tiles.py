"""Finding tiles and what is on them in an `aie.device`."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DeviceModel, TileKind, TilePlace
from npuninja.arch.devices import device as device_model
from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.lowering import op_builders

if TYPE_CHECKING:
    from typing import Iterator

#: Declarations that may be in the region of a DMA.
_NESTED = frozenset(("aie.buffer", "aie.lock", "aie.external_buffer"))
#: The programs of DMAs, in the order they are configured.
DMA_REGIONS = ("aie.mem", "aie.memtile_dma", "aie.shim_dma")


def model_of(device: Operation) -> DeviceModel:
    """The device model an `aie.device` names; UserError at the op when there is none."""
    try:
        return device_model(device.enum("device"))
    except UserError as error:
        raise UserError(error.message, device.loc, hint=error.hint) from None


def model_around(op: Operation) -> DeviceModel:
    """The device model of the `aie.device` that an operation is in; UserError when it is in none."""
    device = op.enclosing("aie.device")
    if device is None:
        raise UserError(f"'{op.name}' is in no aie.device", op.loc)
    return model_of(device)


def kind_at(tile: Value) -> TileKind:
    """What the tile holds that the `aie.tile` of `tile` places."""
    row = place_of(tile)[1]
    return model_around(tile.op).kind_of(row)


def place_of(tile: Value) -> TilePlace:
    """Column and row of the `aie.tile` that defines `tile`."""
    op = tile.owner
    if not isinstance(op, Operation) or op.name != "aie.tile":
        where = op.loc if isinstance(op, Operation) else None
        raise UserError(
            f"'%{tile.name}' is not an aie.tile", where, hint="place logical tiles before lowering"
        )
    return op.integer("col"), op.integer("row")


def ops_of(device: Operation, *names: str) -> Iterator[Operation]:
    """The operations of these names in the device body, in order.

    Buffers and locks declared inside a core or a DMA region come at the place of the region.
    """
    inside = not _NESTED.isdisjoint(names)
    for op in device.body.ops:
        if op.name in names:
            yield op
        if inside and (op.name in DMA_REGIONS or op.name == "aie.core"):
            for inner in op.walk():
                if inner is not op and inner.name in names:
                    yield inner


def tile_at(device: Operation, place: TilePlace) -> Operation | None:
    """The first `aie.tile` at a place, or None."""
    for op in ops_of(device, "aie.tile"):
        if place_of(op.result) == place:
            return op
    return None


def last_tile(device: Operation) -> Operation | None:
    """The last `aie.tile` of the device body, or None."""
    found = None
    for op in ops_of(device, "aie.tile"):
        found = op
    return found


def append(device: Operation, op: Operation) -> Operation:
    """Puts `op` at the end of the device body, before its terminator if it has one, and returns it."""
    body = device.body
    if body.ops and body.ops[-1].name == "aie.end":
        return body.insert(len(body.ops) - 1, op)
    return body.append(op)


def get_or_create_tile(device: Operation, place: TilePlace) -> Operation:
    """The tile op at a place; a new one comes after the last tile op."""
    found = tile_at(device, place)
    if found is None:
        found = op_builders.tile(*place, model_of(device))
        last = last_tile(device)
        if last is not None:
            last.insert_after(found)
        else:
            device.body.insert(0, found)
    return found
