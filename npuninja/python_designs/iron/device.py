"""Devices and places: `NPU1Col1()`, `Tile(0, 2)`, `AnyMemTile`."""

from __future__ import annotations

import re
from typing import Any

from npuninja.arch.devices import TILE_KINDS
from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.ir.enums import ENUMS
from npuninja.ir.tiles import LOGICAL_KINDS
from npuninja.python_designs.construct import generation
from npuninja.python_designs.dialects.aie_enums import AIEDevice, AIETileType
from npuninja.python_designs.dialects.aie_tiles import get_target_model, logical_tile, tile
from npuninja.python_designs.iron.resolvable import HasOperation

SHIM, MEMORY, CORE = "ShimNOCTile", "MemTile", "CoreTile"
_KINDS = {LOGICAL_KINDS[kind]: kind for kind in (SHIM, MEMORY, CORE)}
#: Devices that are no NPUs, by the names that designs give.
_OTHERS = ("xcvc1902", "xcve2302", "xcve2802")


class Tile(HasOperation):
    """A place: both coordinates, one, or none with the kind of tile."""

    def __init__(
        self,
        col: int | None = None,
        row: int | None = None,
        *,
        tile_type: Any = None,
        allocation_scheme: str | None = None,
    ) -> None:
        self.col = None if col is None else int(col)
        self.row = None if row is None else int(row)
        self.tile_type = tile_type
        self.allocation_scheme = allocation_scheme

    @property
    def kind(self) -> str | None:
        """The kind as it is printed, or None when nothing tells it."""
        if self.tile_type is not None:
            return AIETileType(int(self.tile_type)).name
        return None

    @property
    def is_placed(self) -> bool:
        """Whether both coordinates are given."""
        return self.col is not None and self.row is not None

    def copy(self) -> Tile:
        """Another tile with the same place and kind."""
        return Tile(self.col, self.row, tile_type=self.tile_type, allocation_scheme=self.allocation_scheme)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Tile) and generation.is_first() and self.is_placed:
            return (self.col, self.row) == (other.col, other.row)
        return self is other

    def __hash__(self) -> int:
        return hash((self.col, self.row)) if generation.is_first() and self.is_placed else id(self)

    def __str__(self) -> str:
        place = ", ".join("?" if part is None else str(part) for part in (self.col, self.row))
        return f"Tile<{self.kind}>({place})" if self.kind else f"Tile({place})"

    __repr__ = __str__


PlacementTile = Tile
AnyShimTile = Tile(tile_type=AIETileType[SHIM])
AnyMemTile = Tile(tile_type=AIETileType[MEMORY])
AnyComputeTile = Tile(tile_type=AIETileType[CORE])


def channels(kind: str, output: bool) -> int:
    """The DMA channels of a kind of tile in one direction."""
    return TILE_KINDS[LOGICAL_KINDS[kind]].channels("MM2S" if output else "S2MM")


def tile_of_kind(given: Tile | None, kind: str, complaint: str) -> Tile:
    """A place with its kind set: a copy, but for a tile that has that kind from the start, which its owners
    share. Raises ValueError, beginning with `complaint`, when it is of another kind.
    """
    if given is None:
        return Tile(tile_type=AIETileType[kind])
    if isinstance(given, type):
        given = given()
    shared = (
        generation.is_third()
        and given.kind == kind
        and given not in (AnyShimTile, AnyMemTile, AnyComputeTile)
    )
    found = given if shared else given.copy()
    if found.kind is not None and found.kind != kind:
        raise ValueError(f"{complaint}, but got tile_type={found.tile_type}")
    found.tile_type = AIETileType[kind]
    return found


