"""The runtime sequence, task queues, tokens, and faults of the configuration."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from array_program import Program, Sequence, core_bd, mem_bd

from npuninja.arch import registers
from npuninja.arch.registers import tile_address
from npuninja.emulator import (
    Deadlock,
    Emulator,
    HostOverrun,
    InvalidAccess,
    InvalidBD,
    LockFault,
    NotModelled,
    QueueOverflow,
    TimeLimit,
    engine_module,
)
from npuninja.errors import UserError
from npuninja.formats import cdo, txn


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


def loop_through_memtile() -> Program:
    """MM2S 0 -> memtile, 16 words at a time, two buffers -> S2MM 0."""
    p = Program()
    p.circuit((0, 0, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.circuit((0, 1, "DMA", 0), [("South", 0)], ("DMA", 0))
    p.lock(0, 1, 0, 2)
    for i in range(2):
        p.bd(0, 1, i, mem_bd(0x80000 + 256 * i, 16, next_bd=1 - i, acquire=(64, -1), release=(65, 1)))
        p.bd(0, 1, 2 + i, mem_bd(0x80000 + 256 * i, 16, next_bd=3 - i, acquire=(65, -1), release=(64, 1)))
    p.start(0, 1, "S2MM", 0, 0)
    p.start(0, 1, "MM2S", 0, 2)
    return p


def test_a_lock_that_is_set_while_a_descriptor_holds_of_it_is_reported() -> None:
    lock = tile_address(0, 1, registers.lock_value("mem", 0))
    with loop_through_memtile().emulator() as npu:
        # The receiver has begun with a buffer and waits for words, so one of the two is left.
        assert npu.run(nothing(), []).remarks() == []
        again = Sequence()
        again.operations.append(txn.Write(lock, 1))
        assert npu.run(again.bytes(), []).remarks() == []
        again.operations[-1] = txn.Write(lock, 2)
        (remark,) = npu.run(again.bytes(), []).remarks()
        assert (
            "lock 0 of tile (0, 1) was set to 2 while BD 0 of S2MM 0 of tile (0, 1) had taken 1 of it"
            in remark
        )
        assert npu.run(nothing(), []).remarks() == []
        # As it is meant: the channel is idle when its locks are set.
        control = tile_address(0, 1, registers.channel_control("mem", "S2MM", 0))
        again.operations = [txn.Write(control, 2), txn.Write(control, 0), txn.Write(lock, 2)]
        assert npu.run(again.bytes(), []).remarks() == []


def test_full_task_queue_makes_the_sequence_wait() -> None:
    s = Sequence()
    for i in range(12):
        s.transfer(0, "MM2S", 0, i, 0, 16, offset=64 * i)
    s.transfer(0, "S2MM", 0, 15, 1, 12 * 16)
    s.sync(0, "S2MM", 0)
    with loop_through_memtile().emulator() as npu:
        a, b = npu.allocate(12 * 64), npu.allocate(12 * 64)
        a.view[:] = bytes(range(256)) * 3
        with pytest.raises(
            Deadlock
        ) as caught:  # the receiver is started only after the queue has room: it never has
            npu.run(s.bytes(), [a, b])
    assert "wants room in the task queue of MM2S 0 of tile (0, 0)" in caught.value.render()
    s.operations.insert(0, s.operations[-4])  # receiver first
    receive = s.operations[-4:-1]
    del s.operations[0]
    s.operations = [*receive, *s.operations[:-4], s.operations[-1]]
    with loop_through_memtile().emulator() as npu:
        a, b = npu.allocate(12 * 64), npu.allocate(12 * 64)
        a.view[:] = bytes(range(256)) * 3
        npu.run(s.bytes(), [a, b])
        assert b.view[:] == a.view[:]


def test_too_many_tasks_in_the_configuration() -> None:
    p = Program()
    p.bd(0, 2, 0, core_bd(0, 4))
    for _ in range(6):
        p.start(0, 2, "S2MM", 0, 0)
    with pytest.raises(QueueOverflow, match=r"S2MM 0 of tile \(0, 2\)"):
        p.emulator()


def test_sync_takes_one_token_of_each_tile() -> None:
    p = Program()
    for column in range(2):
        p.circuit((column, 1, "DMA", 0), [("North", 0)], ("DMA", 0))
        p.bd(column, 1, 0, mem_bd(0x80000, 4))
        p.bd(column, 2, 0, core_bd(0, 4))
        p.start(column, 2, "S2MM", 0, 0, token=True)
    p.start(0, 1, "MM2S", 0, 0)
    s = Sequence(columns=2)
    s.operations.append(txn.Sync(0, 2, 0, 0, 2, 1))
    with p.emulator(columns=2) as npu, pytest.raises(Deadlock, match="deadlock") as caught:
        npu.run(s.bytes(), [])
    assert "waits until S2MM 0 of tile (1, 2)" in caught.value.render()
    p.start(1, 1, "MM2S", 0, 0)
    with p.emulator(columns=2) as npu:
        npu.run(s.bytes(), [])


def test_sync_without_a_token_says_so() -> None:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 16)
    s.sync(0, "MM2S", 0)
    with loop_through_memtile().emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [npu.allocate(64)])
    assert "it is idle after 1 tasks, and no token of them is left" in caught.value.render()


def test_poll_and_masked_write() -> None:
    address = tile_address(0, 2, 0x800)
    s = Sequence()
    s.write(address, 0xFF00)
    s.operations += [
        txn.MaskWrite(address, 0x0FF0, 0x1234),
        txn.MaskPoll(address, 0xFFFF, 0xF230),
        txn.Noop(),
        txn.Preempt(1),
    ]
    with Emulator(1) as npu:
        npu.run(s.bytes(), [])
        assert npu.read32(address) == 0xF230
        s.operations.append(txn.MaskPoll(address, 0xF, 5))
        with pytest.raises(Deadlock) as caught:
            npu.run(s.bytes(), [])
    assert "polls register 0x00200800 until its bits 0xf are 0x5, it is 0xf230" in caught.value.render()


def test_missing_wait_is_reported_as_unfinished() -> None:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 16)
    s.transfer(0, "S2MM", 0, 1, 1, 16)
    with loop_through_memtile().emulator() as npu:
        a, b = npu.allocate(64), npu.allocate(64)
        report = npu.run(s.bytes(), [a, b])
    assert report.unfinished == ("S2MM 0 of tile (0, 0) had not finished BD 1",)
    assert report.to_json()["unfinished"]


def test_lock_registers_and_requests() -> None:
    lock = tile_address(0, 1, 0xC0000 + 0x10 * 3)
    request = tile_address(0, 1, 0xD0000 + 0x400 * 3)
    with Emulator(1) as npu:
        npu.write32(lock, 5)
        assert npu.read32(lock) == 5
        assert npu.read32(request + 0x200 + ((-6 & 0x7F) << 2)) & 1 == 0  # acquire >= 6
        assert npu.read32(request + 0x200 + ((-2 & 0x7F) << 2)) & 1 == 1  # acquire >= 2
        assert npu.read32(lock) == 3
        assert npu.read32(request + (4 << 2)) & 1 == 1  # release 4
        assert npu.read32(lock) == 7


def test_acquire_equal_of_a_bd() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.lock(0, 2, 0, 7)
    p.bd(0, 2, 0, core_bd(0, 1, acquire=(0, 3), release=(1, 1)))
    p.bd(0, 3, 0, core_bd(0, 1))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu:
        npu.run(nothing(), [])
        assert npu.read32(tile_address(0, 2, 0x1F010)) == 0
        npu.write32(tile_address(0, 2, 0x1F000), 3)
        npu.run(nothing(), [])
        assert npu.read32(tile_address(0, 2, 0x1F010)) == 1
        assert npu.read32(tile_address(0, 2, 0x1F000)) == 3


@pytest.mark.parametrize(
    ("release", "start", "text"), [((1, 40), 30, r"by \+40 .*it was 30"), ((1, -40), 0, None)]
)
def test_lock_overflow(release, start, text) -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.lock(0, 2, 1, start)
    p.bd(0, 2, 0, core_bd(0, 1, release=release))
    p.bd(0, 3, 0, core_bd(0, 8))
    p.start(0, 2, "MM2S", 0, 0, repeat=0 if text else 1)
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator() as npu, pytest.raises(LockFault, match=text or r"by -40 .*it was -40"):
        npu.run(nothing(), [])


@pytest.mark.parametrize(
    ("row", "bd", "words", "direction", "channel", "text"),
    [
        (2, 3, [0] * 6, "S2MM", 0, "its valid bit is not set"),
        (2, 0, core_bd(0xFFF0, 5), "S2MM", 0, "bytes 65520 to 65539 of a data memory of 65536 bytes"),
        (2, 0, core_bd(0, 64, shape=[(2, 1), (0, 0x1000)]), "S2MM", 0, "bytes 0 to 507911 of a data memory"),
        (1, 0, mem_bd(0x80000 + 0x7FFFC, 2), "S2MM", 0, "bytes 524284 to 524291"),
        (1, 0, mem_bd(0, 4), "S2MM", 4, "in the memory of a neighbour"),
        (1, 0, mem_bd(0x100000, 4), "S2MM", 0, "in the memory of a neighbour"),
        (1, 0, mem_bd(0x80000, 4, acquire=(3, -1)), "S2MM", 0, "its lock 3 belongs to a neighbour"),
        (1, 0, mem_bd(0x80000, 4), "S2MM", 1, "even channels of a memtile use BDs 0 to 23"),
        (1, 24, mem_bd(0x80000, 4), "MM2S", 2, "even channels of a memtile use BDs 0 to 23"),
    ],
)
def test_invalid_bds(row, bd, words, direction, channel, text) -> None:
    p = Program()
    p.bd(0, row, bd, words)
    p.start(0, row, direction, channel, bd)
    with pytest.raises(InvalidBD, match=text) as caught:
        p.emulator()
    assert caught.value.report["bd"] == bd


@pytest.mark.parametrize(
    ("transfer", "text"),
    [
        ({"words": 17}, "bytes 0 to 67 of the buffer of argument 0, which has 64 bytes"),
        ({"words": 4, "offset": 52}, "bytes 52 to 67 of the buffer of argument 0"),
        ({"words": 4, "shape": [(2, 1), (0, 20)]}, "bytes 0 to 87 of the buffer of argument 0"),
        ({"words": 8, "iteration": (3, 8, 2)}, "bytes 64 to 95 of the buffer of argument 0"),
    ],
)
def test_host_overrun(transfer, text) -> None:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, **transfer)
    with loop_through_memtile().emulator() as npu, pytest.raises(HostOverrun, match=text):
        npu.run(s.bytes(), [npu.allocate(64), npu.allocate(1 << 16)])


def test_a_transfer_of_one_buffer_that_reaches_into_another() -> None:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 16, offset=1 << 16)  # the second buffer lies there
    with loop_through_memtile().emulator() as npu:
        buffers = [npu.allocate(1 << 16), npu.allocate(1 << 16)]
        assert buffers[1].address == buffers[0].address + (1 << 16)
        with pytest.raises(HostOverrun) as caught:
            npu.run(s.bytes(), buffers)
    assert (
        "bytes 65536 to 65599 of the buffer of argument 0, which has 65536 bytes; "
        "there it meets bytes 0 to 63 of the buffer of argument 1" in caught.value.render()
    )
    assert caught.value.report["argument"] == 0


def test_a_part_of_a_buffer_as_argument_ends_where_the_buffer_ends() -> None:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 16)
    with loop_through_memtile().emulator() as npu, pytest.raises(HostOverrun, match="bytes 32 to 95"):
        npu.run(s.bytes(), [npu.allocate(64)], starts=[32])


@pytest.mark.parametrize("late", [False, True])
def test_the_firmware_translates_five_arguments_only(late: bool) -> None:
    s = Sequence()
    s.transfer(0, "S2MM", 0, 1, 6, 16)
    s.transfer(0, "MM2S", 0, 0, 5, 16, offset=64)
    assert [o.offset_bytes for o in s.operations if isinstance(o, txn.AddressPatch)] == [
        0x80000000,
        0x80000040,
    ]
    if not late:
        s.operations = [
            o._replace(offset_bytes=o.offset_bytes - 0x80000000) if isinstance(o, txn.AddressPatch) else o
            for o in s.operations
        ]
    s.sync(0, "S2MM", 0)
    with loop_through_memtile().emulator() as npu:
        buffers = [npu.allocate(128) for _ in range(7)]
        buffers[5].view[64:] = bytes(range(64))
        if late:
            npu.run(s.bytes(), buffers)
            assert buffers[6].view[:64] == bytes(range(64))
            return
        with pytest.raises(HostOverrun, match="passes buffer argument 6 by its address in the host's memory"):
            npu.run(s.bytes(), buffers)


def test_host_address_of_nothing() -> None:
    p = Program()
    p.circuit((0, 0, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.bd(0, 0, 0, [*core_bd(0, 4), 0, 1 << 25])
    p.start(0, 0, "MM2S", 0, 0)
    with pytest.raises(HostOverrun, match="where no buffer is"):
        p.emulator()


@pytest.mark.parametrize(
    ("address", "value", "text"),
    [
        (tile_address(0, 0, 0x1D200), 2, "pausing S2MM 0"),
        (tile_address(0, 2, 0x1DE00), 8, "out-of-order mode of S2MM 0"),
        (tile_address(0, 1, 0xA0608), 1 << 16, "finish-on-TLAST of S2MM 1"),
        (tile_address(0, 2, 0x32010), 1, "register 0x32010 of tile"),
        (tile_address(0, 2, 0x40000), 1, "lock request"),
    ],
)
def test_what_is_not_modelled_stops_the_run(address, value, text) -> None:
    with Emulator(1) as npu, pytest.raises(NotModelled, match=text):
        npu.write32(address, value)


@pytest.mark.parametrize("address", [tile_address(1, 2), tile_address(0, 6), 0xFFFFFFFC])
def test_tiles_outside_the_device(address) -> None:
    with Emulator(1) as npu, pytest.raises(InvalidAccess, match="the device has no tile"):
        npu.write32(address, 0)


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (b"", "0 bytes"),
        (b"06030100\n" * 8, "version"),
        (nothing()[:-4], "says it has 40 bytes, the file has 36"),
        (struct.pack("<4I", 0x06030100, 0x101, 0, 16), "has no operations"),
    ],
)
def test_bad_streams_are_the_users(stream, text) -> None:
    with Emulator(1) as npu, pytest.raises(UserError, match=text):
        npu.run(stream, [])


@pytest.mark.parametrize(
    "operation",
    [
        [0, 0, 0, 0, 0, 28],
        [1, 0, 0, 12],
        [1, 0, 0, 18, 0],
        [3, 0, 0, 0, 0, 0, 4],
        [0x80, 16, 2, 0x010100],
        [0x81, 8],
        [0],
    ],
)
def test_damaged_operations(operation) -> None:
    stream = struct.pack(f"<4I{len(operation)}I", 0x06030100, 0x101, 1, 16 + 4 * len(operation), *operation)
    with Emulator(1) as npu, pytest.raises(InvalidAccess, match="cannot be read at byte 16"):
        npu.run(stream, [])


def test_unknown_operation() -> None:
    stream = struct.pack("<6I", 0x06030100, 0x101, 1, 24, 0x0E, 8)
    with Emulator(1) as npu, pytest.raises(NotModelled, match="operation 0x0000000e at byte 16"):
        npu.run(stream, [])


def test_endless_chain_without_locks_meets_the_time_limit() -> None:
    p = Program()
    p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.bd(0, 2, 0, core_bd(0, 4, next_bd=0))
    p.bd(0, 3, 0, core_bd(0, 4, next_bd=0))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 0, 0)
    s = Sequence()
    s.sync(0, "S2MM", 0)
    with p.emulator() as npu, pytest.raises(TimeLimit, match="the array still moves") as caught:
        npu.run(s.bytes(), [], time_limit_s=0.02)
    assert re.search(r"note: MM2S 0 of tile \(0, 2\) completed \d+ BDs in this run", caught.value.render())


def test_load_pdi_replaces_the_configuration() -> None:
    """The second PDI joins the memtile's channel to another core."""
    pdis = []
    for row in (2, 3):
        p = Program()
        p.circuit((0, 1, "DMA", 0), [("North", 0)] * (row - 1), ("DMA", 0))
        p.bd(0, 1, 0, mem_bd(0x80000, 4))
        p.bd(0, row, 0, core_bd(0x100, 4))
        p.start(0, 1, "MM2S", 0, 0)
        p.start(0, row, "S2MM", 0, 0, token=True)
        pdis.append(p.commands)
    s = Sequence()
    s.sync(0, "S2MM", 0, row=2)
    s.operations.append(txn.LoadPdi(1, 0, 0))
    s.sync(0, "S2MM", 0, row=3)
    with Emulator(1, pdis=dict(enumerate(pdis))) as npu:
        npu.configure(pdis[0])
        npu.data_memory(0, 1)[:16] = bytes(range(16))
        npu.run(s.bytes(), [])
        assert bytes(npu.data_memory(0, 2)[0x100:0x110]) == bytes(range(16))
        assert bytes(npu.data_memory(0, 3)[0x100:0x110]) == bytes(range(16))
        s.operations = [txn.LoadPdi(2, 0, 0)]
        with pytest.raises(InvalidAccess, match="loads PDI 2, and there is 0, 1"):
            npu.run(s.bytes(), [])


