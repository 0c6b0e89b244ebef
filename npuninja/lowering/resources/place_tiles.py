"""Places for `aie.logical_tile`, chosen where a design leaves them open; it becomes an `aie.tile`.

MLIR-AIE: aie-place-tiles. Two generations choose differently, see `place_by_groups` and `place_by_demand`.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import Attribute
from npuninja.ir.core import Operation, Value
from npuninja.ir.verifier import verify
from npuninja.lowering import op_builders
from npuninja.lowering.generation import Rules
from npuninja.lowering.resources.placement_site import Site
from npuninja.lowering.tiles import model_of, ops_of, place_of


def place_tiles(
    device: Operation, rules: Rules, warnings: Warnings, cores_per_column: int | None = None
) -> None:
    """Replaces every logical tile of a device; `cores_per_column` as `pipeline.lower_resources` has it.

    Raises:
        UserError: a given place is off the device or of another kind, or DMA channels or places run out.
    """
    logical = list(ops_of(device, "aie.logical_tile"))
    if not logical:
        return
    from npuninja.lowering.resources.place_by_demand import place_by_demand
    from npuninja.lowering.resources.place_by_groups import place_by_groups

    site = Site(device, logical, cores_per_column)
    if rules.places_by_demand:
        place_by_demand(site, warnings)
    else:
        place_by_groups(site)
    _replace(device, site)
    _refuse_shared_cores(device)
    # What depends on a tile's kind and place, such as the number of channels, could not be checked before.
    verify(device, splits_transfers=rules.splits_transfers)


def _refuse_shared_cores(device: Operation) -> None:
    """Places of `aie.tile` operations are not taken out of the choice, so a core may meet another there."""
    owners: dict[TilePlace, Operation] = {}
    for core in ops_of(device, "aie.core"):
        place = place_of(core.tile)
        first = owners.setdefault(place, core)
        if first is not core:
            raise UserError(
                f"two cores are placed on tile {place}",
                core.loc,
                notes=(("the other one is here", first.loc),),
                hint="give all cores their places, or none",
            )


def _replace(device: Operation, site: Site) -> None:
    """Puts one `aie.tile` for each place, each new one at the start of the device."""
    tiles: dict[TilePlace, Operation] = {}
    for op in ops_of(device, "aie.tile"):
        tiles.setdefault(place_of(op.result), op)
    values: dict[Value, Value] = {}
    for op in site.logical:
        place = site.placed[op]
        tile = tiles.get(place)
        if tile is None:
            tile = tiles[place] = op_builders.tile(*place, model_of(device))
            tile.loc = op.loc
            device.body.insert(0, tile)
        scheme: Attribute | None = op.attributes.get("allocation_scheme")
        if scheme is not None:
            tile.attributes["allocation_scheme"] = scheme
        values[op.result] = tile.result
        op.erase()
    device.replace_uses(values)
