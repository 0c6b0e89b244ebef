"""What designs ask a device's model (`get_target_model`).

Sources: MLIR-AIE's AIETargetModel (which tiles reach which memories, sizes), `npuninja.arch`.
"""

from __future__ import annotations

from typing import Any

from npuninja.arch.devices import DATA_WINDOWS, TILE_KINDS
from npuninja.arch.devices import device as device_model
from npuninja.arch.registers import COLUMN_SHIFT, ROW_SHIFT
from npuninja.arch.switch import MASTERS, SLAVES
from npuninja.python_designs.construct.names import AIEArch
from npuninja.python_designs.dialects.aie_enums import AIETileType, WireBundle
from npuninja.records import NamedTuple


class Shape(NamedTuple):
    """Rows and columns of an array; `noc_columns` are those whose shim tile has a DMA, None for all."""

    columns: int
    rows: int
    memory_rows: int
    noc_columns: frozenset[int] | None
    is_npu: bool


#: Devices that are no NPUs: a design may name them, nothing more.
_VERSAL = {
    "xcvc1902": Shape(
        50, 9, 0, frozenset((2, 3, 6, 7, 10, 11, 18, 19, 26, 27, 34, 35, 42, 43, 46, 47)), False
    ),
    "xcve2302": Shape(17, 4, 1, frozenset((2, 3, 6, 7, 10, 11)), False),
    "xcve2802": Shape(38, 11, 2, frozenset((2, 3, 6, 7, 14, 15, 22, 23, 30, 31, 34, 35)), False),
}


