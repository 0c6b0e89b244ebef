"""Stream switches: multicast, packets, arbiters, back-pressure, control packets."""

from __future__ import annotations

import numpy as np
import pytest
from array_program import Program, Sequence, core_bd, mem_bd

from npuninja.arch.registers import tile_address
from npuninja.emulator import Deadlock, NoRoute, NotModelled
from npuninja.formats.control_packets import with_parity
from npuninja.formats.txn import Transaction, Write, write_txn


def words(npu, column, row, start, count):
    return np.frombuffer(npu.data_memory(column, row), dtype=np.uint32)[start : start + count].tolist()


def put(npu, column, row, start, values):
    np.frombuffer(npu.data_memory(column, row), dtype=np.uint32)[start : start + len(values)] = values


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


def test_multicast_reaches_all() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.connect(0, 2, ("DMA", 0), ("DMA", 0))
    p.connect(0, 3, ("South", 0), ("North", 1))
    p.connect(0, 4, ("South", 1), ("DMA", 1))
    p.bd(0, 2, 0, core_bd(0, 100))
    for row, channel in ((2, 0), (3, 0), (4, 1)):
        p.bd(0, row, 1, core_bd(0x1000, 100))
        p.start(0, row, "S2MM", channel, 1)
    p.start(0, 2, "MM2S", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, range(100))
        npu.run(nothing(), [])
        for row in (2, 3, 4):
            assert words(npu, 0, row, 0x400, 100) == list(range(100))


def test_multicast_stalls_with_its_slowest_receiver() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.connect(0, 2, ("DMA", 0), ("DMA", 0))
    p.bd(0, 2, 0, core_bd(0, 1000))
    p.bd(0, 2, 1, core_bd(0x2000, 1000))
    p.start(0, 2, "S2MM", 0, 1)  # tile (0, 3) never receives
    p.start(0, 2, "MM2S", 0, 0)
    s = Sequence()
    s.sync(0, "S2MM", 0, row=2)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [])
    text = caught.value.render()
    assert "MM2S 0 of tile (0, 2), BD 0" in text
    assert "S2MM 0 of tile (0, 3) (which has no task) does not take" in text


@pytest.mark.parametrize("size", [8, 9])
def test_small_transfer_fits_into_the_stream_before_the_receiver_starts(size: int) -> None:
    """8 words do, as measured; more wait for the receiver, which the sequence starts only afterwards."""
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.bd(0, 2, 0, core_bd(0, size))
    p.start(0, 2, "MM2S", 0, 0, token=True)
    s = Sequence()
    s.sync(0, "MM2S", 0, row=2)
    s.write(tile_address(0, 3, 0x1DE04), 2)
    q = Program()
    q.bd(0, 3, 2, core_bd(0, size))
    p.commands += q.commands
    with p.emulator() as npu:
        put(npu, 0, 2, 0, range(size))
        if size > 8:
            with pytest.raises(Deadlock):
                npu.run(s.bytes(), [])
            return
        npu.run(s.bytes(), [])
        assert words(npu, 0, 3, 0, size) == list(range(size))


def two_senders(p: Program, ids=(1, 2), *, keep=False) -> None:
    """(0, 2) and (0, 4) send packets to S2MM 0 of (0, 3) through one arbiter."""
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("TileControl", 0))
    p.circuit((0, 4, "DMA", 0), [("South", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 3, 0)  # the circuits above end in packet ports instead
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, ids[0], 31, 0, 0)
    p.rule(0, 3, ("North", 0), 0, ids[1], 31, 0, 0)
    p.master(0, 3, ("DMA", 0), 0, [0], drop=not keep)


def test_two_packet_streams_share_a_port_packet_by_packet() -> None:
    p = Program()
    two_senders(p)
    for row, ident in ((2, 1), (4, 2)):
        p.bd(0, row, 0, core_bd(0, 50, packet=(0, ident)))
        p.start(0, row, "MM2S", 0, 0, repeat=3)
    p.bd(0, 3, 0, core_bd(0, 400))
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, [1] * 50)
        put(npu, 0, 4, 0, [2] * 50)
        npu.run(nothing(), [])
        got = words(npu, 0, 3, 0, 400)
    packets = [got[i : i + 50] for i in range(0, 400, 50)]
    assert [set(packet) for packet in packets] == [{1}, {2}] * 4  # taking turns, never mixed


