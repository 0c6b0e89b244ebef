"""What trace units saw: from the marks of a modelled timeline to the events of each unit, cycle by cycle.

Events that the emulator does not know (instructions, memory conflicts, ports between switches, counters) are
never there; `unknown` names those of a unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from npuninja.arch.events import events_of
from npuninja.arch.registers import tile_address
from npuninja.arch.switch import SHIM_MM2S_SOUTH, SHIM_S2MM_SOUTH
from npuninja.emulator import layout
from npuninja.emulator.timing.timeline import Mark
from npuninja.emulator.trace_units.packets import Segment
from npuninja.emulator.trace_units.units import Read, TraceUnit, WatchedPort

#: Marks of a channel -> what ends the name of the event in its module; of S2MM, of MM2S.
_OF_CHANNEL = {
    "task": ("START_TASK", "START_TASK"),
    "bd": ("FINISHED_BD", "FINISHED_BD"),
    "task done": ("FINISHED_TASK", "FINISHED_TASK"),
    "lock stall": ("STALLED_LOCK", "STALLED_LOCK"),
    "starved": ("STREAM_STARVATION", ""),
    "held up": ("", "STREAM_BACKPRESSURE"),
}
_OF_CORE = {
    "active": "ACTIVE",
    "lock stall": "LOCK_STALL",
    "acquire": "INSTR_LOCK_ACQUIRE_REQ",
    "release": "INSTR_LOCK_RELEASE_REQ",
}
_OF_PORT = {"moves": "RUNNING", "held up": "STALLED", "bd": "TLAST"}
_OF_LOCK = {"lock taken": "ACQ_GE", "lock given": "REL"}
#: Memory tiles: which channels are SEL0 and SEL1 (AM025, DMA_Event_Channel_Selection).
_CHANNEL_SELECTION = 0xA06A0

Interval = tuple[float, float]


def seen(unit: TraceUnit, marks: Sequence[Mark], read: Read) -> dict[int, list[Interval]]:
    """The cycles in which each event of a unit's module was there: number -> intervals, end excluded."""
    numbers = events_of(unit.module)
    found: dict[int, list[Interval]] = {}
    for mark in marks:
        for name in _names(unit, mark, read):
            number = numbers.get(name)
            if number in unit.events or number in (unit.start, unit.stop):
                assert number is not None
                found.setdefault(number, []).append((mark.start, max(mark.end, mark.start + 1)))
    return found


def unknown(unit: TraceUnit) -> list[str]:
    """Those of a unit's events that the emulator never sees."""
    known = {*_OF_CORE.values(), "INSTR_EVENT_0", "INSTR_EVENT_1", "NONE", "TRUE"}
    ends = tuple(end for pair in _OF_CHANNEL.values() for end in pair if end) + tuple(_OF_LOCK.values())
    found = []
    for name in unit.names():
        port = name.rpartition("_")[2] if name.startswith("PORT_") else ""
        if port:
            watched = unit.ports[int(port)]
            of_dma = watched is not None and _channel_of(unit, watched) is not None
            if not of_dma or name.split("_")[1] not in _OF_PORT.values():
                found.append(name)
        elif name not in known and not (name.startswith(("DMA_", "LOCK_")) and name.endswith(ends)):
            found.append(name)
    return found


def _names(unit: TraceUnit, mark: Mark, read: Read) -> Iterable[str]:
    """The names of the events of a unit's module that a mark is."""
    if mark.what in _OF_LOCK:
        tile, lock = divmod(mark.detail, layout.LOCKS_PER_TILE)
        if tile == unit.tile and unit.module != "core":
            end = _OF_LOCK[mark.what]
            selected = "SEL" if unit.module != "shim" and end != "REL" else ""
            yield f"LOCK_{selected}{lock}_{end}"
    elif mark.actor >= layout.SEQUENCE_ACTOR:
        return
    elif mark.actor >= layout.FIRST_CORE_ACTOR:
        if mark.actor - layout.FIRST_CORE_ACTOR == unit.tile and unit.module == "core":
            yield f"INSTR_EVENT_{mark.detail}" if mark.what == "event" else _OF_CORE.get(mark.what, "")
    elif mark.actor // layout.CHANNELS_PER_TILE == unit.tile:
        yield from _of_channel(unit, mark, read)


def _of_channel(unit: TraceUnit, mark: Mark, read: Read) -> Iterable[str]:
    _, _, direction, channel = layout.channel_place(mark.actor)
    end = _OF_CHANNEL.get(mark.what, ("", ""))[direction == "MM2S"]
    if end and unit.module in ("memory", "shim"):
        yield f"DMA_{direction}_{channel}_{end}"
    if end and unit.module == "memtile":
        selection = read(tile_address(*layout.tile_place(unit.tile), _CHANNEL_SELECTION))
        for number in range(2):
            if selection >> (16 * (direction == "MM2S") + 8 * number) & 7 == channel:
                yield f"DMA_{direction}_SEL{number}_{end}"
    if mark.what in _OF_PORT:
        for number, port in enumerate(unit.ports):
            if port is not None and _channel_of(unit, port) == (direction, channel):
                yield f"PORT_{_OF_PORT[mark.what]}_{number}"


def _channel_of(unit: TraceUnit, watched: WatchedPort) -> tuple[str, int] | None:
    """The DMA channel at a port of the switch; None at a port to another switch."""
    bundle, number = watched.port
    if bundle == "DMA":
        return ("S2MM" if watched.is_master else "MM2S"), number
    souths = SHIM_S2MM_SOUTH if watched.is_master else SHIM_MM2S_SOUTH
    if unit.module == "shim" and bundle == "South" and number in souths:
        return ("S2MM" if watched.is_master else "MM2S"), souths.index(number)
    return None


def segments(unit: TraceUnit, found: dict[int, list[Interval]], start: float, stop: float) -> list[Segment]:
    """A unit's trace from cycle `start` (counted as 0) to `stop`: which of its eight events are there."""
    edges: dict[int, dict[int, int]] = {}
    for bit, number in enumerate(unit.events):
        for begin, end in found.get(number, ()) if number else ():
            first, last = int(max(begin, start) - start), int(min(end, stop) - start)
            if begin >= stop or end <= start:
                continue
            for at, change in ((first, 1), (max(last, first + 1), -1)):
                row = edges.setdefault(at, {})
                row[bit] = row.get(bit, 0) + change
    result: list[Segment] = []
    counts = [0] * 8
    times = sorted(edges)
    for at, following in zip(times, [*times[1:], 0]):
        for bit, change in edges[at].items():
            counts[bit] += change
        events = sum(1 << bit for bit, count in enumerate(counts) if count)
        if events:
            result.append(Segment(at, following - at, events))
    return result
