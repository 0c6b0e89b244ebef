"""`aie.utils.regdb`: addresses to registers and back, and register writes with comments."""

from __future__ import annotations

import json

import pytest
from made_up_family import MADE_UP

from npuninja.arch import registers
from npuninja.arch.register_table import RegisterField, tile_registers
from npuninja.ir.parser import parse_module
from npuninja.python_designs.construct.insertion import Module
from npuninja.python_designs.host.register_database import AIEAddressDecoder, MLIRModuleAnnotator, main


@pytest.fixture(autouse=True)
def no_install(monkeypatch):
    monkeypatch.delenv("MLIR_AIE_INSTALL_DIR", raising=False)


def test_the_table_has_the_offsets_of_the_register_map():
    table = tile_registers()
    assert {module: len(found) for module, found in table.items()} == {
        "core": 457,
        "memory": 203,
        "memory_tile": 718,
        "shim": 428,
    }
    for module, kind in (("memory", "core"), ("memory_tile", "mem"), ("shim", "shim")):
        for lock in range(16):
            assert table[module][f"Lock{lock}_value"].offset == registers.lock_value(kind, lock)
        assert table[module]["DMA_BD3_2"].offset == registers.DMA[kind].bd + 3 * registers.BD_STRIDE + 8
        assert table[module]["DMA_MM2S_1_Ctrl"].offset == registers.channel_control(kind, "MM2S", 1)
    assert table["core"]["Core_Control"].offset == registers.CORE_CONTROL


def test_every_register_is_found_at_its_own_address():
    decoder = AIEAddressDecoder()
    rows = {"shim": 0, "memory_tile": 1, "core": 2, "memory": 3}
    for module, found in tile_registers().items():
        for name in list(found)[::7]:
            address = decoder.encode_address(2, rows[module], name, module)
            decoded = decoder.parse_address(address)
            if (
                decoded["module"] == module
            ):  # Program_Memory and DataMemory of a core's modules share an offset with none
                assert (decoded["col"], decoded["row"], decoded["register"]) == (2, rows[module], name)


@pytest.mark.parametrize(
    ("address", "decoded"),
    [
        (0x232000, ("core_tile", "core", "Core_Control")),
        (0x220010, ("core_tile", "core", "Program_Memory+0x10")),
        (0x1000C0, ("memory_tile", "memory_tile", "DataMemory+0xC0")),
        (0x401D204, ("shim_tile", "shim", "DMA_S2MM_0_Task_Queue")),
        (0x2FFFFC, ("core_tile", "unknown", "unknown")),
    ],
)
def test_addresses_are_decoded(address, decoded):
    found = AIEAddressDecoder().parse_address(address)
    assert (found["tile_type"], found["module"], found["register"]) == decoded


def test_the_kind_of_a_tile_is_that_of_the_family():
    decoder = AIEAddressDecoder()
    address = decoder.encode_address(1, 2, "Lock3_value", rows=MADE_UP.rows)
    assert decoder.parse_address(address, MADE_UP.rows)["module"] == "memory_tile"
    assert decoder.parse_address(address)["tile_type"] == "core_tile"


def test_fields_of_a_value():
    annotator = MLIRModuleAnnotator()
    assert RegisterField("", "15:8").value(0x1FF) == 1
    decoded = annotator.decoder.parse_address(0x232000)
    assert annotator.generate_comment(decoded, 1) == (
        "Tile(0, 2), Offset 0x32000, Name: Core_Control | Value 0x1: Reset=0, Enable=1"
    )
    assert annotator.generate_comment(decoded, 2, mask=2).endswith("| Mask 0x2, Value 0x2: Reset=1")
    for offset in ("32000", 0x32000):  # always hexadecimal where it is text
        assert "Offset 0x32000" in annotator.generate_comment({"offset": offset})


@pytest.mark.parametrize(
    "write",
    [
        "aiex.npu.write32 {address = 204800 : ui32, column = 0 : i32, row = 2 : i32, value = 1 : ui32}",
        "%a = arith.constant 0x232000 : i32\n"
        "%v = arith.constant 1 : i32\n"
        "aiex.npu.write32(%a, %v) : i32, i32",
    ],
)
def test_register_writes_get_comments(tmp_path, monkeypatch, write):
    text = f"module {{ aie.device(npu1) {{ aie.runtime_sequence() {{\n{write}\n}} }} }}"
    module = Module(parse_module(text, "d.mlir"))
    assert MLIRModuleAnnotator().annotate_module(module) == 1
    assert 'comment = "Tile(0, 2), Offset 0x32000, Name: Core_Control | Value 0x1: Reset=0, Enable=1"' in str(
        module
    )
    (tmp_path / "d.mlir").write_text(text)
    monkeypatch.setattr("sys.argv", ["regdb", "-a", str(tmp_path / "d.mlir"), "-i"])
    assert main() == 0
    assert "Core_Control" in (tmp_path / "d.mlir").read_text()


def test_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["regdb", "--col", "0", "--row", "2", "-r", "Core_Control", "-b"])
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Address:     0x232000"
    assert lines[-2:] == ["  [1] Reset", "  [0] Enable"]
    monkeypatch.setattr("sys.argv", ["regdb", "--col", "0", "--row", "2", "-r", "Nothing"])
    assert main() == 1
    assert "has no register 'Nothing'" in capsys.readouterr().err


def test_an_installs_database_is_taken_when_it_is_there(tmp_path, monkeypatch):
    folder = tmp_path / "lib" / "regdb"
    folder.mkdir(parents=True)
    register = {"name": "Mine", "offset": "0x0000032000", "description": "what it is for"}
    (folder / "aie_registers_aie2.json").write_text(
        json.dumps({"modules": {"core": {"registers": [register]}}})
    )
    monkeypatch.setenv("MLIR_AIE_INSTALL_DIR", str(tmp_path))
    decoded = AIEAddressDecoder().parse_address(0x232000)
    assert (decoded["register"], decoded["description"]) == ("Mine", "what it is for")
