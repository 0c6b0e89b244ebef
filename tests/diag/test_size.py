"""`npuninja size`: what a tile's memory holds, for wasm cores and for AIE programs."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import CONFORMANCE
from design_chain import Chain
from wasm_build import WasmBuild

from npuninja.cli import main as npuninja
from npuninja.diag.size import table
from npuninja.errors import UserError
from npuninja.formats.elf import write_core_elf
from npuninja.report.tile_memory import TileMemory, measure

LOWERED = """
module {
  aie.device(npu1_1col) {
    %tile_0_1 = aie.tile(0, 1)
    %tile_0_2 = aie.tile(0, 2)
    %hold = aie.buffer(%tile_0_1) {address = 65536 : i32, sym_name = "hold"} : memref<256xi32>
    %a = aie.buffer(%tile_0_2) {address = 2048 : i32, sym_name = "a"} : memref<100xi32>
    %core_0_2 = aie.core(%tile_0_2) {
      aie.end
    } {stack_size = 2048 : i32}
  }
}
"""


def folder_with(tmp_path, *segments, lowered: str = LOWERED):
    (tmp_path / "input_with_addresses.mlir").write_text(lowered)
    (tmp_path / "core_0_2.elf").write_bytes(write_core_elf(segments, 2))
    return str(tmp_path)


def test_an_aie_program(tmp_path) -> None:
    memtile, core = measure(folder_with(tmp_path, (0, bytes(1000), 1000), (0x70000 + 2448, bytes(52), 152)))
    assert memtile == TileMemory(
        (0, 1), "mem", program=None, stack=0, stack_need=None, buffers=1024, data=0, end=66560, limit=524288
    )
    assert core == TileMemory(
        (0, 2), "core", program=1000, stack=2048, stack_need=0, buffers=400, data=152, end=2600, limit=65536
    )
    assert core.used == 2600
    assert core.problems() == memtile.problems() == []


def test_what_barely_fits_is_reported(tmp_path) -> None:
    (_, core) = measure(folder_with(tmp_path, (0, bytes(15000), 15000), (0x70000 + 2448, b"", 60000)))
    assert core.problems() == [
        "the program takes 15000 of 16384 bytes",
        "data memory is taken up to byte 62448 of 65536",
    ]
    assert "  warning: (0, 2): the program takes 15000 of 16384 bytes" in table("x", [core])
    tight = core._replace(program=10, end=2448, stack_need=2000)
    assert tight.problems() == ["2000 of 2048 bytes of stack are needed, or more: set stack_size = 3072"]


def test_a_program_that_is_too_large_is_an_error(tmp_path) -> None:
    with pytest.raises(UserError, match="the program takes 16388 bytes, a core has 16384"):
        measure(folder_with(tmp_path, (0, bytes(16388), 16388)))


def test_a_wasm_core_with_a_large_frame(wasm_build: WasmBuild, capsys) -> None:
    kernel = """
void passthrough(unsigned char *in, unsigned char *out, int n) {
  volatile unsigned char line[600];
  static unsigned char table[3000] = {1};
  for (int i = 0; i < n; i++) line[i % 600] = in[i] + table[i % 3000];
  for (int i = 0; i < n; i++) out[i] = line[i % 600];
}
"""
    chain = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel})
    chain.run()
    (core,) = [t for t in measure(str(chain.folder)) if t.tile == (0, 2)]
    assert core.program is None
    assert core.stack == 1024
    assert core.stack_need is not None
    assert 600 <= core.stack_need < 700
    assert 3000 <= core.data < 3100
    assert npuninja(["size", str(chain.folder)]) == 0
    printed = capsys.readouterr().out
    assert f"{core.stack_need}+ of 1024" in printed
    assert "core (0, 2)" in printed
    assert npuninja(["size", "--json", str(chain.folder)]) == 0
    (tiles,) = json.loads(capsys.readouterr().out)["designs"].values()
    assert tiles[0]["stack_need"] == core.stack_need


@pytest.mark.parametrize("design", ["gain_bytes", "memtile_join_two", "hand_memtile_mix", "vertical_shared"])
def test_conformance_designs(design: str, tmp_path) -> None:
    for name in [p.name for p in (CONFORMANCE / design).glob("core_*.elf")] + ["input_with_addresses.mlir"]:
        shutil.copy(CONFORMANCE / design / name, tmp_path)
    tiles = measure(str(tmp_path))
    assert tiles
    assert all(0 < t.used <= t.limit and t.end <= t.limit for t in tiles)


def test_what_is_missing_is_reported(tmp_path, capsys, monkeypatch) -> None:
    assert npuninja(["size", str(tmp_path)]) == 2
    assert "cannot read" in capsys.readouterr().err
    (tmp_path / "input_with_addresses.mlir").write_text(LOWERED)
    assert npuninja(["size", str(tmp_path)]) == 2
    assert "the program of core (0, 2) is not built" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)  # where the tests are started, the shipped designs may be built
    assert npuninja(["size"]) == 2
