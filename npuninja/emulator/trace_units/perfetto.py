"""A trace buffer of an NPU or the emulated array, for https://ui.perfetto.dev, with the design's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from npuninja.arch.events import TRACE_EVENTS
from npuninja.emulator import layout
from npuninja.emulator.timing.costs import CYCLES_PER_US
from npuninja.emulator.trace_units.packets import EventsAtPlace, Packet, Segment
from npuninja.emulator.trace_units.units import TraceUnit

#: Key of `names`: (column, row, `S2MM` or `MM2S` or `lock` or `core`, number).
EventNames = Mapping[tuple[int, int, str, int], str]
_CHANNEL = re.compile(r"DMA_(S2MM|MM2S)_(?:SEL)?(\d)_")
_LOCK = re.compile(r"LOCK_(?:SEL)?(\d)_")


def perfetto(
    traces: Mapping[Packet, Sequence[Segment]],
    instructions: Mapping[Packet, Sequence[EventsAtPlace]],
    units: Iterable[TraceUnit],
    names: EventNames,
    cycles: str,
) -> dict[str, Any]:
    """The content of the JSON file.

    Args:
        traces: what each unit sent.
        instructions: what each core in event-PC mode sent; without times, so these events are 1 us apart.
        units: those that the design switches on; a packet of none of them keeps the numbers of its events.
        names: of channels, locks and cores.
        cycles: what the cycles are worth, for people.
    """
    by_packet = {unit.packet: unit for unit in units}
    events: list[dict[str, Any]] = []
    for number, packet in enumerate(sorted({*traces, *instructions})):
        unit = by_packet.get(packet)
        title = f"{packet.module} ({packet.column}, {packet.row})"
        core = names.get((packet.column, packet.row, "core", 0), "") if packet.module == "core" else ""
        events.append(_meta("process_name", number, 0, f"{title}{f' {core}' if core else ''}"))
        for bit in range(TRACE_EVENTS):
            lane = _lane(unit, bit, names)
            found = list(_intervals(traces.get(packet, ()), bit))
            instants = [
                (i, one) for i, one in enumerate(instructions.get(packet, ())) if one.events >> bit & 1
            ]
            if found or instants or (unit is not None and unit.events[bit]):
                events.append(_meta("thread_name", number, bit, lane))
            for start, end in found:
                args = {"cycle": start, "cycles": end - start}
                times = {"ts": start / CYCLES_PER_US, "dur": (end - start) / CYCLES_PER_US}
                events.append({"name": lane, "ph": "X", **times, "pid": number, "tid": bit, "args": args})
            for index, one in instants:
                place = {"ts": float(index), "args": {"program_counter": f"0x{one.program_counter:04x}"}}
                events.append({"name": lane, "ph": "i", "s": "t", "pid": number, "tid": bit, **place})
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"cycles": cycles}}


def _meta(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": process, "tid": thread, "args": {"name": name}}


def _lane(unit: TraceUnit | None, bit: int, names: EventNames) -> str:
    if unit is None:
        return f"event {bit}"
    name = unit.names()[bit]
    column, row = layout.tile_place(unit.tile)
    found = ""
    channel, lock = _CHANNEL.match(name), _LOCK.match(name)
    if channel:
        found = names.get((column, row, channel[1], int(channel[2])), "")
    elif lock:
        found = names.get((column, row, "lock", int(lock[1])), "")
    elif name.startswith("PORT_"):
        watched = unit.ports[int(name.rpartition("_")[2])]
        if watched is not None:
            bundle, index = watched.port
            direction = "S2MM" if watched.is_master else "MM2S"
            of_channel = names.get((column, row, direction, index), "") if bundle == "DMA" else ""
            found = of_channel or f"{'to' if watched.is_master else 'from'} {bundle} {index}"
    return f"{name} {found}".rstrip()


def _intervals(segments: Sequence[Segment], bit: int) -> Iterable[tuple[int, int]]:
    """The cycles in which an event was there, those without a gap together."""
    start = end = -1
    for segment in segments:
        if not segment.events >> bit & 1:
            continue
        if segment.start != end:
            if end > start:
                yield start, end
            start = segment.start
        end = segment.start + segment.cycles
    if end > start:
        yield start, end
