"""What rules share: errors that name the operation, tiles as operands, which tile reaches what."""

from __future__ import annotations

from npuninja.arch.devices import memory_window
from npuninja.arch.families import FAMILIES
from npuninja.errors import UserError
from npuninja.ir.attributes import PacketInfoAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.tiles import device_of, place_of

#: DMA programs, and the kind of tile that each is for.
DMA_REGIONS = {"aie.mem": "core", "aie.memtile_dma": "mem", "aie.shim_dma": "shim"}
KIND_WORDS = {"core": "a core tile", "mem": "a memtile", "shim": "a shim tile"}
_TILES = ("aie.tile", "aie.logical_tile")


def op_error(
    op: Operation, message: str, hint: str | None = None, note: Operation | None = None
) -> UserError:
    """The error `'name': message` at `op`; `note` is the other operation concerned."""
    notes = (("it is here", note.loc),) if note is not None else ()
    return UserError(f"'{op.name}': {message}", op.loc, hint=hint, notes=notes)


def require_tiles(op: Operation, values: list[Value]) -> None:
    """Raises UserError when one of the operands is not a tile."""
    for value in values:
        if value.made_by(*_TILES) is None:
            name = f"'%{value.name}'" if value.name else "an operand"
            raise op_error(op, f"{name} is not a tile", "tiles are made by 'aie.tile'")


def require_pad_value(op: Operation) -> None:
    """Padding by another value than 0 is a register that the memtiles of some families have."""
    device = device_of(op)
    if device is not None and not device.family.pads_with_any_value:
        able = ", ".join(name for name, family in FAMILIES.items() if family.pads_with_any_value)
        raise op_error(
            op, f"the memtiles of {device.name} pad with zeros only", f"{able} has a register for the value"
        )


def check_packet(op: Operation) -> None:
    """Raises UserError when the packet header of a transfer or descriptor does not fit its fields."""
    packet = op.typed("packet", PacketInfoAttr)
    if packet is not None:
        for what, number, limit in (("type", packet.pkt_type, 7), ("id", packet.pkt_id, 31)):
            if not 0 <= number <= limit:
                raise op_error(op, f"packet {what} {number} is outside [0:{limit}]")


def home_of(op: Operation) -> Operation | None:
    """The core or DMA region around `op`."""
    parent = op.parent_op
    while parent is not None and parent.name not in ("aie.core", *DMA_REGIONS):
        parent = parent.parent_op
    return parent


def check_reach(op: Operation, owner: Operation, home: Operation) -> None:
    """A lock or buffer of another tile must be in a memory that the tile sees."""
    if not owner.operands or owner.tile is home.tile:
        return
    there, here, device = place_of(owner.tile), place_of(home.tile), device_of(op)
    if there is None or here is None or device is None or there == here:
        return
    if not device.contains(*there) or not device.contains(*here):
        return  # the tile's own rule reports it
    if memory_window(device, here, there) is None:
        what = "lock" if owner.name == "aie.lock" else "buffer"
        raise op_error(op, f"the {what} is on tile {there}, which tile {here} cannot reach", note=owner)
