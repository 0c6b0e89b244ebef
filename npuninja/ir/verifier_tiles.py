"""Errors that name the operation, and rules for operands that are tiles."""

from __future__ import annotations

from npuninja.arch.families import FAMILIES
from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.ir.tiles import device_of

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
        if not (isinstance(value.owner, Operation) and value.owner.name in _TILES):
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
