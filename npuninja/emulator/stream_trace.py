"""Follows a stream backwards, from a receiver to all that may send to it, by the switches' registers.

The engine follows streams forwards and fast; this is for reports, which ask which sender is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from npuninja.arch.registers import (
    SHIM_DEMUX,
    SHIM_DEMUX_SHIFTS,
    SHIM_MUX,
    SHIM_MUX_DMA,
    SHIM_MUX_SHIFTS,
    SLOT_ENABLE,
    SLOT_MSEL_SHIFT,
    SWITCH_ENABLE,
    SWITCH_MSEL_SHIFT,
    SWITCH_PACKET,
    switch_master,
    switch_slave,
    switch_slot,
    tile_address,
)
from npuninja.arch.switch import (
    MASTERS,
    OPPOSITE,
    SHIM_MM2S_SOUTH,
    SHIM_S2MM_SOUTH,
    SLAVES,
    SLOTS,
    STEP,
    master_index,
)
from npuninja.emulator import layout
from npuninja.records import NamedTuple

#: Reads a register: address -> value.
ReadRegister = Callable[[int], int]


class Origin(NamedTuple):
    """Where a stream comes from: an actor (MM2S channel, core), or the port where the trace ends and why."""

    actor: int | None
    reason: str


def port_name(kind: str, port: int, *, master: bool) -> str:
    """`North 2`, for a port's number."""
    ports = (MASTERS if master else SLAVES)[kind]
    return "{} {}".format(*ports[port]) if port < len(ports) else f"port {port}"


def origins(read: ReadRegister, device: layout.Geometry, actor: int) -> list[Origin]:
    """All that can send to an S2MM channel, or to a core, as the switches are set now."""
    found: list[Origin] = []
    if actor >= layout.FIRST_CORE_ACTOR:
        column, row = layout.tile_place(actor - layout.FIRST_CORE_ACTOR)
        _back(read, device, column, row, master_index("core", "Core", 0), found, set())
        return found
    column, row, _, channel = layout.channel_place(actor)
    kind = device.rows.kind(row)
    if kind == "shim":
        south = SHIM_S2MM_SOUTH[channel]
        if read(tile_address(column, row, SHIM_DEMUX)) >> SHIM_DEMUX_SHIFTS[south] & 3 != SHIM_MUX_DMA:
            return [
                Origin(
                    None, f"the shim multiplexer of column {column} does not lead South {south} to the DMA"
                )
            ]
        start = master_index("shim", "South", south)
    else:
        start = master_index(kind, "DMA", channel)
    _back(read, device, column, row, start, found, set())
    return found


_Seen = set[tuple[int, int, int]]


def _back(
    read: ReadRegister,
    device: layout.Geometry,
    column: int,
    row: int,
    master: int,
    found: list[Origin],
    seen: _Seen,
) -> None:
    """Adds the origins of what leaves by a master port."""
    if (column, row, master) in seen:
        return
    seen.add((column, row, master))
    kind = device.rows.kind(row)
    config = read(tile_address(column, row, switch_master(kind, master)))
    where = f"port {port_name(kind, master, master=True)} of tile ({column}, {row})"
    if not config & SWITCH_ENABLE:
        found.append(Origin(None, f"{where} is not connected"))
        return
    if not config & SWITCH_PACKET:
        _enter(read, device, column, row, config & 31, found, seen)
        return
    before = len(found)
    for slave in range(len(SLAVES[kind])):
        for slot in range(SLOTS):
            rule = read(tile_address(column, row, switch_slot(kind, slave, slot)))
            msel = rule >> SLOT_MSEL_SHIFT & 3
            if rule & SLOT_ENABLE and rule & 7 == config & 7 and config >> (SWITCH_MSEL_SHIFT + msel) & 1:
                _enter(read, device, column, row, slave, found, seen)
                break
    if len(found) == before:
        found.append(Origin(None, f"no packet rule leads to {where}"))


def _enter(
    read: ReadRegister,
    device: layout.Geometry,
    column: int,
    row: int,
    slave: int,
    found: list[Origin],
    seen: _Seen,
) -> None:
    """Adds the origins of what comes in by a slave port."""
    kind = device.rows.kind(row)
    where = f"port {port_name(kind, slave, master=False)} of tile ({column}, {row})"
    if (
        slave >= len(SLAVES[kind])
        or not read(tile_address(column, row, switch_slave(kind, slave))) & SWITCH_ENABLE
    ):
        found.append(Origin(None, f"{where} is not enabled"))
        return
    bundle, channel = SLAVES[kind][slave]
    if bundle == "DMA":
        found.append(Origin(layout.channel_number(column, row, "MM2S", channel), ""))
    elif bundle == "Core":
        found.append(Origin(layout.FIRST_CORE_ACTOR + layout.tile_number(column, row), ""))
    elif bundle == "South" and kind == "shim":
        mux = read(tile_address(column, row, SHIM_MUX))
        if channel in SHIM_MM2S_SOUTH and mux >> SHIM_MUX_SHIFTS[channel] & 3 == SHIM_MUX_DMA:
            number = SHIM_MM2S_SOUTH.index(channel)
            found.append(Origin(layout.channel_number(column, row, "MM2S", number), ""))
        else:
            found.append(Origin(None, f"{where} is not led to the DMA by the shim multiplexer"))
    elif bundle == "FIFO":
        _back(read, device, column, row, master_index(kind, "FIFO", channel), found, seen)
    elif bundle == "TileControl":
        found.append(Origin(None, f"{where} sends only what a control packet asks for, and none does"))
    elif bundle in STEP:
        next_column, next_row = column + STEP[bundle][0], row + STEP[bundle][1]
        if not device.contains(next_column, next_row):
            found.append(Origin(None, f"{where} is at the edge of the array"))
            return
        master = master_index(device.rows.kind(next_row), OPPOSITE[bundle], channel)
        _back(read, device, next_column, next_row, master, found, seen)
    else:
        found.append(Origin(None, f"{where} never sends: the {bundle} port is not modelled"))
