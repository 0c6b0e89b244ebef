"""Lock ids: those a design leaves open (MLIR-AIE's aie-assign-lock-ids), and those its fifos take later."""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.lowering.op_builders import i32
from npuninja.lowering.tiles import kind_at, ops_of, place_of


class LockIds:
    """The lock ids in use, tile by tile."""

    def __init__(self, device: Operation) -> None:
        """Takes the ids given in the device. Raises UserError for an id given twice or out of range."""
        self._taken: dict[TilePlace, dict[int, Operation | None]] = {}
        for op in ops_of(device, "aie.lock"):
            if "lockID" not in op.attributes:
                continue
            place, number = place_of(op.tile), op.integer("lockID")
            locks = kind_at(op.tile).locks
            taken = self._taken.setdefault(place, {})
            if not 0 <= number < locks:
                raise UserError(
                    f"lock {number} does not exist on tile {place}: its locks are 0 to {locks - 1}",
                    op.loc,
                )
            other = taken.get(number)
            if other is not None:
                raise UserError(
                    f"lock {number} of tile {place} is given twice",
                    op.loc,
                    notes=(("first given here", other.loc),),
                    hint="use another number, or leave the number out to have one assigned",
                )
            taken[number] = op

    def take(self, tile: Value, cause: Operation) -> int:
        """The lowest free id of a tile. Raises UserError at `cause` when there is none."""
        place = place_of(tile)
        taken, locks = self._taken.setdefault(place, {}), kind_at(tile).locks
        for number in range(locks):
            if number not in taken:
                taken[number] = cause
                return number
        raise UserError(
            f"tile {place} has no free lock: all {locks} are taken",
            cause.loc,
            hint="use fewer objectFifos or locks on this tile (each end of an objectFifo takes two)",
        )


def assign_lock_ids(device: Operation) -> None:
    """Gives each `aie.lock` without an id the lowest free one of its tile, in order.

    Raises:
        UserError: an id is given twice, is out of range, or a tile has no locks left.
    """
    ids = LockIds(device)
    for op in ops_of(device, "aie.lock"):
        if "lockID" not in op.attributes:
            op.attributes["lockID"] = i32(ids.take(op.tile, op))
