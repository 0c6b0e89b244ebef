"""Parameters of the scratchpad, and resets of cores and channels from a sequence."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError, Warnings
from npuninja.formats.txn import CreateScratchpad, MaskWrite, UpdateFromScratchpad, Write, read_txn
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering import pipeline
from npuninja.lowering.resources.scratchpad import parameter_table
from npuninja.lowering.tiles import ops_of

GENERATION = "2026-08"


def lowered(device: str, parameters: str = "") -> Operation:
    """The module after the steps that its sequences need."""
    module = parse_module(
        f"module {{\n{parameters}\naie.device(npu2_2col) {{\n{device}\n}}\n}}\n", "design.mlir"
    )
    warnings = Warnings()
    pipeline.lower_resources(module, alloc_scheme=None, generation=GENERATION, warnings=warnings)
    pipeline.route(module, generation=GENERATION, warnings=warnings)
    return module


def operations(module: Operation) -> tuple[object, ...]:
    """The instructions of its only sequence."""
    pipeline.lower_sequence(module, generation=GENERATION, warnings=Warnings())
    return read_txn(pipeline.instructions(module, "", "", generation=GENERATION)).operations


CORE = """
%t = aie.tile(0, 2)
%out = aie.buffer(%t) {address = 8192 : i32, sym_name = "out"} : memref<1xi16>
%core = aie.core(%t) {
  %c0 = arith.constant 0 : index
  %v = aiex.read_scratchpad_parameter @p : i16
  memref.store %v, %out[%c0] : memref<1xi16>
  aie.end
}
aie.runtime_sequence @s(%a: memref<8xi32>) { }
"""


def test_a_core_reads_what_the_sequence_filled_and_waits_for_it() -> None:
    module = lowered(CORE, "aiex.scratchpad_parameter @unused : i32\naiex.scratchpad_parameter @p : i16")
    assert parameter_table(module) == "2\nunused 0 i32 core\np 1 i16 core\n"
    (core,) = ops_of(module.body.ops[-1], "aie.core")
    names = [op.name for op in core.body.ops if op.name != "arith.constant"]
    assert names == ["aie.use_lock", "memref.load", "arith.shrui", "arith.trunci", "memref.store", "aie.end"]
    create, zero, update, lock = operations(module)
    assert create == CreateScratchpad(0, 8, 0)
    assert isinstance(zero, Write)
    assert zero.value == 0
    assert update == UpdateFromScratchpad(1, 1, 0, zero.address)
    assert lock == Write((2 << 20) + 0x1F000, 1)


def test_a_marker_says_where_the_parameters_are_filled() -> None:
    text = CORE.replace("{ }", "{\naiex.core_reset(%t)\naiex.sync_scratchpad_parameters_from_host\n}")
    names = [type(op).__name__ for op in operations(lowered(text, "aiex.scratchpad_parameter @p : i16"))]
    assert names == ["MaskWrite", "MaskWrite", "CreateScratchpad", "Write", "UpdateFromScratchpad", "Write"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("aiex.scratchpad_parameter @q : i16", "there is no scratchpad parameter '@p'"),
        ("aiex.scratchpad_parameter @p : f32", "integer of up to 32 bits or bf16"),
        (
            "\n".join(f"aiex.scratchpad_parameter @{'p' if i == 0 else f'q{i}'} : i16" for i in range(33)),
            "holds 32",
        ),
    ],
)
def test_parameters_that_cannot_be_are_refused(parameters: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        lowered(CORE, parameters)
    assert caught.value.location is not None


def test_an_offset_is_added_in_bytes_to_the_address_of_the_descriptor() -> None:
    device = """
      %t = aie.tile(0, 0)
      aie.shim_dma_allocation @in(%t, MM2S, 0)
      aie.runtime_sequence @s(%a: memref<64xi16>) {
        aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 32][0, 0, 0, 1])
          {id = 2 : i64, metadata = @in, offset_parameter = @where} : memref<64xi16>
      }"""
    ops = operations(lowered(device, "aiex.scratchpad_parameter @where : i32"))
    assert UpdateFromScratchpad(0, 0, 2, 0x1D044) in ops


RESETS = """
%shim = aie.tile(0, 0)
%t = aie.tile(0, 2)
%far = aie.tile(1, 4)
aie.objectfifo @in(%shim, {%t}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
aie.objectfifo @over(%t, {%far}, 3 : i32) {repeat_count = 2 : i32} : !aie.objectfifo<memref<16xi32>>
aie.runtime_sequence @s(%a: memref<16xi32>) {
  RESET
}
"""


def test_a_reset_of_a_fifo_resets_all_then_locks_then_starts() -> None:
    ops = operations(lowered(RESETS.replace("RESET", "aiex.dma_channel_reset_for(@over)")))
    core, far = 2 << 20, 1 << 25 | 4 << 20
    assert ops[:4] == (
        MaskWrite(core | 0x1DE10, 2, 2),
        MaskWrite(core | 0x1DE10, 2, 0),
        MaskWrite(far | 0x1DE00, 2, 2),
        MaskWrite(far | 0x1DE00, 2, 0),
    )
    locks = [op for op in ops[4:8] if isinstance(op, Write)]
    assert [op.value for op in locks] == [6, 0, 3, 0]
    assert [op.address for op in ops[8:] if isinstance(op, Write)] == [core | 0x1DE14, far | 0x1DE04]


def test_shim_ends_of_a_fifo_are_the_hosts() -> None:
    ops = operations(lowered(RESETS.replace("RESET", "aiex.dma_channel_reset_for(@in)")))
    assert all(getattr(op, "address", 0) >> 20 & 31 == 2 for op in ops)


@pytest.mark.parametrize(
    ("reset", "message"),
    [
        ("aiex.core_reset(%shim)", "has no core to reset"),
        ("aiex.dma_channel_reset(%shim, S2MM, 0)", "cannot be reset"),
        ("aiex.dma_channel_reset(%t, S2MM, 2)", "channel 2 does not exist"),
        ("aiex.dma_channel_reset_for(@gone)", "@gone"),
    ],
)
def test_resets_that_cannot_be_are_refused(reset: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        operations(lowered(RESETS.replace("RESET", reset)))
    assert caught.value.location is not None
