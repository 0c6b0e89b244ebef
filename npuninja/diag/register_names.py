"""Names of the array's registers, and what a value written there means, for people.

Names follow AM025 with ports and numbers filled in. Offsets come from `npuninja.arch.registers` alone.
"""

from __future__ import annotations

from functools import cache

from npuninja.arch import registers, switch
from npuninja.arch.devices import PROGRAM_MEMORY_BYTES, TILE_KINDS
from npuninja.arch.event_registers import event_register_names
from npuninja.arch.families import Rows
from npuninja.records import NamedTuple


class NamedRegister(NamedTuple):
    """A place in the array: its tile, the kind of that tile, and the register's name.

    `bd` is the number of the buffer descriptor that the address lies in, `word` the number of the word in it.
    """

    column: int
    row: int
    kind: str
    offset: int
    name: str
    bd: int | None = None
    word: int = 0

    @property
    def tile(self) -> str:
        """The tile as people write it."""
        return tile_name(self.column, self.row, self.kind)


def tile_name(column: int, row: int, kind: str) -> str:
    """`shim (0, 0)`, `memtile (0, 1)`, `core (0, 2)`."""
    return f"{'memtile' if kind == 'mem' else kind} ({column}, {row})"


def register_at(address: int, rows: Rows) -> NamedRegister:
    """What lies at an address of an array of these rows. An unknown register has its offset for a name."""
    column, row, offset = registers.split_address(address)
    kind = rows.kind(row)
    name = _fixed_names(kind).get(offset)
    if name is not None:
        return NamedRegister(column, row, kind, offset, name)
    tile = TILE_KINDS[kind]
    first = registers.DMA[kind].bd
    bd, rest = divmod(offset - first, registers.BD_STRIDE)
    if 0 <= bd < tile.bds and rest // 4 < tile.bd_words:
        return NamedRegister(
            column=column,
            row=row,
            kind=kind,
            offset=offset,
            name=f"DMA_BD{bd}_{rest // 4}",
            bd=bd,
            word=rest // 4,
        )
    if offset < tile.memory_bytes:
        return NamedRegister(column, row, kind, offset, f"data memory 0x{offset:05x}")
    program = offset - registers.PROGRAM_MEMORY
    if kind == "core" and 0 <= program < PROGRAM_MEMORY_BYTES:
        return NamedRegister(column, row, kind, offset, f"program memory 0x{program:04x}")
    return NamedRegister(column, row, kind, offset, f"register 0x{offset:05x}")


@cache
def _fixed_names(kind: str) -> dict[int, str]:
    """Offset -> name of the registers of a tile kind that have one place: no memories, no descriptors."""
    names = {offset: name for name, offset in registers.MISCELLANEOUS[kind].items()}
    for module in {"core": ("core", "memory"), "mem": ("memtile",), "shim": ("shim",)}[kind]:
        names = {**event_register_names(module), **names}
    tile = TILE_KINDS[kind]
    for direction, channels in (("S2MM", tile.s2mm_channels), ("MM2S", tile.mm2s_channels)):
        for channel in range(channels):
            names[registers.channel_control(kind, direction, channel)] = f"DMA_{direction}_{channel}_Ctrl"
            queue = registers.channel_queue(kind, direction, channel)
            names[queue] = f"DMA_{direction}_{channel}_Start_Queue"
            names[registers.channel_status(kind, direction, channel)] = f"DMA_{direction}_{channel}_Status"
    for lock in range(tile.locks):
        names[registers.lock_value(kind, lock)] = f"Lock{lock}_value"
    for index, port in enumerate(switch.MASTERS[kind]):
        names[registers.switch_master(kind, index)] = f"Stream_Switch_Master_{port_name(port)}"
    for index, port in enumerate(switch.SLAVES[kind]):
        names[registers.switch_slave(kind, index)] = f"Stream_Switch_Slave_{port_name(port)}"
        for slot in range(switch.SLOTS):
            place = registers.switch_slot(kind, index, slot)
            names[place] = f"Stream_Switch_Slave_{port_name(port)}_Slot{slot}"
    if kind == "core":
        names[registers.CORE_CONTROL] = "Core_Control"
        names[registers.CORE_STATUS] = "Core_Status"
        names[registers.ACCUMULATOR_CONTROL] = "Accumulator_Control"
    elif kind == "mem":
        for channel in range(tile.mm2s_channels):
            names[registers.MEMTILE_PAD_VALUE + 4 * channel] = f"DMA_MM2S_{channel}_Constant_Pad_Value"
    else:
        names[registers.SHIM_MUX] = "Mux_Config"
        names[registers.SHIM_DEMUX] = "Demux_Config"
    return names


