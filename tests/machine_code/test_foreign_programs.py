"""Program memory that is not for AIE2 is refused by name by all readers; a PDI does not name its NPU."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_programs import random_program

from npuninja.arch.registers import PROGRAM_MEMORY, tile_address
from npuninja.commands import core as core_verb
from npuninja.commands import disasm
from npuninja.emulator import Emulator
from npuninja.errors import UserError
from npuninja.formats.cdo import BlockWrite, Write, write_cdo
from npuninja.formats.pdi import write_pdi
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.foreign_code import foreign_bytes

NOP = b"\x01\x00"
JUMP = assemble("main:\n j #64\n" + " nop\n" * 5, "a.s").sections[0].data
#: Bytes that no AIE2 bundle begins with.
FOREIGN = b"\x09\xff\xff\xff" * 4


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (FOREIGN, 0),
        (NOP * 7 + FOREIGN, 14),
        (JUMP + FOREIGN, None),  # the way leads over it
        (JUMP.ljust(64, b"\0") + FOREIGN, 64),
        (JUMP.ljust(64, b"\0") + NOP * 16, None),
        (b"", None),
    ],
)
def test_the_way_from_address_0_decides(program: bytes, found: int | None) -> None:
    met = foreign_bytes([(0, program)])
    assert (met[0] if met else None) == found


def test_programs_for_aie2_are_not_taken_for_foreign_ones() -> None:
    for seed in range(4):
        code = assemble(random_program(seed), "a.s").sections[0].data
        assert foreign_bytes([(0, code)]) is None


@pytest.mark.parametrize("verb", [disasm.main, core_verb.main])
def test_verbs_refuse_it_by_name(verb, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "a.pdi"
    file.write_bytes(
        write_pdi([write_cdo([BlockWrite(tile_address(0, 2, PROGRAM_MEMORY), NOP * 4 + FOREIGN)])])
    )
    with pytest.raises(UserError, match=r"core \(0, 2\) has no AIE2 program: .* 09 ff .* at 0x8") as caught:
        verb([str(file)])
    assert "AIE2P (npu2)" in (caught.value.hint or "")


def test_the_array_refuses_it_by_name() -> None:
    commands = [
        BlockWrite(tile_address(0, 2, PROGRAM_MEMORY), NOP * 4 + FOREIGN),
        Write(tile_address(0, 2, 0x32000), 1),
    ]
    with Emulator(1) as npu, pytest.raises(UserError, match=r"core \(0, 2\) has no AIE2 program") as caught:
        npu.configure(commands)
    assert "AIE2P (npu2)" in (caught.value.hint or "")
