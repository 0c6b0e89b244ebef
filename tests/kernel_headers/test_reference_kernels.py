"""One kernel for each corner of the API, written from its reference, against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from module_build import Module, build

HERE = Path(__file__).parent
I8, U8, I16, U16, I32, U32, F32 = np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Module:
    return build(HERE / "reference_kernels.cc", tmp_path_factory.mktemp("reference"), "aie2")


def numbers(dtype: Any, count: int, low: int | None = None, high: int | None = None) -> np.ndarray:
    limits = np.iinfo(dtype)
    generator = np.random.default_rng(count)
    return generator.integers(
        limits.min if low is None else low, limits.max if high is None else high, count, dtype
    )


def other(dtype: Any, count: int, *limits: int) -> np.ndarray:
    return numbers(dtype, 2 * count, *limits)[count:].copy()


def floats(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count).astype(F32)


def parts(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return a[0::2].astype(np.int64), a[1::2].astype(np.int64)


def pairs(re: np.ndarray, im: np.ndarray) -> np.ndarray:
    return np.stack([re, im], 1).ravel()


def bits(flags: np.ndarray) -> int:
    return sum(int(flag) << i for i, flag in enumerate(flags))


def complex_product(a, b):
    (ar, ai), (br, bi) = parts(a), parts(b)
    return ar * br - ai * bi, ar * bi + ai * br


def product_and_conjugate(a, b):
    (ar, ai), (br, _) = parts(a), parts(b)
    return pairs(2 * ar * br, 2 * ai * br)


def slid(c, d, index, signs, start):
    return [
        sum(s * int(c[i]) * int(d[start + lane + p]) for p, (i, s) in enumerate(zip(index, signs)))
        for lane in range(8)
    ]


def zipped_and_unzipped(a, b):
    chunks = np.stack([a.reshape(8, 4), b.reshape(8, 4)], 1).reshape(-1, 2)
    return np.concatenate([chunks[0::2].ravel(), chunks[1::2].ravel()])


def mask_values(x, y):
    lt, eq = bits(x < y), bits(x == 0)
    both, changed, wide = lt & ~eq & 0xFFFF, (lt | 8) & ~16, 0x123456789ABCDEF0
    counts = [
        lt,
        eq.bit_count(),
        both,
        lt | eq,
        lt ^ eq,
        int(lt == 0),
        lt << 3 & 0xFFFF,
        lt >> 2,
        16 - lt.bit_length(),
    ]
    return [
        *counts,
        lt >> 3 & 1,
        changed,
        changed & ~1,
        wide.bit_count(),
        wide >> 32,
        wide >> 4 & 0xFFFFFFFF,
        0xFFFF + 3,
    ]


def shuffled(a, b):
    up = np.concatenate([np.zeros(5, U8), a[:-5]])
    down = np.concatenate([a[3:], b[:3]])
    repeated = np.concatenate([a[9:], np.repeat(a[63:], 9)])
    return np.concatenate([up, down, np.roll(a, 7), repeated, a[::-1], a.reshape(4, 16).T.ravel()])


def edited(v):
    part = v[16:24]
    whole = v.copy()
    whole[0:8] = part
    whole[5:7] = 99, 42
    whole = np.concatenate([[7], whole[:-1]])
    return np.concatenate([whole, part, part, [part[0], whole[3], part[6]]])


def accumulated(a, b):
    result = (-2 * b.astype(np.int64) - a.astype(np.int64) * b) >> 1
    return np.concatenate([result[8:], result[:8]])


def offset_rows(a):
    rows = a.reshape(4, 16) + np.arange(4, dtype=I16)[:, None]
    rows[0, :4] += 1
    return rows


def transposed_products(a, b):
    total = (a.reshape(2, 4, 8).astype(int) @ b.reshape(2, 8, 8).astype(int).transpose(0, 2, 1)).sum(0)
    return np.clip(np.rint(total / 8), -128, 127)


def mixed(v, w):
    wide = w.astype(I32)
    head = np.zeros(16, I32)
    head[:6] = 16, 1, 1, bits(v > wide), 1, 0
    halves = np.concatenate([v[0::2], v.reshape(-1, 2)[1::2].ravel()])
    return np.concatenate([head, wide, np.minimum(v, wide), np.maximum(v, wide), halves, halves, halves])


EVEN, ODD = (1,) * 8, (1, 1, 1, 1, -1, -1, -1, -1)
MIRRORED = (0, 1, 2, 3, 3, 2, 1, 0)


def shifted_by_mode(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Shifts by an accumulator: to the nearest, ties to even, limited. NumPy's `round` has these ties."""
    wide, nibbles = a.astype(np.int64), np.clip(a.astype(np.int64), -8, 7)
    return np.concatenate([
        np.round(wide / 16), np.round(wide / 2**15), np.clip(wide << 3, -(2**15), 2**15 - 1),
        np.sign(wide) * 2**15 - (wide > 0), np.round(b / 8), np.clip(b.astype(int) << 2, 0, 255), np.round(nibbles / 2),
        (a << 3).astype(np.int64),
    ]).astype(I16)  # fmt: skip


