"""`npuninja inspect`: every kind of file is recognised and decoded, damage is located."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from conftest import CONFORMANCE, ROOT
from hypothesis import given
from hypothesis import strategies as st

from npuninja.arch import registers
from npuninja.arch.families import SHARED_ROWS
from npuninja.commands.inspect import main
from npuninja.diag.descriptor_text import descriptor_fields, descriptor_text
from npuninja.diag.inspect import inspect_bytes
from npuninja.diag.register_names import register_at, value_meaning
from npuninja.errors import UserError
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats.cdo import BlockWrite, Delay, Fill, MaskPoll, Nop, Other, write_cdo
from npuninja.formats.core_image import CORE_SECTION, make_stub
from npuninja.formats.elf import write_core_elf
from npuninja.formats.pdi import write_pdi
from npuninja.formats.txn import LoadPdi, Preempt, Transaction, write_txn
from npuninja.formats.wasm_module import append_custom_section
from npuninja.formats.xclbin import XclbinKernel, write_xclbin

MIX = CONFORMANCE / "hand_memtile_mix"


def text_of(data: bytes, name: str = "file") -> str:
    report = inspect_bytes(data, name)
    json.loads(report.json())
    return report.text()


@pytest.mark.parametrize(
    ("address", "tile", "name"),
    [
        (0x000400, "shim (0, 0)", "register 0x00400"),
        (0x21F030, "core (0, 2)", "Lock3_value"),
        (0x2200400, "core (1, 2)", "data memory 0x00400"),
        (0x220010, "core (0, 2)", "program memory 0x0010"),
        (0x21D048, "core (0, 2)", "DMA_BD2_2"),
        (0x1A0640, "memtile (0, 1)", "DMA_MM2S_2_Ctrl"),
        (0x01D204, "shim (0, 0)", "DMA_S2MM_0_Start_Queue"),
        (0x1B0120, "memtile (0, 1)", "Stream_Switch_Slave_South1"),
        (0x03F204, "shim (0, 0)", "Stream_Switch_Slave_TileControl0_Slot1"),
    ],
)
def test_register_names(address: int, tile: str, name: str) -> None:
    register = register_at(address, SHARED_ROWS)
    assert (register.tile, register.name) == (tile, name)


@pytest.mark.parametrize(
    ("address", "value", "mask", "meaning"),
    [
        (0x232000, 2, 2, "reset"),
        (0x232000, 1, 3, "enable, leave reset"),
        (0x21DE04, 0x80030005, 0xFFFFFFFF, "start BD 5, 4 times, token at the end"),
        (0x21DE00, 2, 2, "reset"),
        (0x01D200, 0xF00, 0x1F00, "controller id 15"),
        (0x03F034, 0x80000005, 0xFFFFFFFF, "circuit from South3"),
        (0x03F008, 0xC0000045, 0xFFFFFFFF, "packets of arbiter 5, msel 3, header kept"),
        (0x23F004, 0xC0000081, 0xFFFFFFFF, "packets of arbiter 1, msel none, header dropped"),
        (0x03F200, 0x0F1F0135, 0xFFFFFFFF, "packet id 15 mask 31 -> arbiter 5, msel 3"),
        (0x01F000, 0x400, 0xC00, "South3 = DMA"),
        (0x236060, 3, 0xFFFFFFFF, "cascade from west to east"),
        (0x21F000, 1, 0xFFFFFFFF, ""),
    ],
)
def test_value_meanings(address: int, value: int, mask: int, meaning: str) -> None:
    assert value_meaning(register_at(address, SHARED_ROWS), value, mask) == meaning


def test_descriptors() -> None:
    words = (0x60, 0x80000 | 0x20060 & 0x7FFFF, 0x00180000, 0x0004000B, 0x00080017, 0, 0, 0x8147FF49)
    fields = descriptor_fields("mem", words)
    assert fields is not None
    assert fields["length_bytes"] == 384
    assert fields["acquire"] == {"lock": 73, "value": 1, "greater_equal": True}
    line = descriptor_text("mem", fields)
    assert line == (
        "384 bytes at 0x180, walk <4 x 96 B> <2 x 48 B> <12 x 4 B>, acquire lock 9 >= 1, "
        "release lock 7 +1, then BD 0"
    )
    assert descriptor_fields("core", (1, 2)) is None


def test_cdo_and_pdi() -> None:
    text = text_of((MIX / "cdo_init.bin").read_bytes(), "cdo_init.bin")
    assert text.startswith("cdo_init.bin: CDO\n")
    assert "write memtile (0, 1) Lock7_value := 0x00000001" in text
    assert (
        "BD 24 of memtile (0, 1): 768 bytes at 0x10000, walk <8 x 4 B> <24 x 32 B> <1 x 4 B>, "
        "acquire lock 0 >= 1" in text
    )
    pdi = text_of((MIX / "main.pdi").read_bytes())
    assert "image aie_image, id 0x1c000000" in pdi
    assert "mask_write shim (0, 0) Mux_Config := 0x400 in bits 0xc00 (South3 = DMA)" in pdi


def test_uncommon_commands() -> None:
    commands = [Nop(), MaskPoll(0x232004, 1, 1, 50), Fill(0x200000, 4, 7), Delay(9), Other(0x0119, (1, 2))]
    text = text_of(write_cdo(commands))
    assert "poll core (0, 2) Core_Status & 0x1 == 0x1 within 50 ms" in text
    assert "fill core (0, 2) data memory 0x00000: 4 words of 0x00000007" in text
    assert "wait 9 us" in text
    assert "MARKER 00000001 00000002" in text


@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("*/insts.hex"))[:12], ids=lambda p: p.parent.name)
def test_instruction_streams_as_hex_lines_and_binary(path: Path) -> None:
    hex_text = path.read_bytes()
    binary = b"".join(struct.pack("<I", int(word, 16)) for word in hex_text.split())
    assert text_of(hex_text) == text_of(binary)
    assert "register 0x" not in text_of(binary)


def test_instruction_stream() -> None:
    text = text_of((CONFORMANCE / "seq_tasks" / "insts.hex").read_bytes())
    assert "17 operations, for npu1, 4 columns" in text
    assert "address of BD 1 of shim (0, 0) := argument 1 + 1024 bytes" in text
    assert "wait for shim (0, 0) MM2S 0" in text
    stream = Transaction(4, 6, 8, 1, (LoadPdi(2, 64, 0x1000), Preempt(1)))
    text = text_of(write_txn(stream))
    assert "load PDI 2 (64 bytes at 0x1000)" in text
    assert "may be preempted (level 1)" in text


def wasm_core() -> bytes:
    info = {
        "abi": 1,
        "column": 0,
        "row": 2,
        "entry": "core_0_2",
        "stack_bytes": 1024,
        "data_end": 0x70800,
        "waits": [[1, "design.mlir", 12, 7, "lock_a"]],
        "buffers": [["a", 0x70400, 1024]],
        "neighbours": [],
    }
    memory = b"\x05\x04\x01\x01\x08\x08"
    exports = b"".join(
        bytes([len(name)]) + name + kind
        for name, kind in ((b"memory", b"\2\0"), (b"__stack_pointer", b"\3\0"), (b"core_0_2", b"\0\0"))
    )
    module = WASM_MAGIC + memory + bytes([7, len(exports) + 1, 3]) + exports
    return append_custom_section(module, CORE_SECTION, json.dumps(info).encode())


def test_wasm_core() -> None:
    text = text_of(wasm_core(), "core_0_2.wasm")
    assert "core_0_2.wasm: wasm core" in text
    assert "buffer a: 0x70400, 1024 bytes" in text
    assert "wait 1: lock lock_a at design.mlir:12:7" in text
    assert "problem" not in text
    assert "wasm module (no core)" in text_of(WASM_MAGIC)


def test_wasm_core_with_a_problem() -> None:
    text = text_of(wasm_core().replace(b"\x05\x04\x01\x01\x08\x08", b"\x05\x04\x01\x01\x01\x01"))
    assert "problem: the core module has 65536 to 65536 bytes of memory, expected exactly 524288" in text


def test_xclbin() -> None:
    module = wasm_core()
    cdo = write_cdo([Nop(), BlockWrite(0x220000, make_stub(1024, module)), BlockWrite(0x320000, bytes(64))])
    report = inspect_bytes(write_xclbin([XclbinKernel(write_pdi([cdo]))], 1, (1, 2), [module]), "x.xclbin")
    text = report.text()
    assert "section EMULATION_DATA" in text
    assert "kernel MLIR_AIE (0x901): opcode, instr, ninstr, bo0, bo1, bo2, bo3, bo4" in text
    assert "partition: 1 columns, may start at column 1, 2" in text
    assert f"core (0, 2): wasm module {report.facts['modules'][0]['sha256'][:16]}" in text
    assert "core (0, 3): program of 64 bytes" in text
    assert [section["kind"] for section in report.facts["sections"]].count("EMULATION_DATA") == 1
    assert len(report.facts["sections"]) == 8
    assert report.facts["problem"] is None


def test_uuids_look_as_xrt_prints_them() -> None:
    reference = (ROOT / "tests" / "formats" / "data" / "xclbinutil_2_25_one_kernel.xclbin").read_bytes()
    assert "PDI 01234567-89ab-4cde-8f01-23456789abcd of kernel 0x901" in text_of(reference)


def test_core_elf() -> None:
    text = text_of(write_core_elf([(0, bytes(100), 100), (0x70400, bytes(8), 16)], 2))
    assert "program: 100 of 16384 bytes" in text
    assert "data: 0x70400, 8 bytes, 16 in memory" in text
    assert "problem" not in text
    text = text_of(write_core_elf([(0, bytes(100), 100)], 2, elf_type=1))
    assert text.startswith("file: object\n")
    assert "an object, not linked yet" in text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"hello, this is text", "unknown kind of file"),
        (b"xclbin2\0", "ends too early"),
        # What is where the instructions cannot be an ELF.
        (
            b"no ELF: error: byte 16 loads PDI 1\nhint: full-elf",
            "^error: byte 16 loads PDI 1\nhint: full-elf",
        ),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        inspect_bytes(data, "x")
    assert str(raised.value.location) == "x"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_any_address_has_a_name(address: int, value: int, mask: int) -> None:
    register = register_at(address, SHARED_ROWS)
    assert register.name
    assert isinstance(value_meaning(register, value, mask), str)
    assert registers.tile_address(register.column, register.row, register.offset) == address


@given(st.sampled_from(["core", "mem", "shim"]), st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
def test_any_descriptor_has_a_text(kind: str, words: list[int]) -> None:
    fields = descriptor_fields(kind, words)
    assert fields is not None
    assert f"{fields['length_bytes']} bytes at" in descriptor_text(kind, fields)


def test_main_prints_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(MIX / "main.pdi")
    assert main([path]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: PDI\n")
    assert main([path, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["file"], facts["kind"], len(facts["commands"])) == (path, "PDI", 61)


def test_main_refuses_a_missing_file() -> None:
    with pytest.raises(UserError, match="cannot read"):
        main([str(ROOT / "no such file")])
