"""Functions on float against the host's on double: the nearest float, or at most its neighbour."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from array_program import Program, Sequence, compile_core

from npuninja.emulator.math_functions import NAMES, evaluate

UNARY = sorted(
    n for n in NAMES if n.endswith("f") and n[:-1] in NAMES and n not in ("atan2f", "fmodf", "powf")
)
BINARY = ["atan2f", "fmodf", "powf"]
#: Arguments: tiny to huge, both signs, and where functions turn.
RANGES = {
    "acosf": (-1.1, 1.1), "asinf": (-1.1, 1.1), "coshf": (-95, 95), "erff": (-5, 5), "expf": (-110, 95),
    "exp2f": (-155, 135), "expm1f": (-20, 95), "log1pf": (-1.1, 50), "sinhf": (-95, 95), "tanhf": (-12, 12),
}  # fmt: skip
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.0,
    3.0,
    math.inf,
    -math.inf,
    math.nan,
    1e-45,
    -1e-40,
    3.4e38,
    1e10,
    -16777217.0,
]
COUNT = 4096
X, Y, RESULT = 0x1000, 0x5000, 0x9000


def arguments(name: str) -> np.ndarray:
    rng = np.random.default_rng(len(name))
    low, high = RANGES.get(name, (-100, 100))
    spread = rng.uniform(low, high, COUNT // 2)
    wide = np.ldexp(
        rng.uniform(-1, 1, COUNT - COUNT // 2 - len(SPECIAL)),
        rng.integers(-120, 125, COUNT // 2 - len(SPECIAL)),
    )
    if name == "powf":
        wide = rng.uniform(0.01, 20, wide.size)
    return np.concatenate([SPECIAL, spread, wide]).astype(np.float32)


def compute(name: str, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """The function on every element, by a core."""
    types, values = ("float", "x[i]") if y is None else ("float, float", "x[i], y[i]")
    body = f"""
    extern float {name}({types});
    i64 core_0_2(void) {{
        volatile float *x = (float *){0x70000 + X}, *y = (float *){0x70000 + Y}, *r = (float *){0x70000 + RESULT};
        for (i32 i = 0; i < {COUNT}; i++) {{ (void)y; r[i] = {name}({values}); }}
        return -1;
    }}"""
    p = Program()
    p.core(compile_core(body, 0, 2, data_origin=0x7F000), 0, 2, 1024)
    s = Sequence()
    s.write(0, 0)
    with p.emulator() as npu:
        memory = npu.data_memory(0, 2)
        memory[X : X + 4 * COUNT] = x.tobytes()
        if y is not None:
            memory[Y : Y + 4 * COUNT] = y.tobytes()
        npu.run(s.bytes(), [])
        return np.frombuffer(bytes(memory[RESULT : RESULT + 4 * COUNT]), np.float32)


def check(name: str, got: np.ndarray, *columns: np.ndarray) -> None:
    with np.errstate(over="ignore", under="ignore"):
        exact = np.array([evaluate(name[:-1], *map(float, row)) for row in zip(*columns)])
        expected = exact.astype(np.float32)
        low, high = np.nextafter(expected, np.float32(-np.inf)), np.nextafter(expected, np.float32(np.inf))
    near = (got == expected) | (got == low) | (got == high) | (np.isnan(got) & np.isnan(expected))
    bad = np.flatnonzero(~near)
    assert not bad.size, [
        ([float(c[i]) for c in columns], float(got[i]), float(expected[i])) for i in bad[:5]
    ]
    assert np.mean((got == expected) | np.isnan(expected)) > 0.999
    zero = (expected == 0) & (got == 0)
    assert np.array_equal(np.signbit(got[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    x = arguments(name)
    check(name, compute(name, x), x)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    x = arguments(name)
    y = np.random.default_rng(1).permutation(arguments("y"))
    pairs = [(a, b) for a in SPECIAL for b in SPECIAL]
    x[: len(pairs)], y[: len(pairs)] = zip(*pairs)
    check(name, compute(name, x, y), x, y)


def test_every_name_is_served_once() -> None:
    assert len(NAMES) == 42
    assert struct.calcsize("f") == 4
