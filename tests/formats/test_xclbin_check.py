"""XCLBINs that lack something are found before XRT sees them; xclbinutil's files without times and chance."""

from __future__ import annotations

import struct

import pytest
from conftest import CONFORMANCE

from npuninja.errors import UserError
from npuninja.formats import xclbin
from npuninja.formats.aie_partition import AiePartition, PartitionPdi, write_aie_partition
from npuninja.formats.xclbin import Xclbin, XclbinKernel, read_xclbin, write_xclbin
from npuninja.formats.xclbin_check import REQUIRED, check_xclbin, problem_of
from npuninja.formats.xclbin_mirror import END
from npuninja.formats.xclbin_normal import normalised

PDI = (CONFORMANCE / "gain_bytes" / "main.pdi").read_bytes()
GOOD = write_xclbin([XclbinKernel(PDI)], 1, [1, 2, 3, 4])


def without(container: Xclbin, kind: int) -> Xclbin:
    return container._replace(sections=tuple(s for s in container.sections if s.kind != kind))


def changed(container: Xclbin, kind: int, old: bytes, new: bytes) -> Xclbin:
    assert any(old in s.data for s in container.sections if s.kind == kind)
    sections = [
        s._replace(data=s.data.replace(old, new)) if s.kind == kind else s for s in container.sections
    ]
    return container._replace(sections=tuple(sections))


def test_a_complete_one() -> None:
    check_xclbin(read_xclbin(GOOD), "MLIR_AIE", "x")
    assert problem_of(read_xclbin(GOOD), "x") is None


@pytest.mark.parametrize("kind", REQUIRED)
def test_each_of_the_seven_sections_is_needed(kind: int) -> None:
    with pytest.raises(UserError, match=f"no section {xclbin.KIND_NAMES[kind]}"):
        check_xclbin(without(read_xclbin(GOOD), kind), None, "x")
    assert problem_of(without(read_xclbin(GOOD), kind), "x") is not None


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        (xclbin.EMBEDDED_METADATA, b'dpu_kernel_id="0x901"', b'dpu_kernel_id="0x000"', "no DPU kernel"),
        (
            xclbin.IP_LAYOUT,
            struct.pack("<H", 0x901),
            struct.pack("<H", 0x902),
            "no PDI implements kernel 0x902",
        ),
        (xclbin.AIE_PARTITION, xclbin.content_uuid(PDI), bytes(16), "UUID 0"),
    ],
)
def test_sections_must_agree(kind: int, old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_xclbin(changed(read_xclbin(GOOD), kind, old, new), None, "x")


def test_a_partition_needs_pdis_and_a_place() -> None:
    container = read_xclbin(GOOD)
    for partition, message in (
        (AiePartition(1, (1,), ()), "AIE_PARTITION has no PDI"),
        (AiePartition(1, (), (PartitionPdi(bytes(range(16)), PDI, (0x901,)),)), "may start at no column"),
    ):
        sections = [
            s._replace(data=write_aie_partition(partition)) if s.kind == xclbin.AIE_PARTITION else s
            for s in container.sections
        ]
        with pytest.raises(UserError, match=message):
            check_xclbin(container._replace(sections=tuple(sections)), None, "x")


def test_the_kernel_must_have_its_name() -> None:
    with pytest.raises(UserError, match="no kernel gain") as caught:
        check_xclbin(read_xclbin(GOOD), "gain", "x")
    assert caught.value.hint == "its kernels: MLIR_AIE"


def timed(data: bytes, time: int, uuid: bytes) -> bytes:
    """As xclbinutil 2.20 writes it: with the time, a random UUID and a line break before the last mark."""
    body = bytearray(data)
    start = data.index(b"XCLBIN_MIRROR_DATA_START")
    struct.pack_into("<Q", body, 0x128, time)
    struct.pack_into("<Q", body, 0x138, time)
    old = bytes(body[0x1A0:0x1B0]).hex().encode()
    body[0x1A0:0x1B0] = uuid
    mirror = bytes(body[start:]).replace(old, uuid.hex().encode()).replace(END, b"\n" + END)
    mirror = mirror.replace(b'"TimeStamp":"0"', b'"TimeStamp":"%d"' % time)
    mirror = mirror.replace(
        b'"UniqueID":"' + b"00" * 8, b'"UniqueID":"' + struct.pack("<Q", time).hex().encode()
    )
    struct.pack_into("<Q", body, 0x130, start + len(mirror))
    return bytes(body[:start]) + mirror


def test_times_and_chance_are_taken_out() -> None:
    one, two = timed(GOOD, 1795338557, bytes(range(16))), timed(GOOD, 9, bytes(range(16, 32)))
    assert one != two
    assert normalised(one, "x") == normalised(two, "x") == GOOD
    assert normalised(GOOD, "x") == GOOD


def test_random_uuids_of_pdis_are_taken_out() -> None:
    at = GOOD.index(xclbin.content_uuid(PDI))
    random = GOOD[:at] + bytes(range(100, 116)) + GOOD[at + 16 :]
    assert random != GOOD
    assert normalised(random, "x") == GOOD


def test_an_xclbin_without_a_partition_keeps_its_sections() -> None:
    container = read_xclbin(GOOD)
    (partition,) = [i for i, s in enumerate(container.sections) if s.kind == xclbin.AIE_PARTITION]
    other = bytearray(GOOD)
    struct.pack_into(
        "<I", other, xclbin.HEADER_BYTES + partition * xclbin.SECTION_HEADER_BYTES, xclbin.EMULATION_DATA
    )
    sections = read_xclbin(normalised(bytes(other), "x")).sections
    assert [s.data for s in sections] == [s.data for s in container.sections]


def test_other_content_gets_another_uuid() -> None:
    other = write_xclbin([XclbinKernel(PDI)], 1, [1])
    assert read_xclbin(normalised(other, "x")).uuid != read_xclbin(GOOD).uuid


def test_damage_is_refused() -> None:
    with pytest.raises(UserError, match="the file has"):
        normalised(GOOD[:-1], "x")
