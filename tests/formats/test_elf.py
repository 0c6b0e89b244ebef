"""Core ELFs: the reference's are read, ours survive, and each check of a program refuses what it should."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import given
from hypothesis import strategies as st

from npuninja.errors import UserError
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


@given(
    st.lists(
        st.tuples(st.integers(0, 0x7FFFF), st.binary(max_size=64), st.integers(0, 64)), min_size=1, max_size=4
    )
)
def test_segments_survive(parts: list[tuple[int, bytes, int]]) -> None:
    segments = [(address, data, len(data) + extra) for address, data, extra in parts]
    elf = read_elf(write_core_elf(segments, 2), "x.elf")
    assert [(s.address, s.data, s.memory_bytes) for s in elf.segments] == segments


GOOD = write_core_elf([(0, b"\1" * 64, 64), (0x70400, b"\2" * 16, 32)], 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            write_core_elf([(0, b"\1" * 64, 64)], 2, elf_type=1),
            "is a relocatable object, expected an executable",
        ),
        (write_core_elf([(0, b"\1" * 64, 64)], 3), "is for aie2p, the device is aie2"),
        (write_core_elf([], 2), "no segment to load"),
        (write_core_elf([(0x70400, b"1234", 4)], 2), "no program at address 0"),
        (
            write_core_elf([(0, b"1234", 4), (0x20000, b"1234", 4)], 2),
            "segment at 0x20000 lies neither in program",
        ),
        (write_core_elf([(0, b"", 0x4010)], 2), "program takes 16400 bytes, a core has 16384"),
        (
            write_core_elf([(0, b"1234", 4), (0x7FF00, b"", 0x200)], 2),
            "ends at 0x80100, data memory ends at 0x80000",
        ),
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


def object_with_symbols() -> bytes:
    """A relocatable object: .text, .bss, and the symbols `main` (defined) and `kernel` (undefined)."""
    names = b"\0.text\0.bss\0.symtab\0.strtab\0.shstrtab\0"
    strings = b"\0main\0kernel\0"
    symbols = (
        bytes(16) + struct.pack("<IIIBBH", 1, 4, 12, 0x12, 0, 1) + struct.pack("<IIIBBH", 6, 0, 0, 0x10, 0, 0)
    )
    contents = [(b".text", 1, 0, bytes(range(16)), 0, 0), (b".bss", 8, 0x70000, b"", 64, 0)]
    contents += [
        (b".symtab", 2, 0, symbols, 0, 4),
        (b".strtab", 3, 0, strings, 0, 0),
        (b".shstrtab", 3, 0, names, 0, 0),
    ]
    body, headers = b"", bytes(40)
    for name, kind, address, data, size, link in contents:
        headers += struct.pack(
            "<10I", names.index(name), kind, 0, address, 52 + len(body), len(data) or size, link, 0, 1, 16
        )
        body += data
    fields = (1, 264, 1, 0, 0, 52 + len(body), 2, 52, 32, 0, 40, 6, 5)
    return b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack("<HHIIIIIHHHHHH", *fields) + body + headers


def test_sections_and_symbols() -> None:
    elf = read_elf(object_with_symbols(), "x.o")
    assert [s.name for s in elf.sections] == ["", ".text", ".bss", ".symtab", ".strtab", ".shstrtab"]
    text, bss = elf.section(".text"), elf.section(".bss")
    assert text is not None
    assert text.data == bytes(range(16))
    assert bss is not None
    assert (bss.address, bss.size_bytes, bss.data) == (0x70000, 64, b"")
    assert [(s.name, s.value, s.size_bytes, s.section) for s in elf.symbols] == [
        ("main", 4, 12, 1),
        ("kernel", 0, 0, 0),
    ]
    assert elf.section(".data") is None


@given(damaged([GOOD, ELFS[0].read_bytes(), object_with_symbols()]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: check_core_elf(read_elf(d, "file"), "aie2", "file"), data)
