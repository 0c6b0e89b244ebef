"""Places of logical tiles in generation 2026-02: cores in order, everything else by groups of objectFifos.

Cores take the free core tiles column by column. A memtile or shim tile goes to the middle column of the cores
of its group, or to the next column to the right with channels left. A group is a link with all its fifos, or
a single fifo; groups are visited in the order in which the reference's hash table has them.

Source: MLIR-AIE c7741f2bf, AIEPlacer.cpp (SequentialPlacer).
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.lowering.resources.placement_site import (
    NO_CHANNELS,
    TILE_WORDS,
    Channels,
    Site,
    channel_demand,
    given,
    is_open_core,
    kind_of_tile,
)
from npuninja.lowering.tiles import ops_of

#: LLVM's DenseMap: the first number of buckets, and the factor of its hash of an integer.
_FIRST_BUCKETS = 64
_HASH_FACTOR = 37


def place_by_groups(site: Site) -> None:
    """Gives every logical tile a place. UserError when channels or tiles run out."""
    demand = channel_demand(site.device, counts_linked_ends=False)
    order = site.logical
    if not _place_cores(site, order, demand):
        # The reference gives two cores one place when a given one comes later, and fails.
        site.placed.clear()
        site.used.clear()
        order = sorted(order, key=lambda op: given(op, "col") is None or given(op, "row") is None)
        _place_cores(site, order, demand)
    for fifos, tiles in _groups(site.device):
        column = _middle_column(site, fifos)
        for tile in tiles:
            if tile not in site.placed:
                _place_near(site, tile, column, demand.get(tile, NO_CHANNELS))
    for tile in site.logical:
        if tile not in site.placed:
            _place_near(site, tile, 0, NO_CHANNELS)


def _place_cores(site: Site, order: list[Operation], demand: dict[Operation, Channels]) -> bool:
    """Tiles whose place is given, and cores. False when a given place was taken by a core before."""
    free = site.open_cores()
    taken = 0
    for op in order:
        column, row = given(op, "col"), given(op, "row")
        needed = demand.get(op, NO_CHANNELS)
        if column is not None and row is not None:
            if kind_of_tile(op) == "core" and (column, row) in free[:taken]:
                return False
            site.take(op, (column, row), needed)
            if kind_of_tile(op) == "core" and (column, row) in free:
                free.remove((column, row))
        elif kind_of_tile(op) == "core":
            found = next((i for i in range(taken, len(free)) if _allows(column, row, free[i])), None)
            if found is None:
                raise UserError(
                    "no core tile is left for this one"
                    if column is None and row is None
                    else f"no core tile is left at ({'?' if column is None else column}, "
                    f"{'?' if row is None else row})",
                    op.loc,
                    hint="use a larger device",
                )
            free[taken], free[found] = free[found], free[taken]
            site.take(op, free[taken], needed)
            taken += 1
    return True


def _allows(column: int | None, row: int | None, place: TilePlace) -> bool:
    return column in (None, place[0]) and row in (None, place[1])


def _groups(device: Operation) -> list[tuple[list[Operation], list[Operation]]]:
    """The fifos of each group and their memtiles and shim tiles, groups without any left out."""
    links = list(ops_of(device, "aie.objectfifo.link"))
    number_of: dict[str, int] = {}
    for number, link in enumerate(links):
        for name in link.symbols("fifoIns") + link.symbols("fifoOuts"):
            number_of[name] = number
    following = len(links)
    fifos: dict[int, list[Operation]] = {}
    tiles: dict[int, list[Operation]] = {}
    for fifo in ops_of(device, "aie.objectfifo"):
        number = number_of.get(fifo.string("sym_name"), following)
        following += number == following
        fifos.setdefault(number, []).append(fifo)
        for tile in (value.op for value in fifo.operands):
            if tile.name == "aie.logical_tile" and kind_of_tile(tile) != "core":
                tiles.setdefault(number, []).append(tile)
    buckets = _FIRST_BUCKETS
    while 4 * len(tiles) >= 3 * buckets:
        buckets *= 2
    order = sorted(tiles, key=lambda number: number * _HASH_FACTOR % buckets)
    return [(fifos[number], tiles[number]) for number in order]


def _middle_column(site: Site, fifos: list[Operation]) -> int:
    """The mean column of the logical cores at fifos' ends, each end counted; half a column counts up."""
    columns = [
        site.placed[tile][0]
        for fifo in fifos
        for tile in (value.op for value in fifo.operands)
        if is_open_core(tile) and tile in site.placed
    ]
    return (sum(columns) + len(columns) // 2) // len(columns) if columns else 0


def _place_near(site: Site, op: Operation, column: int, needed: Channels) -> None:
    """The first tile of its kind with channels left, from its own or the given column to the right."""
    first = given(op, "col")
    start = column if first is None else first
    for place in site.tile_places(kind_of_tile(op)):
        if place[0] >= start and site.fits(place, needed):
            site.take(op, place, needed)
            return
    raise UserError(
        f"no {TILE_WORDS[kind_of_tile(op)]} from column {start} on has {needed} left",
        op.loc,
        hint="give some of them a column further left, or use a larger device",
    )
