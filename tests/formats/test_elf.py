"""Core ELFs: the reference's are read, ours survive, and each check of a core program refuses what it should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import given
from hypothesis import strategies as st

from npuninja.diag.errors import UserError
from npuninja.formats.elf import check_core_elf, read_elf, write_core_elf

ELFS = sorted(CONFORMANCE.glob("*/*core_*.elf"))


def architecture_of(path: Path) -> str:
    device = json.loads((path.parent / "meta.json").read_text())["device"]
    return "aie2p" if device.startswith("npu2") else "aie2"


@pytest.mark.parametrize("path", ELFS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_reference_elf_passes(path: Path) -> None:
    elf = read_elf(path.read_bytes(), path.name)
    check_core_elf(elf, architecture_of(path), path.name)
    assert elf.segments[0].address == 0
    assert elf.segments[0].data


@given(st.lists(st.tuples(st.integers(0, 0x7FFFF), st.binary(max_size=64), st.integers(0, 64)), min_size=1, max_size=4))
def test_segments_survive(parts: list[tuple[int, bytes, int]]) -> None:
    segments = [(address, data, len(data) + extra) for address, data, extra in parts]
    elf = read_elf(write_core_elf(segments, 2), "x.elf")
    assert [(s.address, s.data, s.memory_bytes) for s in elf.segments] == segments


GOOD = write_core_elf([(0, b"\1" * 64, 64), (0x70400, b"\2" * 16, 32)], 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (write_core_elf([(0, b"\1" * 64, 64)], 2, elf_type=1), "is a relocatable object, expected an executable"),
        (write_core_elf([(0, b"\1" * 64, 64)], 3), "is for aie2p, the device is aie2"),
        (write_core_elf([], 2), "no segment to load"),
        (write_core_elf([(0, b"", 0x4010)], 2), "program takes 16400 bytes, a core has 16384"),
        (write_core_elf([(0x7FF00, b"", 0x200)], 2), "ends at 0x80100, data memory ends at 0x80000"),
        (GOOD[:18] + b"\x3e\0" + GOOD[20:], "for machine 62, expected 264"),
        (GOOD[:24] + b"\4\0\0\0" + GOOD[28:], "entry is 0x4, expected 0"),
        (GOOD[:4] + b"\2" + GOOD[5:], "not a 32-bit little-endian ELF"),
        (b"!<arch>\n", "not an ELF file"),
        (GOOD[:-20], "ends too early: ELF segment"),
    ],
)
def test_wrong_programs_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_core_elf(read_elf(data, "core.elf"), "aie2", "core.elf")


@given(damaged([GOOD, ELFS[0].read_bytes()]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: check_core_elf(read_elf(d, "file"), "aie2", "file"), data)