def port_name(port: switch.SwitchPort) -> str:
    """`DMA0`, `North3`; a port that is alone keeps its number too."""
    return f"{port[0]}{port[1]}"


def value_meaning(register: NamedRegister, value: int, mask: int = 0xFFFFFFFF) -> str:
    """What writing `value` (under `mask`) to a register does; "" where the number says all."""
    kind, name = register.kind, register.name
    if name == "Core_Control":
        effects = ((1, "enable", "disable"), (2, "reset", "leave reset"))
        return ", ".join(on if value & bit else off for bit, on, off in effects if mask & bit)
    if name.endswith("_Start_Queue"):
        repeat = value >> registers.QUEUE_REPEAT_SHIFT & registers.QUEUE_REPEAT_MASK
        text = f"start BD {value & 0x3F}"
        text += f", {repeat + 1} times" if repeat else ""
        return text + (", token at the end" if value >> registers.QUEUE_TOKEN_SHIFT & 1 else "")
    if name.endswith("_Ctrl"):
        return _control_meaning(kind, value, mask)
    if name.startswith("Stream_Switch_"):
        return _switch_meaning(kind, name, value)
    if name in ("Mux_Config", "Demux_Config"):
        return _mux_meaning(name, value, mask)
    if name == "Accumulator_Control":
        return f"cascade from {'west' if value & 1 else 'north'} to {'east' if value & 2 else 'south'}"
    return ""


def _control_meaning(kind: str, value: int, mask: int) -> str:
    parts = []
    if not mask:
        return "no effect"
    if mask & registers.CHANNEL_RESET and kind != "shim":
        parts.append("reset" if value & registers.CHANNEL_RESET else "leave reset")
    if mask & registers.CHANNEL_CONTROLLER_ID_MASK == registers.CHANNEL_CONTROLLER_ID_MASK and value:
        number = (value & registers.CHANNEL_CONTROLLER_ID_MASK) >> registers.CHANNEL_CONTROLLER_ID_SHIFT
        parts.append(f"controller id {number}")
    return ", ".join(parts)


def _switch_meaning(kind: str, name: str, value: int) -> str:
    if "_Slot" in name:
        if not value & registers.SLOT_ENABLE:
            return "off"
        number, mask = value >> registers.SLOT_ID_SHIFT & 31, value >> registers.SLOT_MASK_SHIFT & 31
        msel, arbiter = value >> registers.SLOT_MSEL_SHIFT & 3, value & 7
        return f"packet id {number} mask {mask} -> arbiter {arbiter}, msel {msel}"
    if not value & registers.SWITCH_ENABLE:
        return "off"
    packet = value & registers.SWITCH_PACKET
    if "_Slave_" in name:
        return "packets" if packet else "circuit"
    if packet:
        msels = [str(i) for i in range(switch.MSELS) if value >> registers.SWITCH_MSEL_SHIFT & 1 << i]
        text = f"packets of arbiter {value & 7}, msel {'/'.join(msels) or 'none'}"
        return text + (", header dropped" if value & registers.SWITCH_DROP_HEADER else ", header kept")
    source, slaves = value & 31, switch.SLAVES[kind]
    return f"circuit from {port_name(slaves[source]) if source < len(slaves) else f'unknown port {source}'}"


def _mux_meaning(name: str, value: int, mask: int) -> str:
    shifts = registers.SHIM_MUX_SHIFTS if name == "Mux_Config" else registers.SHIM_DEMUX_SHIFTS
    ends = ("PL", "DMA", "NoC", "unknown")
    parts = [
        f"South{channel} = {ends[value >> shift & 3]}"
        for channel, shift in shifts.items()
        if mask >> shift & 3 == 3
    ]
    return ", ".join(parts)
