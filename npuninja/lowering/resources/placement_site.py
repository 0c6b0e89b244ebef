"""A device while its logical tiles get their places: the DMA channels that each tile needs and has left."""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel, TilePlace
from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.ir.syntax import group, operand
from npuninja.ir.tiles import LOGICAL_KINDS
from npuninja.lowering.tiles import kind_at, model_of, ops_of
from npuninja.records import NamedTuple


class Channels(NamedTuple):
    """How many DMA channels: into a tile (S2MM) and out of it (MM2S)."""

    inputs: int
    outputs: int

    def __add__(self, other: Channels) -> Channels:  # type: ignore[override]
        return Channels(self.inputs + other.inputs, self.outputs + other.outputs)

    def __str__(self) -> str:
        return f"{self.inputs} input and {self.outputs} output DMA channels"


NO_CHANNELS = Channels(0, 0)
#: What tiles that are no cores are called in messages, by kind.
TILE_WORDS = {"mem": "memtile", "shim": "shim tile"}


class Site:
    """A device while its logical tiles get their places.

    Attributes:
        logical: the `aie.logical_tile` operations, in order.
        placed: those that have a place.
        used: the channels taken on each place.
    """

    def __init__(
        self, device: Operation, logical: list[Operation], cores_per_column: int | None = None
    ) -> None:
        self._cores_per_column = cores_per_column
        self.device = device
        self.model: DeviceModel = model_of(device)
        self.logical = logical
        self.placed: dict[Operation, TilePlace] = {}
        self.used: dict[TilePlace, Channels] = {}
        for op in logical:
            self._check_place(op)

    def tile_places(self, kind: str) -> list[TilePlace]:
        """All places of a kind, column by column."""
        return [place for place in sorted(self.model.tile_places()) if self.model.tile_kind(place[1]) == kind]

    def open_cores(self) -> list[TilePlace]:
        """The places that cores can get: all of each column, or its lowest ones up to the given number."""
        places = self.tile_places("core")
        if self._cores_per_column is None:
            return places
        bottom = min(row for _, row in places)
        return [place for place in places if place[1] < bottom + self._cores_per_column]

    def fits(self, place: TilePlace, needed: Channels) -> bool:
        """Whether a place has these channels left."""
        total, kind = self.used.get(place, NO_CHANNELS) + needed, self.model.kind_of(place[1])
        return total.inputs <= kind.s2mm_channels and total.outputs <= kind.mm2s_channels

    def take(self, op: Operation, place: TilePlace, needed: Channels) -> None:
        """Gives a logical tile its place and books its channels. UserError when they are not there."""
        if not self.fits(place, needed):
            kind, used = self.model.kind_of(place[1]), self.used.get(place, NO_CHANNELS)
            raise UserError(
                f"tile {place} needs {needed}, but only "
                f"{kind.s2mm_channels - used.inputs} and {kind.mm2s_channels - used.outputs} are left",
                op.loc,
                hint="join or distribute its objectFifos in a memtile, or give it a place with channels left",
            )
        self.used[place] = self.used.get(place, NO_CHANNELS) + needed
        self.placed[op] = place

    def _check_place(self, op: Operation) -> None:
        kind, column, row = kind_of_tile(op), given(op, "col"), given(op, "row")
        for place in self.tile_places(kind):
            if column in (None, place[0]) and row in (None, place[1]):
                return
        rows = sorted({place[1] for place in self.tile_places(kind)})
        raise UserError(
            f"there is no {op.enum('tile_type')} at column {'?' if column is None else column}, "
            f"row {'?' if row is None else row} of {self.model.name}",
            op.loc,
            hint=f"columns 0 to {self.model.columns - 1}, rows {rows[0]} to {rows[-1]}",
        )


def ends_of(fifo: Operation) -> tuple[Operation, list[Operation]]:
    """The tiles of an objectFifo's producer and of its consumers."""
    return operand(fifo, "producerTile").op, [tile.op for tile in group(fifo, "consumerTiles")]


def kind_of_tile(op: Operation) -> str:
    """`core`, `mem` or `shim`, of an `aie.tile` or `aie.logical_tile`."""
    return kind_at(op.result).name if op.name == "aie.tile" else LOGICAL_KINDS[op.enum("tile_type")]


def given(op: Operation, key: str) -> int | None:
    """The column (`col`) or row of a tile, None when it is open."""
    return op.integer(key) if key in op.attributes else None


def is_open_core(op: Operation) -> bool:
    """Whether a tile is a logical core tile."""
    return op.name == "aie.logical_tile" and kind_of_tile(op) == "core"


def channel_demand(device: Operation, *, counts_linked_ends: bool) -> dict[Operation, Channels]:
    """The channels that tiles need for links, and for objectFifos that are not between cores.

    `counts_linked_ends`: a fifo at a link needs channels at its other end; else only the link's are counted.
    """
    found: dict[Operation, Channels] = {}

    def add(tile: Operation, channels: Channels) -> None:
        found[tile] = found.get(tile, NO_CHANNELS) + channels

    fifos = {op.string("sym_name"): op for op in ops_of(device, "aie.objectfifo")}
    links = list(ops_of(device, "aie.objectfifo.link"))
    into = {name for link in links for name in link.symbols("fifoIns")}
    out_of = {name for link in links for name in link.symbols("fifoOuts")}
    for name, fifo in fifos.items():
        if not counts_linked_ends and (name in into or name in out_of):
            continue
        producer, consumers = ends_of(fifo)
        counted = [c for c in consumers if not (is_open_core(producer) and is_open_core(c))]
        if name not in into:
            for consumer in counted:
                add(consumer, Channels(1, 0))
        if counted and name not in out_of:
            add(producer, Channels(0, 1))
    for link in links:
        # A link is at the first consumer of its first input.
        for first in [fifos[name] for name in link.symbols("fifoIns") if name in fifos][:1]:
            for tile in group(first, "consumerTiles")[:1]:
                add(tile.op, Channels(len(link.symbols("fifoIns")), len(link.symbols("fifoOuts"))))
    return found
