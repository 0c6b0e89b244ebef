"""XCLBINs: the bytes of xclbinutil 2.25, except times and UUIDs; EMULATION_DATA; damage is refused."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import uuid
from pathlib import Path

import pytest
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import given

from npuninja.errors import UserError
from npuninja.formats import xclbin
from npuninja.formats.aie_partition import kernel_ids_without_pdi, read_aie_partition
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.xclbin import Xclbin, XclbinKernel, read_xclbin, write_xclbin
from npuninja.formats.xclbin_sections import (
    MEMORIES,
    read_connectivity,
    read_embedded_metadata,
    read_ip_layout,
    read_mem_topology,
)

DATA = Path(__file__).parent / "data"
FIRST = (CONFORMANCE / "gain_bytes" / "main.pdi").read_bytes()
SECOND = (CONFORMANCE / "sum_two_in" / "main.pdi").read_bytes()
COLUMNS = (1, 2, 3, 4)
# The UUIDs with which the reference files were made.
UUIDS = {
    FIRST: bytes.fromhex("0123456789ab4cde8f0123456789abcd"),
    SECOND: bytes.fromhex("1123456789ab4cde8f0123456789abcd"),
}


def section_data(container: Xclbin, kind: int) -> bytes:
    section = container.section(kind)
    assert section is not None
    return section.data


def without_times(data: bytes) -> bytes:
    """The file with unique id and time stamp 0, in header and mirror; the length does not count then."""
    data = re.sub(rb'"UniqueID":"\w+","TimeStamp":"\d+"', b'"UniqueID":"0","TimeStamp":"0"', data)
    return data[:0x128] + bytes(24) + data[0x140:]


def test_one_kernel_equals_xclbinutil(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = (DATA / "xclbinutil_2_25_one_kernel.xclbin").read_bytes()
    whole = read_xclbin(reference).uuid
    monkeypatch.setattr(xclbin, "content_uuid", lambda data: UUIDS.get(data, whole))
    assert without_times(write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS)) == without_times(reference)


def test_two_kernels_have_the_sections_of_xclbinutil(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = read_xclbin((DATA / "xclbinutil_2_25_two_kernels.xclbin").read_bytes())
    monkeypatch.setattr(xclbin, "content_uuid", lambda data: UUIDS.get(data, reference.uuid))
    kernels = [XclbinKernel(FIRST), XclbinKernel(SECOND, "MLIR_AIE2", "MLIRAIE2", 0x902)]
    ours = read_xclbin(write_xclbin(kernels, 1, COLUMNS))
    # Extending a file moves AIE_PARTITION after the kernels' sections, so the order differs.
    assert sorted((s.kind, s.name, s.data) for s in ours.sections) == sorted(
        (s.kind, s.name, s.data) for s in reference.sections
    )


def test_sections_read_back() -> None:
    container = read_xclbin(write_xclbin([XclbinKernel(FIRST, "gain", "one", 0x903)], 3, (1, 2)))
    assert [s.title for s in container.sections] == [
        "MEM_TOPOLOGY",
        "AIE_PARTITION",
        "EMBEDDED_METADATA",
        "IP_LAYOUT",
        "CONNECTIVITY",
        "GROUP_CONNECTIVITY",
        "GROUP_TOPOLOGY",
    ]
    partition = read_aie_partition(section_data(container, xclbin.AIE_PARTITION), "x")
    assert (partition.column_width, partition.start_columns) == (3, (1, 2))
    assert [(p.image, p.kernel_ids) for p in partition.pdis] == [(FIRST, (0x903,))]
    assert kernel_ids_without_pdi(partition, [0x901, 0x903]) == [0x901]
    assert read_mem_topology(section_data(container, xclbin.MEM_TOPOLOGY), "x") == MEMORIES
    (unit,) = read_ip_layout(section_data(container, xclbin.IP_LAYOUT), "x")
    assert (unit.name, unit.kernel_id) == ("gain:one", 0x903)
    links = read_connectivity(section_data(container, xclbin.CONNECTIVITY), "x")
    assert [(c.argument, c.memory) for c in links] == [(1, 1), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)]
    (kernel,) = read_embedded_metadata(section_data(container, xclbin.EMBEDDED_METADATA), "x")
    assert (kernel.name, kernel.instance, kernel.kernel_id) == ("gain", "one", 0x903)
    assert [a.name for a in kernel.arguments] == [
        "opcode",
        "instr",
        "ninstr",
        "bo0",
        "bo1",
        "bo2",
        "bo3",
        "bo4",
    ]


def test_a_kernel_of_seven_buffers() -> None:
    kernels = [XclbinKernel(FIRST, buffers=7), XclbinKernel(SECOND, "two", "two", 0x902)]
    container = read_xclbin(write_xclbin(kernels, 1, COLUMNS))
    links = read_connectivity(section_data(container, xclbin.CONNECTIVITY), "x")
    assert [(c.argument, c.unit) for c in links] == [
        *((argument, 0) for argument in (1, *range(3, 10))),
        *((argument, 1) for argument in (1, *range(3, 8))),
    ]
    first, second = read_embedded_metadata(section_data(container, xclbin.EMBEDDED_METADATA), "x")
    assert [(a.name, a.offset) for a in first.arguments[3:]] == [
        *(("bo0", "0x14"), ("bo1", "0x1c"), ("bo2", "0x24"), ("bo3", "0x2c")),
        *(("bo4", "0x34"), ("bo5", "0x3c"), ("bo6", "0x44")),
    ]
    assert len(second.arguments) == 8


def test_emulation_data_holds_the_modules() -> None:
    modules = [b"\0asm" + bytes([i]) * (i + 1) for i in range(3)]
    data = write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS, [*modules, modules[0]])
    section = read_xclbin(data).section(xclbin.EMULATION_DATA)
    assert section is not None
    assert section.offset % 8 == 0
    assert sorted(read_emulation_data(section.data, "x").values()) == sorted(modules)
    assert data == write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS, modules[::-1])


def test_xclbinutil_reads_it(tmp_path: Path, xclbinutil: str) -> None:
    path = tmp_path / "x.xclbin"
    path.write_bytes(write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS, [b"\0asm"]))
    info = subprocess.run(
        [xclbinutil, "--info", "--input", path], capture_output=True, text=True, check=True
    ).stdout
    assert "EMULATION_DATA" in info
    dump = [
        "--dump-section",
        f"AIE_PARTITION:JSON:{tmp_path / 'p.json'}",
        "--dump-section",
        f"EMULATION_DATA:RAW:{tmp_path / 'e'}",
    ]
    subprocess.run([xclbinutil, "--input", path, *dump], capture_output=True, check=True)
    (pdi,) = json.loads((tmp_path / "p.json").read_text())["aie_partition"]["PDIs"]
    assert pdi["cdo_groups"][0]["dpu_kernel_ids"] == ["0x901"]
    assert (tmp_path / pdi["file_name"]).read_bytes() == FIRST
    assert (tmp_path / "e").read_bytes()[:8] == b"NPUNWASM"


def test_uuids_come_from_the_content() -> None:
    one = read_xclbin(write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS))
    again = read_xclbin(write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS))
    wider = read_xclbin(write_xclbin([XclbinKernel(FIRST)], 2, COLUMNS))
    assert one.uuid == again.uuid != wider.uuid
    made = uuid.UUID(bytes=one.uuid)
    assert (made.version, made.variant) == (5, uuid.RFC_4122)


@pytest.mark.parametrize(
    ("kernels", "columns", "message"),
    [
        ([], COLUMNS, "at least one kernel"),
        ([XclbinKernel(FIRST)], (), "at least one start column"),
        ([XclbinKernel(FIRST, "a b")], COLUMNS, "'a b' cannot be a kernel name"),
        ([XclbinKernel(FIRST, "a" * 60)], COLUMNS, "too long: 68 bytes, limit 63"),
        (
            [XclbinKernel(FIRST), XclbinKernel(SECOND, kernel_id=0x902)],
            COLUMNS,
            "two kernels are called 'MLIR_AIE'",
        ),
        ([XclbinKernel(FIRST), XclbinKernel(SECOND, "other")], COLUMNS, "two kernels have the id 0x901"),
    ],
)
def test_wrong_requests_are_refused(
    kernels: list[XclbinKernel], columns: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        write_xclbin(kernels, 1, columns)


GOOD = write_xclbin([XclbinKernel(FIRST)], 1, COLUMNS, [b"\0asm"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too early"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not an XCLBIN"),
        (GOOD[:-1], "the file has"),
        (GOOD[:0x1C0] + struct.pack("<I", 1 << 30) + GOOD[0x1C4:], "headers of 1073741824 sections"),
        (GOOD[:0x1E0] + struct.pack("<Q", 1 << 40) + GOOD[0x1E8:], "section MEM_TOPOLOGY needs"),
    ],
)
def test_wrong_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_xclbin(data, "x.xclbin")


def test_lfs_pointer_is_recognised() -> None:
    with pytest.raises(UserError) as raised:
        read_xclbin(b"version https://git-lfs.github.com/spec/v1\n", "x.xclbin")
    assert raised.value.hint is not None
    assert "git lfs pull" in raised.value.hint


def test_damaged_module_is_refused() -> None:
    section = bytearray(section_data(read_xclbin(GOOD), xclbin.EMULATION_DATA))
    section[-1] ^= 1
    with pytest.raises(UserError, match="does not have its hash"):
        read_emulation_data(bytes(section), "x")


def read_everything(data: bytes) -> None:
    """Reads a container and all sections whose format is known."""
    readers = {
        xclbin.AIE_PARTITION: read_aie_partition,
        xclbin.MEM_TOPOLOGY: read_mem_topology,
        xclbin.GROUP_TOPOLOGY: read_mem_topology,
        xclbin.IP_LAYOUT: read_ip_layout,
        xclbin.CONNECTIVITY: read_connectivity,
        xclbin.GROUP_CONNECTIVITY: read_connectivity,
        xclbin.EMBEDDED_METADATA: read_embedded_metadata,
        xclbin.EMULATION_DATA: read_emulation_data,
    }
    for section in read_xclbin(data, "file").sections:
        if section.kind in readers:
            readers[section.kind](section.data, "file")


@given(damaged([GOOD[:0x130] + struct.pack("<Q", len(GOOD)) + GOOD[0x138:]]))
def test_damage_never_crashes(data: bytes) -> None:
    if len(data) > 0x138:  # a cut file must get past the check of its length
        data = data[:0x130] + struct.pack("<Q", len(data)) + data[0x138:]
    reads_or_refuses(lambda d: read_everything(d), data)


@given(damaged([s.data for s in read_xclbin(GOOD).sections]))
def test_damaged_sections_never_crash(data: bytes) -> None:
    for read in (
        read_aie_partition,
        read_mem_topology,
        read_ip_layout,
        read_connectivity,
        read_embedded_metadata,
        read_emulation_data,
    ):
        reads_or_refuses(lambda d, read=read: read(d, "file"), data)  # type: ignore[misc]
