"""Where things lie in the engine's memory and the shared file; how tiles, channels and locks are numbered.

`engine/engine.h` has the same numbers; the engine is asked for them when it starts and must agree.
"""

from __future__ import annotations

from npuninja.arch.devices import TILE_KINDS
from npuninja.arch.families import SHARED_ROWS, Rows
from npuninja.arch.registers import TILE_BYTES
from npuninja.formats import core_abi, txn
from npuninja.records import NamedTuple

#: Addresses in the engine's linear memory.
LOCK_PLANE = 0x03FF0000
ARRAY_BASE = 0x04000000
DDR_BASE = 0x10000000
DDR_END = 0xFFFF0000
#: Tiles are numbered ROWS_PER_COLUMN * column + row, locks LOCKS_PER_TILE * tile + id, channels
#: CHANNELS_PER_TILE * tile + channel, MM2S from FIRST_MM2S on.
ROWS_PER_COLUMN = core_abi.ROWS_PER_COLUMN
MOST_COLUMNS = 8
TILES = MOST_COLUMNS * ROWS_PER_COLUMN
LOCKS_PER_TILE = core_abi.LOCKS_PER_TILE
CHANNELS_PER_TILE = 12
FIRST_MM2S = 6
CHANNELS = TILES * CHANNELS_PER_TILE
#: Actors: channels, then cores by tile, then the runtime sequence.
FIRST_CORE_ACTOR = CHANNELS
SEQUENCE_ACTOR = CHANNELS + TILES
#: Device address of the first byte of emulated DDR.
DEVICE_DDR = 0x1_0000_0000
#: What a shim BD holds is the device address plus this.
DDR_AIE_OFFSET = txn.DDR_AIE_OFFSET
#: Upper word of a scratchpad's address in a stream for the emulated array; the lower names an argument.
ARGUMENT_MARK = 0x8000_0000

#: The shared file: lock plane, then a slot for the data memory of each tile, then DDR.
LOCK_PLANE_BYTES = core_abi.LOCK_PAGE_BYTES
_FILE_TILES = 0x10000
_TILE_SLOT_BYTES = TILE_KINDS["mem"].memory_bytes
FILE_DDR = 0x4000000

#: Fresh data memory holds this word: not a number as float and as two bfloat16, and rare as an integer.
POISON = 0xFFC1FFC1


def tile_number(column: int, row: int) -> int:
    """The number of the tile at a column and row."""
    return ROWS_PER_COLUMN * column + row


def tile_place(tile: int) -> tuple[int, int]:
    """(column, row) of a tile number."""
    return divmod(tile, ROWS_PER_COLUMN)


def tile_engine_address(tile: int) -> int:
    """Where a tile's address space begins in the engine's memory."""
    return ARRAY_BASE + TILE_BYTES * tile


def tile_file_offset(tile: int) -> int:
    """Where a tile's data memory begins in the shared file."""
    return _FILE_TILES + _TILE_SLOT_BYTES * tile


class Geometry(NamedTuple):
    """Which tiles an emulated device has, and of which kind.

    Attributes:
        columns: of the device, 1 to 8.
        rows: what the tiles of each row are; 8 at most.
    """

    columns: int
    rows: Rows = SHARED_ROWS

    def tiles(self) -> list[int]:
        """The numbers of all tiles."""
        return [tile_number(c, r) for c in range(self.columns) for r in range(self.rows.number)]

    def contains(self, column: int, row: int) -> bool:
        """Whether the device has a tile at this place."""
        return 0 <= column < self.columns and 0 <= row < self.rows.number

    def kind(self, tile: int) -> str:
        """`shim`, `mem` or `core`: the kind of a tile."""
        return self.rows.kind(tile % ROWS_PER_COLUMN)

    def memory_bytes(self, tile: int) -> int:
        """Size of a tile's data memory."""
        return TILE_KINDS[self.kind(tile)].memory_bytes

    def is_core_tile(self, tile: int) -> bool:
        """Whether the device has such a tile, and a core on it."""
        return tile >= 0 and self.contains(*tile_place(tile)) and self.kind(tile) == "core"


def channel_number(column: int, row: int, direction: str, channel: int) -> int:
    """The actor number of a DMA channel; `direction` is `S2MM` or `MM2S`."""
    return CHANNELS_PER_TILE * tile_number(column, row) + (FIRST_MM2S if direction == "MM2S" else 0) + channel


def channel_place(actor: int) -> tuple[int, int, str, int]:
    """(column, row, direction, channel) of a channel's actor number."""
    tile, index = divmod(actor, CHANNELS_PER_TILE)
    direction, channel = divmod(index, FIRST_MM2S)
    return (*tile_place(tile), "MM2S" if direction else "S2MM", channel)


def actor_name(actor: int) -> str:
    """What a person calls an actor."""
    if actor >= SEQUENCE_ACTOR:
        return "the runtime sequence"
    if actor >= FIRST_CORE_ACTOR:
        column, row = tile_place(actor - FIRST_CORE_ACTOR)
        return f"core ({column}, {row})"
    column, row, direction, channel = channel_place(actor)
    return f"{direction} {channel} of tile ({column}, {row})"


def lock_place(index: int) -> tuple[int, int, int]:
    """(column, row, id) of a lock's number."""
    tile, lock = divmod(index, LOCKS_PER_TILE)
    return (*tile_place(tile), lock)


def lock_name(index: int, symbols: dict[int, str] | None = None) -> str:
    """What a person calls a lock: its symbol when known, and its place."""
    column, row, lock = lock_place(index)
    symbol = (symbols or {}).get(index)
    return f"lock {lock} of tile ({column}, {row})" + (f" '{symbol}'" if symbol else "")
