"""The NPU devices a design can name, and what each kind of tile holds.

Sources: MLIR-AIE's AIETargetModel.cpp and AIEAttrs.td (names, columns, adjacency, counts), AM020 and AM025
(memories, banks, locks, channels), aiecc (start columns). All sizes are in bytes. A place is `(column, row)`;
columns count from the partition's first column, rows from the shim tiles at the bottom. `families` says what
the tiles of a row are.
"""

from __future__ import annotations

from npuninja.arch.families import FAMILIES, Family
from npuninja.errors import UserError
from npuninja.records import NamedTuple

#: A tile's place in the array: (column, row).
TilePlace = tuple[int, int]

#: Program memory of a core (1024 bundles of 16 bytes).
PROGRAM_MEMORY_BYTES = 0x4000
#: What `aie.core` uses when it gives no `stack_size` (AIEOps.td).
DEFAULT_STACK_BYTES = 0x400
#: Address of a core's four data memory windows, each 64 KiB (aie-rt: DataMemAddr, DataMemShift).
DATA_WINDOWS = {"south": 0x40000, "west": 0x50000, "north": 0x60000, "own": 0x70000}
DATA_WINDOW_BYTES = 0x10000
#: Where the first of them begins and the last ends.
DATA_START, DATA_END = DATA_WINDOWS["south"], DATA_WINDOWS["own"] + DATA_WINDOW_BYTES
#: First lock number of each window as a core sees it (AIETargetModel.cpp: getLockLocalBaseIndex).
CORE_LOCK_BASES = {"south": 0, "west": 16, "north": 32, "own": 48}
#: First byte address of each memory as a memtile's DMA sees it (AIETargetModel.cpp: getMemLocalBaseAddress).
MEMTILE_WINDOWS = {"west": 0x00000, "own": 0x80000, "east": 0x100000}
#: First lock number of each memtile as a memtile's DMA sees it.
MEMTILE_LOCK_BASES = {"west": 0, "own": 64, "east": 128}
#: Memtile channels from this one on reach only the memtile's own memory and locks.
MEMTILE_FIRST_OWN_CHANNEL = 4
#: Memtile: even channels use buffer descriptors below this number, odd ones the rest (AM025, Start_BD_ID).
MEMTILE_BDS_PER_PARITY = 24
#: The DMA counts in words of this size.
WORD_BITS = 32
#: A cascade transfer (AM020); AIE1's was narrower.
CASCADE_BITS = 512
#: Steps of a descriptor's iteration: six bits, stored minus one (AM025).
MAX_ITERATIONS = 64
#: Tasks that wait in the start queue of a channel (AM020).
TASK_QUEUE_DEPTH = 4
#: Bounds of a lock's value (aie-rt: LockValLowerBound, LockValUpperBound).
LOCK_VALUE_MIN, LOCK_VALUE_MAX = -64, 63


class TileKind(NamedTuple):
    """What one kind of tile holds. `banks` are those of the address space a programmer places buffers in."""

    name: str
    memory_bytes: int
    banks: int
    locks: int
    bds: int
    bd_words: int
    s2mm_channels: int
    mm2s_channels: int
    #: Dimensions of a BD besides the iteration.
    bd_dimensions: int
    #: Largest wrap of a BD dimension, and largest step in 32-bit words.
    max_wrap: int
    max_step_words: int
    #: Bytes that one load or store of the tile's memory moves.
    bus_bytes: int
    #: Largest length that a BD has a field for.
    max_length_words: int

    @property
    def bank_bytes(self) -> int:
        """Size of one bank; 0 for a tile without memory."""
        return self.memory_bytes // self.banks if self.banks else 0

    def channels(self, direction: str) -> int:
        """How many DMA channels there are of a direction, `S2MM` or `MM2S`."""
        return self.s2mm_channels if direction == "S2MM" else self.mm2s_channels


#: One table for all families, as MLIR-AIE's AIETargetModel has one for both NPUs: they differ in their cores,
#: not in what tiles hold. For a family whose tiles hold other things it becomes a field of `Family`.
TILE_KINDS = {
    "shim": TileKind(
        name="shim",
        memory_bytes=0,
        banks=0,
        locks=16,
        bds=16,
        bd_words=8,
        s2mm_channels=2,
        mm2s_channels=2,
        bd_dimensions=3,
        max_wrap=1023,
        max_step_words=1 << 20,
        bus_bytes=4,
        max_length_words=(1 << 32) - 1,
    ),
    "mem": TileKind(
        name="mem",
        memory_bytes=0x80000,
        banks=8,
        locks=64,
        bds=48,
        bd_words=8,
        s2mm_channels=6,
        mm2s_channels=6,
        bd_dimensions=4,
        max_wrap=1023,
        max_step_words=1 << 17,
        bus_bytes=4,
        max_length_words=(1 << 17) - 1,
    ),
    "core": TileKind(
        name="core",
        memory_bytes=0x10000,
        banks=4,
        locks=16,
        bds=16,
        bd_words=6,
        s2mm_channels=2,
        mm2s_channels=2,
        bd_dimensions=3,
        max_wrap=255,
        max_step_words=1 << 13,
        bus_bytes=32,
        max_length_words=(1 << 14) - 1,
    ),
}


