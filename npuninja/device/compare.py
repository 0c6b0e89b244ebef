"""Comparing results with the reference, byte by byte, and seeing outputs that nothing was written to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npuninja.device.arrays import Array
from npuninja.device.manifest import Argument

SHOWN = 10  # differences listed for each output
_POISON_SEED = 0x4E50554E  # any number; the pattern must only be the same in one process


def poison(nbytes: int) -> bytes:
    """What an output holds before the run: bytes that no kernel makes by chance, without a short period."""
    return np.random.default_rng(_POISON_SEED).bytes(nbytes)


class Difference(NamedTuple):
    """One element that differs."""

    position: tuple[int, ...]
    got: str
    expected: str


class Comparison(NamedTuple):
    """How one output compares."""

    argument: Argument
    elements: int
    differing: int
    first: tuple[Difference, ...]
    """The first differing elements, at most `SHOWN`."""
    untouched_bytes: int
    """Differing bytes that still hold the poison, in elements where all bytes do."""
    all_zero: bool

    @property
    def good(self) -> bool:
        """Whether all bytes are right."""
        return self.differing == 0

    def fields(self) -> dict[str, Any]:
        """The comparison for --json."""
        return {
            "name": self.argument.name,
            "elements": self.elements,
            "differing": self.differing,
            "untouched_bytes": self.untouched_bytes,
            "first": [{"index": d.position, "got": d.got, "expected": d.expected} for d in self.first],
        }

    def render(self) -> str:
        """The comparison as text, several lines when there are differences."""
        name = self.argument.name
        if self.good:
            return f"{name}: all {self.elements} elements are right"
        share = 100 * self.differing / self.elements
        lines = [f"{name}: {self.differing} of {self.elements} elements differ ({share:.3g} %)"]
        lines += [f"  {name}{list(d.position)}: got {d.got}, expected {d.expected}" for d in self.first]
        if self.differing > len(self.first):
            lines.append(f"  … and {self.differing - len(self.first)} more")
        if self.untouched_bytes == self.argument.nbytes:
            lines.append(f"  nothing was written to {name}: it holds what the runner put there before the run")
        elif self.untouched_bytes:
            lines.append(f"  {self.untouched_bytes} of {self.argument.nbytes} bytes of {name} were never written")
        elif self.all_zero:
            lines.append(f"  {name} is all zeros: the kernel wrote nothing, or the transfer took the wrong buffer")
        return "\n".join(lines)


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


def _in_long_runs(flags: np.ndarray[Any, np.dtype[np.bool_]], least: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The flags that stand in a run of at least `least` set ones, or in a run over everything."""
    least = min(least, len(flags))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros_like(flags)
    for start, end in edges.reshape(-1, 2):
        if end - start >= least:
            kept[start:end] = True
    return kept


def _shown(argument: Argument, value: Any) -> str:
    """One element for people: bf16 as the number it stands for, floats with their bits when they are not numbers."""
    if argument.element == "bf16":
        bits = int(value)
        return f"{np.array([bits << 16], np.uint32).view(np.float32)[0]:g} (bf16 {bits:#06x})"
    if argument.dtype.kind == "f":
        return f"{value!r} ({value.tobytes()[::-1].hex()})" if np.isnan(value) else f"{float(value)!r}"
    return str(value)
