"""PDIs: byte for byte bootgen's, from stored reference files and from bootgen itself where installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cdo_commands import command_lists
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.formats.cdo import END, BlockWrite, Command, Nop, Other, Write, read_cdo, write_cdo
from npuninja.formats.pdi import read_pdi, write_pdi

PDIS = sorted(CONFORMANCE.glob("*/*main.pdi"))
KINDS = ("elfs", "init", "enable")
BOOTGEN = shutil.which("bootgen")
needs_bootgen = pytest.mark.skipif(BOOTGEN is None, reason="bootgen is not installed")


def cdos_of(pdi: Path) -> list[bytes]:
    prefix = pdi.name[: -len("main.pdi")]
    return [(pdi.parent / f"{prefix}cdo_{kind}.bin").read_bytes() for kind in KINDS]


def bootgen(cdos: list[bytes], folder: Path) -> bytes:
    """The PDI that the installed bootgen makes."""
    assert BOOTGEN is not None
    files = []
    for i, cdo in enumerate(cdos):
        (folder / f"{i}.bin").write_bytes(cdo)
        files.append(f"file={i}.bin")
    (folder / "design.bif").write_text(
        "all:\n"
        "{\n"
        "  id_code = 0x14ca8093\n"
        "  extended_id_code = 0x01\n"
        "  image\n"
        "  {\n"
        "    name=aie_image, id=0x1c000000\n"
        f"    {{ type=cdo {' '.join(files)} }}\n  }}\n}}\n"
    )
    command = [BOOTGEN, "-arch", "versal", "-image", "design.bif", "-o", "out.pdi", "-w"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "out.pdi").read_bytes()


def test_there_are_reference_files() -> None:
    assert len(PDIS) > 50


@pytest.mark.parametrize("path", PDIS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_reference_pdi_is_written_again(path: Path) -> None:
    cdos = cdos_of(path)
    data = path.read_bytes()
    assert write_pdi(cdos) == data
    pdi = read_pdi(data, path.name)
    assert (pdi.id_code, pdi.image_name, pdi.image_id) == (0x14CA8093, "aie_image", 0x1C000000)
    expected = [plain(c) for cdo in cdos for c in read_cdo(cdo) if not isinstance(c, Nop)]
    assert [plain(c) for c in pdi.commands() if not isinstance(c, Nop)] == expected


def plain(command: Command) -> Command:
    """A block of one word is a write of that word: bootgen makes one of the other."""
    if isinstance(command, BlockWrite) and len(command.data) == 4:
        return Write(command.address, int.from_bytes(command.data, "little"))
    return command


@needs_bootgen
@given(st.lists(command_lists(), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_equals_bootgen(tmp_path: Path, lists: list[list[Command]]) -> None:
    cdos = [write_cdo(commands) for commands in lists]
    assert write_pdi(cdos) == bootgen(cdos, tmp_path)


@needs_bootgen
@pytest.mark.parametrize("words", [0, 1, 252, 253, 254, 255, 70000])
@pytest.mark.parametrize("offset", [0, 4, 8, 12])
def test_long_block_writes_equal_bootgen(tmp_path: Path, words: int, offset: int) -> None:
    cdos = [
        write_cdo([Nop(), Write(1, 2), BlockWrite(0x220000 + offset, bytes(range(4)) * words), Write(3, 4)])
    ]
    assert write_pdi(cdos) == bootgen(cdos, tmp_path)


@needs_bootgen
def test_end_command_ends_the_file(tmp_path: Path) -> None:
    cdos = [write_cdo([Nop(), Write(1, 2), Other(END, ()), Write(3, 4)]), write_cdo([Nop(), Write(5, 6)])]
    data = write_pdi(cdos)
    assert data == bootgen(cdos, tmp_path)
    assert Write(3, 4) not in read_pdi(data).commands()


GOOD = write_pdi([write_cdo([Nop(), Write(0x21F000, 1)])])


def replaced(offset: int, word: int) -> bytes:
    return GOOD[:offset] + word.to_bytes(4, "little") + GOOD[offset + 4 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too early"),
        (b"\0" * 400, "not a PDI"),
        (replaced(0x14, 2), "image header table at 0x10 has checksum"),
        (replaced(0xA0, 0), "image header at 0x90 has checksum"),
        (replaced(0xD4, 1), "partition header 0 at 0xd0 has checksum"),
        (GOOD[:0x160], "partition 0 needs"),
    ],
)
def test_wrong_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_pdi(data, "x.pdi")


def test_wrong_cdo_is_named() -> None:
    with pytest.raises(UserError, match="not a CDO") as raised:
        write_pdi([write_cdo([Nop()]), b"\0" * 20], ["a.bin", "b.bin"])
    assert str(raised.value.location) == "b.bin"


@given(damaged([GOOD, PDIS[0].read_bytes()]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: read_pdi(d, "file").commands("file"), data)


def test_pdis_of_amds_own_designs_are_told_apart_from_damaged_ones() -> None:
    """They have three words that the header's sum leaves out, and less data than the header says."""
    made = bytearray(write_pdi([write_cdo([Write(0x1000, 7)] * 8)]))
    made[0x140:0x14C] = b"\1\0\0\0\x50\x0c\0\0\x66\x89\x50\x0c"
    assert len(read_pdi(bytes(made)).commands()) == len(
        read_pdi(write_pdi([write_cdo([Write(0x1000, 7)] * 8)])).commands()
    )
    with pytest.raises(UserError, match=r"partition 0 is shortened: of \d+ bytes \d+ are there"):
        read_pdi(bytes(made[:-16]))
    made[0x143] ^= 1  # not one of those that may be there
    made[0xE0] ^= 1
    with pytest.raises(UserError, match="partition header 0 at 0xd0 has checksum"):
        read_pdi(bytes(made))
