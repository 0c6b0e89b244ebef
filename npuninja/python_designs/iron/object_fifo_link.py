"""Where objectFifos end, and where they go over into others."""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.python_designs.dialects.aie_enums import AIETileType
from npuninja.python_designs.dialects.aie_object_fifos import object_fifo_link
from npuninja.python_designs.iron.device import AnyMemTile, Tile
from npuninja.python_designs.iron.lists import single_elem_or_list_to_list
from npuninja.python_designs.iron.resolvable import Resolvable


class ObjectFifoEndpoint:
    """What stands at an end: a worker, a link, or the host."""

    def __init__(self, tile: Tile) -> None:
        self._tile = tile

    @property
    def tile(self) -> Tile:
        """Where it is."""
        return self._tile

    def place(self, tile: Tile) -> None:
        """Puts it on a tile."""
        self._tile = tile


class PartLists:
    """Lists with one entry for each part of a split or join."""

    def __init__(self, count: int) -> None:
        self.count = count

    def listed(self, given: list[Any] | None, default: Any, what: str) -> list[Any]:
        """The list, or the default for each. Raises ValueError for a list of another length."""
        if given is None:
            return [default] * self.count
        if len(given) != self.count:
            raise ValueError(f"Number of {what} does not match number of offsets")
        return given


class ObjectFifoLink(ObjectFifoEndpoint, Resolvable):
    """Where objectFifos go over into others: several into one, one into several, or one into one."""

    def __init__(
        self,
        srcs: list[Any] | Any,
        dsts: list[Any] | Any,
        tile: Tile = AnyMemTile,
        src_offsets: Sequence[int] = (),
        dst_offsets: Sequence[int] = (),
    ) -> None:
        self._srcs = single_elem_or_list_to_list(srcs)
        self._dsts = single_elem_or_list_to_list(dsts)
        self._src_offsets = list(src_offsets)
        self._dst_offsets = list(dst_offsets)
        self._resolving = False
        if len(self._srcs) < 1:
            raise ValueError("an ObjectFifoLink has no source")
        if len(self._dsts) < 1:
            raise ValueError("an ObjectFifoLink has no destination")
        if len(self._srcs) != 1 and len(self._dsts) != 1:
            raise ValueError(
                "an ObjectFifoLink joins several sources or splits into several destinations, not both"
            )
        if self._src_offsets and len(self._src_offsets) != len(self._srcs):
            raise ValueError(f"{len(self._src_offsets)} source offsets for {len(self._srcs)} sources")
        if self._dst_offsets and len(self._dst_offsets) != len(self._dsts):
            raise ValueError(
                f"{len(self._dst_offsets)} destination offsets for {len(self._dsts)} destinations"
            )
        place = tile.copy()
        if place.tile_type is None and not place.is_placed:
            place.tile_type = AIETileType["MemTile"]
        elif place.tile_type is None and place.row is not None:
            place.tile_type = AIETileType[
                "MemTile" if place.row == 1 else "CoreTile" if place.row > 1 else "ShimNOCTile"
            ]
        super().__init__(place)
        for handle in (*self._srcs, *self._dsts):
            handle.endpoint = self

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Sources, destinations, then the link."""
        if self._resolving:
            return
        self._resolving = True
        for handle in (*self._srcs, *self._dsts):
            handle.resolve()
        object_fifo_link(
            [h.op for h in self._srcs], [h.op for h in self._dsts], self._src_offsets, self._dst_offsets
        )

    def __str__(self) -> str:
        return f"ObjectFifoLink({self._tile})"
