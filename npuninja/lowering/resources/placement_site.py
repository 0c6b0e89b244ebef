"""A device while its logical tiles get their places: the DMA channels that each tile needs and has left."""

from __future__ import annotations

from typing import Iterator

from npuninja.arch.devices import DeviceModel, Place
from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import group
from npuninja.lowering.tiles import kind_at, model_of, ops_of
from npuninja.records import NamedTuple

_TILE_TYPES = {"CoreTile": "core", "MemTile": "mem", "ShimNOCTile": "shim", "ShimPLTile": "shim"}


class Channels(NamedTuple):
    """How many DMA channels: into a tile (S2MM) and out of it (MM2S)."""

    inputs: int
    outputs: int

    def __add__(self, other: Channels) -> Channels:  # type: ignore[override]
        return Channels(self.inputs + other.inputs, self.outputs + other.outputs)


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
        self.placed: dict[Operation, Place] = {}
        self.used: dict[Place, Channels] = {}
        for op in logical:
            self._check_place(op)

    def places(self, kind: str) -> list[Place]:
        """All places of a kind, column by column."""
        return [place for place in sorted(self.model.places()) if self.model.tile_kind(place[1]) == kind]

    def open_cores(self) -> list[Place]:
        """The places among which those of cores are chosen: of each column all, or so many from the bottom."""
        places = self.places("core")
        if self._cores_per_column is None:
            return places
        bottom = min(row for _, row in places)
        return [place for place in places if place[1] < bottom + self._cores_per_column]

    def fits(self, place: Place, needed: Channels) -> bool:
        """Whether a place has these channels left."""
        total, kind = self.used.get(place, Channels(0, 0)) + needed, self.model.kind_of(place[1])
        return total.inputs <= kind.s2mm_channels and total.outputs <= kind.mm2s_channels

    def take(self, op: Operation, place: Place, needed: Channels) -> None:
        """Gives a logical tile its place and books its channels. UserError when they are not there."""
        if not self.fits(place, needed):
            kind, used = self.model.kind_of(place[1]), self.used.get(place, Channels(0, 0))
            raise UserError(
                f"tile {place} needs {needed.inputs} input and {needed.outputs} output DMA channels, but only "
                f"{kind.s2mm_channels - used.inputs} and {kind.mm2s_channels - used.outputs} are left",
                op.loc,
                hint="join or distribute its objectFifos in a memtile, or give it a place with channels left",
            )
        self.used[place] = self.used.get(place, Channels(0, 0)) + needed
        self.placed[op] = place

    def _check_place(self, op: Operation) -> None:
        kind, column, row = kind_of_tile(op), given(op, "col"), given(op, "row")
        for place in self.places(kind):
            if column in (None, place[0]) and row in (None, place[1]):
                return
        rows = sorted({place[1] for place in self.places(kind)})
        raise UserError(
            f"there is no {op.enum('tile_type')} at column {'?' if column is None else column}, "
            f"row {'?' if row is None else row} of {self.model.name}",
            op.loc,
            hint=f"columns 0 to {self.model.columns - 1}, rows {rows[0]} to {rows[-1]}",
        )


def kind_of_tile(op: Operation) -> str:
    """`core`, `mem` or `shim`, of an `aie.tile` or `aie.logical_tile`."""
    return kind_at(op.result).name if op.name == "aie.tile" else _TILE_TYPES[op.enum("tile_type")]


def given(op: Operation, key: str) -> int | None:
    """The column (`col`) or row of a tile, None when it is open."""
    return op.integer(key) if key in op.attributes else None


def tile_of(value: Value) -> Operation:
    """The operation that makes a tile."""
    return value.op


def is_open_core(op: Operation) -> bool:
    """Whether a tile is a logical core tile."""
    return op.name == "aie.logical_tile" and kind_of_tile(op) == "core"


class Links:
    """The links of a device: which fifos they join, and on which tile they stand."""

    def __init__(self, device: Operation) -> None:
        self.fifos = {op.string("sym_name"): op for op in ops_of(device, "aie.objectfifo")}
        self.links = list(ops_of(device, "aie.objectfifo.link"))

    def names(self, link: Operation, key: str) -> list[str]:
        """The names of the fifos in `fifoIns` or `fifoOuts`."""
        return link.symbols(key)

    def tile(self, link: Operation) -> Operation | None:
        """The first consumer of the first input: where the link stands."""
        first = next((self.fifos[n] for n in self.names(link, "fifoIns") if n in self.fifos), None)
        consumers = group(first, "consumerTiles") if first is not None else []
        return tile_of(consumers[0]) if consumers else None

    def sides(self) -> tuple[set[str], set[str]]:
        """The fifos that lead into a link, and those that come from one."""
        return (
            {name for link in self.links for name in self.names(link, "fifoIns")},
            {name for link in self.links for name in self.names(link, "fifoOuts")},
        )

    def demand(self) -> Iterator[tuple[Operation, Channels]]:
        """The channels that each link needs on its tile."""
        for link in self.links:
            tile = self.tile(link)
            if tile is not None:
                yield tile, Channels(len(self.names(link, "fifoIns")), len(self.names(link, "fifoOuts")))
