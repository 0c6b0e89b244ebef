"""Matrices of block floats: exact products of mantissas, by blocks of eight along the summed index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from module_build import Module, build

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Module:
    return build(HERE / "block_floats.cc", tmp_path_factory.mktemp("blocks"), "aie2p")


def blocks(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of `count` values as they lie in memory, and the values."""
    exponents = rng.integers(120, 134, (count // 8, 1), np.uint8)
    mantissas = rng.integers(-127, 128, (count // 8, 8)).astype(np.int8)
    raw = np.concatenate([exponents, mantissas.view(np.uint8)], 1).ravel()
    return raw, (mantissas * 2.0 ** (exponents.astype(float) - 133)).ravel()


def in_blocks(values: np.ndarray, size: int = 8) -> np.ndarray:
    """Values as blocks of eight (sixteen) hold them in mode floor."""
    rows = values.reshape(-1, size)
    grid = 2.0 ** (np.floor(np.log2(np.abs(rows).max(1, keepdims=True))) - 6)
    return np.floor(rows / grid) * grid


def test_eight_by_sixteen(kernels):
    rng = np.random.default_rng(1)
    (a, left), (b, right) = blocks(rng, 64), blocks(rng, 128)
    found = kernels.run("product_8x8x16", [a, b], (8, 16), np.float32)
    assert (found == left.reshape(8, 8) @ right.reshape(16, 8).T).all()


def test_bfloat16_becomes_blocks(kernels):
    rng = np.random.default_rng(2)
    a, b = (
        (rng.standard_normal(64).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16) for _ in range(2)
    )
    left, right = ((x.astype(np.uint32) << 16).view(np.float32).astype(float) for x in (a, b))
    found = kernels.run("product_of_bfloat16", [a, b], (8, 8), np.float32)
    assert (found == in_blocks(left) @ in_blocks(right).T).all()


def test_the_other_operand_is_said_to_be_transposed(kernels):
    rng = np.random.default_rng(3)
    (a, left), (b, right) = blocks(rng, 64), blocks(rng, 64)
    found = kernels.run("transposed_operand", [a, b], (8, 8), np.float32)
    assert (found == 2 * (left.reshape(8, 8) @ right.reshape(8, 8).T)).all()


@pytest.mark.parametrize("rows", [4, 8])
def test_bfloat16_matrices_by_way_of_blocks(kernels, rows):
    """What the define for block floats makes of a product of bfloat16."""
    rng = np.random.default_rng(rows)
    a, b = (
        (rng.standard_normal(n).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        for n in (rows * 8, 64)
    )
    left, right = ((x.astype(np.uint32) << 16).view(np.float32).astype(float) for x in (a, b))
    found = kernels.run(f"emulated_{rows}x8x8", [a, b], (rows, 8), np.float32)
    columns = in_blocks(np.ascontiguousarray(right.reshape(8, 8).T))
    assert (found == in_blocks(left) @ columns.T).all()


@pytest.mark.parametrize("half", [0, 1])
def test_blocks_of_sixteen(kernels, half):
    rng = np.random.default_rng(4)
    values = rng.standard_normal(64).astype(np.float32)
    found = kernels.run("blocks_of_16", [values], (4, 17), np.uint8, half)
    held = found[:, 1:].view(np.int8) * 2.0 ** (found[:, :1].astype(float) - 133)
    assert (held == in_blocks(values.astype(float), 16)).all()
