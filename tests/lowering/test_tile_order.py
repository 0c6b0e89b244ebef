"""A tile op after a core that uses a fifo: accepted with a warning, as MLIR-AIE's own tools fail on it."""

from __future__ import annotations

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import Warnings

DESIGN = """module {{ aie.device(npu1_1col) {{
  %s = aie.tile(0, 0)
  %t = aie.tile(0, 2)
  {before}
  aie.objectfifo @f(%s, {{%t}}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  %core = aie.core(%t) {{
    {body}
    aie.end
  }}
  {behind}
  %b = aie.buffer(%m) {{sym_name = "b"}} : memref<4xi32>
}} }}"""
USE = """%v = aie.objectfifo.acquire @f(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
    aie.objectfifo.release @f(Consume, 1)"""
TILE = "%m = aie.tile(0, 1)"


@pytest.mark.parametrize(
    ("before", "body", "behind", "warned"),
    [("", USE, TILE, True), (TILE, USE, "", False), ("", "", TILE, False)],
)
def test_a_tile_behind_a_core_that_uses_a_fifo(before, body, behind, warned):
    warnings = Warnings()
    text = DESIGN.format(before=before, body=body, behind=behind)
    files = lower_design(text, "design.mlir", None, "2026-02", warnings)
    found = [place for message, place in warnings.items if "comes after a core" in message]
    assert len(found) == warned
    assert not warned or (found[0] is not None and found[0].line == 11)
    assert b"aie.core" in files["input_with_addresses.mlir"]
