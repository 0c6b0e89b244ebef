"""Constructors of operations that lowering makes; operand order and attribute names are MLIR-AIE's (ODS)."""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel
from npuninja.errors import Location
from npuninja.ir.attributes import (
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
    BoolAttr,
    EnumAttr,
    IntegerAttr,
    PacketInfoAttr,
    StringAttr,
)
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.tiles import TILE_NAMES


def i32(value: int) -> IntegerAttr:
    """The attribute `value : i32`."""
    return IntegerAttr(value, "i32")


def tile(column: int, row: int, model: DeviceModel) -> Operation:
    """`aie.tile(column, row)` of a device."""
    kind = TILE_NAMES[model.tile_kind(row)]
    name = f"{kind}_{column}_{row}"
    return Operation("aie.tile", [], {"col": i32(column), "row": i32(row)}, ("index",), result_names=(name,))


def buffer(
    tile: Value, name: str | None, type: str, initial: Attribute | None, loc: Location | None
) -> Operation:
    """`aie.buffer(tile) {sym_name} : type = initial`, without an address."""
    attributes: dict[str, Attribute] = {}
    if name is not None:
        attributes["sym_name"] = StringAttr(name)
    if initial is not None:
        attributes["initial_value"] = initial
    return Operation("aie.buffer", [tile], attributes, (type,), loc=loc, result_names=(name or "",))


def lock(tile: Value, lock_id: int | None, init: int, name: str, loc: Location | None) -> Operation:
    """`aie.lock(tile, lock_id) {init, sym_name}`; without an id when it is None."""
    attributes: dict[str, Attribute] = {"init": i32(init), "sym_name": StringAttr(name)}
    if lock_id is not None:
        attributes["lockID"] = i32(lock_id)
    return Operation("aie.lock", [tile], attributes, ("index",), loc=loc, result_names=(name,))


def use_lock(lock: Value, action: str, value: int, loc: Location | None) -> Operation:
    """Makes `aie.use_lock(lock, action, value)`."""
    return Operation(
        "aie.use_lock", [lock], {"action": EnumAttr("LockAction", action), "value": i32(value)}, loc=loc
    )


def flow(
    source: Value,
    bundle: str,
    channel: int,
    dest: Value,
    dest_bundle: str,
    dest_channel: int,
    loc: Location | None,
) -> Operation:
    """Makes `aie.flow(source, bundle : channel, dest, dest_bundle : dest_channel)`."""
    attributes: dict[str, Attribute] = {
        "source_bundle": EnumAttr("WireBundle", bundle),
        "source_channel": i32(channel),
        "dest_bundle": EnumAttr("WireBundle", dest_bundle),
        "dest_channel": i32(dest_channel),
    }
    return Operation("aie.flow", [source, dest], attributes, loc=loc)


def packet_flow(
    packet_id: int,
    source: tuple[Value, str, int],
    dests: list[tuple[Value, str, int]],
    attributes: dict[str, Attribute],
) -> Operation:
    """`aie.packet_flow(id) { packet_source; packet_dest… } attributes`; an end is (tile, bundle, channel)."""
    body = Block()
    for name, (place, bundle, channel) in [
        ("aie.packet_source", source),
        *(("aie.packet_dest", dest) for dest in dests),
    ]:
        body.append(
            Operation(name, [place], {"bundle": EnumAttr("WireBundle", bundle), "channel": i32(channel)})
        )
    all_attributes: dict[str, Attribute] = {"ID": IntegerAttr(packet_id, "i8"), **attributes}
    return Operation("aie.packet_flow", [], all_attributes, regions=[Region([body])])


def shim_dma_allocation(
    name: str,
    tile: Value,
    column: int,
    direction: str,
    channel: int,
    plio: bool,
    has_tile: bool,
    packet: PacketInfoAttr | None,
    loc: Location | None,
) -> Operation:
    """`aie.shim_dma_allocation @name(…)`: the tile as operand or, in older form, its column as attribute."""
    attributes: dict[str, Attribute] = {
        "sym_name": StringAttr(name),
        "channel_dir": EnumAttr("DMAChannelDir", direction),
        "channel_index": IntegerAttr(channel, "i64"),
    }
    if not has_tile:
        attributes["col"] = IntegerAttr(column, "i64")
    if plio:
        attributes["plio"] = BoolAttr(True)
    if packet is not None:
        attributes["packet"] = packet
    return Operation("aie.shim_dma_allocation", [tile] if has_tile else [], attributes, loc=loc)


def dma_start(direction: str, channel: int, dest: Block, chain: Block, loc: Location | None) -> Operation:
    """Makes `aie.dma_start(direction, channel, ^dest, ^chain)`."""
    attributes: dict[str, Attribute] = {
        "channel_dir": EnumAttr("DMAChannelDir", direction),
        "channel_index": i32(channel),
    }
    return Operation("aie.dma_start", [], attributes, ("i1",), successors=[(dest, []), (chain, [])], loc=loc)


def dma_bd(
    buffer: Value,
    offset: int,
    length: int,
    dims: tuple[BDDimLayout, ...],
    pads: BDPadLayoutArrayAttr | None,
    loc: Location | None,
) -> Operation:
    """`aie.dma_bd(buffer, offset, length, dims, pads)`, lengths in elements."""
    attributes: dict[str, Attribute] = {"offset": i32(offset), "len": i32(length)}
    if dims:
        attributes["dimensions"] = BDDimLayoutArrayAttr(dims)
    if pads is not None:
        attributes["pad_dimensions"] = pads
    return Operation("aie.dma_bd", [buffer], attributes, loc=loc)


def dma_bd_packet(packet: PacketInfoAttr, loc: Location | None) -> Operation:
    """`aie.dma_bd_packet(type, id)`: the header that the block's descriptor puts in front of its data."""
    attributes: dict[str, Attribute] = {"packet_type": i32(packet.pkt_type), "packet_id": i32(packet.pkt_id)}
    return Operation("aie.dma_bd_packet", [], attributes, loc=loc)


def next_bd(block: Block, loc: Location | None) -> Operation:
    """Makes `aie.next_bd ^block`."""
    return Operation("aie.next_bd", successors=[(block, [])], loc=loc)


def constant(value: int, type: str) -> Operation:
    """Makes `arith.constant value : type`."""
    attribute = BoolAttr(bool(value)) if type == "i1" else IntegerAttr(value, type)
    return Operation("arith.constant", [], {"value": attribute}, (type,))


def known_number(entry: int | Value) -> int | Value:
    """An entry of a list of constants and values as a number, where its value is a constant."""
    number = entry if isinstance(entry, int) else constant_value(entry)
    return entry if number is None else number


def constant_value(value: Value) -> int | None:
    """The number a value stands for when an integer `arith.constant` defines it."""
    op = value.owner
    if isinstance(op, Operation) and op.name == "arith.constant":
        attribute = op.attributes["value"]
        if isinstance(attribute, IntegerAttr):
            return attribute.value
        if isinstance(attribute, BoolAttr):
            return int(attribute.value)
    return None
