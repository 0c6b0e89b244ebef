"""Results against the reference, byte by byte, without NumPy as long as they are right."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

from npuninja.device.manifest import Argument, Manifest
from npuninja.device.output_comparison import OutputComparison, Tolerance
from npuninja.device.source_paths import reference_source


def compare_bytes(
    argument: Argument,
    got: bytes,
    expected: bytes,
    poisoned: bool,
    tolerance: Callable[[], Tolerance] = Tolerance,
) -> OutputComparison:
    """Compares all bytes of one output.

    Args:
        argument: the output.
        got: what the device left there.
        expected: the reference's result.
        poisoned: whether the buffer held `poison` before the run (an inout argument does not).
        tolerance: gives what the output may be off; asked for only when it is.
    """
    if got == expected:
        return OutputComparison(argument, math.prod(argument.shape), 0, (), 0, not got.strip(b"\0"))
    from npuninja.device.element_differences import (
        compare_elements,  # NumPy: 100 ms, and right results do without
    )

    return compare_elements(argument, argument.array(got), argument.array(expected), poisoned, tolerance())


def compared(
    manifest: Manifest, results: Sequence[Sequence[bytes]], expected: Sequence[bytes] | None
) -> tuple[OutputComparison, ...] | None:
    """Outputs against the reference's, those of the first wrong run if any; None without a reference."""
    if expected is None:
        return None

    @functools.cache
    def tolerances() -> list[Tolerance]:
        source = reference_source(manifest)
        if source is None:
            return [Tolerance()] * len(manifest.outputs)
        from npuninja.device.reference import Reference  # NumPy, and the reference's own imports

        return Reference(source, manifest.kernel, manifest.sequence).tolerances(manifest.outputs)

    def tolerance(number: int) -> Tolerance:
        return tolerances()[number]

    comparisons: tuple[OutputComparison, ...] = ()
    for of_one_run in results:
        comparisons = tuple(
            compare_bytes(argument, got, right, not argument.is_input, functools.partial(tolerance, number))
            for number, (argument, got, right) in enumerate(zip(manifest.outputs, of_one_run, expected))
        )
        if not all(c.good for c in comparisons):
            break
    return comparisons
