"""A device that does nothing: for the host's side of the work, without any kernel running."""

from __future__ import annotations

import time
from typing import Sequence

from npuninja.device.api import Buffer, Capabilities, Device, Program, StartedRuns


class NullBuffer:
    """Plain host memory."""

    def __init__(self, nbytes: int) -> None:
        self._data = bytearray(nbytes)

    @property
    def nbytes(self) -> int:
        """Its size."""
        return len(self._data)

    @property
    def view(self) -> memoryview:
        """The content."""
        return memoryview(self._data)


class NullDevice(Device):
    """Accepts every program and leaves every buffer as it is."""

    capabilities = Capabilities("null", "emulated", "no device: nothing runs, outputs keep what they held")

    def load(self, program: Program) -> None:
        """Accepts any program; nothing runs it."""

    def allocate(self, nbytes: int, position: int) -> NullBuffer:
        """Plain memory of this process."""
        return NullBuffer(nbytes)

    def instruct(self, insts: bytes) -> None:
        """Accepts any instruction stream."""

    def add(self, program: Program) -> int:
        """Accepts any program; all have the number 0."""
        return 0

    def start(self, runs: Sequence[Sequence[Buffer]], programs: Sequence[int] = ()) -> StartedRuns:
        """Nothing to do but to look at the time."""
        return StartedRuns("nothing runs", time.perf_counter())

    def wait(self, started: StartedRuns, time_limit_s: float) -> float:
        """Returns the time that doing nothing took."""
        return time.perf_counter() - float(started.handle)

    def remarks(self) -> list[str]:
        """Nothing ran, nothing to say."""
        return []

    def report(self) -> None:
        """Nothing ran, nothing to report."""

    def close(self) -> None:
        """Releases nothing: buffers are plain memory."""
