"""The tile an operation stands on, and errors that name the operation."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES, Device
from npuninja.errors import UserError
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value

_TILES = ("aie.tile", "aie.logical_tile")


def device_of(op: Operation) -> Device | None:
    """The NPU device around `op`, or None when there is none."""
    device = op.enclosing("aie.device")
    attribute = device.attributes.get("device") if device is not None else None
    return DEVICES.get(attribute.case) if isinstance(attribute, EnumAttr) else None


def place_of(tile: Value) -> tuple[int, int] | None:
    """Column and row of a tile, or None for a logical tile that has no place yet."""
    op = tile.owner
    if isinstance(op, Operation) and "col" in op.attributes and "row" in op.attributes:
        return op.integer("col"), op.integer("row")
    return None


def op_error(
    op: Operation, message: str, hint: str | None = None, note: Operation | None = None
) -> UserError:
    """The error `'name': message` at `op`; `note` is the other operation concerned."""
    notes = (("it is here", note.loc),) if note is not None else ()
    return UserError(f"'{op.name}': {message}", op.loc, hint=hint, notes=notes)


def require_tiles(op: Operation, values: list[Value]) -> None:
    """Raises UserError when one of the operands is not a tile."""
    for value in values:
        if not (isinstance(value.owner, Operation) and value.owner.name in _TILES):
            name = f"'%{value.name}'" if value.name else "an operand"
            raise op_error(op, f"{name} is not a tile", "tiles are made by 'aie.tile'")


def require_pad_value(op: Operation) -> None:
    """Padding by another value than 0 is a register of npu2's memtiles."""
    device = device_of(op)
    if device is not None and device.family == "npu1":
        raise op_error(
            op, f"the memtiles of {device.name} pad with zeros only", "npu2 has a register for the value"
        )