def test_same_input_same_order_of_events() -> None:
    def events():
        s = Sequence()
        s.transfer(0, "MM2S", 0, 0, 0, 64)
        s.transfer(0, "S2MM", 0, 1, 1, 64)
        s.sync(0, "S2MM", 0)
        with loop_through_memtile().emulator(log_events=True) as npu:
            npu.run(s.bytes(), [npu.allocate(256), npu.allocate(256)])
            return npu.events

    first = events()
    assert len(first) > 15
    assert first == events()
    text = [str(event) for event in first]
    assert text[0] == "S2MM 0 of tile (0, 1): bd start 0"
    assert text.index("S2MM 0 of tile (0, 1): bd end 0") < text.index("MM2S 0 of tile (0, 1): bd end 2")
    assert text[-1].startswith("the runtime sequence: operation 0x80 at byte")
    assert "S2MM 0 of tile (0, 0): task end 1, token" in text


def test_freed_buffers_are_used_again_and_empty() -> None:
    with Emulator(1) as npu:
        one = npu.allocate(100_000)
        one.view[:5] = b"hello"
        address = one.address
        npu.free(one)
        two = npu.allocate(100_000)
        assert two.address == address
        assert not any(two.view)
        with pytest.raises(UserError, match="a host buffer of 0 bytes"):
            npu.allocate(0)