# Name of the kernel: inputs, type of the output, what it is.
CASES: dict[str, tuple[list[np.ndarray], Any, Any]] = {
    "cmul16": ([numbers(I16, 128), other(I16, 128)], I16, lambda a, b: pairs(*(x >> 15 for x in complex_product(a, b)))),
    "cmac_conj": ([numbers(I16, 128), other(I16, 128)], I32, product_and_conjugate),
    "abs_square": ([numbers(I16, 128)], I32, lambda a: parts(a)[0] ** 2 + parts(a)[1] ** 2),
    "real_by_complex": (
        [numbers(I16, 64), other(I16, 128)], I32, lambda a, b: pairs(a * parts(b)[0], a * parts(b)[1]),
    ),
    "sliding_sym": ([numbers(I16, 16), other(I16, 32)], I32, lambda c, d: slid(c, d, MIRRORED, EVEN, 0)),
    "sliding_antisym": ([numbers(I16, 16), other(I16, 32)], I32, lambda c, d: slid(c, d, MIRRORED, ODD, 2)),
    "interleave_butterfly": ([numbers(I16, 32), other(I16, 32)], I16, zipped_and_unzipped),
    "masks": ([numbers(I32, 16, -3, 3), other(I32, 16, -3, 3)], U32, mask_values),
    "select_scalar": (
        [numbers(I16, 32)], I16, lambda a: np.concatenate([np.where(a > 0, 1, -1), np.where(a > 0, 7, a)]),
    ),
    "shuffles": ([numbers(U8, 64), other(U8, 64)], U8, shuffled),
    "bits": (
        [numbers(U16, 32), other(U16, 32)], U16,
        lambda a, b: np.concatenate([a & b, a | 0x0F0F, ~a, ~b, a << 3, a >> 5]),
    ),
    "shifts_by_mode": ([numbers(I16, 32), other(U8, 32)], I16, shifted_by_mode),
    "downshift": ([numbers(I16, 32)], I16, lambda a: a >> 4),
    "reduce": (
        [numbers(I16, 32, -900, 900), other(I32, 16, -90000, 90000)], I32,
        lambda a, b: [a.sum(), a.max(), a.min(), b.sum(), b.max(), b.min(), b.sum(), b.sum()],
    ),
    "saturating": (
        [numbers(I8, 64), other(I8, 64)], I8,
        lambda a, b: np.clip(np.concatenate([a.astype(int) + b, a.astype(int) - b]), -128, 127),
    ),
    "extract_insert": ([numbers(I32, 32)], I32, edited),
    "cast": ([numbers(I32, 16)], I16, lambda a: np.concatenate([a.view(I16), (-a).view(I16)])),
    "accum_ops": ([numbers(I32, 16, -40000, 40000), other(I32, 16, -40000, 40000)], I32, accumulated),
    "iterators": ([numbers(I16, 64)], I16, lambda a: a + I16(3)),
    "circular": ([numbers(I32, 32)], I32, lambda a: np.concatenate([a, a[:16]])),
    "square": ([numbers(I16, 16, -9000, 9000)], I32, lambda a: (2 * a.astype(int) ** 2 - 9) >> 1),
    "accumulate": (
        [numbers(I16, 16, -100, 100), other(I16, 48)], I32,
        lambda c, a: c[1] * a[:16].astype(int) + c[2] * a[16:32].astype(int) + (c[3] + c[4]) * a[32:].astype(int),
    ),
    "minmax_diff": (
        [numbers(U8, 64), other(U8, 64)], U8,
        lambda a, b: np.concatenate(
            [np.maximum(a, b), np.minimum(a, 100), np.maximum(a.astype(int) - b, 0), np.clip(a, 50, 200)]
        ),
    ),
    "operators": (
        [numbers(I16, 16, -100, 100), other(I16, 16, -100, 100)], I32,
        lambda a, b: np.concatenate([a * b.astype(int) + 3 * a, -a, a << 1 | b & a]),
    ),
    "unroll": ([numbers(I16, 64)], I16, offset_rows),
    "float_ops": (
        [floats(16), floats(16, 2)], F32,
        lambda a, b: np.concatenate(
            [a + b, a - 1, a * b, np.maximum(a, b), abs(b), 1 / a, 1 / np.sqrt(abs(a)), a / b,
             [1 / a[0], np.sqrt(a[1]), a.sum(), a.max()]]
        ),
    ),
    "cfloats": (
        [floats(16), floats(16, 2)], F32,
        lambda a, b: np.concatenate(
            [a.view(np.complex64) * b.view(np.complex64), (a + b).view(np.complex64), a.view(np.complex64).conj()]
        ).view(F32),
    ),
    "sliding_float": (
        [floats(8), floats(32, 2)], F32, lambda c, d: [sum(c[p] * d[i + p] for p in range(4)) for i in range(8)],
    ),
    "mmul_transposed": ([numbers(I8, 64), other(I8, 128)], I8, transposed_products),
    "tensor": ([numbers(I16, 64)], I16, lambda a: a.reshape(4, 16)[[0, 2, 1, 3]]),
    "mixed_sign": (
        [numbers(U8, 32), other(I8, 32)], I16, lambda a, b: (a.astype(int) * b + 2 * b.astype(int)) >> 1,
    ),
    "misc": ([numbers(I32, 16, -30000, 30000), other(I16, 16)], I32, mixed),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_kernel(kernels, name):
    inputs, dtype, reference = CASES[name]
    expected = np.asarray(reference(*inputs)).ravel()
    found = kernels.run(name, inputs, expected.shape, dtype)
    if dtype is F32:
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    else:
        np.testing.assert_array_equal(found, expected.astype(np.int64).astype(dtype))


def test_complex_matrices(kernels):
    a, b = numbers(I16, 16), other(I16, 128)
    left = (a[0::2] + 1j * a[1::2]).reshape(2, 1, 4)
    right = (b[0::2] + 1j * b[1::2]).reshape(2, 4, 8)
    total = (left @ right).sum(0).ravel()
    expected = pairs(total.real.astype(np.int64), total.imag.astype(np.int64)).astype(I32)
    np.testing.assert_array_equal(kernels.run("cmmul", [a, b], (16,), I32), expected)
