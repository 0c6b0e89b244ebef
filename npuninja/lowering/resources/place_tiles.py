"""Places for `aie.logical_tile`: what a design leaves open is chosen here, and the operation becomes an
`aie.tile`.

Cores fill the columns from the left, each from the bottom. A memtile or shim tile goes to the free column
nearest to the middle of the cores it exchanges objectFifos with; when all are taken, to the nearest one of
those used least.
"""

from __future__ import annotations

from npuninja.arch.devices import FIRST_CORE_ROW, MEMTILE_ROW, ROWS, SHIM_ROW, Device, Place
from npuninja.errors import UserError
from npuninja.ir.attributes import Attribute, EnumAttr
from npuninja.ir.core import Operation, Value
from npuninja.lowering import op_builders
from npuninja.lowering.tiles import model_of, ops_of, place_of

_ROWS_OF = {
    "CoreTile": range(FIRST_CORE_ROW, ROWS),
    "MemTile": range(MEMTILE_ROW, MEMTILE_ROW + 1),
    "ShimNOCTile": range(SHIM_ROW, SHIM_ROW + 1),
    "ShimPLTile": range(SHIM_ROW, SHIM_ROW + 1),
}


def place_tiles(device: Operation) -> None:
    """Replaces every logical tile of a device.

    Raises:
        UserError: a given place is not on the device or of another kind, or there are more cores than the
            device has.
    """
    logical = list(ops_of(device, "aie.logical_tile"))
    if not logical:
        return
    model = model_of(device)
    users: dict[Place, int] = {}
    for op in ops_of(device, "aie.tile"):
        users[place_of(op.result)] = 1
    placed: dict[Operation, Place] = {}
    # Given places first, then cores, then what stands near the cores.
    for op in sorted(logical, key=lambda op: (len(_choices(op, model)) > 1, _kind(op) != "CoreTile")):
        place = placed[op] = _choose(op, _choices(op, model), users, _middle(device, op, placed))
        users[place] = users.get(place, 0) + 1
    _replace(device, logical, placed)


def _kind(op: Operation) -> str:
    kind = op.attributes["tile_type"]
    assert isinstance(kind, EnumAttr), kind
    return kind.case


def _choices(op: Operation, model: Device) -> list[Place]:
    """The places an operation's kind and given coordinates allow, by column, then row."""
    rows, kind = _ROWS_OF[_kind(op)], _kind(op)
    columns = [op.integer("col")] if "col" in op.attributes else list(range(model.columns))
    choices = [(c, r) for c in columns for r in rows if op.integer("row", r) == r and model.contains(c, r)]
    if not choices:
        raise UserError(
            f"there is no {kind} at column {op.integer('col', -1) if 'col' in op.attributes else '?'}, "
            f"row {op.integer('row', -1) if 'row' in op.attributes else '?'} of {model.name}",
            op.loc,
            hint=f"columns 0 to {model.columns - 1}, rows {rows.start} to {rows.stop - 1}",
        )
    return choices


def _middle(device: Operation, op: Operation, placed: dict[Operation, Place]) -> float:
    """The mean column of the placed tiles at the other ends of a tile's fifos; 0 when there are none."""
    columns = []
    for fifo in ops_of(device, "aie.objectfifo"):
        if op.result in fifo.operands:
            for tile in fifo.operands:
                owner = tile.owner
                if isinstance(owner, Operation) and owner is not op:
                    if owner.name == "aie.tile":
                        columns.append(owner.integer("col"))
                    elif owner in placed:
                        columns.append(placed[owner][0])
    return sum(columns) / len(columns) if columns else 0.0


def _choose(op: Operation, choices: list[Place], users: dict[Place, int], middle: float) -> Place:
    if _kind(op) != "CoreTile":
        return min(choices, key=lambda place: (users.get(place, 0), abs(place[0] - middle), place))
    free = [place for place in choices if place not in users]
    if not free:
        raise UserError(
            f"no place is left for this core: all {len(choices)} it could take are taken",
            op.loc,
            hint="use a larger device",
        )
    return free[0]


def _replace(device: Operation, logical: list[Operation], placed: dict[Operation, Place]) -> None:
    """Puts one `aie.tile` for each place; logical tiles at one place share it."""
    tiles = {place_of(op.result): op for op in ops_of(device, "aie.tile")}
    values: dict[Value, Value] = {}
    for op in logical:
        place = placed[op]
        if place not in tiles:
            tile = tiles[place] = op_builders.tile(*place)
            tile.loc = op.loc
            tile.result.name = op.result.name
            scheme: Attribute | None = op.attributes.get("allocation_scheme")
            if scheme is not None:
                tile.attributes["allocation_scheme"] = scheme
            op.insert_before(tile)
        values[op.result] = tiles[place].result
        op.erase()
    device.replace_uses(values)
