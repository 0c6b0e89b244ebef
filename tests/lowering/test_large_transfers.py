"""Transfers that are too large for one descriptor: other shapes, or pieces, of the same order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.arch.devices import TILE_KINDS
from npuninja.errors import UserError, Warnings
from npuninja.formats.txn import AddressPatch, BlockWrite, read_txn
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.lowering import pipeline
from npuninja.lowering.sequence.large_transfers import Pattern, decompose
from npuninja.lowering.sequence_bd import shape_error

SIZES = st.sampled_from([1, 2, 3, 8, 30, 64, 65, 70, 1023, 1024, 1026, 1031, 2048])


def walked(pattern: Pattern, every: int) -> list[int]:
    """The elements of a transfer in their order, each `every`-th row of the innermost dimension."""
    inner, *outer = pattern.sizes
    rows = itertools.product(*(range(n) for n in reversed(outer)))
    start = pattern.start
    found: list[int] = []
    for number, row in enumerate(rows):
        if number % every == 0:
            at = start + sum(i * s for i, s in zip(reversed(row), pattern.strides[1:]))
            found += range(at, at + inner * pattern.strides[0], pattern.strides[0])
    return found


@settings(max_examples=60, deadline=None)
@given(st.tuples(SIZES, SIZES, st.sampled_from([1, 2, 5]), st.sampled_from([1, 2])), st.integers(1, 3))
def test_pieces_move_the_same_elements_in_the_same_order(sizes: tuple[int, ...], step: int) -> None:
    strides = (1, sizes[0] + step, 5000, 70000)
    pattern = Pattern((0, 3, 0, 0), sizes, strides)
    pieces = decompose(pattern, 32, TILE_KINDS["shim"])
    if pieces is None:
        return
    assert all(shape_error(p.sizes, p.strides, 32, TILE_KINDS["shim"]) is None for p in pieces)
    if sizes[0] * sizes[1] * sizes[2] * sizes[3] < 100_000:
        assert [e for p in pieces for e in walked(p, 1)] == walked(pattern, 1)


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [
        (Pattern((0,) * 4, (16, 2048, 1, 1), (1, 64, 0, 0)), [(8, 2, 2048, 1)]),
        (Pattern((0,) * 4, (8, 1031, 1, 1), (1, 64, 0, 0)), [(4, 2, 1031, 1)]),
        (Pattern((0,) * 4, (1, 1031, 1, 1), (1, 64, 0, 0)), [(1, 1023, 1, 1), (1, 8, 1, 1)]),
        (Pattern((0,) * 4, (8, 1, 1, 70), (1, 0, 0, 900)), [(8, 1, 1, 64), (8, 1, 1, 6)]),
    ],
)
def test_factors_come_before_pieces(pattern: Pattern, sizes: list[tuple[int, ...]]) -> None:
    found = decompose(pattern, 32, TILE_KINDS["shim"])
    assert found is not None
    assert [p.sizes for p in found] == sizes


def test_an_inner_repeat_moves_outside() -> None:
    sizes = "[1, 8, 128, 64][0, 0, 64, 1]"
    verify(parse_module(MEMCPY.format(sizes=sizes), "design.mlir"), splits_transfers=True)
    block = next(op for op in instructions(sizes) if isinstance(op, BlockWrite))
    # Half rows, two of them, 128 times; and that eight times, which is the queue's number of repeats.
    assert decompose(Pattern((0,) * 4, (64, 128, 8, 1), (1, 64, 0, 0)), 32, TILE_KINDS["shim"]) == [
        Pattern((0,) * 4, (32, 2, 128, 8), (1, 32, 64, 0))
    ]
    assert block.data[:4] == (64 * 128).to_bytes(4, "little")
    # What is contiguous by now is written without sizes, as a repetition that was outside from the start.
    for inner, outside in (("[1, 8, 128, 64][0, 0, 64, 1]", 8192), ("[1, 1, 2, 400][0, 0, 0, 1]", 400)):
        repeats = 8 if outside == 8192 else 2
        assert instructions(inner) == instructions(f"[{repeats}, 1, 1, {outside}][0, 0, 0, 1]")
    with pytest.raises(UserError, match="stride 2 is 0, expected at least 1"):
        verify(parse_module(MEMCPY.format(sizes=sizes), "design.mlir"))


MEMCPY = """module {{ aie.device(npu2_1col) {{
  %t = aie.tile(0, 0)
  aie.shim_dma_allocation @in(%t, MM2S, 0)
  aie.runtime_sequence @s(%a: memref<200000xi32>) {{
    aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0]{sizes}) {{id = 3 : i64, issue_token = true, metadata = @in}} : memref<200000xi32>
    aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {{id = 4 : i64, metadata = @in}} : memref<200000xi32>
    aiex.npu.dma_wait {{symbol = @in}}
  }}
}} }}"""


def instructions(sizes: str, generation: str = "2026-08") -> tuple[object, ...]:
    module = parse_module(MEMCPY.format(sizes=sizes), "design.mlir")
    warnings = Warnings()
    pipeline.lower_resources(module, alloc_scheme=None, generation=generation, warnings=warnings)
    pipeline.lower_sequence(module, generation=generation, warnings=warnings)
    return read_txn(pipeline.instructions(module, "", "", generation=generation)).operations


def test_pieces_take_ids_that_no_other_transfer_of_the_channel_has() -> None:
    ops = instructions("[1, 1, 1031, 1][0, 0, 64, 1]")
    blocks = [(op.address - 0x1D000) // 0x20 for op in ops if isinstance(op, BlockWrite)]
    assert blocks == [3, 5, 4]
    patches = [op.offset_bytes for op in ops if isinstance(op, AddressPatch)]
    assert patches == [0, 1023 * 64 * 4, 0]


def test_earlier_generations_refuse_what_is_too_large() -> None:
    module = parse_module(MEMCPY.format(sizes="[1, 1, 1031, 1][0, 0, 64, 1]"), "design.mlir")
    verify(module, splits_transfers=True)
    with pytest.raises(UserError, match="size 1 is 1031"):
        verify(module)
    with pytest.raises(UserError, match="cannot be done"):
        instructions("[1, 1, 1031, 1][0, 0, 64, 1]", "2026-02")


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be done") as caught:
        instructions("[65, 1, 1031, 1][0, 0, 64, 1]")
    assert caught.value.location is not None
