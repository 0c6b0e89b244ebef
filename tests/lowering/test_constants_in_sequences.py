"""Numbers of a runtime sequence that are values: accepted where the reference accepts them, else refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify

CASES = Path(__file__).parent.parent / "cases"
NUMBERS = {
    "constants_as_operands": {"n0": 0, "n1": 1, "n64": 64},
    "ssa_constant_transfer": {"zero": 0, "one": 1, "four": 4, "row": 32},
}


def instructions(text: str) -> bytes:
    return lower_design(text, "design.mlir", None, "auto", Warnings())["insts.bin"]


@pytest.mark.parametrize("name", NUMBERS)
def test_named_constants_mean_their_numbers(name):
    text = (CASES / name / "design.mlir").read_text(encoding="utf-8")
    literal = re.sub(
        r"dma_memcpy_nd[^{]*",
        lambda found: re.sub(r"%(\w+)", lambda v: str(NUMBERS[name].get(v[1], v[0])), found[0]),
        text,
    )
    assert literal != text
    assert instructions(text) == instructions(literal)


TRANSFER = """
module {
 aie.device(npu1_1col) {
  %t = aie.tile(0, 0)
  aie.shim_dma_allocation @x(%t, MM2S, 0)
  aie.runtime_sequence(%a: memref<64xi32>, %n: i64) {
   %k = arith.constant 64 : i64
   BEFORE
   aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, %size][0, 0, 0, 1]) {id = 0 : i64, metadata = @x} : memref<64xi32>
  }
 }
}
"""


@pytest.mark.parametrize(
    ("before", "size", "said"),
    [
        ("", "n", "only constant sizes are supported, %n is no constant"),
        ("%z = arith.addi %k, %k : i64", "z", "%z is the result of 'arith.addi'"),
        ("%z = arith.muli %n, %k : i64", "z", "%z is the result of 'arith.muli'"),
    ],
)
def test_a_value_that_is_no_constant_is_refused_by_name(before, size, said):
    text = TRANSFER.replace("BEFORE", before).replace("%size", f"%{size}")
    with pytest.raises(UserError) as refused:
        verify(parse_module(text, "design.mlir"))
    assert said in refused.value.message
    assert refused.value.location is not None
    assert refused.value.location.line == 9


def test_checks_use_the_numbers_of_constants():
    text = TRANSFER.replace("BEFORE", "%z = arith.constant 0 : i64").replace("%size", "%z")
    with pytest.raises(UserError, match="size 0 is 0, expected at least 1"):
        verify(parse_module(text, "design.mlir"))


TASK = """
module {
 aie.device(npu2_1col) {
  %t = aie.tile(0, 0)
  aie.runtime_sequence(%a: memref<120x1080xi8>) {
   %task = aiex.dma_configure_task(%t, MM2S, 0) {
    aie.dma_bd(%a : memref<120x1080xi8>, 0, 129600,
               [<size = 1, stride = 0>, <size = 120, stride = 1080>, <size = 1080, stride = 1>]) {bd_id = 0 : i32}
    aie.end
   } {issue_token = true}
   aiex.dma_start_task(%task)
   aiex.dma_await_task(%task)
  }
 }
}
"""


def test_a_task_without_gaps_on_a_shim_is_one_line():
    lowered = lower_design(TASK, "design.mlir", None, "2026-02", Warnings())
    assert b"[<size" not in lowered["input_with_addresses.mlir"]
    straight = TASK.replace(
        ", [<size = 1, stride = 0>, <size = 120, stride = 1080>, <size = 1080, stride = 1>]", ""
    )
    assert lowered["insts.bin"] == instructions(straight)
