"""Two transfers that use one buffer descriptor without a wait between."""

from __future__ import annotations

import pytest

from npuninja.errors import Warnings
from npuninja.ir.parser import parse_module
from npuninja.lints.design import lint_design

DESIGN = """\
module { aie.device(npu1) {
  %s0 = aie.tile(0, 0)
  %s1 = aie.tile(1, 0)
  %t = aie.tile(0, 2)
  aie.objectfifo @a(%s0, {%t}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  aie.objectfifo @b(%t, {%s0}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  aie.objectfifo @c(%s1, {%t}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  aie.runtime_sequence @s(%x : memref<16xi32>) {
    FIRST
    BETWEEN
    SECOND
  }
} }
"""


def transfer(fifo: str, number: int) -> str:
    sizes = "[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]"
    return f"aiex.npu.dma_memcpy_nd(%x{sizes}) {{id = {number} : i64, metadata = @{fifo}}} : memref<16xi32>"


@pytest.mark.parametrize(
    ("first", "between", "second", "warned"),
    [
        (("a", 0), "", ("b", 0), True),
        (("a", 0), "", ("a", 0), True),
        (("a", 0), "", ("b", 1), False),
        (("a", 0), "", ("c", 0), False),  # another shim tile
        (("a", 0), "aiex.npu.dma_wait {symbol = @b}", ("b", 0), False),
    ],
)
def test_one_id_twice(first: tuple[str, int], between: str, second: tuple[str, int], warned: bool) -> None:
    text = (
        DESIGN.replace("FIRST", transfer(*first))
        .replace("BETWEEN", between)
        .replace("SECOND", transfer(*second))
    )
    warnings = Warnings()
    lint_design(parse_module(text, "d.mlir"), warnings)
    found = [(message, where) for message, where in warnings.items if "one buffer descriptor" in message]
    assert bool(found) == warned
    if found:
        message, where = found[0]
        assert "id 0, as that at d.mlir:9:5" in message
        assert where is not None
        assert where.line == 11
