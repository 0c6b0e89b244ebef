"""`npuninja inspect` of control code in an ELF."""

import json
import struct

import pytest

from npuninja.diag.inspect import inspect_bytes
from npuninja.errors import UserError
from npuninja.formats.full_elf import FullInstance, FullKernel, write_full_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.formats.txn import (
    AddressPatch,
    BlockWrite,
    CreateScratchpad,
    LoadPdi,
    Transaction,
    UpdateFromScratchpad,
    write_txn,
)
from npuninja.machine_code.program import read_programs


def stream(*operations):
    return write_txn(Transaction(4, 6, 2, 1, operations))


TRANSFER = (
    BlockWrite(0x1D000, struct.pack("<8I", 64, 0, 0, 0, 0, 0, 0, 1 << 25)),
    AddressPatch(0x1D004, 1, 8),
)


def test_a_full_elf():
    update = (CreateScratchpad(0, 8, 0), UpdateFromScratchpad(1, 1, 4, 0x1D004))
    instance = FullInstance("run", stream(LoadPdi(3, 0, 0), *update, *TRANSFER), b"packets!", 1)
    report = inspect_bytes(write_full_elf([FullKernel("main", 4, ((3, b"x" * 32),), (instance,))]), "x.elf")
    text, facts = report.text(), json.loads(report.json())
    assert text.startswith("x.elf: full ELF")
    for line in (
        "PDI 3: 32 bytes", "kernel main:run, 4 arguments", "8 bytes of control packets", "control-packet + 8",
        "scratch-pad-ctrl + 0", ".pdi.3 + 0", "word 1 of the scratchpad (incr 4)", "scratchpad of 8 bytes",
    ):  # fmt: skip
        assert line in text, line
    assert facts["columns"] == 2
    assert [o["operation"] for o in facts["kernels"][0]["instances"][0]["operations"]][:3] == [
        "load_pdi",
        "create_scratchpad",
        "update_from_scratchpad",
    ]


def test_disasm_says_what_an_elf_of_instructions_is():
    """It is of another machine than the cores, and of none that compiles anything."""
    with pytest.raises(UserError, match="instructions for an NPU's controller") as refused:
        read_programs(write_instruction_elf(stream(*TRANSFER), "x", b"12345678", 1), "i.elf")
    assert refused.value.hint == "npuninja inspect i.elf lists them"


def test_instructions_alone():
    report = inspect_bytes(write_instruction_elf(stream(*TRANSFER), "x", b"12345678", 1), "i.elf")
    assert report.text().startswith("i.elf: ELF of instructions")
    assert "8 bytes of control packets" in report.text()
