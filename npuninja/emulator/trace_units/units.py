"""The trace units that are switched on: what they see, when they begin and end, and whose packets are theirs.

Source: AM025, Trace_Control0/1, Trace_Event0/1, Stream_Switch_Event_Port_Selection, Event_Generate,
Event_Broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npuninja.arch.event_registers import EVENT_BROADCAST, EVENT_GENERATE, block_register, trace_registers
from npuninja.arch.events import TRACE_EVENTS, broadcast_event, events_of
from npuninja.arch.registers import split_address, tile_address
from npuninja.arch.switch import MASTERS, SLAVES, SwitchPort
from npuninja.emulator import layout
from npuninja.emulator.trace_units.packets import Packet
from npuninja.errors import UserError
from npuninja.formats import txn
from npuninja.records import NamedTuple

Read = Callable[[int], int]
#: The modules of a tile, by its kind.
MODULES = {"core": ("core", "memory"), "mem": ("memtile",), "shim": ("shim",)}
_TRUE = 1  # the number of the event that is always there
_BROADCASTS = 16


class WatchedPort(NamedTuple):
    """A switch's port whose events a unit sees: what it is, and whether words leave the switch there."""

    port: SwitchPort
    is_master: bool


class TraceUnit(NamedTuple):
    """One trace unit that is switched on.

    Attributes:
        tile: its number.
        packet: what its packets begin with.
        slave: the slave port at which they enter the stream switch.
        start, stop: the numbers of the events that begin and end the trace.
        events: the numbers of its eight events; 0 for none.
        ports: what PORT_…_0 to 7 are of.
        mode: 0 for event-time, the only one that is emulated.
    """

    tile: int
    packet: Packet
    slave: int
    start: int
    stop: int
    events: tuple[int, ...]
    ports: tuple[WatchedPort | None, ...]
    mode: int = 0

    @property
    def module(self) -> str:
        """`core`, `memory`, `memtile` or `shim`."""
        return self.packet.module

    def names(self) -> tuple[str, ...]:
        """The names of its eight events."""
        known = {number: name for name, number in events_of(self.module).items()}
        return tuple(known.get(number, f"event {number}") for number in self.events)


def switches_on(insts: bytes) -> bool:
    """Whether a stream writes a trace unit's control register. A damaged one does not: its run reports it."""
    try:
        operations = txn.read_txn(insts).operations
    except UserError:
        return False
    controls = {
        trace_registers(module)["Trace_Control0"].offset for modules in MODULES.values() for module in modules
    }
    for operation in operations:
        address = getattr(operation, "address", None)
        if address is None or isinstance(operation, (txn.AddressPatch, txn.LoadPdi)):
            continue
        offset = split_address(address)[2]
        data = getattr(operation, "data", b"")
        if any(offset <= control < offset + max(len(data), 4) for control in controls):
            return True
    return False


def units_of(read: Read, device: layout.Geometry) -> list[TraceUnit]:
    """The units that have events to see, from the registers."""
    found = []
    for tile in device.tiles():
        kind = device.kind(tile)
        for number, module in enumerate(MODULES[kind]):
            fields = _fields(read, tile, module)
            events = tuple(fields[f"Trace_Event{i}"] for i in range(TRACE_EVENTS))
            start, stop = fields["Trace_Start_Event"], fields["Trace_Stop_Event"]
            if not any(events) or not start:
                continue
            column, row = layout.tile_place(tile)
            slave = SLAVES[kind].index(("Trace", number))
            ports = tuple(_port(fields, kind, i) for i in range(8))
            packet = Packet(column, row, module, fields["ID"])
            found.append(
                TraceUnit(
                    tile=tile,
                    packet=packet,
                    slave=slave,
                    start=start,
                    stop=stop,
                    events=events,
                    ports=ports,
                    mode=fields.get("Mode", 0),
                )
            )
    return found


def _fields(read: Read, tile: int, module: str) -> dict[str, int]:
    fields: dict[str, int] = {}
    for register in trace_registers(module).values():
        value = read(tile_address(*layout.tile_place(tile), register.offset))
        fields.update({name: (value & field.mask) >> field.low for name, field in register.fields.items()})
    return fields


def _port(fields: dict[str, int], kind: str, number: int) -> WatchedPort | None:
    if f"Port_{number}_ID" not in fields:
        return None
    master = bool(fields[f"Port_{number}_Master_Slave"])
    ports = (MASTERS if master else SLAVES)[kind]
    index = fields[f"Port_{number}_ID"]
    return WatchedPort(ports[index], master) if index < len(ports) else None


class Generated(NamedTuple):
    """An event that the sequence generates in a module, by the place of its operation in the stream."""

    tile: int
    module: str
    event: int
    operation: int


def generated(operations: Sequence[Any], device: layout.Geometry) -> list[Generated]:
    """The writes to Event_Generate in a stream.

    Args:
        operations: those of the stream, as `npuninja.formats.txn` reads them, without LoadPdi.
        device: which tiles there are.
    """
    found = []
    for place, operation in enumerate(operations):
        if not isinstance(operation, txn.Write):
            continue
        column, row, offset = split_address(operation.address)
        if not device.contains(column, row):
            continue
        tile = layout.tile_number(column, row)
        for module in MODULES[device.kind(tile)]:
            if offset == block_register(module, EVENT_GENERATE):
                found.append(Generated(tile, module, operation.value & 0xFF, place))
    return found


def times_of(
    unit: TraceUnit, event: int, events: Sequence[Generated], times: dict[int, float], read: Read
) -> list[float]:
    """When an event that the sequence generates, itself or over a broadcast, comes to a unit. A broadcast
    comes to every module at once here.

    Args:
        unit: the unit.
        event: of its module.
        events: what the sequence generates.
        times: place of an operation in the stream -> cycle.
        read: reads a register.
    """
    if event == _TRUE:
        return [0.0]
    found = []
    for one in events:
        if (one.tile, one.module, one.event) == (unit.tile, unit.module, event):
            found.append(times.get(one.operation, 0.0))
        for channel in range(_BROADCASTS):
            register = block_register(one.module, EVENT_BROADCAST + 4 * channel)
            sent = read(tile_address(*layout.tile_place(one.tile), register)) & 0xFF
            if sent == one.event and broadcast_event(unit.module, channel) == event:
                found.append(times.get(one.operation, 0.0))
    return sorted(found)