class Device:
    """A device; its classes have the names that designs use."""

    NAME = ""

    def __init__(self) -> None:
        self._by_place: dict[tuple[int, int], Any] = {}
        self._tiles: dict[int, tuple[Tile, Any]] = {}
        self.physical = generation.is_first()

    def resolve(self, loc: Any = None, ip: Any = None) -> Any:
        """The case of `AIEDevice`."""
        return AIEDevice[self.NAME]

    def _model(self) -> Any:
        return get_target_model(self.resolve())

    def kind_at(self, row: int) -> str:
        """The kind of the tiles of a row, as `Tile.kind`."""
        return _KINDS[self._model().kind(row)]

    @property
    def cols(self) -> int:
        """The number of columns."""
        return int(self._model().columns())

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self._model().rows())

    @property
    def arch(self) -> str:
        """The architecture of its cores, as in `-march`."""
        return str(self._model().get_target_arch().name.lower())

    def get_tile_type(self, col: int, row: int) -> Any:
        """The kind of the tile at a place."""
        self._must_hold(col, row)
        return AIETileType[self.kind_at(row)]

    def tile_iterator(self) -> Any:
        """All places, column by column."""
        return (Tile(c, r) for c in range(self.cols) for r in range(self.rows))

    def _of(self, kind: str) -> list[Tile]:
        return [t for t in self.tile_iterator() if self.kind_at(t.row) == kind]

    def get_shim_tiles(self) -> list[Tile]:
        """The shim tiles, by column."""
        return self._of(SHIM)

    def get_mem_tiles(self) -> list[Tile]:
        """The memory tiles."""
        return self._of(MEMORY)

    def get_compute_tiles(self) -> list[Tile]:
        """The tiles with cores."""
        return self._of(CORE)

    def get_num_connections(self, tile: Tile, output: bool) -> int:
        """The DMA channels of a tile in one direction."""
        if tile.row is None:
            raise ValueError(f"{tile} has no place, and its row decides on its connections; give it one")
        return channels(self.kind_at(tile.row), output)

    def _must_hold(self, col: int, row: int) -> None:
        if not (0 <= col < self.cols and 0 <= row < self.rows):
            raise ValueError(
                f"tile ({col}, {row}) is not on the device, "
                f"which has {self.cols} columns and {self.rows} rows"
            )

    def resolve_tile(self, given: Tile, loc: Any = None, ip: Any = None) -> None:
        """Makes the operation of a tile, once: a physical tile for each place, or a logical one.

        Raises:
            ValueError: the place is not on the device, or of another kind.
        """
        known = self._tiles.get(id(given))
        if known is not None:
            given.op = known[1]
            return
        shares = not generation.is_third() or self.physical
        place = (given.col, given.row) if given.col is not None and given.row is not None else None
        if place is not None and shares and place in self._by_place:
            op = self._by_place[place]
        elif self.physical:
            if place is None:
                raise ValueError(f"{given} has no place: give it one, or a placer to resolve_program()")
            op = tile(*place, allocation_scheme=given.allocation_scheme)
        else:
            self._check_kind(given, place)
            op = logical_tile(
                given.tile_type, col=given.col, row=given.row, allocation_scheme=given.allocation_scheme
            )
        if place is not None:
            self._by_place.setdefault(place, op)
        self._tiles[id(given)] = (given, op)
        given.op = op

    def _check_kind(self, given: Tile, place: tuple[int, int] | None) -> None:
        if place is None:
            if given.tile_type is None:
                raise ValueError(f"{given} has neither a place nor a kind: give it col and row, or tile_type")
            return
        inferred = self.get_tile_type(*place)
        if given.tile_type is None:
            given.tile_type = inferred
        elif given.kind != inferred.name:
            raise ValueError(
                f"tile ({place[0]}, {place[1]}) is a {inferred}, and tile_type={given.tile_type} was given"
            )


def _class_name(device: str) -> str:
    return re.sub(r"NPU(\d+)_(\d+)COL", r"NPU\1Col\2", device.upper())


DEVICES: dict[str, type[Device]] = {
    _class_name(name): type(_class_name(name), (Device,), {"NAME": name, "__doc__": f"The device {name}."})
    for name in ENUMS["AIEDevice"]
}


def from_name(name: str, *, n_cols: int | None = 1) -> Device:
    """A device by the name of its kind and the number of its columns; None is all.

    Raises:
        ValueError: there is no such device.
    """
    kinds = {"npu": DEFAULT, **{known: known for known in (*FAMILIES, *_OTHERS)}}
    known = kinds.get(str(name).lower())
    if known is None:
        raise ValueError(f"{name!r} is no device; there are {list(kinds)}")
    kind = _class_name(known)
    most = FAMILIES[known].columns if known in FAMILIES else None
    if most is None or n_cols is None or n_cols == most:
        return DEVICES[kind]()
    if not 1 <= n_cols <= most:
        raise ValueError(f"{kind} has 1 to {most} columns (None: all of them); n_cols is {n_cols}")
    return DEVICES[f"{kind}Col{n_cols}"]()
