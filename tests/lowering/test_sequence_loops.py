"""Loops in runtime sequences are written out."""

from __future__ import annotations

import struct

import pytest
from lowered import lines_with, lowered

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.formats.txn import AddressPatch, BlockWrite, read_txn
from npuninja.ir.core import Operation
from npuninja.lowering.pipeline import instructions, lower_sequence

TRANSFER = """%o = arith.muli %i, %c16 : i64
aiex.npu.dma_memcpy_nd(%x[0, 0, 0, %o][1, 1, 1, 16][0, 0, 0, 1]) {id = 0 : i64, metadata = @f, issue_token = true}
  : memref<64xi32>
aiex.npu.dma_wait {symbol = @f}"""


def sequence(*lines: str, generation: str = "2025-10") -> Operation:
    dialect = "aiex" if generation == "2025-10" else "aie"
    return lowered(
        "\n".join(
            [
                "%s = aie.tile(0, 0)",
                "%t = aie.tile(0, 2)",
                "aie.objectfifo @f(%s, {%t}, 2 : i32) : !aie.objectfifo<memref<16xi32>>",
                f"{dialect}.runtime_sequence(%x : memref<64xi32>, %n : i64) {{",
                *(f"%c{n} = arith.constant {n} : i64" for n in (0, 1, 4, 16)),
                *lines,
                "}",
            ]
        ),
        generation=generation,
    )


@pytest.mark.parametrize("generation", ["2025-10", "2026-02"])
def test_counters_become_numbers(generation: str) -> None:
    module = sequence("scf.for %i = %c0 to %c4 step %c1 : i64 {", TRANSFER, "}", generation=generation)
    found = [line.split("(%x")[1].split("]")[0] for line in lines_with(module, "dma_memcpy_nd")]
    assert found == ["[0, 0, 0, 0", "[0, 0, 0, 16", "[0, 0, 0, 32", "[0, 0, 0, 48"]
    assert len(lines_with(module, "dma_wait")) == 4
    lower_sequence(module, generation=generation, warnings=Warnings())
    one = sequence(TRANSFER.replace("%i", "%c0"), generation=generation)
    lower_sequence(one, generation=generation, warnings=Warnings())
    header_bytes = 16
    once = len(instructions(one, "", "")) - header_bytes
    assert len(instructions(module, "", "")) - header_bytes == 4 * once


def test_nested_loops_and_conditions() -> None:
    module = sequence(
        "scf.for %j = %c0 to %c4 step %c1 : i64 {",
        "scf.for %i = %c0 to %j step %c1 : i64 {",
        "%last = arith.cmpi eq, %j, %c4 : i64",
        "scf.if %last {",
        TRANSFER,
        "}",
        "}",
        "scf.for %i = %j to %c4 step %c4 : i64 {",
        TRANSFER,
        "}",
        "}",
    )
    found = [line.split("(%x")[1].split("]")[0] for line in lines_with(module, "dma_memcpy_nd")]
    assert found == ["[0, 0, 0, 0", "[0, 0, 0, 16", "[0, 0, 0, 32", "[0, 0, 0, 48"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["scf.for %i = %c0 to %n step %c1 : i64 {", TRANSFER, "}"], "needs constant bounds"),
        (
            ["%m = arith.constant 100000 : i64", "scf.for %i = %c0 to %m step %c1 : i64 {", TRANSFER, "}"],
            "more than 100000",
        ),
    ],
)
def test_loops_that_cannot_be_written_out(lines: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        sequence(*lines)
    assert caught.value.location is not None


def test_tasks_may_be_carried_by_loops() -> None:
    """A new task is started before the last one is freed."""
    task = """= aiex.dma_configure_task(%s, MM2S, 1) {
aie.dma_bd(%x : memref<64xi32> offset = 0 len = 16)
aie.end
} {issue_token = true}"""
    module = sequence(
        f"%first {task}",
        "aiex.dma_start_task(%first)",
        "%last = scf.for %i = %c0 to %c4 step %c1 iter_args(%before = %first) -> (index) : i64 {",
        f"%next {task}",
        "aiex.dma_start_task(%next)",
        "aiex.dma_await_task(%before)",
        "scf.yield %next : index",
        "}",
        "aiex.dma_await_task(%last)",
        generation="2026-08",
    )
    lower_sequence(module, generation="2026-08", warnings=Warnings())
    pushed = [op.attributes for op in module.walk() if op.name == "aiex.npu.push_queue"]
    assert len(lines_with(module, "npu.sync")) == 5
    assert len(lines_with(module, "npu.write32")) + len(pushed) == 5


def test_task_from_outside_is_refused() -> None:
    module = sequence(generation="2026-08")
    sequence_op = next(op for op in module.walk() if op.name == "aie.runtime_sequence")
    number = sequence_op.body.args[1]
    sequence_op.body.append(Operation("aiex.dma_start_task", [number]))
    with pytest.raises(UserError, match="needs the result of"):
        lower_sequence(module, generation="2026-08", warnings=Warnings())


COMPUTED = """module {{ aie.device(npu1_1col) {{
  %s = aie.tile(0, 0)
  aie.shim_dma_allocation @in(%s, MM2S, 0)
  aie.runtime_sequence(%a: memref<256xi32>, %n: i64) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c32 = arith.constant 32 : i64
    %c2 = arith.constant {two} : i64
    %size = arith.muli %c2, {other} : i64
    scf.for %i = %c0 to %c3 step %c1 {{
      %k = arith.index_cast %i : index to i64
      %at = arith.muli %k, %c32 : i64
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, %at][1, 1, 1, %size][0, 0, 0, 1])
        {{id = 0 : i64, metadata = @in, issue_token = true}} : memref<256xi32>
      aiex.npu.dma_wait {{symbol = @in}}
    }}
  }}
}} }}"""


def test_numbers_of_transfers_may_be_computed_since_1_4() -> None:
    made = lower_design(COMPUTED.format(two=2, other="%c32"), "d.mlir", None, "auto", Warnings())
    written = [op for op in read_txn(made["insts.bin"]).operations if isinstance(op, AddressPatch)]
    assert [op.offset_bytes for op in written] == [0, 128, 256]
    assert all(
        struct.unpack_from("<I", op.data)[0] == 64
        for op in read_txn(made["insts.bin"]).operations
        if isinstance(op, BlockWrite)
    )


@pytest.mark.parametrize(
    ("two", "other", "generation", "message"),
    [
        (2, "%n", "auto", "only constant sizes are supported"),
        (-2, "%c32", "auto", r"size 0 .*is -64"),
        (2, "%c32", "2026-02", "%size is the result of 'arith.muli'"),
    ],
)
def test_computed_numbers_are_checked_when_they_are_known(
    two: int, other: str, generation: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        lower_design(COMPUTED.format(two=two, other=other), "d.mlir", None, generation, Warnings())
    assert refused.value.location is not None
    assert refused.value.location.line == 14
