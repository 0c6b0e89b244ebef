"""The format of traces: frames of events and packets, byte by byte and there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.emulator.trace_units.packets import (
    PACKET_WORDS,
    Packet,
    Segment,
    frames,
    header,
    packets,
    read_frames,
    read_header,
    read_packets,
)
from npuninja.errors import UserError

START = b"\xf0" + bytes(7)


@pytest.mark.parametrize(
    ("segments", "data"),
    [
        ([Segment(0, 1, 1)], "00"),  # event 0 in the first cycle
        ([Segment(15, 1, 1 << 7)], "7f"),
        ([Segment(16, 1, 1 << 7)], "9c10"),  # 100 111 00, 16 cycles before it
        ([Segment(1023, 1, 1 << 2)], "8bff"),
        ([Segment(1024, 1, 1 << 2)], "a80400"),
        ([Segment(5, 1, 0b10000001)], "c815"),  # two events: 1100 1000 0001 0101
        ([Segment(16, 1, 0b10000001)], "d20410"),
        ([Segment(1024, 1, 0b10000001)], "d6040400"),
        ([Segment(0, 4, 1)], "00e3"),  # the same again, three times
        ([Segment(0, 17, 1)], "00d810"),
        ([Segment(2, 4, 1)], "0200e2"),  # what is repeated has no gap before it
        ([Segment(0, 1, 1), Segment(1, 1, 2)], "0010"),
        ([Segment(0x3FFFF + 3, 1, 1)], "ff03"),
    ],
)
def test_frames(segments, data):
    assert frames(segments) == START + bytes.fromhex(data)


def segments_of(pieces):
    found, at = [], 0
    for gap, cycles, events in pieces:
        if found and not gap and found[-1].events == events:
            gap = 1
        found.append(Segment(at + gap, cycles, events))
        at += gap + cycles
    return found


PIECES = st.tuples(
    st.one_of(st.integers(0, 40), st.integers(0, 600_000)),
    st.one_of(st.just(1), st.integers(1, 20), st.integers(1, 3000)),
    st.integers(1, 255),
)


@settings(max_examples=60)
@given(
    st.lists(PIECES, max_size=12), st.integers(0, 7), st.integers(0, 5), st.integers(0, 31),
    st.sampled_from(("core", "memory", "shim", "memtile")),
)  # fmt: skip
def test_what_is_written_is_read(pieces, column, row, number, module):
    segments = segments_of(pieces)
    packet = Packet(column, row, module, number)
    sent = packets(packet, frames(segments))
    assert all(len(words) == PACKET_WORDS and words[0] == header(packet) for words in sent)
    found = read_packets([*(word for words in sent for word in words), *[0] * 9])
    assert list(found) == [packet]
    assert read_frames(found[packet]) == segments


def test_a_header_says_whose_packet_it_is():
    word = header(Packet(1, 2, "memory", 4))
    assert word == 1 << 21 | 2 << 16 | 1 << 12 | 4 | (
        0 if (1 << 21 | 2 << 16 | 1 << 12 | 4).bit_count() % 2 else 1 << 31
    )
    assert word.bit_count() % 2 == 1
    assert read_header(word) == Packet(1, 2, "memory", 4)
    assert read_header(word ^ 1) is None  # parity


def test_packets_of_two_units_are_reported_apart():
    one, two = Packet(0, 2, "core", 1), Packet(0, 2, "memory", 2)
    a, b = packets(one, frames([Segment(3, 1, 1)])), packets(two, frames([Segment(9, 2, 2)]))
    words = [word for pair in zip(a, b) for packet in pair for word in packet]
    found = read_packets(words)
    assert [read_frames(found[p]) for p in (one, two)] == [[Segment(3, 1, 1)], [Segment(9, 2, 2)]]


@pytest.mark.parametrize("words", [[], [0] * 64, [0xDEADBEEF] * 16])
def test_a_buffer_without_a_trace_is_refused(words):
    with pytest.raises(UserError, match="holds no trace"):
        read_packets(words)


def test_what_is_no_frame_is_refused():
    with pytest.raises(UserError, match="begins no frame"):
        read_frames(START + b"\xf2")