def test_header_is_kept_or_dropped() -> None:
    p = Program()
    two_senders(p, keep=True)
    p.bd(0, 2, 0, core_bd(0, 2, packet=(3, 1)))
    p.bd(0, 3, 0, core_bd(0, 3))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, [7, 8])
        npu.run(nothing(), [])
        header, *data = words(npu, 0, 3, 0, 3)
    assert data == [7, 8]
    assert header & 0x7FFFFFFF == 2 << 16 | 3 << 12 | 1
    assert header.bit_count() % 2 == 1


def test_header_in_the_data_routes_like_one_from_the_bd() -> None:
    p = Program()
    two_senders(p)
    p.bd(0, 2, 0, core_bd(0, 4))
    p.bd(0, 3, 0, core_bd(0, 3))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, [1, 20, 30, 40])
        npu.run(nothing(), [])
        assert words(npu, 0, 3, 0, 3) == [20, 30, 40]


def test_id_chooses_the_receiver_and_masks_join_ids() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, 4, 0b11110, 0, 0)  # 4 and 5
    p.rule(0, 3, ("South", 0), 1, 9, 31, 1, 2)
    p.master(0, 3, ("DMA", 0), 0, [0], drop=True)
    p.master(0, 3, ("DMA", 1), 1, [2], drop=True)
    for bd, ident in enumerate((4, 9, 5)):
        p.bd(0, 2, bd, core_bd(16 * bd, 4, packet=(0, ident), next_bd=bd + 1 if bd < 2 else None))
    p.start(0, 2, "MM2S", 0, 0)
    p.bd(0, 3, 0, core_bd(0, 8))
    p.bd(0, 3, 1, core_bd(0x100, 4))
    p.start(0, 3, "S2MM", 0, 0)
    p.start(0, 3, "S2MM", 1, 1)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, range(12))
        npu.run(nothing(), [])
        assert words(npu, 0, 3, 0, 8) == [0, 1, 2, 3, 8, 9, 10, 11]
        assert words(npu, 0, 3, 0x40, 4) == [4, 5, 6, 7]


def test_packet_to_several_masters() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, 4, 31, 3, 1)
    p.master(0, 3, ("DMA", 0), 3, [0, 1], drop=True)
    p.master(0, 3, ("DMA", 1), 3, [1], drop=False)
    p.bd(0, 2, 0, core_bd(0, 4, packet=(0, 4)))
    p.start(0, 2, "MM2S", 0, 0)
    p.bd(0, 3, 0, core_bd(0, 4))
    p.bd(0, 3, 1, core_bd(0x100, 5))
    p.start(0, 3, "S2MM", 0, 0)
    p.start(0, 3, "S2MM", 1, 1)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, range(4))
        npu.run(nothing(), [])
        assert words(npu, 0, 3, 0, 4) == [0, 1, 2, 3]
        assert words(npu, 0, 3, 0x41, 4) == [0, 1, 2, 3]


def test_packet_without_a_rule_is_a_fault() -> None:
    p = Program()
    two_senders(p)
    p.bd(0, 2, 0, core_bd(0, 4, packet=(0, 6)))
    p.start(0, 2, "MM2S", 0, 0)
    with p.emulator() as npu, pytest.raises(NoRoute) as caught:
        npu.run(nothing(), [])
    assert "a packet with id 6 from MM2S 0 of tile (0, 2)" in caught.value.message
    assert caught.value.report["tile"] == [0, 3]
    assert caught.value.report["port"] == "South 0"


def test_packets_that_hold_what_the_other_needs_block_each_other() -> None:
    """A packet that nothing takes stops; the next waits for its arbiter. The report names the holder."""
    p = Program()
    two_senders(p)
    for row, ident in ((2, 1), (4, 2)):
        p.bd(0, row, 0, core_bd(0, 500, packet=(0, ident)))
        p.start(0, row, "MM2S", 0, 0)
    s = Sequence()
    s.sync(0, "S2MM", 0, row=3)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [])
    text = caught.value.render()
    assert "arbiter 0 of the switch of tile (0, 3), which a packet of MM2S 0 of tile (0, 2) holds" in text
    assert "waits until S2MM 0 of tile (0, 3) completes a task: it has no task" in text


def test_stream_into_nothing_is_explained() -> None:
    p = Program()
    p.connect(0, 2, ("DMA", 0), ("North", 0))
    p.bd(0, 2, 0, core_bd(0, 4))
    p.start(0, 2, "MM2S", 0, 0, token=True)
    s = Sequence()
    s.sync(0, "MM2S", 0, row=2)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [])
    assert "cannot send: the switch's port South 0 of tile (0, 3) is not enabled" in caught.value.render()


