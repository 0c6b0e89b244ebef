"""Checks and timings that designs make of their results (summer 2026: `aie.utils.verify`, `aie.utils.benchmark`)."""

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
        raise ValueError(f"iters must be >= 1, got {iters}")
    if warmup < 0:
        raise ValueError(f"warmup must be >= 0, got {warmup}")
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


def nearly_equal(a: Any, b: Any, *, rtol: float = 0.128, atol: float | None = None) -> bool:
    """Whether two numbers are close, in float32."""
    if a == b:
        return True
    x, y = np.float32(a), np.float32(b)
    limit = max(float(np.finfo(np.float32).tiny) if atol is None else atol, rtol * float(abs(x) + abs(y)))
    return bool(abs(x - y) < limit)


def count_mismatches(
    actual: Any, ref: Any, *, rtol: float = 0.128, atol: float | None = None, stop_at_nonfinite: bool = True
) -> tuple[int, int]:
    """How many elements differ, and how many were looked at."""
    errors = checked = 0
    for a, b in zip(np.asarray(actual).reshape(-1), np.asarray(ref).reshape(-1)):
        if stop_at_nonfinite and not np.isfinite(np.float32(b)):
            break
        checked += 1
        errors += not nearly_equal(a, b, rtol=rtol, atol=atol)
    return errors, checked


def _close(actual: Any, expected: Any, rtol: float | None, atol: float | None) -> Any:
    a, b = np.asarray(actual), np.asarray(expected)
    if a.shape != b.shape:
        a = a.reshape(b.shape)
    if rtol is None and atol is None:
        return a == b
    return np.isclose(a.astype(np.float64), b.astype(np.float64), rtol=rtol or 0.0, atol=atol or 0.0)


def assert_pass(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    fail_msg: str | None = None,
    print_pass: bool = True,
) -> None:
    """Prints PASS!, or ends the program with FAIL!; exact without tolerances."""
    good = _close(actual, expected, rtol, atol)
    if not good.all():
        wrong = int((~good).sum())
        sys.exit(f"FAIL! {fail_msg or f'{wrong} of {good.size} elements differ'}")
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
    good = _close(actual, expected, None if exact else float_rtol, None if exact else float_atol)
    if not good.all():
        places = f" at {np.argwhere(~good)[:10].tolist()}" if mismatch_indices else ""
        sys.exit(f"FAIL! {fail_msg or f'{int((~good).sum())} of {good.size} elements differ'}{places}")
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


BENCHMARK: dict[str, Any] = {
    n: globals()[n] for n in ["run_iters", "print_benchmark", "Stats", "BenchmarkResult"]
}
VERIFY: dict[str, Any] = {
    n: globals()[n]
    for n in ["nearly_equal", "count_mismatches", "assert_pass", "assert_close_with_benchmark"]
}
