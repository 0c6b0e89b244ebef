"""Where and how a result differs from the reference, and outputs that nothing was written to."""

from __future__ import annotations

from typing import Any

import numpy as np

from npuninja.device.arrays import NumpyArray
from npuninja.device.manifest import Argument
from npuninja.device.output_comparison import ElementDifference, OutputComparison, Tolerance, poison

SHOWN_DIFFERENCES = 10  # differences listed for each output


def compare_elements(
    argument: Argument,
    got: NumpyArray,
    expected: NumpyArray,
    poisoned: bool,
    tolerance: Tolerance = Tolerance(),  # noqa: B008
) -> OutputComparison:
    """Compares all bytes of one output.

    Args:
        argument: the output.
        got: what the device left there.
        expected: the reference's result.
        poisoned: whether the buffer held `poison` before the run (an inout argument does not).
        tolerance: what each element may be off.
    """
    size = argument.dtype.itemsize
    got_bytes = np.frombuffer(got.tobytes(), np.uint8).reshape(-1, size)
    expected_bytes = np.frombuffer(expected.tobytes(), np.uint8).reshape(-1, size)
    differs = (got_bytes != expected_bytes).any(axis=1)
    within = ""
    if any(tolerance) and differs.any():
        near, largest = _near(_numbers(argument, got), _numbers(argument, expected), tolerance)
        if tolerance.ulp and (argument.element == "bf16" or argument.dtype.kind == "f"):
            near |= (_steps(got, expected) <= tolerance.ulp) & np.isfinite(_numbers(argument, got))
        differs &= ~near
        within = f"{tolerance.render()} (largest difference {largest:g})"
    where = np.flatnonzero(differs)
    untouched = 0
    if poisoned and len(where):
        pattern = np.frombuffer(poison(argument.nbytes), np.uint8).reshape(-1, size)
        held = (got_bytes == pattern).all(axis=1)
        # Small elements equal the pattern by chance now and then: count runs of 16 bytes and more only.
        untouched = int(_in_long_runs(held, -(-16 // size)).sum()) * size
    first = tuple(
        ElementDifference(
            tuple(int(i) for i in np.unravel_index(flat, argument.shape)),
            _shown(argument, got.reshape(-1)[flat]),
            _shown(argument, expected.reshape(-1)[flat]),
        )
        for flat in where[:SHOWN_DIFFERENCES]
    )
    return OutputComparison(
        argument=argument,
        elements=len(differs),
        differing=len(where),
        first=first,
        untouched_bytes=untouched,
        all_zero=not got_bytes.any(),
        within=within,
    )


def _numbers(argument: Argument, values: NumpyArray) -> np.ndarray[Any, np.dtype[Any]]:
    """The elements, flat, as what they stand for: bf16 as float32."""
    flat = values.reshape(-1)
    if argument.element == "bf16":
        widened: np.ndarray[Any, np.dtype[Any]] = np.left_shift(flat.astype(np.uint32), 16)
        floats: np.ndarray[Any, np.dtype[Any]] = widened.view(np.float32)
        return floats
    return flat


def _near(
    got: np.ndarray[Any, np.dtype[Any]], expected: np.ndarray[Any, np.dtype[Any]], tolerance: Tolerance
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], float]:
    """Which elements are near enough, and the largest difference of finite ones."""
    a, b = got.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
        near = difference <= tolerance.atol + tolerance.rtol * np.abs(b)
    finite = np.isfinite(difference)
    near &= finite  # an infinity is near itself only: its bytes are equal
    near |= np.isnan(a) & np.isnan(b)
    return near, float(difference[finite].max(initial=0.0))


def _steps(
    got: np.ndarray[Any, np.dtype[Any]], expected: np.ndarray[Any, np.dtype[Any]]
) -> np.ndarray[Any, np.dtype[Any]]:
    """How many representable numbers lie from one to the other, of floats or of the bits of bf16."""
    bits = got.dtype.itemsize * 8
    signed = np.dtype(f"int{bits}")

    def ordered(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
        raw = values.reshape(-1).view(signed).astype(object if bits == 64 else np.int64)
        in_order: np.ndarray[Any, np.dtype[Any]] = np.where(raw < 0, -(1 << (bits - 1)) - raw, raw)
        return in_order

    steps: np.ndarray[Any, np.dtype[Any]] = np.abs(ordered(got) - ordered(expected))
    return steps


def _in_long_runs(
    flags: np.ndarray[Any, np.dtype[np.bool_]], least: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The flags that are in a run of at least `least` set ones, or in a run over everything."""
    least = min(least, len(flags))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros_like(flags)
    for start, end in edges.reshape(-1, 2):
        if end - start >= least:
            kept[start:end] = True
    return kept


def _shown(argument: Argument, value: Any) -> str:
    """One element for people: bf16 as its number, floats with their bits when they are not numbers."""
    if argument.element == "bf16":
        bits = int(value)
        return f"{np.array([bits << 16], np.uint32).view(np.float32)[0]:g} (bf16 {bits:#06x})"
    if argument.dtype.kind == "f":
        return f"{value!r} ({value.tobytes()[::-1].hex()})" if np.isnan(value) else f"{float(value)!r}"
    return str(value)
