"""What designs ask a device's model (`get_target_model`).

Sources: MLIR-AIE's AIETargetModel (which tiles reach which memories, sizes), `npuninja.arch`.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from npuninja.arch.devices import DATA_WINDOWS, TILE_KINDS
from npuninja.arch.devices import device as device_model
from npuninja.arch.families import Rows
from npuninja.arch.registers import COLUMN_SHIFT, ROW_SHIFT
from npuninja.arch.switch import MASTERS, SLAVES
from npuninja.python_designs.construct.names import AIEArch
from npuninja.python_designs.dialects.aie_enums import AIETileType, WireBundle
from npuninja.records import NamedTuple


class ArrayShape(NamedTuple):
    """Rows and columns of an array; `noc_columns` are those whose shim tile has a DMA, None for all."""

    columns: int
    rows: Rows
    noc_columns: frozenset[int] | None
    is_npu: bool
    architecture: str


def _rows(memory: int, cores: int) -> Rows:
    return Rows(("shim", *["mem"] * memory, *["core"] * cores))


#: Devices that are no NPUs: a design may name them, nothing more.
_VERSAL = {
    "xcvc1902": ArrayShape(
        50,
        _rows(0, 8),
        frozenset((2, 3, 6, 7, 10, 11, 18, 19, 26, 27, 34, 35, 42, 43, 46, 47)),
        False,
        "aie1",
    ),
    "xcve2302": ArrayShape(17, _rows(1, 2), frozenset((2, 3, 6, 7, 10, 11)), False, "aie2"),
    "xcve2802": ArrayShape(
        38, _rows(2, 8), frozenset((2, 3, 6, 7, 14, 15, 22, 23, 30, 31, 34, 35)), False, "aie2"
    ),
}


def _only_second(method: Callable[..., Any]) -> Any:
    """Refuses what is about memories, switches and descriptors of the first architecture."""

    @functools.wraps(method)
    def refusing(self: TargetModel, *place: Any, **named: Any) -> Any:
        if self._name == "xcvc1902":
            raise NotImplementedError("memories and switches of xcvc1902, no NPU, are not offered")
        return method(self, *place, **named)

    return refusing


def _constant(number: int) -> Any:
    """A method that gives a number, the same for all NPUs."""
    return _only_second(lambda self: number)


def _beside(columns: int, rows: int) -> Any:
    """A method: whether the second place is so many columns and rows from the first."""

    def is_there(self: TargetModel, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        return (src_col + columns, src_row + rows) == (dst_col, dst_row)

    return is_there


class TargetModel:
    """A device's model. Places are (column, row)."""

    def __init__(self, name: str) -> None:
        self._name = name
        versal = _VERSAL.get(name)
        if versal is None:
            found = device_model(name)
            versal = ArrayShape(found.columns, found.family.rows, None, True, found.architecture)
        self._shape = versal

    def columns(self) -> int:
        """The number of columns."""
        return self._shape.columns

    def rows(self) -> int:
        """The number of rows."""
        return self._shape.rows.number

    def is_npu(self) -> bool:
        """Whether it is an NPU."""
        return self._shape.is_npu

    def get_target_arch(self) -> Any:
        """The architecture of its cores, a case of `AIEArch`."""
        return next(case for case in AIEArch if case.name.lower() == self._shape.architecture)

    def get_column_shift(self) -> int:
        """Where the column is in an address."""
        return COLUMN_SHIFT if self._name != "xcvc1902" else 23

    def get_row_shift(self) -> int:
        """Where the row is in an address."""
        return ROW_SHIFT if self._name != "xcvc1902" else 18

    # Kinds of tiles

    def kind(self, row: int) -> str:
        """`shim`, `mem` or `core`: the kind of the tiles in a row."""
        return self._shape.rows.kind(row)

    def is_core_tile(self, col: int, row: int) -> bool:
        """Whether a core is at the place."""
        return self.kind(row) == "core"

    def is_mem_tile(self, col: int, row: int) -> bool:
        """Whether a memory tile is at the place."""
        return self.kind(row) == "mem"

    def is_shim_noc_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile with a DMA is at the place."""
        return self.is_shim_noc_or_pl_tile(col, row) and (
            self._shape.noc_columns is None or col in self._shape.noc_columns
        )

    def is_shim_pl_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile without a DMA is at the place."""
        return self.is_shim_noc_or_pl_tile(col, row) and not self.is_shim_noc_tile(col, row)

    def is_shim_noc_or_pl_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile is at the place."""
        return self.kind(row) == "shim"

    def get_tile_type(self, col: int, row: int) -> Any:
        """The kind of the tile at the place."""
        if self.is_shim_noc_or_pl_tile(col, row):
            return AIETileType["ShimNOCTile" if self.is_shim_noc_tile(col, row) else "ShimPLTile"]
        return AIETileType["MemTile" if self.is_mem_tile(col, row) else "CoreTile"]

    # Neighbours

    is_internal = _beside(0, 0)
    is_west = _beside(-1, 0)
    is_east = _beside(1, 0)
    is_north = _beside(0, 1)
    is_south = _beside(0, -1)

    # Whether the core at the first place sees the second's memory in a window; the eastern one is its own.
    is_mem_west = _only_second(is_west)
    is_mem_east = _only_second(is_internal)
    is_mem_north = _only_second(is_north)
    is_mem_south = _only_second(is_south)

    @_only_second
    def is_legal_mem_affinity(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the tile at the first place reaches the second's memory: cores their own, neighbours' to
        the north and west, a core's to the south; memory tiles their own and those beside them.
        """
        places = (src_col, src_row, dst_col, dst_row)
        if self.is_south(*places) and not self.is_mem_tile(src_col, src_row):
            return not self.is_mem_tile(dst_col, dst_row)
        further = self.is_east if self.is_mem_tile(src_col, src_row) else self.is_north
        return any(is_there(*places) for is_there in (self.is_internal, self.is_west, further))

    # Memories, locks, buffer descriptors

    # Where a core sees the memory to its west, north and south, and its own.
    get_mem_west_base_address = _constant(DATA_WINDOWS["west"])
    get_mem_east_base_address = _constant(DATA_WINDOWS["own"])
    get_mem_north_base_address = _constant(DATA_WINDOWS["north"])
    get_mem_south_base_address = _constant(DATA_WINDOWS["south"])
    # Bytes of a core's memory and of a memory tile.
    get_local_memory_size = _constant(TILE_KINDS["core"].memory_bytes)
    get_mem_tile_size = _constant(TILE_KINDS["mem"].memory_bytes)

    def get_num_mem_tile_rows(self) -> int:
        """Rows of memory tiles."""
        return len(self._shape.rows.of_kind("mem"))

    @_only_second
    def get_num_locks(self, col: int, row: int) -> int:
        """Locks of the tile."""
        return TILE_KINDS[self.kind(row)].locks

    @_only_second
    def get_num_bds(self, col: int, row: int) -> int:
        """Buffer descriptors of the tile."""
        return TILE_KINDS[self.kind(row)].bds

    @_only_second
    def get_num_dest_switchbox_connections(self, col: int, row: int, bundle: Any) -> int:
        """Ports of a kind at which streams leave the tile's switch."""
        return sum(port[0] == WireBundle(int(bundle)).name for port in MASTERS[self.kind(row)])

    @_only_second
    def get_num_source_switchbox_connections(self, col: int, row: int, bundle: Any) -> int:
        """Ports of a kind at which streams come into the tile's switch."""
        return sum(port[0] == WireBundle(int(bundle)).name for port in SLAVES[self.kind(row)])
