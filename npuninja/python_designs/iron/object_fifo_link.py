"""Where objectFifos end, and where they go over into others."""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.python_designs.dialects.aie_enums import AIETileType
from npuninja.python_designs.dialects.aie_object_fifos import object_fifo_link
from npuninja.python_designs.iron.device import MEMORY, AnyMemTile, Tile
from npuninja.python_designs.iron.lists import single_elem_or_list_to_list
from npuninja.python_designs.iron.resolvable import Resolvable


class ObjectFifoEndpoint:
    """What is at an end: a worker, a link, or the host."""

    def __init__(self, tile: Tile) -> None:
        self._tile = tile

    @property
    def tile(self) -> Tile:
        """Where it is."""
        return self._tile

    def place(self, tile: Tile) -> None:
        """Puts it on a tile."""
        self._tile = tile


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
        for word, ends, offsets in (
            ("source", self._srcs, self._src_offsets),
            ("destination", self._dsts, self._dst_offsets),
        ):
            if not ends:
                raise ValueError(f"an ObjectFifoLink has no {word}")
            if offsets and len(offsets) != len(ends):
                raise ValueError(f"{len(offsets)} {word} offsets for {len(ends)} {word}s")
        if len(self._srcs) != 1 and len(self._dsts) != 1:
            raise ValueError(
                "an ObjectFifoLink joins several sources or splits into several destinations, not both"
            )
        place = tile.copy()
        if place.tile_type is None and not place.is_placed:  # else the device says what is there
            place.tile_type = AIETileType[MEMORY]
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
