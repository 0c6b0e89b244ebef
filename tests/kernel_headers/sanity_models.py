"""The kernels of sanity.cc in NumPy: integers to the bit, floats within what their type can say."""

from __future__ import annotations

import numpy as np
from arithmetic_model import floats, widened

I8, U8, I16, U16, I32, F32 = np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32
BF16 = "bf16"


def tiles(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A matrix as the kernels want it: tile by tile."""
    m, n = matrix.shape
    return matrix.reshape(m // rows, rows, n // columns, columns).transpose(0, 2, 1, 3).ravel()


def untiled(data: np.ndarray, m: int, n: int, rows: int, columns: int) -> np.ndarray:
    return data.reshape(m // rows, n // columns, rows, columns).transpose(0, 2, 1, 3).reshape(m, n)


def product(a, b, r, s, t, wide):
    left, right = untiled(a, 16, 16, r, s).astype(wide), untiled(b, 16, 16, s, t).astype(wide)
    return tiles(left @ right, r, t)


def rounded_half_up(x, shift):
    return (x + (1 << (shift - 1))) >> shift


def softmax(a):
    e = np.exp(a[:64].astype(float))
    return e / e.sum()


def rope(a, b):
    out = np.empty(256)
    out[0::2] = a[0::2] * b[0::2] - a[1::2] * b[1::2]
    out[1::2] = a[0::2] * b[1::2] + a[1::2] * b[0::2]
    return out


def gelu(x):
    slope, cubic = np.sqrt(2 / np.pi), 0.044715 * x**3
    switch = np.tanh(slope * (x + cubic))
    return 0.5 * x * (1 + switch)


def convolved(a):
    wide, out = a.astype(int), np.zeros(256, int)
    for i in range(224):
        out[i] = sum(k * wide[i + p] for p, k in enumerate((1, 2, 3, 4, 3, 2, 1, 0)) if i + p < 256)
    return out[:224] >> 4


def gray(a):
    r, g, b = (a.reshape(64, 4)[:, i].astype(int) for i in range(3))
    return (66 * r + 129 * g + 25 * b) >> 8


def to_rgba(a):
    y = a[:64]
    return np.stack([y, y, y, np.full(64, 255)], 1).ravel()


# name: types of inputs and output, what NumPy says (None: as many elements as it gives), relative error of
# floats.
KERNELS: dict[str, tuple[object, object, object, float]] = {
    "copy_bytes": (U8, U8, lambda a, b: a, 0),
    "add_int16": (I16, I16, lambda a, b: a + b, 0),
    "add_int32": (I32, I32, lambda a, b: a + b, 0),
    "sub_uint8": (U8, U8, lambda a, b: a - b, 0),
    "add_bf16": (BF16, BF16, lambda a, b: a + b, 2**-8),
    "mul_bf16": (BF16, BF16, lambda a, b: a * b, 2**-8),
    "scale_int16": (I16, I16, lambda a, b: np.clip(rounded_half_up(a.astype(int) * 37, 5), -32768, 32767), 0),
    "scale_int32": (
        *(I32, I32),
        lambda a, b: np.clip(rounded_half_up(a.astype(np.int64) * 12345, 10), -(2**31), 2**31 - 1),
        0,
    ),
    "relu_bf16": (BF16, BF16, lambda a, b: np.maximum(a, 0), 0),
    "saxpy": (F32, F32, lambda a, b: 2 * a + b, 2**-19),
    "clamp_int16": (I16, I16, lambda a, b: np.clip(a, -1000, 1000), 0),
    "absolute_difference": (U8, U8, lambda a, b: np.abs(a.astype(int) - b), 0),
    "bit_operations": (U8, U8, lambda a, b: (a & b) ^ ~(a | b), 0),
    "threshold_binary": (U8, U8, lambda a, b: np.where(a > 100, 200, 0), 0),
    "count_above": (I16, I32, lambda a, b: [(a > 10).sum()], 0),
    "interleave": (I16, I16, lambda a, b: np.stack([a[:128], b[:128]], 1).ravel(), 0),
    "split_even_odd": (I16, I16, lambda a, b: np.concatenate([a[0::2], a[1::2]]), 0),
    "transpose_tiles": (I8, I8, lambda a, b: a.reshape(4, 8, 8).transpose(0, 2, 1).ravel(), 0),
    "transpose_by_mode": (I8, I8, lambda a, b: a.reshape(4, 8, 8).transpose(0, 2, 1).ravel(), 0),
    "reverse_lanes": (I32, I32, lambda a, b: a.reshape(16, 16)[:, ::-1].ravel(), 0),
    "running_difference": (I32, I32, lambda a, b: np.diff(a, prepend=0), 0),
    "sum_int32": (I32, I32, lambda a, b: [a.sum(dtype=np.int32)], 0),
    "largest": (I32, I32, lambda a, b: [a.max(), a.reshape(16, 16).max(0).min()], 0),
    "dot_product": (I16, I32, lambda a, b: [(a.astype(np.int64) * b).sum().astype(np.int32)], 0),
    "argmax_bf16": (BF16, I32, lambda a, b: [a.argmax()], 0),
    "mean_and_variance": (F32, F32, lambda a, b: [a.mean(), a.var()], 1e-4),
    "matmul_int8": (I8, I32, lambda a, b: product(a, b, 4, 8, 8, int), 0),
    "matmul_int16": (I16, I32, lambda a, b: product(a, b, 4, 4, 8, np.int64).astype(np.int32), 0),
    "matmul_bf16": (BF16, F32, lambda a, b: product(a, b, 4, 8, 8, float), 1e-5),
    "matrix_vector": (
        I16,
        I32,
        lambda a, b: (a.reshape(16, 16).T.astype(np.int64) @ b[:16]).astype(np.int32),
        0,
    ),
    "accumulate_rows": (
        *(I16, I32),
        lambda a, b: (a[:48].reshape(3, 16).T.astype(np.int64) @ b[2:5]).astype(np.int32),
        0,
    ),
    "convolution_rows": (U8, U8, lambda a, b: convolved(a)[:192], 0),
    "rgba_to_gray": (U8, U8, lambda a, b: gray(a), 0),
    "gray_to_rgba": (U8, U8, lambda a, b: to_rgba(a), 0),
    "blend": (
        U8,
        U8,
        lambda a, b: np.minimum((2560 + a.astype(int) * 128 + b.astype(int) * 64) >> 8, 255),
        0,
    ),
    "table_look_up": (U8, U16, lambda a, b: a.astype(int) ** 2, 0),
    "softmax": (BF16, BF16, lambda a, b: softmax(a), 0.05),
    "layer_norm": (BF16, BF16, lambda a, b: (a - a.mean()) / np.sqrt(a.var() + 1e-5), 0.05),
    "rms_norm": (BF16, BF16, lambda a, b: a / np.sqrt((a**2).mean() + 1e-5), 0.05),
    "gelu": (BF16, BF16, lambda a, b: gelu(a), 0.05),
    "silu": (BF16, BF16, lambda a, b: a / (1 + np.exp(-a)), 0.05),
    "rope": (BF16, BF16, rope, 0.05),
    "quantize": (F32, I8, lambda a, b: np.clip(np.rint(a * 16), -128, 127), 0),
    "dequantize": (I8, F32, lambda a, b: a / 16, 0),
    "scalar_bf16": (BF16, BF16, lambda a, b: a * 0.5 + b, 2**-7),
    "widen_and_pack": (I8, I8, lambda a, b: np.clip(a.astype(int) + b, -128, 127), 0),
    "window_of_elements": (
        *(I32, I32),
        lambda a, b: (a[:16] + np.arange(16)).reshape(4, 4)[::-1].ravel(),
        0,
    ),
}


def made(rng: np.random.Generator, kind: object) -> tuple[np.ndarray, np.ndarray]:
    """Input data as the kernel has it, and as numbers."""
    if kind is BF16:
        bits = (rng.standard_normal(256).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return bits, floats(widened(bits)).astype(float)
    if kind is F32:
        data = rng.standard_normal(256).astype(np.float32)
        return data, data.astype(float)
    info = np.iinfo(kind)
    data = rng.integers(info.min, info.max, 256, kind, endpoint=True)
    return data, data


def given(name: str) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, type]:
    """Both inputs of a kernel as it has them, what NumPy says, and the type of the output in memory."""
    inputs, output, reference, _ = KERNELS[name]
    rng = np.random.default_rng(len(name))
    (a, x), (b, y) = made(rng, inputs), made(rng, inputs)
    with np.errstate(over="ignore"):
        wanted = np.asarray(reference(x, y))
    return (a, b), wanted, np.uint16 if output is BF16 else output


def check(name: str, got: np.ndarray, wanted: np.ndarray) -> None:
    """Compares the elements that a kernel gave."""
    _, output, _, tolerance = KERNELS[name]
    if output is BF16:
        got = floats(widened(got)).astype(float)
    elif output is not F32:
        wanted = wanted.astype(output)
    if tolerance:
        scale = np.maximum(np.abs(wanted), np.abs(wanted).max() / 16)
        assert (np.abs(got - wanted) <= tolerance * scale).all(), np.abs((got - wanted) / scale).max()
    else:
        assert (got == wanted).all(), (np.nonzero(got != wanted)[0][:8], got[:8], wanted[:8])
