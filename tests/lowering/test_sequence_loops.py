"""Loops in runtime sequences are written out."""

from __future__ import annotations

import pytest
from lowered import lines_with, lowered

from npuninja.errors import UserError, Warnings
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