def test_fill_and_unknown_commands_of_a_cdo() -> None:
    with Emulator(1) as npu:
        npu.configure([cdo.Fill(tile_address(0, 2, 0x200), 4, 0x1234), cdo.Nop(), cdo.Delay(3)])
        assert np.frombuffer(npu.data_memory(0, 2)[0x200:0x210], np.uint32).tolist() == [0x1234] * 4
        with pytest.raises(NotModelled, match="DMA_XFER"):
            npu.configure([cdo.Other(cdo.DMA_XFER, (0,) * 6)])
    with Emulator(1) as npu, pytest.raises(InvalidAccess, match="polls"):
        npu.configure([cdo.MaskPoll(tile_address(0, 2, 0x200), 0xFF, 1, 0)])


def test_engine_and_package_agree_on_registers() -> None:
    text = Path(engine_module.SOURCES, "registers.h").read_text()
    found = {
        m[1]: int(m[2].rstrip("u"), 0) for m in re.finditer(r"#define (\w+) (0x[0-9A-F]+u?|\d+)\b", text)
    }
    expected = {
        "COLUMN_SHIFT": registers.COLUMN_SHIFT,
        "ROW_SHIFT": registers.ROW_SHIFT,
        "TILE_BYTES": registers.TILE_BYTES,
        "BD_STRIDE": registers.BD_STRIDE,
        "CHANNEL_STRIDE": registers.CHANNEL_STRIDE,
        "LOCK_STRIDE": registers.LOCK_STRIDE,
        "SHIM_MUX": registers.SHIM_MUX,
        "SHIM_DEMUX": registers.SHIM_DEMUX,
        "MUX_DMA": registers.SHIM_MUX_DMA,
        "MEM_PAD_VALUE": registers.MEMTILE_PAD_VALUE,
        "CORE_CONTROL": registers.CORE_CONTROL,
        "CORE_STATUS": registers.CORE_STATUS,
        "CORE_PROGRAM": registers.PROGRAM_MEMORY,
        "CORE_MEMORY_CONTROL": registers.MISCELLANEOUS["core"]["Memory_Control"],
        "CORE_DEBUG_CONTROL0": registers.MISCELLANEOUS["core"]["Debug_Control0"],
    }
    for kind, dma in registers.DMA.items():
        k = kind.upper()
        expected |= {
            f"{k}_BD": dma.bd,
            f"{k}_S2MM_CONTROL": dma.s2mm_control,
            f"{k}_MM2S_CONTROL": dma.mm2s_control,
            f"{k}_S2MM_STATUS": dma.s2mm_status,
            f"{k}_MM2S_STATUS": dma.mm2s_status,
            f"{k}_LOCK_VALUE": registers.LOCK_VALUE[kind],
            f"{k}_SWITCH_MASTERS": registers.SWITCH[kind].masters,
            f"{k}_SWITCH_SLAVES": registers.SWITCH[kind].slaves,
            f"{k}_SWITCH_SLOTS": registers.SWITCH[kind].slots,
        }
    assert {name: found.get(name) for name in expected} == expected
