"""Time that an NPU had nothing to do between two runs of a measurement.

The driver suspends an idle context, and the run that wakes it takes as long as waking does: 136 ms instead of
119 us after 10 s, in one report (mlir-aie#2944). Such a time says nothing about the design.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: A gap from which on it is worth a word.
LONG_S = 1.0


class IdleGaps:
    """Takes note of the gaps between runs.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended_s: float | None = None
        self._runs = 0
        self._long: list[tuple[int, float]] = []

    def starts(self) -> None:
        """A run, or several at once, begins now."""
        self._runs += 1
        gap_s = 0.0 if self._ended_s is None else self._clock() - self._ended_s
        if gap_s > LONG_S:
            self._long.append((self._runs, gap_s))

    def ended(self) -> None:
        """It has ended now."""
        self._ended_s = self._clock()

    def remark(self) -> str | None:
        """What is to be said about the gaps, None when they were short."""
        if not self._long:
            return None
        number, gap_s = max(self._long, key=lambda pair: pair[1])
        more = f", and {len(self._long) - 1} more gaps of over {LONG_S:g} s" if len(self._long) > 1 else ""
        return (
            f"the NPU was idle for {gap_s:.1f} s before run {number}{more}: the driver suspends "
            "an idle context, and the run that wakes it takes many times as long, so the maximum "
            "and perhaps the median are not the design's; compare them with the minimum, and keep "
            "the machine free of other work"
        )
