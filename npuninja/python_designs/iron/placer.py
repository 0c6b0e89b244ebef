"""The placer of autumn 2025: workers one after the other, the rest near the cores it serves."""

from __future__ import annotations

from typing import Any

from npuninja.arch.devices import TilePlace
from npuninja.python_designs.iron.device import CORE, MEMORY, SHIM, Device, Tile, channels
from npuninja.python_designs.iron.object_fifo_handle import ObjectFifoHandle
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoLink
from npuninja.python_designs.iron.worker import Worker


class Placer:
    """Gives every part of a program its place."""

    def make_placement(
        self, device: Device, rt: Any, workers: list[Worker], object_fifos: list[ObjectFifoHandle]
    ) -> None:
        """Places workers and the ends of objectFifos."""
        raise NotImplementedError


class _Pool:
    """The tiles of one kind with free DMA channels in one direction."""

    def __init__(self, free: list[TilePlace], room: int) -> None:
        self.free = list(free)
        self.room = room
        self.used: dict[TilePlace, int] = {}

    def fits(self, place: TilePlace, count: int) -> bool:
        return self.used.get(place, 0) + count <= self.room

    def take(self, place: TilePlace, count: int) -> None:
        if count == 0:
            return
        self.used[place] = self.used.get(place, 0) + count
        if self.used[place] >= self.room and place in self.free:
            self.free.remove(place)


class SequentialPlacer(Placer):
    """Workers take cores column by column; memory tiles and shims the nearest column with free channels."""

    def __init__(self, cores_per_col: int | None = None) -> None:
        self.cores_per_col = cores_per_col

    def make_placement(
        self, device: Device, rt: Any, workers: list[Worker], object_fifos: list[ObjectFifoHandle]
    ) -> None:
        """Places workers and the ends of objectFifos.

        Raises:
            ValueError: a place is taken or not there, or nothing is left.
        """
        self._columns = device.cols
        kinds = {
            SHIM: device.get_shim_tiles(),
            MEMORY: device.get_mem_tiles(),
            CORE: device.get_compute_tiles(),
        }
        places = {kind: [_place(t) for t in tiles] for kind, tiles in kinds.items()}
        self._out = {kind: _Pool(listed, channels(kind, True)) for kind, listed in places.items()}
        self._in = {kind: _Pool(listed, channels(kind, False)) for kind, listed in places.items()}
        self._used_shared()
        computes = self._free_cores(device, list(places[CORE]), workers)
        self._place_workers(computes, workers)
        for handle in object_fifos:
            self._place_ends(handle, computes)

    def _used_shared(self) -> None:
        """One count of a direction serves all kinds, as places tell them apart."""
        for pools in (self._out, self._in):
            used: dict[TilePlace, int] = {}
            for pool in pools.values():
                pool.used = used

    def _free_cores(
        self, device: Device, computes: list[TilePlace], workers: list[Worker]
    ) -> list[TilePlace]:
        for worker in workers:
            if worker.tile.is_placed:
                if _place(worker.tile) not in computes:
                    raise ValueError(
                        f"a Worker is placed on {worker.tile}, "
                        f"which device {device} does not have or another Worker has"
                    )
                computes.remove(_place(worker.tile))
        if self.cores_per_col is None:
            return computes
        kept = []
        for column in range(device.cols):
            free = [place for place in computes if place[0] == column]
            if len(free) < self.cores_per_col:
                raise ValueError(
                    f"column {column} has {len(free)} free compute tiles, "
                    f"fewer than cores_per_col={self.cores_per_col}"
                )
            kept += free[: self.cores_per_col]
        return kept

    def _place_workers(self, computes: list[TilePlace], workers: list[Worker]) -> None:
        taken = 0
        for worker in workers:
            if not worker.tile.is_placed:
                if taken >= len(computes):
                    raise ValueError(
                        f"there are {len(workers)} workers and too few compute tiles: "
                        "use a larger device or fewer workers"
                    )
                worker.place(Tile(*computes[taken]))
                taken += 1
            for pools, is_prod in ((self._out, True), (self._in, False)):
                count = sum(handle._is_prod == is_prod for handle in worker.fifos)
                pools[CORE].take(_place(worker.tile), count)

    def _place_ends(self, handle: ObjectFifoHandle, computes: list[TilePlace]) -> None:
        ends = handle.all_of_endpoints()
        columns = [
            end.tile.col
            for end in ends
            if end is not None and end.tile.is_placed and _place(end.tile) in computes
        ]
        column = round(sum(columns) / len(columns)) if columns else 0
        for end in handle._object_fifo.endpoints(handle._is_prod):
            if not isinstance(end, Worker) and not end.tile.is_placed and end.tile.kind in (SHIM, MEMORY):
                self._place_end(end, column, handle._is_prod)
        for end in ends:
            if isinstance(end, ObjectFifoLink) and not end.tile.is_placed and end.tile.kind in (MEMORY, CORE):
                self._place_end(end, column, handle._is_prod, both=True)

    def _place_end(self, end: Any, column: int, is_output: bool, both: bool = False) -> None:
        kind = end.tile.kind
        pool, opposite = (self._out[kind], self._in[kind]) if is_output else (self._in[kind], self._out[kind])
        needed, needed_opposite = 1, 0
        if isinstance(end, ObjectFifoLink):
            counts = len(end._srcs), len(end._dsts)
            needed, needed_opposite = counts if is_output else counts[::-1]
        candidates = list(pool.free)
        while True:
            place = self._nearest(column, candidates)
            counted = opposite.used if both else {}
            fits_opposite = counted.get(place, 0) + needed_opposite <= opposite.room
            if pool.fits(place, needed) and fits_opposite:
                break
            candidates.remove(place)
        found = end.tile.copy()
        found.col, found.row = place
        end.place(found)
        pool.take(place, needed)
        if both:
            opposite.take(place, needed_opposite)

    def _nearest(self, column: int, candidates: list[TilePlace]) -> TilePlace:
        for wanted in range(column, self._columns):
            for place in candidates:
                if place[0] == wanted:
                    return place
        raise ValueError(
            f"no tile is left in columns {column} to {self._columns - 1}: use a device with more columns, "
            "or give tiles places"
        )


def _place(tile: Any) -> TilePlace:
    return tile.col, tile.row
