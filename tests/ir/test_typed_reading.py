"""Typed reading of operations: attributes as values, operands by the names of the table."""

from __future__ import annotations

import pytest

from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.syntax import group
from npuninja.ir.types import memref

TEXT = """module {
  aie.device(npu1_1col) {
    %t = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    aie.objectfifo @in(%t, {%m}, 2 : i32) {via_DMA = true} : !aie.objectfifo<memref<16xi32>>
    aie.shim_dma_allocation @a(%t, S2MM, 1)
    aiex.runtime_sequence @sequence(%a : memref<64xi32>) {
      %c2 = arith.constant 2 : i64
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, %c2][1, 1, %c2, 4][0, 0, 8, 1]) {id = 0 : i64, metadata = @a} : memref<64xi32>
    }
  }
}
"""


@pytest.fixture(scope="module")
def ops() -> dict[str, Operation]:
    return {op.name: op for op in parse_module(TEXT, "d.mlir").walk()}


def test_attributes(ops: dict[str, Operation]) -> None:
    assert ops["aie.device"].enum("device") == "npu1_1col"
    assert ops["aie.shim_dma_allocation"].enum("channel_dir") == "S2MM"
    assert ops["aie.objectfifo"].flag("via_DMA")
    assert not ops["aie.objectfifo"].flag("plio")
    assert memref(ops["aie.objectfifo"].type_of("elemType").removeprefix("!aie.objectfifo<")[:-1]).shape == (
        16,
    )
    copy = ops["aiex.npu.dma_memcpy_nd"]
    assert copy.numbers("static_strides") == (0, 0, 8, 1)
    assert copy.numbers("static_pads") == ()


def test_operands(ops: dict[str, Operation]) -> None:
    allocation, fifo, copy = (
        ops[name] for name in ("aie.shim_dma_allocation", "aie.objectfifo", "aiex.npu.dma_memcpy_nd")
    )
    assert allocation.tile.op.integer("row") == 0
    assert [tile.op.integer("row") for tile in group(fifo, "consumerTiles")] == [1]
    two = ops["arith.constant"].result
    assert [group(copy, name) for name in ("offsets", "sizes", "strides")] == [[two], [two], []]
    with pytest.raises(KeyError):
        group(fifo, "strides")


def test_what_is_of_another_kind_is_our_bug(ops: dict[str, Operation]) -> None:
    with pytest.raises(AssertionError):
        ops["aie.objectfifo"].enum("sym_name")
    with pytest.raises(AssertionError):
        _ = ops["aiex.npu.dma_memcpy_nd"].operands[0].op
