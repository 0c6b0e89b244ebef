"""Where and how a result differs from the reference, and outputs that nothing was written to."""

from __future__ import annotations

from typing import Any

import numpy as np

from npuninja.device.arrays import Array
from npuninja.device.comparison import Comparison, Difference, poison
from npuninja.device.manifest import Argument

SHOWN = 10  # differences listed for each output


def compare(argument: Argument, got: Array, expected: Array, poisoned: bool) -> Comparison:
    """Compares all bytes of one output.

    Args:
        argument: the output.
        got: what the device left there.
        expected: the reference's result.
        poisoned: whether the buffer held `poison` before the run (an inout argument does not).
    """
    size = argument.dtype.itemsize
    got_bytes = np.frombuffer(got.tobytes(), np.uint8).reshape(-1, size)
    expected_bytes = np.frombuffer(expected.tobytes(), np.uint8).reshape(-1, size)
    differs = (got_bytes != expected_bytes).any(axis=1)
    where = np.flatnonzero(differs)
    untouched = 0
    if poisoned and len(where):
        pattern = np.frombuffer(poison(argument.nbytes), np.uint8).reshape(-1, size)
        held = (got_bytes == pattern).all(axis=1)
        # Small elements equal the pattern by chance now and then: count runs of 16 bytes and more only.
        untouched = int(_in_long_runs(held, -(-16 // size)).sum()) * size
    first = tuple(
        Difference(
            tuple(int(i) for i in np.unravel_index(flat, argument.shape)),
            _shown(argument, got.reshape(-1)[flat]),
            _shown(argument, expected.reshape(-1)[flat]),
        )
        for flat in where[:SHOWN]
    )
    return Comparison(argument, len(differs), len(where), first, untouched, not got_bytes.any())


def _in_long_runs(
    flags: np.ndarray[Any, np.dtype[np.bool_]], least: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The flags that stand in a run of at least `least` set ones, or in a run over everything."""
    least = min(least, len(flags))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros_like(flags)
    for start, end in edges.reshape(-1, 2):
        if end - start >= least:
            kept[start:end] = True
    return kept


def _shown(argument: Argument, value: Any) -> str:
    """One element for people: bf16 as the number it stands for, floats with their bits when they are not
    numbers.
    """
    if argument.element == "bf16":
        bits = int(value)
        return f"{np.array([bits << 16], np.uint32).view(np.float32)[0]:g} (bf16 {bits:#06x})"
    if argument.dtype.kind == "f":
        return f"{value!r} ({value.tobytes()[::-1].hex()})" if np.isnan(value) else f"{float(value)!r}"
    return str(value)
