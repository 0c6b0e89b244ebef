"""The register map: where things are inside a tile, and how a tile's address is packed.

Sources: MLIR-AIE's aie_registers_aie2.json (AM025 as data) and aie-rt's xaiemlgbl_params.h; for AIE2P
xaie2pgbl_params.h, which differs only in what `families` says. Offsets are in bytes from the tile's start.
Tile kinds are those of `devices`.
"""

from __future__ import annotations

from npuninja.arch.families import of_architecture
from npuninja.records import NamedTuple

COLUMN_SHIFT = 25
ROW_SHIFT = 20
TILE_BYTES = 1 << ROW_SHIFT
#: DMA directions as TXN operations number them.
DIRECTIONS = {"S2MM": 0, "MM2S": 1}


def tile_address(column: int, row: int, offset: int = 0) -> int:
    """The address of a register or memory word in the array."""
    return column << COLUMN_SHIFT | row << ROW_SHIFT | offset


def split_address(address: int) -> tuple[int, int, int]:
    """(column, row, offset) of an address made by `tile_address`."""
    return address >> COLUMN_SHIFT & 0x7F, address >> ROW_SHIFT & 0x1F, address & TILE_BYTES - 1


class DmaRegisters(NamedTuple):
    """The DMA of one tile kind.

    Channel n's control and queue lie `CHANNEL_STRIDE` * n further, its status 4 * n.
    """

    bd: int
    s2mm_control: int
    mm2s_control: int
    s2mm_status: int
    mm2s_status: int
    #: The word of a BD that holds the low part of the buffer's address.
    address_word: int


#: Distance of two buffer descriptors, for every tile kind.
BD_STRIDE = 0x20
#: Distance of two channels' control registers; the start queue follows the control register.
CHANNEL_STRIDE = 8
START_QUEUE = 4

DMA = {
    "core": DmaRegisters(0x1D000, 0x1DE00, 0x1DE10, 0x1DF00, 0x1DF10, 0),
    "mem": DmaRegisters(0xA0000, 0xA0600, 0xA0630, 0xA0660, 0xA0680, 1),
    "shim": DmaRegisters(0x1D000, 0x1D200, 0x1D210, 0x1D220, 0x1D228, 1),
}
#: Control register of a channel: reset (compute and memtile) or pause (shim), and place of the controller id.
CHANNEL_RESET = 0x2
CHANNEL_CONTROLLER_ID_SHIFT = 8
CHANNEL_CONTROLLER_ID_MASK = 0x1F00
#: Start queue: token on completion, repeat count - 1, first BD.
QUEUE_TOKEN_SHIFT = 31
QUEUE_REPEAT_SHIFT = 16
QUEUE_REPEAT_MASK = 0xFF
#: Memtile: constant pad value of MM2S channel n, AIE2P only.
MEMTILE_PAD_VALUE = 0xA06E0


def bd_offset(kind: str, bd: int) -> int:
    """First word of buffer descriptor `bd`."""
    return DMA[kind].bd + BD_STRIDE * bd


def channel_control(kind: str, direction: str, channel: int) -> int:
    """Control register of a DMA channel; `direction` is `S2MM` or `MM2S`."""
    dma = DMA[kind]
    return (dma.s2mm_control if direction == "S2MM" else dma.mm2s_control) + CHANNEL_STRIDE * channel


def channel_queue(kind: str, direction: str, channel: int) -> int:
    """Start queue of a DMA channel."""
    return channel_control(kind, direction, channel) + START_QUEUE


def channel_status(kind: str, direction: str, channel: int) -> int:
    """Status register of a DMA channel."""
    dma = DMA[kind]
    return (dma.s2mm_status if direction == "S2MM" else dma.mm2s_status) + 4 * channel


#: Value register of lock 0, and the distance to the next.
LOCK_VALUE = {"core": 0x1F000, "mem": 0xC0000, "shim": 0x14000}
LOCK_STRIDE = 0x10


def lock_value(kind: str, lock: int) -> int:
    """Value register of a lock."""
    return LOCK_VALUE[kind] + LOCK_STRIDE * lock


