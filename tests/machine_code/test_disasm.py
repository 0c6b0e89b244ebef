"""`npuninja disasm`: its JSON, its text, the kinds of files it reads."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from npuninja.arch.registers import PROGRAM_MEMORY, tile_address
from npuninja.cli import main
from npuninja.formats.cdo import BlockWrite, write_cdo
from npuninja.formats.elf import write_core_elf
from npuninja.formats.pdi import write_pdi

# main: call `leaf` at 0x20, then done; a loop of three trips over one bundle of 16 bytes.
CALL = bytes.fromhex("150100100000")  # jl #32
NOP = bytes.fromhex("0100")
WIDE = bytes.fromhex("c0030000000000000000000000006800")
CODE = CALL + NOP * 13 + WIDE + bytes.fromhex("19080010")


def elf_of(code: bytes, flags: int = 2) -> bytes:
    return write_core_elf([(0, code, len(code))], flags)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["disasm", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_has_sections_with_bundles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.elf").write_bytes(elf_of(CODE))
    code, out, _ = run(capsys, str(tmp_path / "a.elf"), "--json")
    assert code == 0
    (section,) = json.loads(out)["sections"]
    assert section["address"] == 0
    assert section["bundles"][0] == [0, 6, ["jl #32"]]
    assert section["bundles"][1] == [6, 2, ["nop"]]
    assert [0x20, 16, ["paddb [sp], #64", "nopa", "nops", "nopxm", "nopv"]] in section["bundles"]


def test_text_marks_targets_and_delay_slots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.elf").write_bytes(elf_of(CODE))
    _, out, _ = run(capsys, str(tmp_path / "a.elf"))
    lines = out.splitlines()
    (call,) = [line for line in lines if " jl " in line]
    assert call.strip().startswith("0: 15 01 00 10 00 00  ")
    assert call.endswith("// to 0x20")
    assert sum("delay slot" in line for line in lines) == 5
    assert "  // block 0x0: 6 cycles" in lines


def test_a_pdi_lists_what_its_commands_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = CODE + bytes(-len(CODE) % 4)
    commands = [
        BlockWrite(tile_address(0, 3, PROGRAM_MEMORY), program),
        BlockWrite(tile_address(1, 2, PROGRAM_MEMORY + 0x100), NOP * 2),
    ]
    (tmp_path / "a.pdi").write_bytes(write_pdi([write_cdo(commands)]))
    _, out, _ = run(capsys, str(tmp_path / "a.pdi"), "--json")
    cores = json.loads(out)["cores"]
    assert [(c["column"], c["row"]) for c in cores] == [(0, 3), (1, 2)]
    assert cores[0]["sections"][0]["bundles"][0] == [0, 6, ["jl #32"]]
    assert cores[1]["sections"][0]["bundles"] == [[0x100, 2, ["nop"]], [0x102, 2, ["nop"]]]
    assert run(capsys, str(tmp_path / "a.pdi"), "--core", "5,5")[0] == 2


def test_what_does_not_decode_is_an_error_with_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.elf").write_bytes(elf_of(NOP * 4 + b"\x09\xff\xff\xff" * 4))
    code, out, err = run(capsys, str(tmp_path / "b.elf"), "--json")
    assert (code, out) == (2, "")
    assert "at 0x8" in err


def test_aie2p_and_other_machines_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.elf").write_bytes(elf_of(CODE, flags=3))
    code, _, err = run(capsys, str(tmp_path / "a.elf"))
    assert code == 2
    assert "AIE2P" in err
    other = bytearray(elf_of(CODE))
    struct.pack_into("<H", other, 18, 62)
    (tmp_path / "b.elf").write_bytes(other)
    code, _, err = run(capsys, str(tmp_path / "b.elf"))
    assert code == 2
    assert "machine 62" in err


def test_a_rest_at_the_end_is_padding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.elf").write_bytes(elf_of(NOP * 3 + b"\0\0"))
    _, out, _ = run(capsys, str(tmp_path / "a.elf"), "--json")
    assert len(json.loads(out)["sections"][0]["bundles"]) == 3


def test_two_programs_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.elf").write_bytes(elf_of(NOP * 3 + WIDE))
    (tmp_path / "b.elf").write_bytes(elf_of(NOP * 2 + WIDE))
    _, out, _ = run(capsys, str(tmp_path / "a.elf"), "--diff", str(tmp_path / "b.elf"))
    assert "4 and 3 bundles, 3 equal" in out
    _, out, _ = run(capsys, str(tmp_path / "a.elf"), "--diff", str(tmp_path / "a.elf"))
    assert "equal, 4 bundles" in out


def test_a_wasm_module_is_listed_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import wasmtime

    text = '(module (func (export "f") (param i32) (result i32) (if (result i32) (local.get 0)'
    text += " (then (i32.const 7)) (else (i32.clz (local.get 0))))))"
    (tmp_path / "a.wasm").write_bytes(wasmtime.wat2wasm(text))
    _, out, _ = run(capsys, str(tmp_path / "a.wasm"))
    assert "<f>: (i32) -> (i32)" in out
    assert "i32.clz" in out
    _, out, _ = run(capsys, str(tmp_path / "a.wasm"), "--json")
    texts = [t for _, t in json.loads(out)["functions"][0]["instructions"]]
    assert texts[0] == "local.get 0"
    assert texts[-1] == "end"
