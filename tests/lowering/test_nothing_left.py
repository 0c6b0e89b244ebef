"""What no pass lowers is refused, wherever it stands: a new row of the table of operations is not enough."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from npuninja.cli import main
from npuninja.ir import syntax
from npuninja.lowering.remaining import REMAINING

DESIGN = """module {
  aie.device(npu1_1col) {
    %tile = aie.tile(0, 2)
    // DEVICE
    %core = aie.core(%tile) {
      // CORE
      aie.end
    }
    aie.runtime_sequence @sequence(%a: memref<16xi32>) {
      // SEQUENCE
    }
  }
}
"""
PLACES = ("DEVICE", "CORE", "SEQUENCE")


@pytest.fixture(autouse=True)
def _row(monkeypatch):
    monkeypatch.setitem(syntax._rows, "aie.made_up", "( $tile:index , .amount:i32 ) {}")
    monkeypatch.setitem(syntax._definitions, "aie.made_up", None)


def lower(folder, text, *words):
    path = folder / "design.mlir"
    path.write_text(text, encoding="utf-8")
    return main(["lower", str(path), "-o", str(folder / "made"), *words])


def test_a_design_without_it_is_lowered(tmp_path):
    assert lower(tmp_path, DESIGN) == 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("generation", ["2025-10", "2026-02", "2026-08"])
def test_a_forgotten_lowering_is_said_where_the_operation_stands(tmp_path, capsys, place, generation):
    text = DESIGN.replace(f"// {place}", "aie.made_up(%tile, 3)")
    text = text if generation == "2026-08" else text.replace("aie.runtime", "aiex.runtime")
    assert lower(tmp_path, text, "--generation", generation) == 2
    message = capsys.readouterr().err
    line = text[: text.index("aie.made_up")].count("\n") + 1
    assert re.search(rf"design\.mlir:{line}:\d+: error: 'aie\.made_up' (?:is read|has no)", message)
    assert not (tmp_path / "made").exists()


def test_what_may_stand_is_known_and_on_the_page():
    assert set(syntax.operation_names()) >= REMAINING
    page = (ROOT / "docs/dialect.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\baiex?\.[\w.]+", page)) >= REMAINING
