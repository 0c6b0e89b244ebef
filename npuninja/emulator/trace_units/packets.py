"""The format of a trace: frames of events in a stream of bytes, in packets of eight words.

A packet is a header (odd parity in bit 31, column, row, type and id of the packet) and seven words of data,
highest byte first. In event-time mode the bytes are frames; a frame says which of the unit's eight events
were there in a cycle, and how many cycles without any lie before it.

| frame | bits |
|---|---|
| start | `11110x00`, 7 bytes of the timer |
| one event | `0 eee cccc`; `100 eee cc` + 8 bits of cycles; `101 eee cc` + 16 bits |
| several events | `1100` + 8 bits of events + `cccc`; `110100` + 8 + 10 bits of cycles; `110101` + 8 + 18 |
| the same again, `r` times | `1110 rrrr`; `110110` + 10 bits |
| nothing: a gap of 0x3FFFF cycles | `11111111` |
| padding | `11111110`; `110111xx` + 3 bytes |

In event-PC mode (1) a frame says which events were there and at which place of the program, but not when;
start is `11110x01`; repetitions, gaps and padding are as above:

| events at a place | `110001` + 8 bits of events + 4 bits that are 0 + 14 bits of the program counter |

No public source says what the bytes of execution mode (2) mean.

Source: the decoder of MLIR-AIE (python/utils/trace, of which these are the facts), AM020 (packet header).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from npuninja.errors import UserError
from npuninja.records import NamedTuple

PACKET_WORDS = 8
PADDING = 0xFE
_GAP_CYCLES = 0x3FFFF
_MOST_REPEATS = 1023
#: Modes of a core's trace unit (AM025, Trace_Control0); 0 is event-time.
EVENT_PC, EXECUTION = 1, 2
#: Types of packets, by the module whose unit sends them.
PACKET_TYPES = ("core", "memory", "shim", "memtile")


class Segment(NamedTuple):
    """Cycles in a row with the same of a unit's eight events: from `start` on, `cycles` of them."""

    start: int
    cycles: int
    events: int  # bit i: event i of the unit


class EventsAtPlace(NamedTuple):
    """What a frame of event-PC mode says: which of a unit's eight events were there; the program counter."""

    events: int  # bit i: event i of the unit
    program_counter: int


class Packet(NamedTuple):
    """Where a packet comes from."""

    column: int
    row: int
    module: str
    id: int


def header(packet: Packet) -> int:
    """The first word of a packet."""
    kind = PACKET_TYPES.index(packet.module)
    word = packet.column << 21 | packet.row << 16 | kind << 12 | packet.id
    return word | (~word.bit_count() & 1) << 31


def read_header(word: int) -> Packet | None:
    """What a packet's first word says; None when it is not one."""
    kind = word >> 12 & 7
    if not word.bit_count() & 1 or word >> 5 & 0x7F or word >> 19 & 3 or word >> 28 & 7 or kind > 3:
        return None
    return Packet(word >> 21 & 0x7F, word >> 16 & 7, PACKET_TYPES[kind], word & 31)


def frames(segments: Iterable[Segment], start: int = 0) -> bytes:
    """The bytes of a unit's trace.

    Args:
        segments: in order, none upon another.
        start: the timer when the trace begins.
    """
    data = bytearray(b"\xf0" + start.to_bytes(7, "big"))
    at = -1  # the last cycle that was known
    for segment in segments:
        gap = segment.start - at - 1
        while gap > _GAP_CYCLES:
            data.append(0xFF)
            gap -= _GAP_CYCLES
        data += _frame(segment.events, gap)
        more = segment.cycles - 1
        if more and gap:  # a repetition is of the frame before it, with its gap
            data += _frame(segment.events, 0)
            more -= 1
        while more:
            times = min(more, _MOST_REPEATS)
            data += bytes((0xE0 | times,)) if times < 16 else bytes((0xD8 | times >> 8, times & 255))
            more -= times
        at = segment.start + segment.cycles - 1
    return bytes(data)


def _frame(events: int, gap: int) -> bytes:
    if events.bit_count() == 1:
        number = events.bit_length() - 1
        if gap < 16:
            return bytes((number << 4 | gap,))
        if gap < 1 << 10:
            return bytes((0x80 | number << 2 | gap >> 8, gap & 255))
        return bytes((0xA0 | number << 2 | gap >> 16, gap >> 8 & 255, gap & 255))
    if gap < 16:
        return bytes((0xC0 | events >> 4, (events & 15) << 4 | gap))
    if gap < 1 << 10:
        return bytes((0xD0 | events >> 6, (events & 63) << 2 | gap >> 8, gap & 255))
    return bytes((0xD4 | events >> 6, (events & 63) << 2 | gap >> 16, gap >> 8 & 255, gap & 255))