class TargetModel:
    """A device's model. Places are (column, row)."""

    def __init__(self, name: str) -> None:
        self._name = name
        versal = _VERSAL.get(name)
        if versal is None:
            found = device_model(name)
            versal = Shape(found.columns, found.rows, 1, None, True)
        self._shape = versal

    def columns(self) -> int:
        """The number of columns."""
        return self._shape.columns

    def rows(self) -> int:
        """The number of rows."""
        return self._shape.rows

    def is_npu(self) -> bool:
        """Whether it is an NPU."""
        return self._shape.is_npu

    def get_target_arch(self) -> AIEArch:
        """The architecture of its cores."""
        if self._name == "xcvc1902":
            return AIEArch.AIE1
        is_second = self.is_npu() and device_model(self._name).architecture == "aie2p"
        return AIEArch.AIE2p if is_second else AIEArch.AIE2

    def get_column_shift(self) -> int:
        """Where the column stands in an address."""
        return COLUMN_SHIFT if self._name != "xcvc1902" else 23

    def get_row_shift(self) -> int:
        """Where the row stands in an address."""
        return ROW_SHIFT if self._name != "xcvc1902" else 18

    # Kinds of tiles

    def is_core_tile(self, col: int, row: int) -> bool:
        """Whether a core is at the place."""
        return row > self._shape.memory_rows

    def is_mem_tile(self, col: int, row: int) -> bool:
        """Whether a memory tile is at the place."""
        return 0 < row <= self._shape.memory_rows

    def is_shim_noc_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile with a DMA is at the place."""
        return row == 0 and (self._shape.noc_columns is None or col in self._shape.noc_columns)

    def is_shim_pl_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile without a DMA is at the place."""
        return row == 0 and not self.is_shim_noc_tile(col, row)

    def is_shim_noc_or_pl_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile is at the place."""
        return row == 0

    def get_tile_type(self, col: int, row: int) -> Any:
        """The kind of the tile at the place."""
        if row == 0:
            return AIETileType["ShimNOCTile" if self.is_shim_noc_tile(col, row) else "ShimPLTile"]
        return AIETileType["MemTile" if self.is_mem_tile(col, row) else "CoreTile"]

    # Neighbours

    def is_internal(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether both places are one."""
        return (src_col, src_row) == (dst_col, dst_row)

    def is_west(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the second place is west of the first."""
        return (src_col - 1, src_row) == (dst_col, dst_row)

    def is_east(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the second place is east of the first."""
        return (src_col + 1, src_row) == (dst_col, dst_row)

    def is_north(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the second place is north of the first."""
        return (src_col, src_row + 1) == (dst_col, dst_row)

    def is_south(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the second place is south of the first."""
        return (src_col, src_row - 1) == (dst_col, dst_row)

    def is_mem_west(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the core at the first place sees the second's memory in its western window."""
        self._only_second()
        return self.is_west(src_col, src_row, dst_col, dst_row)

    def is_mem_east(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the memory is the core's own, which is its eastern window."""
        self._only_second()
        return self.is_internal(src_col, src_row, dst_col, dst_row)

    def is_mem_north(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the core at the first place sees the second's memory in its northern window."""
        self._only_second()
        return self.is_north(src_col, src_row, dst_col, dst_row)

    def is_mem_south(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the core at the first place sees the second's memory in its southern window."""
        self._only_second()
        return self.is_south(src_col, src_row, dst_col, dst_row)

    def is_legal_mem_affinity(self, src_col: int, src_row: int, dst_col: int, dst_row: int) -> bool:
        """Whether the tile at the first place reaches the memory of the second: cores their own, their neighbours' to the
        north and west, and a core's to the south; memory tiles their own and those beside them.
        """
        self._only_second()
        places = (src_col, src_row, dst_col, dst_row)
        if self.is_mem_tile(src_col, src_row):
            return self.is_internal(*places) or self.is_east(*places) or self.is_west(*places)
        if self.is_south(*places):
            return not self.is_mem_tile(dst_col, dst_row)
        return self.is_internal(*places) or self.is_north(*places) or self.is_west(*places)

    # Memories, locks, buffer descriptors

    def get_mem_west_base_address(self) -> int:
        """Where a core sees the memory to its west."""
        self._only_second()
        return DATA_WINDOWS["west"]

    def get_mem_east_base_address(self) -> int:
        """Where a core sees its own memory."""
        self._only_second()
        return DATA_WINDOWS["own"]

    def get_mem_north_base_address(self) -> int:
        """Where a core sees the memory to its north."""
        self._only_second()
        return DATA_WINDOWS["north"]

    def get_mem_south_base_address(self) -> int:
        """Where a core sees the memory to its south."""
        self._only_second()
        return DATA_WINDOWS["south"]

    def get_local_memory_size(self) -> int:
        """Bytes of a core's memory."""
        self._only_second()
        return TILE_KINDS["core"].memory_bytes

    def get_mem_tile_size(self) -> int:
        """Bytes of a memory tile."""
        self._only_second()
        return TILE_KINDS["mem"].memory_bytes

    def get_num_mem_tile_rows(self) -> int:
        """Rows of memory tiles."""
        return self._shape.memory_rows

    def get_num_locks(self, col: int, row: int) -> int:
        """Locks of the tile."""
        self._only_second()
        return TILE_KINDS[self._kind(row)].locks

    def get_num_bds(self, col: int, row: int) -> int:
        """Buffer descriptors of the tile."""
        self._only_second()
        return TILE_KINDS[self._kind(row)].bds

    def get_num_dest_switchbox_connections(self, col: int, row: int, bundle: Any) -> int:
        """Ports of a kind at which streams leave the tile's switch."""
        self._only_second()
        return sum(port[0] == WireBundle(int(bundle)).name for port in MASTERS[self._kind(row)])

    def get_num_source_switchbox_connections(self, col: int, row: int, bundle: Any) -> int:
        """Ports of a kind at which streams come into the tile's switch."""
        self._only_second()
        return sum(port[0] == WireBundle(int(bundle)).name for port in SLAVES[self._kind(row)])

    def _kind(self, row: int) -> str:
        return "shim" if row == 0 else "mem" if row <= self._shape.memory_rows else "core"

    def _only_second(self) -> None:
        if self._name == "xcvc1902":
            raise NotImplementedError("memories and switches of xcvc1902, no NPU, are not offered")
