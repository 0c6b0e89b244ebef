"""Results against the reference, byte by byte, without NumPy as long as they are right."""

from __future__ import annotations

import math
from typing import Callable

from npuninja.device.comparison import Comparison, Tolerance
from npuninja.device.manifest import Argument


def compare_bytes(
    argument: Argument,
    got: bytes,
    expected: bytes,
    poisoned: bool,
    tolerance: Callable[[], Tolerance] = Tolerance,
) -> Comparison:
    """Compares all bytes of one output.

    Args:
        argument: the output.
        got: what the device left there.
        expected: the reference's result.
        poisoned: whether the buffer held `poison` before the run (an inout argument does not).
        tolerance: gives what the output may be off; asked for only when it is.
    """
    if got == expected:
        return Comparison(argument, math.prod(argument.shape), 0, (), 0, not got.strip(b"\0"))
    from npuninja.device.differences import compare  # NumPy: 100 ms, and right results do without

    return compare(argument, argument.array(got), argument.array(expected), poisoned, tolerance())
