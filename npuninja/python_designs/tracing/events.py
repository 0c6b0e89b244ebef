"""The events that a trace can record, as enums (from `npuninja.arch.events`), and events with a port."""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from npuninja.arch.events import events_of
from npuninja.arch.families import architectures
from npuninja.python_designs.dialects.aie_enums import DMAChannelDir, WireBundle
from npuninja.python_designs.tracing import first_events


def _enum(name: str, module: str, *reserved: int) -> type[IntEnum]:
    """The events of a tile's module as an enum; numbers that no event has get names of their own."""
    numbers = {**events_of(module), **{f"rsvd_{number}": number for number in reserved}}
    return IntEnum(name, sorted(numbers.items(), key=lambda event: event[1]))  # type: ignore[return-value]


CoreEvent = _enum("CoreEvent", "core", 54)
MemEvent = _enum("MemEvent", "memory", 13, 14, 85, 103, 104, 105)
ShimTileEvent = _enum("ShimTileEvent", "shim")
MemTileEvent = _enum("MemTileEvent", "memtile")


class PacketType(IntEnum):
    """What kind of tile a trace packet comes from."""

    CORE = 0
    MEM = 1
    SHIMTILE = 2
    MEMTILE = 3


NUM_TRACE_TYPES = len(PacketType)
_PORT_WORDS = ("IDLE", "RUNNING", "STALLED", "TLAST")


def port_events(events: type[IntEnum]) -> set[IntEnum]:
    """The events of a kind of tile that are about a stream port."""
    return {events[f"PORT_{word}_{slot}"] for word in _PORT_WORDS for slot in range(8)}


class GenericEvent:
    """An event; a bare number is one of a core."""

    def __init__(self, code: Any) -> None:
        self.code = CoreEvent(code) if isinstance(code, int) and not isinstance(code, IntEnum) else code


class BasePortEvent(GenericEvent):
    """An event of a stream port: which of the eight monitors is the digit in its name.

    Autumn 2025: `(code, port number, master)`; later `(code, bundle, channel, master)`.
    """

    EVENTS: type[IntEnum] = CoreEvent

    def __init__(
        self, code: Any, port: Any = None, channel: Any = None, master: Any = None, **old: Any
    ) -> None:
        if isinstance(code, int) and not isinstance(code, IntEnum):
            code = self.EVENTS(code)
        assert code in port_events(self.EVENTS), f"{code} is no event of a port"
        port = old.get("port_number", port)
        if not isinstance(port, IntEnum) and isinstance(port, int) and not _is_number(channel):
            self.port_number = port
            said = channel if master is None else master
            self.master = True if said is None else bool(said)
            self.channel, self.port = port, None
        else:
            self.port, self.channel = port, channel
            self.master = True if master is None else bool(master)
            self.port_number = int(channel or 0)
        super().__init__(code)
        self.slot = int(code.name.rpartition("_")[2])
        self.event_number = self.slot


def _is_number(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


class PortEvent(BasePortEvent):
    """An event of a port of a core's tile."""


class MemTilePortEvent(BasePortEvent):
    """An event of a port of a memory tile."""

    EVENTS = MemTileEvent


class ShimTilePortEvent(BasePortEvent):
    """An event of a port of a shim tile."""

    EVENTS = ShimTileEvent


def checked(events: Any, padding: IntEnum) -> list[GenericEvent]:
    """Eight events, filled up. Raises RuntimeError for more."""
    listed = list(events)
    if len(listed) > 8:
        raise RuntimeError(f"a trace unit records 8 events, and {len(listed)} were given")
    listed = (listed + [padding] * 8)[:8]
    return [e if isinstance(e, GenericEvent) else GenericEvent(e) for e in listed]


def get_events_for_device(device: str) -> SimpleNamespace:
    """The tables of events of a device, by its name. The first architecture's `MemTileEvent` is None."""
    if "xcvc1902" in device:
        return SimpleNamespace(**{**first_events.NAMES, "MemTileEvent": None})
    return SimpleNamespace(
        CoreEvent=CoreEvent, MemEvent=MemEvent, ShimTileEvent=ShimTileEvent, MemTileEvent=MemTileEvent
    )


NAMES: dict[str, Any] = {
    "WireBundle": WireBundle,
    "DMAChannelDir": DMAChannelDir,
    "IntEnum": IntEnum,
    "CoreEvent": CoreEvent,
    "MemEvent": MemEvent,
    "ShimTileEvent": ShimTileEvent,
    "MemTileEvent": MemTileEvent,
    # One class for both architectures of NPUs: their tables are the same.
    **{
        f"{c.__name__}{arch}": c
        for c in (CoreEvent, MemEvent, MemTileEvent, ShimTileEvent)
        for arch in map(str.upper, architectures())
    },
    **{f"{kind}AIE": events for kind, events in first_events.NAMES.items() if kind != "MemTileEvent"},
    "get_events_for_device": get_events_for_device,
    "PacketType": PacketType,
    "NUM_TRACE_TYPES": NUM_TRACE_TYPES,
    "GenericEvent": GenericEvent,
    "BasePortEvent": BasePortEvent,
    "PortEvent": PortEvent,
    "MemTilePortEvent": MemTilePortEvent,
    "ShimTilePortEvent": ShimTilePortEvent,
    "PortEventCodes": port_events(CoreEvent),
    "MemTilePortEventCodes": port_events(MemTileEvent),
    "ShimTilePortEventCodes": port_events(ShimTileEvent),
}