def test_shim_multiplexer_must_lead_to_the_dma() -> None:
    p = Program()
    p.connect(0, 0, ("South", 3), ("North", 0))
    p.connect(0, 1, ("South", 0), ("DMA", 0))
    p.bd(0, 1, 0, mem_bd(0x80000, 4))
    p.start(0, 1, "S2MM", 0, 0)
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 4, token=True)
    s.sync(0, "MM2S", 0)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [npu.allocate(16)])
    text = caught.value.render()
    assert "the shim multiplexer of tile (0, 0) does not join the stream with the DMA" in text
    assert "port South 3 of tile (0, 0) is not led to the DMA by the shim multiplexer" in text


def test_control_packet_writes_registers() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, 4, 31, 0, 0)
    p.master(0, 3, ("TileControl", 0), 0, [0], drop=False)
    p.bd(0, 2, 0, core_bd(0, 7, packet=(1, 4)))
    p.start(0, 2, "MM2S", 0, 0)
    with p.emulator() as npu:
        # Two packets in one stream: two words to 0x1D040, one to data memory.
        put(npu, 0, 2, 0, [2 << 22 | 1 << 20 | 0x1D040, 11, 22, 0 << 22 | 0x100, 33, 0 << 22 | 0x104, 44])
        npu.run(nothing(), [])
        assert [npu.read32(tile_address(0, 3, a)) for a in (0x1D040, 0x1D044, 0x100, 0x104)] == [
            11,
            22,
            33,
            44,
        ]


def test_control_packets_in_one_stream_have_headers_on_npu2() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, 4, 31, 0, 0)
    p.master(0, 3, ("TileControl", 0), 0, [0], drop=False)
    p.bd(0, 2, 0, core_bd(0, 9, packet=(1, 4)))
    p.start(0, 2, "MM2S", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, [1 << 20 | 0x1D040, 11, 22, with_parity(4), 0x100, 33, with_parity(4), 0x104, 44])
        npu.run(write_txn(Transaction(4, 6, 8, 1, (Write(0, 0),))), [])
        assert [npu.read32(tile_address(0, 3, a)) for a in (0x1D040, 0x1D044, 0x100, 0x104)] == [
            11,
            22,
            33,
            44,
        ]


def test_control_packet_that_reads_is_answered() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("FIFO", 0))
    p.write(0, 3, 0x3F000 + 4 * 4, 0)
    p.rule(0, 3, ("South", 0), 0, 4, 31, 0, 0)
    p.master(0, 3, ("TileControl", 0), 0, [0], drop=False)
    p.rule(0, 3, ("TileControl", 0), 0, 2, 31, 1, 0)  # answers carry the id that the packet asks for
    p.master(0, 3, ("DMA", 0), 1, [0], drop=False)
    p.bd(0, 2, 0, core_bd(0, 3, packet=(1, 4)))
    p.start(0, 2, "MM2S", 0, 0)
    p.bd(
        0, 3, 0, core_bd(0x400, 8)
    )  # more words than one answer has: the header, four words, and two of the next
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 3, 0, [5, 6, 7, 8, 9, 0])
        read = 2 << 24 | 1 << 22
        put(npu, 0, 2, 0, [read | 3 << 20 | 0x0, read | 1 << 20 | 0x10, read | 0x3FF00])
        npu.run(nothing(), [])
        header, *rest = words(npu, 0, 3, 0x100, 8)
        assert (header & 0xFFFFFFF, bin(header).count("1") % 2) == (2 | 3 << 16, 1)
        assert rest == [5, 6, 7, 8, header, 9, 0]


def test_control_packet_that_reads_without_a_way_for_its_answer_is_not_modelled() -> None:
    p = Program()
    p.connect(0, 2, ("DMA", 0), ("TileControl", 0))
    p.bd(0, 2, 0, core_bd(0, 1, packet=(1, 4)))
    p.start(0, 2, "MM2S", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, [1 << 22 | 0x100])
        with pytest.raises(NotModelled, match="control packet"):
            npu.run(nothing(), [])


def test_tlast_suppressed_keeps_the_packet_open() -> None:
    p = Program()
    two_senders(p)
    p.bd(0, 2, 0, core_bd(0, 4, packet=(0, 1), tlast=False, next_bd=1))
    p.bd(0, 2, 1, core_bd(16, 4))
    p.bd(0, 4, 0, core_bd(0, 4, packet=(0, 2)))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 4, "MM2S", 0, 0)
    p.bd(0, 3, 0, core_bd(0, 12))
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        put(npu, 0, 2, 0, range(8))
        put(npu, 0, 4, 0, [90, 91, 92, 93])
        npu.run(nothing(), [])
        assert words(npu, 0, 3, 0, 12) == [*range(8), 90, 91, 92, 93]
