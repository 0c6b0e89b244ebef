"""Messages of every stage name the line of the user's own design, not one of a file that stages made."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.errors import Location, UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module, print_with_places
from npuninja.source_places import SUFFIX, original, places_text
from npuninja.stages import lower, route, sequence

DESIGN = """module {
  aie.device(npu1_1col) {

    %shim = aie.tile(0, 0)
    %t = aie.tile(0, 2)
    // two circuits into one port
    aie.flow(%shim, DMA : 0, %t, DMA : 0)
    aie.flow(%shim, DMA : 1, %t, DMA : 0)
    aie.shim_dma_allocation @x(%shim, MM2S, 0)
    aie.runtime_sequence(%a: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {id = 0 : i64, metadata = @x} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @x}
    }
  }
}
"""


@pytest.fixture
def lowered(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlir").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "mlir/d.mlir").write_text(DESIGN, encoding="utf-8")
    lower.run(["mlir/d.mlir", "-o", "build/input_with_addresses.mlir"])
    return tmp_path / "build"


def test_a_later_stage_names_the_design(lowered):
    with pytest.raises(UserError) as refused:
        route.run(["build/input_with_addresses.mlir", "-o", "build/input_physical.mlir"])
    assert refused.value.location is not None
    assert refused.value.location.file.endswith("input_with_addresses.mlir")
    shown = refused.value.render()
    assert shown.startswith("mlir/d.mlir:8:5: error: two flows lead into DMA : 0 of tile (0, 2)\n")
    assert "\n      aie.flow(%shim, DMA : 1, %t, DMA : 0)\n      ^\n" in shown
    assert "mlir/d.mlir:7:5: note:" in shown


def test_a_warning_of_a_later_stage_names_the_design(lowered, capsys):
    facts = ["--arguments", "build/arguments.json", "-o", "build/npu_insts.mlir"]
    of = ["--device-symbol", "main", "--sequence", "sequence"]
    sequence.run(["build/input_with_addresses.mlir", *of, *facts])
    assert "mlir/d.mlir:12:7: warning: waits for MM2S channel 0 of tile (0, 0)" in capsys.readouterr().err


def test_places_of_another_text_do_not_count(tmp_path):
    made = tmp_path / "made.mlir"
    made.write_text("module {\n}\n", encoding="utf-8")
    place = Location(str(made), 1, 1)
    assert original(place) == place
    other = tmp_path / "other.mlir"
    other.write_text("module {\n}\n", encoding="utf-8")
    text = places_text(b"something else", [(1, Location("d.mlir", 7, 3))], str(tmp_path))
    Path(f"{other}{SUFFIX}").write_text(text, encoding="utf-8")
    assert original(Location(str(other), 1, 1))[0] == str(other)


def test_each_operation_has_the_line_on_which_it_is_printed():
    module = parse_module(DESIGN, "d.mlir")
    text, places = print_with_places(module)
    assert text == print_module(module)
    lines = text.split("\n")
    for line, place in places:
        name = DESIGN.split("\n")[place.line - 1][place.column - 1 :].split("(")[0].split(" ")[0]
        assert name in lines[line - 1], (line, place)
    assert len(places) == len(list(module.walk()))


def test_a_warning_without_a_made_file_stays():
    warnings = Warnings()
    warnings.add("something", Location("nowhere.mlir", 3, 1))
    assert warnings.render() == "nowhere.mlir:3:1: warning: something"