def packets(packet: Packet, data: bytes) -> list[tuple[int, ...]]:
    """The packets that carry these bytes, the last one filled up, and one of padding after it."""
    size = 4 * (PACKET_WORDS - 1)
    padded = data + bytes((PADDING,)) * (-len(data) % size + size)
    first = header(packet)
    return [
        (
            first,
            *(int.from_bytes(padded[at + 4 * i : at + 4 * i + 4], "big") for i in range(PACKET_WORDS - 1)),
        )
        for at in range(0, len(padded), size)
    ]


def read_packets(words: Sequence[int]) -> dict[Packet, bytes]:
    """The bytes of each unit in a buffer that a shim's channel wrote, in the order of the packets.

    Raises:
        UserError: it begins with no packet: nothing was traced.
    """
    found: dict[Packet, bytearray] = {}
    for at in range(0, len(words) - PACKET_WORDS + 1, PACKET_WORDS):
        packet = read_header(words[at])
        if packet is None or not words[at]:
            break
        data = found.setdefault(packet, bytearray())
        for word in words[at + 1 : at + PACKET_WORDS]:
            data += word.to_bytes(4, "big")
    if not found:
        raise UserError(
            "the buffer holds no trace: its first word is no packet's header",
            hint="does the sequence start the trace, and was the buffer synced back?",
        )
    return {packet: bytes(data) for packet, data in found.items()}


def read_frames(data: bytes) -> list[Segment]:
    """The segments of a unit's trace; what is cut off at the end is left out.

    Raises:
        UserError: a byte begins no frame.
    """
    found: list[Segment] = []
    at, last = -1, (0, 0)

    def see(events: int, gap: int) -> None:
        nonlocal at
        start = at + 1 + gap
        before = found[-1] if found else None
        if before and before.events == events and before.start + before.cycles == start:
            found[-1] = before._replace(cycles=before.cycles + 1)
        else:
            found.append(Segment(start, 1, events))
        at = start

    for byte, size, value in _frames_in(data, "event-time", _size):
        if byte & 0xFB == 0xF0:
            at, last = -1, (0, 0)
        elif byte == 0xFF:
            at += _GAP_CYCLES
        elif _is_repetition(byte):
            for _ in range(_repeats(byte, value) if last[0] else 0):
                see(*last)
        elif byte != PADDING and byte & 0xFC != 0xDC:
            last = _events_and_gap(byte, value, size)
            see(*last)
    return found


def _frames_in(data: bytes, mode: str, size_of: Callable[[int], int]) -> Iterator[tuple[int, int, int]]:
    """The frames of a trace: their first byte, how many bytes, and all of them as one number."""
    at = 0
    while at < len(data):
        size = size_of(data[at])
        if size == 0:
            raise UserError(f"byte {at} of a unit's trace, 0x{data[at]:02x}, begins no frame of {mode} mode")
        if at + size > len(data):
            return
        yield data[at], size, int.from_bytes(data[at : at + size], "big")
        at += size


def _is_repetition(byte: int) -> bool:
    return byte & 0xF0 == 0xE0 or byte & 0xFC == 0xD8


def _repeats(byte: int, value: int) -> int:
    return byte & 15 if byte & 0xF0 == 0xE0 else value & 0x3FF


def read_pc_frames(data: bytes) -> list[EventsAtPlace]:
    """The events of a unit's trace in event-PC mode, in their order; what is cut off at the end is left out.

    Raises:
        UserError: a byte begins no frame.
    """
    found: list[EventsAtPlace] = []
    last: EventsAtPlace | None = None
    for byte, size, value in _frames_in(data, "event-PC", _pc_size):
        if byte & 0xFC == 0xC4:
            last = EventsAtPlace(value >> 18 & 0xFF, value & 0x3FFF)
            found.append(last)
        elif size == 8 or byte == 0xFF:
            last = None
        elif last and _is_repetition(byte):
            found += [last] * _repeats(byte, value)
    return found


def _pc_size(byte: int) -> int:
    """As `_size`, of event-PC mode."""
    if byte & 0xFC == 0xC4:
        return 4
    if byte & 0xFB == 0xF1:
        return 8
    is_known = byte in (0, PADDING, 0xFF) or byte & 0xF0 == 0xE0 or byte & 0xF8 == 0xD8
    return _size(byte) if is_known else 0


def _size(byte: int) -> int:
    """Bytes of the frame that begins so; 0 for none."""
    if byte < 0x80:
        return 1
    if byte < 0xC0:
        return 2 if byte < 0xA0 else 3
    if byte < 0xD0:
        return 2
    if byte < 0xE0:
        return (3, 4, 2, 4)[byte >> 2 & 3]
    return 1 if byte < 0xF0 or byte >= 0xFE else 8 if byte & 0xFB == 0xF0 else 0


def _events_and_gap(byte: int, value: int, size: int) -> tuple[int, int]:
    if byte < 0x80:
        return 1 << (byte >> 4), byte & 15
    if byte < 0xC0:
        return 1 << (byte >> 2 & 7), value & ((1 << 8 * size - 6) - 1)
    if byte < 0xD0:
        return value >> 4 & 255, value & 15
    bits = 10 if size == 3 else 18
    return value >> bits & 255, value & ((1 << bits) - 1)
