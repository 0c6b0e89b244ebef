"""Control packets: written and read again, blocks cut, damage refused; and the sequence that sends them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.arch.devices import device
from npuninja.arch.registers import tile_address
from npuninja.errors import UserError
from npuninja.formats import cdo
from npuninja.formats.control_packets import (
    ControlPacket,
    configuration_operations,
    configuration_steps,
    read_packets,
    sending,
    write_packet,
)
from npuninja.formats.txn import AddressPatch, BlockWrite, MaskWrite, Sync, Write

MODEL = device("npu1_2col")
WORD = st.integers(0, 0xFFFFFFFF)
PACKET = st.builds(
    ControlPacket,
    st.builds(lambda row, word: tile_address(0, row, 4 * word), st.integers(0, 5), st.integers(0, 0x3FFFF)),
    st.lists(WORD, min_size=1, max_size=4).map(tuple),
)


def place_of(controller_id: int) -> int:
    return tile_address(0, MODEL.family.controller_ids.index(controller_id))


def written(packets: list[ControlPacket]) -> bytes:
    return b"".join(write_packet(p, MODEL.family.controller_ids[p.address >> 20]) for p in packets)


@given(st.lists(PACKET, max_size=5))
def test_packets_survive(packets: list[ControlPacket]) -> None:
    assert read_packets(written(packets), place_of) == packets


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-4], "ends before its data"),
        (lambda data: data[:4], "has no control word"),
        (lambda data: data[:-1], "no whole words"),
        (lambda data: bytes([data[0] ^ 1]) + data[1:], "has a wrong parity"),
        (lambda data: data[:4] + struct.pack("<I", 1 << 22) + data[8:], "is no write"),
    ],
)
def test_damage_is_refused(change, message) -> None:
    with pytest.raises(UserError, match=message):
        read_packets(change(written([ControlPacket(tile_address(0, 2, 0x100), (1, 2))])), place_of)


def test_a_configuration_is_sent_packet_by_packet() -> None:
    memory, queue = tile_address(1, 2, 0x100), tile_address(1, 4, 0x1DE04)
    commands = [
        cdo.Nop(),
        cdo.BlockWrite(memory, struct.pack("<5I", *range(5))),
        cdo.MaskWrite(queue, 3, 1),
        cdo.Fill(tile_address(1, 4, 0), 2, 9),
    ]
    steps = list(configuration_steps(commands))
    assert steps == [
        ControlPacket(memory, (0, 1, 2, 3)),
        ControlPacket(memory + 16, (4,)),
        MaskWrite(queue, 3, 1),
        ControlPacket(tile_address(1, 4, 0), (9, 9)),
    ]
    packets, operations = sending(steps, MODEL, 5)
    shim = tile_address(1, 0)
    kinds = [type(operation) for operation in operations]
    one = [BlockWrite, AddressPatch, Write, Sync]
    assert kinds == [*one, *one, MaskWrite, *one]
    patches = [op for op in operations if isinstance(op, AddressPatch)]
    # The sixth argument: the firmware does not translate it, so its offset carries the host's memory.
    assert patches == [AddressPatch(shim + 0x1D004, 5, 0x80000000 + at) for at in (0, 24, 36)]
    assert [op.address for op in operations if isinstance(op, Write)] == [
        shim + 0x1D214, shim + 0x1D214, shim + 0x1D21C,  # the upper rows by channel 1
    ]  # fmt: skip
    assert [op for op in operations if isinstance(op, Sync)][-1] == Sync(1, 0, 1, 1, 1, 1)
    assert [struct.unpack("<I", op.data[:4])[0] for op in operations if isinstance(op, BlockWrite)] == [
        6,
        3,
        4,
    ]
    assert len(packets) == 4 * (6 + 3 + 4)
    alone = list(configuration_operations(commands))
    assert alone[0] == BlockWrite(memory, struct.pack("<5I", *range(5)))
    assert alone[2] == BlockWrite(tile_address(1, 4, 0), struct.pack("<2I", 9, 9))
    with pytest.raises(UserError, match="MaskPoll"):
        list(configuration_steps([cdo.MaskPoll(queue, 1, 1, 5)]))


def test_packets_of_one_tile_go_together_on_npu2() -> None:
    first, second = tile_address(0, 2, 0x100), tile_address(0, 3, 0)
    steps = [
        *(ControlPacket(first, (1, 2, 3, 4)), ControlPacket(first + 16, (5,)), ControlPacket(second, (6,))),
        Write(first, 0),
        *(ControlPacket(second, (7, 8)), ControlPacket(second, (9,))),
    ]
    packets, operations = sending(steps, device("npu2_1col"), 2)
    assert packets == written([step for step in steps if isinstance(step, ControlPacket)])
    lengths = [struct.unpack("<I", op.data[:4])[0] for op in operations if isinstance(op, BlockWrite)]
    assert lengths == [6 + 3, 3, 4 + 3]
    offsets = [op.offset_bytes for op in operations if isinstance(op, AddressPatch)]
    assert offsets == [0, 36, 48]
