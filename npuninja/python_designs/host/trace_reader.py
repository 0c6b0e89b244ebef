"""A trace as a list of events in Chrome's format: `parse_trace` of `aie.utils.trace`, and its command line.

What units watch is read off a lowered design's register writes, as the bindings do. What the bytes mean is
said in `npuninja/emulator/trace_units/packets.py`. Time is in cycles since the unit began; the first is 1. A
core that traces program counters gives no times: it has the frame's number as time, and the counter too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from npuninja.arch.event_registers import trace_registers
from npuninja.arch.events import TRACE_EVENTS
from npuninja.arch.registers import split_address
from npuninja.emulator.trace_units.packets import (
    EVENT_PC,
    PACKET_TYPES,
    EventsAtPlace,
    Segment,
    read_frames,
    read_packets,
    read_pc_frames,
)
from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.python_designs.tracing.events import CoreEvent, MemEvent, MemTileEvent, ShimTileEvent

_TABLES = (CoreEvent, MemEvent, ShimTileEvent, MemTileEvent)  # in the order of PACKET_TYPES
_TITLES = ("core", "mem", "shim", "memtile")
#: Offset of the registers with events 0 to 3 and 4 to 7 -> packet kind, first event. A shim's are a core's.
_EVENT_REGISTERS = {
    trace_registers(module)[f"Trace_Event{half}"].offset: (kind, 4 * half)
    for kind, module in ((0, "core"), (1, "memory"), (3, "memtile"))
    for half in (0, 1)
}
_CORE_MODE_REGISTER = trace_registers("core")["Trace_Control0"].offset
#: Zero words between what two channels wrote into one buffer.
GAP_WORDS = 8
TracePlace = tuple[int, int, int]  # kind of packet, row, column


def watched(
    module_text: str, colshift: int | None = None
) -> tuple[dict[TracePlace, list[int]], dict[TracePlace, int]]:
    """The eight events of each unit of a lowered design, and the modes of those that write one.

    Args:
        module_text: MLIR with the sequence's register writes.
        colshift: columns that the design was moved by when it was loaded.

    Raises:
        UserError: the text is no module.
        ValueError: a register write whose address or value is no constant.
    """
    events: dict[TracePlace, list[int]] = {}
    modes: dict[TracePlace, int] = {}
    module = parse_module(module_text, "<module>")
    numbers_from_values(module)
    for op in module.walk():
        if op.name != "aiex.npu.write32":
            continue
        address, value = _number(op, "address"), _number(op, "value")
        if address is None or value is None:
            raise ValueError(f"{op.loc}: the address or the value of a register write is no constant")
        column, row = _number(op, "column"), _number(op, "row")
        if column is None or row is None:
            column, row, address = split_address(address)
        column += colshift or 0
        if address == _CORE_MODE_REGISTER and row:
            modes[0, row, column] = value & 3
        elif address in _EVENT_REGISTERS:
            kind, first = _EVENT_REGISTERS[address]
            unit = events.setdefault((2 if row == 0 else kind, row, column), [0] * TRACE_EVENTS)
            unit[first : first + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
    return events, modes


def _number(op: Operation, name: str) -> int | None:
    given = op.attributes.get(name)
    return given.value if isinstance(given, IntegerAttr) else None


def split_trace_segments(trace_pkts: Sequence[str], min_gap: int = GAP_WORDS) -> list[list[str]]:
    """The parts of a trace (hexadecimal words) between runs of `min_gap` zeros or more; shorter runs stay."""
    parts: list[list[str]] = []
    zeros = min_gap
    for word in filter(None, trace_pkts):
        if not int(word, 16):
            zeros += 1
            continue
        if zeros >= min_gap or not parts:
            parts.append([])
        else:
            parts[-1] += ["00000000"] * zeros
        parts[-1].append(word)
        zeros = 0
    return parts


def parse_trace(trace_buffer: Any, mlir_module_str: str, colshift: int | None = None) -> list[dict[str, Any]]:
    """The events of a trace.

    Args:
        trace_buffer: words of 32 bits.
        mlir_module_str: the lowered design, whose sequence writes the registers of the trace units.
        colshift: columns that the design was moved by; None finds out by the leftmost column of each.

    Raises:
        ValueError: the buffer is empty, or a packet is of a unit that the design does not switch on.
        NotImplementedError: a core that traces its execution; no public source says what its bytes mean.
    """
    data = _bytes_of_units(trace_buffer)
    events, modes = watched(mlir_module_str, colshift)
    if colshift is None and events and data:
        moved = min(p[2] for p in data) - min(p[2] for p in events)
        events = {(kind, row, column + moved): v for (kind, row, column), v in events.items()}
        modes = {(kind, row, column + moved): v for (kind, row, column), v in modes.items()}
    for place in data:
        _must_be_read(place, place in events, modes.get(place, 0))
    found: list[dict[str, Any]] = []
    numbers = {place: number for number, place in enumerate(sorted(events, key=lambda p: p[0]))}
    for place, number in numbers.items():
        kind, row, column = place
        found.append(_meta("process_name", number, f"{_TITLES[kind]}_trace for tile{row},{column}"))
        for bit, code in enumerate(events[place]):
            found.append({**_meta("thread_name", number, _name(kind, code)), "tid": bit})
    for place in sorted(data, key=lambda p: p[0]):
        names = [_name(place[0], code) for code in events[place]]
        if modes.get(place) == EVENT_PC:
            found += _at_places(read_pc_frames(data[place]), numbers[place], names)
        else:
            found += _events(read_frames(data[place]), numbers[place], names)
    return found


def _bytes_of_units(trace_buffer: Any) -> dict[TracePlace, bytes]:
    """What each unit wrote, out of the packets of a buffer. Raises ValueError for an empty one."""
    parts = split_trace_segments([f"{int(word) & 0xFFFFFFFF:08x}" for word in trace_buffer])
    if not parts:
        raise ValueError("the trace is empty: there are only zeros in it")
    data: dict[TracePlace, bytes] = {}
    for part in parts:
        if len(part) < 2:
            continue
        words = [int(word, 16) for word in part]
        words += [0] * (-len(words) % GAP_WORDS)
        for packet, content in read_packets(words).items():
            place = (PACKET_TYPES.index(packet.module), packet.row, packet.column)
            data[place] = data.get(place, b"") + content
    return data


def _must_be_read(place: TracePlace, is_watched: bool, mode: int) -> None:
    kind, row, column = place
    if not is_watched:
        raise ValueError(
            f"the trace has packets of the {_TITLES[kind]} unit of tile ({column}, {row}), which the design "
            "does not switch on; is colshift right?"
        )
    if mode > EVENT_PC:
        raise NotImplementedError(
            f"tile ({column}, {row}) traces in mode {mode}; event-time (0) and event-PC (1) are read "
            "(docs/python-designs.md)"
        )


def _meta(kind: str, number: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": number, "args": {"name": name}}


def _name(kind: int, code: int) -> str:
    try:
        return _TABLES[kind](code).name
    except ValueError:
        return "Unknown"


def _events(segments: Sequence[Segment], number: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """Where each event begins and ends; one that is there to the last does not end."""
    there, stops = 0, 0
    for segment in segments:
        begins = segment.start + 1
        going = segment.events if begins == stops else 0
        for bit in range(TRACE_EVENTS):
            if there >> bit & 1 and not going >> bit & 1:
                yield _event(names[bit], "E", stops, number, bit)
        for bit in range(TRACE_EVENTS):
            if segment.events >> bit & 1 and not (there & going) >> bit & 1:
                yield _event(names[bit], "B", begins, number, bit)
        there, stops = segment.events, begins + segment.cycles


def _at_places(frames: Sequence[EventsAtPlace], number: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """One instant for each event of each frame."""
    for index, frame in enumerate(frames):
        for bit in range(TRACE_EVENTS):
            if frame.events >> bit & 1:
                place = {"s": "t", "args": {"pc": frame.program_counter}}
                yield {**_event(names[bit], "i", index, number, bit), **place}


def _event(name: str, phase: str, cycle: int, number: int, bit: int) -> dict[str, Any]:
    return {"name": name, "ts": cycle, "ph": phase, "pid": number, "tid": bit, "args": {}}


def main(arguments: list[str] | None = None) -> None:
    """`python -m aie.utils.trace.parse`: a text file of words and a lowered design to a JSON file."""
    parser = argparse.ArgumentParser(description="A trace as a JSON file for https://ui.perfetto.dev")
    parser.add_argument(
        "--input", required=True, help="the trace: words of eight hexadecimal digits, one a line"
    )
    parser.add_argument("--mlir", required=True, help="the lowered design")
    parser.add_argument("--colshift", type=int, help="columns that the design was moved by")
    parser.add_argument("--output", required=True, help="the JSON file")
    parser.add_argument("--debug", action="store_true", help="changes nothing here")
    options = parser.parse_args(arguments)
    try:
        with open(options.input, encoding="utf-8") as stream:
            words = [int(line, 16) for line in stream.read().split()]
        with open(options.mlir, encoding="utf-8") as stream:
            text = stream.read()
        found = parse_trace(words, text, options.colshift)
        with open(options.output, "w", encoding="utf-8") as stream:
            json.dump(found, stream, indent=2)
    except (OSError, ValueError, NotImplementedError, UserError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