class DeviceModel(NamedTuple):
    """One value of the `aie.device` attribute.

    Attributes:
        name: the name in MLIR, e.g. `npu1_2col`.
        family: what all devices of the family have in common.
        columns: columns of the partition.
    """

    name: str
    family: Family
    columns: int

    @property
    def architecture(self) -> str:
        """`aie2` or `aie2p`, as in `-march`."""
        return self.family.architecture

    @property
    def txn_generation(self) -> int:
        """Device generation in the header of insts.bin."""
        return self.family.txn_generation

    @property
    def physical_columns(self) -> int:
        """Columns of the whole array."""
        return self.family.physical_columns

    @property
    def rows(self) -> int:
        """Rows of the array, shim row included."""
        return self.family.rows.number

    @property
    def memtile_rows(self) -> int:
        """Rows of memtiles, as the header of insts.bin says."""
        return len(self.family.rows.of_kind("mem"))

    @property
    def shim_row(self) -> int:
        """The row of the shim tiles."""
        return self.family.rows.of_kind("shim")[0]

    def tile_kind(self, row: int) -> str:
        """`shim`, `mem` or `core`: the kind of the tiles in a row, the same in every column."""
        return self.family.rows.kind(row)

    def kind_of(self, row: int) -> TileKind:
        """What the tiles of a row hold."""
        return TILE_KINDS[self.family.rows.kind(row)]

    @property
    def triple(self) -> str:
        """The target triple of Peano."""
        return f"{self.architecture}-none-unknown-elf"

    @property
    def whole_array(self) -> bool:
        """Whether the design takes every column that can be used."""
        return self.name == self.family.name

    @property
    def start_columns(self) -> tuple[int, ...]:
        """The columns at which the driver may place the partition.

        aiecc writes 0 for the whole array, else what the family's `start_columns` says. For 5 to 7 columns of
        npu2 that list is empty and xclbinutil refuses it; then every column where n columns fit is allowed.
        """
        if self.whole_array:
            return (0,)
        columns = tuple(range(1, self.family.start_columns + 1 - self.columns))
        return columns or tuple(range(self.physical_columns - self.columns + 1))

    def contains(self, column: int, row: int) -> bool:
        """Whether the device has a tile at this place."""
        return 0 <= column < self.columns and 0 <= row < self.rows

    def tile_places(self) -> list[TilePlace]:
        """All tiles, by column, then row."""
        return [(column, row) for column in range(self.columns) for row in range(self.rows)]


def advised_stack_bytes(needed_bytes: int) -> int:
    """The `stack_size` to set when a program is known to need so much: a quarter to spare, in whole KiB.

    What is known is a lower bound: return addresses, spilled registers and calls by pointer are not in it.
    """
    return -(-needed_bytes * 5 // 4 // 1024) * 1024


def devices_of(family: Family) -> dict[str, DeviceModel]:
    """The devices of a family by name."""
    return {name: DeviceModel(name, family, columns) for name, columns in family.device_names.items()}


#: Every NPU device by name (AIEAttrs.td: AIEDevice).
DEVICES = {name: model for family in FAMILIES.values() for name, model in devices_of(family).items()}


def device(name: str) -> DeviceModel:
    """The device called `name`.

    Raises:
        UserError: there is no NPU device of that name; the message lists those there are.
    """
    found = DEVICES.get(name)
    if found is None:
        raise UserError(f"unknown NPU device '{name}'", hint=f"known devices: {', '.join(sorted(DEVICES))}")
    return found


def memory_neighbours(device: DeviceModel, place: TilePlace) -> dict[str, TilePlace]:
    """The tiles whose data memory and locks the tile at `place` can reach, by window name.

    The tile itself is "own". A core reaches the cores to the south, west and north; a memtile's DMA the
    memtiles to the west and east.
    """
    column, row = place
    kind = device.tile_kind(row)
    if kind == "shim":
        return {"own": place}
    if kind == "mem":
        candidates = {"west": (column - 1, row), "own": place, "east": (column + 1, row)}
    else:
        candidates = {
            "south": (column, row - 1),
            "west": (column - 1, row),
            "north": (column, row + 1),
            "own": place,
        }
    return {
        window: other
        for window, other in candidates.items()
        if device.contains(*other) and device.tile_kind(other[1]) == kind
    }


def memory_window(device: DeviceModel, place: TilePlace, owner: TilePlace) -> str | None:
    """The window in which the tile at `place` sees the memory of `owner`, or None when it does not see it."""
    for window, other in memory_neighbours(device, place).items():
        if other == owner:
            return window
    return None


def bd_reachable(kind: str, channel: int, bd: int) -> bool:
    """Whether a DMA channel of a tile of this kind can use buffer descriptor `bd`."""
    if kind == "mem":
        return (bd >= MEMTILE_BDS_PER_PARITY) == bool(channel & 1) and bd < TILE_KINDS[kind].bds
    return bd < TILE_KINDS[kind].bds
