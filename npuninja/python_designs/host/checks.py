"""Checks and timings of designs' results (summer 2026: `aie.utils.verify`, `aie.utils.benchmark`)."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

import numpy as np

from npuninja.records import NamedTuple


class Stats(NamedTuple):
    """Times of several runs, in microseconds."""

    avg_us: float
    min_us: float
    max_us: float


class BenchmarkResult(NamedTuple):
    """End to end, and on the NPU where that is known."""

    e2e: Stats
    npu: Stats | None


def _stats(times: list[float]) -> Stats:
    return Stats(sum(times) / len(times), min(times), max(times))


def run_iters(
    function: Callable[..., Any], *arguments: Any, warmup: int = 0, iters: int = 1, **options: Any
) -> BenchmarkResult:
    """Calls a function several times; the first `warmup` calls do not count."""
    if iters < 1:
        raise ValueError(f"a measurement has 1 call or more (iters={iters})")
    if warmup < 0:
        raise ValueError(f"warmup is 0 or more (warmup={warmup})")
    whole, npu = [], []
    for i in range(warmup + iters):
        start = time.perf_counter()
        result = function(*arguments, **options)
        taken = (time.perf_counter() - start) * 1e6
        if i >= warmup:
            whole.append(taken)
            if isinstance(result, tuple) and len(result) == 2 and getattr(result[1], "npu_time", None):
                npu.append(result[1].npu_time / 1e3)
    return BenchmarkResult(_stats(whole), _stats(npu) if npu else None)


def print_benchmark(result: BenchmarkResult) -> None:
    """Prints the times."""
    for label, stats in (("NPU time    ", result.npu), ("End-to-end  ", result.e2e)):
        if stats is not None:
            print(f"{label} (avg/min/max us): {stats.avg_us:.1f} / {stats.min_us:.1f} / {stats.max_us:.1f}")


_RTOL = 0.128  # of the C++ tests of MLIR-AIE, and so of its `aie.utils.verify`


def nearly_equal(a: Any, b: Any, *, rtol: float = _RTOL, atol: float | None = None) -> Any:
    """Where two arrays, or numbers, are close in float32: |a - b| < max(atol, rtol (|a| + |b|)), or equal."""
    x, y = np.asarray(a, np.float32), np.asarray(b, np.float32)
    limits = np.finfo(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.minimum(np.abs(x) + np.abs(y), limits.max)
        near = np.abs(x - y) < np.maximum(float(limits.tiny) if atol is None else atol, rtol * size)
    return (x == y) | near


def count_mismatches(
    actual: Any, ref: Any, *, rtol: float = _RTOL, atol: float | None = None, stop_at_nonfinite: bool = True
) -> tuple[int, int]:
    """How many elements differ, of how many compared: those before the first inf or NaN on either side.

    Raises:
        ValueError: the shapes differ.
    """
    x, y = np.asarray(actual, np.float32).ravel(), np.asarray(ref, np.float32).ravel()
    if x.shape != y.shape:
        raise ValueError(
            f"elements are compared one by one, so both need the same shape, got {x.shape} and {y.shape}"
        )
    strange: Any = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y))) if stop_at_nonfinite else []
    checked = int(strange[0]) if len(strange) else x.size
    near = nearly_equal(x[:checked], y[:checked], rtol=rtol, atol=atol)
    return int(np.count_nonzero(~near)), checked


def assert_pass(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    fail_msg: str | None = None,
    print_pass: bool = True,
) -> None:
    """Prints PASS!, or ends the program with FAIL!; exact without tolerances, else as `count_mismatches`."""
    if rtol is None and atol is None:
        a, b = np.asarray(actual), np.asarray(expected)
        wrong = int(np.count_nonzero(a != b)) if a.shape == b.shape else max(a.size, b.size)
    else:
        wrong, checked = count_mismatches(actual, expected, rtol=_RTOL if rtol is None else rtol, atol=atol)
        size = np.asarray(expected).size
        if checked < size:
            print(f"warning: compared {checked} of {size} elements: inf or NaN comes next", file=sys.stderr)
    if wrong:
        sys.exit(f"FAIL! {fail_msg or f'{wrong} of {np.asarray(expected).size} elements differ'}")
    if print_pass:
        print("PASS!")


def assert_close_with_benchmark(
    actual: Any,
    expected: Any,
    *,
    bench: BenchmarkResult,
    ops: float | None = None,
    gflops_fmt: str = ".2f",
    float_rtol: float = 0.05,
    float_atol: float = 0.5,
    fail_msg: str | None = None,
    mismatch_indices: bool = False,
) -> None:
    """As `assert_pass`, with the times before it; integers must be equal."""
    exact = np.issubdtype(np.asarray(expected).dtype, np.integer)
    if exact and mismatch_indices and not np.array_equal(actual, expected):
        places = np.argwhere(np.asarray(actual) != np.asarray(expected))[:5].tolist()
        sys.exit(f"FAIL! {fail_msg or 'output mismatch'} (first mismatches: {places})")
    tolerances = {} if exact else {"rtol": float_rtol, "atol": float_atol}
    assert_pass(actual, expected, fail_msg=fail_msg, print_pass=False, **tolerances)
    print()
    print_benchmark(bench)
    if ops and bench.npu:
        print(f"NPU GFLOPS                    : {format(ops / (bench.npu.avg_us * 1e3), gflops_fmt)}")
    print("PASS!")


def bfloat16_safe_allclose(dtype: Any, arr1: Any, arr2: Any) -> bool:
    """`numpy.allclose`, for bfloat16 too, which it does not know."""
    a, b = np.asarray(arr1), np.asarray(arr2)
    if np.dtype(dtype).name == "bfloat16":
        a, b = a.astype(np.float32), b.astype(np.float32)
    return bool(np.allclose(a, b))