class SwitchRegisters(NamedTuple):
    """The stream switch of one tile kind: 4 bytes a master, 4 a slave, 16 the four slots of a slave."""

    masters: int
    slaves: int
    slots: int


SWITCH = {
    "core": SwitchRegisters(0x3F000, 0x3F100, 0x3F200),
    "mem": SwitchRegisters(0xB0000, 0xB0100, 0xB0200),
    "shim": SwitchRegisters(0x3F000, 0x3F100, 0x3F200),
}
#: Master and slave: enable, packet mode. A packet master: arbiter [2:0], msel enable mask [6:3], drop header.
SWITCH_ENABLE = 1 << 31
SWITCH_PACKET = 1 << 30
SWITCH_DROP_HEADER = 1 << 7
SWITCH_MSEL_SHIFT = 3
#: Slot: id [28:24], mask [20:16], enable, msel [5:4], arbiter [2:0].
SLOT_ID_SHIFT = 24
SLOT_MASK_SHIFT = 16
SLOT_ENABLE = 1 << 8
SLOT_MSEL_SHIFT = 4


def switch_master(kind: str, index: int) -> int:
    """Configuration register of master port number `index`."""
    return SWITCH[kind].masters + 4 * index


def switch_slave(kind: str, index: int) -> int:
    """Configuration register of slave port number `index`."""
    return SWITCH[kind].slaves + 4 * index


def switch_slot(kind: str, index: int, slot: int) -> int:
    """Register of one of the four slots of slave port number `index`."""
    return SWITCH[kind].slots + 16 * index + 4 * slot


#: Shim multiplexer (into the array), demultiplexer (out of it): for each South channel two bits, 0 PL, 1 DMA,
#: 2 NoC.
SHIM_MUX = 0x1F000
SHIM_DEMUX = 0x1F004
SHIM_MUX_SHIFTS = {2: 8, 3: 10, 6: 12, 7: 14}
SHIM_DEMUX_SHIFTS = {2: 4, 3: 6, 4: 8, 5: 10}
SHIM_MUX_DMA = 1

#: Core tile.
PROGRAM_MEMORY = 0x20000
CORE_CONTROL = 0x32000
CORE_CONTROL_ENABLE = 0x1
CORE_CONTROL_RESET = 0x2
#: Bit 0: the core reaches registers of its tile (AM025 Core_Processor_Bus).
CORE_PROCESSOR_BUS = 0x32038
CORE_STATUS = 0x32004
#: Cascade: bit 0 input (0 north, 1 west), bit 1 output (0 south, 1 east).
ACCUMULATOR_CONTROL = 0x36060

#: Other registers by tile kind and name; some families have them elsewhere (`Family.registers`).
MISCELLANEOUS = {
    "core": {
        "Memory_Control": 0x16010,
        "Enable_Events": 0x32008,
        "Reset_Event": 0x3200C,
        "Debug_Control0": 0x32010,
        "Debug_Status": 0x3201C,
        "PC_Event0": 0x32020,
        "Error_Halt_Control": 0x32030,
        "Error_Halt_Event": 0x32034,
        "Core_Processor_Bus": CORE_PROCESSOR_BUS,
        "Core_PC": 0x31100,
        "Core_SP": 0x31120,
        "Core_LR": 0x31130,
        "Tile_Control": 0x36030,
        "Module_Clock_Control": 0x60000,
    },
    "mem": {
        "Tile_Control": 0x96030,
        "Memory_Control": 0x96048,
        "DMA_Event_Channel_Selection": 0xA06A0,
        "Module_Clock_Control": 0xFFF00,
    },
    "shim": {
        "AIE_AXIMM_Config": 0x1E020,
        "Tile_Control": 0x36030,
        "Module_Clock_Control": 0xFFF00,
        "Column_Clock_Control": 0xFFF20,
    },
}


def register(architecture: str, kind: str, name: str) -> int:
    """Offset of a register of `MISCELLANEOUS` on an architecture (`aie2`, `aie2p`).

    Raises KeyError when there is none.
    """
    elsewhere = of_architecture(architecture).registers.get(kind, {})
    return elsewhere[name] if name in elsewhere else MISCELLANEOUS[kind][name]
