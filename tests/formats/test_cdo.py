"""CDO files: the reference's files are reproduced, any command list survives, damage is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from cdo_commands import command_lists
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import given

from npuninja.errors import UserError
from npuninja.formats import cdo
from npuninja.formats.cdo import BlockWrite, Command, Nop, Other, Write, read_cdo, write_cdo

FILES = sorted(CONFORMANCE.glob("*/*cdo_*.bin"))


def test_there_are_reference_files() -> None:
    assert len(FILES) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_reference_file_is_written_again(path: Path) -> None:
    data = path.read_bytes()
    commands = read_cdo(data, path.name)
    assert commands[0] == Nop()
    essential = commands[:1] + [c for c in commands[1:] if not isinstance(c, Nop)]
    assert write_cdo(essential) == data


@given(command_lists())
def test_commands_survive(commands: list[Command]) -> None:
    data = write_cdo(commands)
    back = [c for c in read_cdo(data) if not isinstance(c, Nop)]
    assert back == [c for c in commands if not isinstance(c, Nop)]


@given(command_lists())
def test_block_write_payloads_are_aligned(commands: list[Command]) -> None:
    data = write_cdo(commands)
    at = 4 * cdo.HEADER_WORDS
    while at < len(data):
        word, size = struct.unpack_from("<I", data, at)[0], 0
        at += 4
        size = word >> 16 & 0xFF
        if size == cdo.LONG:
            size = struct.unpack_from("<I", data, at)[0]
            at += 4
        if word & 0xFFFF == cdo.DMA_WRITE:
            assert (at + 8) % 16 == 0
        at += 4 * size


def test_long_form_starts_at_255_words() -> None:
    assert struct.unpack_from("<2I", cdo.encode_wide(BlockWrite(0, bytes(4 * 252)))) == (254 << 16 | 0x105, 0)
    assert struct.unpack_from("<2I", cdo.encode_wide(BlockWrite(0, bytes(4 * 253)))) == (
        255 << 16 | 0x105,
        255,
    )


GOOD = write_cdo([Nop(), Write(0x21F000, 1)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too early"),
        (GOOD[:-4], "ends too early"),
        (b"\0" * 20, "not a CDO"),
        (GOOD[:8] + b"\1\0\0\0" + GOOD[12:], "unknown CDO"),
        (GOOD[:16] + b"\0\0\0\0" + GOOD[20:], "checksum"),
        (GOOD + b"\1\0\0\0", "more data follows"),
        (cdo.with_header(struct.pack("<I", 3 << 16 | 0x103) + bytes(12)), "WRITE at 0x14 has 3 words"),
        (cdo.with_header(struct.pack("<I", 9 << 16 | 0x105) + bytes(12)), "has 9 words, 3 are left"),
        (cdo.with_header(struct.pack("<I", 255 << 16 | 0x105)), "no length word"),
    ],
)
def test_wrong_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        read_cdo(data, "x.bin")
    assert str(raised.value.location) == "x.bin"


def test_unknown_commands_are_kept() -> None:
    assert read_cdo(write_cdo([Other(0x0177, (1, 2))])) == [Other(0x0177, (1, 2))]


@given(damaged([GOOD, *(p.read_bytes() for p in FILES[:6])]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: read_cdo(d, "file"), data)
