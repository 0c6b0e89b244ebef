"""The stage pdi looks up every core's program in what it made."""

from __future__ import annotations

import struct

import pytest
from conftest import CONFORMANCE

from npuninja.arch.devices import device
from npuninja.errors import Error, ToolError
from npuninja.formats.cdo import BlockWrite, Command, MaskWrite, Nop, Write
from npuninja.formats.core_image import CoreImage, DataSegment, read_core_image
from npuninja.stages import pdi
from npuninja.stages._programs_loaded import check_loaded

DESIGN = CONFORMANCE / "gain_bytes"
ELF = DESIGN / "core_0_2.elf"
MODEL = device("npu1_1col")
PROGRAM = 0x00220000


def run(tmp_path, parts: list[str], *more: str) -> None:
    cdos = [str(DESIGN / f"cdo_{part}.bin") for part in parts]
    words = [*cdos, "-o", str(tmp_path / "out.pdi"), "--device", "npu1_1col", "--image", f"0,2={ELF}"]
    pdi.run([*words, *more])


def test_a_complete_image(tmp_path) -> None:
    run(tmp_path, ["elfs", "init", "enable"])
    assert (tmp_path / "out.pdi").exists()


def test_an_image_without_the_programs_is_refused(tmp_path) -> None:
    (tmp_path / "out.pdi").write_bytes(b"of an earlier build")
    with pytest.raises(ToolError, match=r"does not load the program of core \(0, 2\)") as caught:
        run(tmp_path, ["init", "enable"])
    assert "not loaded at all" in caught.value.message
    assert not (tmp_path / "out.pdi").exists()


def test_the_program_of_another_build_is_refused(tmp_path) -> None:
    other = tmp_path / "core_0_2.elf"
    data = bytearray(ELF.read_bytes())
    data[struct.unpack_from("<I", data, 28)[0] + 200] ^= 1
    other.write_bytes(data)
    with pytest.raises(Error, match=r"0x[0-9a-f]+ differs"):
        run(tmp_path, ["elfs", "init", "enable"], "--image", f"0,2={other}")


def test_bootgen_without_the_programs_is_caught(tmp_path, bootgen) -> None:
    with pytest.raises(ToolError, match="does not load the program"):
        run(tmp_path, ["init", "enable"], "--bootgen", bootgen)


def test_the_bytes_are_counted() -> None:
    image = read_core_image(ELF.read_bytes(), "aie2", "core")
    (offset, program), *_ = image.program
    commands: list[Command] = [Nop(), BlockWrite(PROGRAM + offset, program)]
    if image.data:
        commands.append(BlockWrite(0x200000 + image.data[0].address - 0x70000, image.data[0].data))
    assert check_loaded(commands, {(0, 2): image}, MODEL, "x") == len(program) + sum(
        len(s.data) for s in image.data
    )


@pytest.mark.parametrize(
    ("window", "place"),
    [(0x70000, 0x200000), (0x60000, 0x300000)],
    ids=["own memory", "the northern neighbour's"],
)
def test_data_lies_where_the_core_sees_it(window: int, place: int) -> None:
    image = CoreImage("aie", (), (DataSegment(window + 6, b"abcdef", 6),), True)
    commands = [
        MaskWrite(place + 4, 0xFFFF0000, 0x62610000),
        Write(place + 8, int.from_bytes(b"cdef", "little")),
    ]
    assert check_loaded(commands, {(0, 2): image}, MODEL, "x") == 6
    with pytest.raises(ToolError, match="2 of them are not loaded"):
        check_loaded(commands[1:], {(0, 2): image}, MODEL, "x")
