"""Runs in flight on the emulated array: a thread takes one after the other, as a hardware context does."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from npuninja.emulator import Emulator, HostBuffer
from npuninja.emulator.run_report import RunReport
from npuninja.errors import DeviceError, Error

#: How often a run is interrupted until it ends: an interrupt has no effect on one that has not begun yet.
_INTERRUPT_S = 0.05
#: The limit of a run is that of the call that waits for it.
_NO_LIMIT_S = 1e6


#: A run: its kernel, its instructions, its buffers.
RunRequest = tuple[str, bytes, Sequence[HostBuffer]]


class _QueuedRun:
    """What one `add` asked for, and its result."""

    def __init__(self, runs: Sequence[RunRequest]) -> None:
        self.runs = runs
        self.started_s = time.perf_counter()
        self.ended_s = self.started_s
        self.report: RunReport | None = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class EmulatedQueue:
    """Runs jobs on an emulator in the order they come.

    Args:
        emulator: for this queue alone, except within `idle`.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._jobs: queue.SimpleQueue[_QueuedRun | None] = queue.SimpleQueue()
        self._busy = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="npuninja-array", daemon=True)
        self._thread.start()

    def add(self, runs: Sequence[RunRequest]) -> _QueuedRun:
        """Queues runs, which `wait` gives the end of."""
        job = _QueuedRun(runs)
        self._jobs.put(job)
        return job

    def wait(self, job: _QueuedRun, time_limit_s: float) -> tuple[float, RunReport | None]:
        """Waits for a job; gives the seconds from `add` to its end and the last run's report.

        Raises:
            DeviceError: it failed, or did not end in time; the error then says what waits for what.
        """
        if not job.done.wait(time_limit_s):
            self._interrupt_until(job.done.wait, time_limit_s)
        if job.error is not None:
            raise job.error
        return job.ended_s - job.started_s, job.report

    @contextmanager
    def idle(self) -> Iterator[None]:
        """A time in which no job is at work."""
        with self._busy:
            yield

    def close(self) -> None:
        """Gives up all jobs and ends the thread."""
        self._closing = True
        self._jobs.put(None)

        def ended(seconds: float) -> bool:
            self._thread.join(seconds)
            return not self._thread.is_alive()

        self._interrupt_until(ended, None)

    def _interrupt_until(self, has_ended: Callable[[float], bool], after_s: float | None) -> None:
        while not has_ended(_INTERRUPT_S):
            self._emulator.interrupt(after_s)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                with self._busy:
                    for number, (kernel, insts, buffers) in enumerate(job.runs, 1):
                        if self._closing:
                            raise DeviceError("the device was closed while a run was in flight")
                        try:
                            self._emulator.take_kernel(kernel)
                            job.report = self._emulator.run(insts, buffers, _NO_LIMIT_S)
                        except Error as error:
                            if len({kernel for kernel, _, _ in job.runs}) > 1:
                                where = f"in run {number} of {len(job.runs)}, of kernel {kernel}"
                                error.notes = (*error.notes, (where, None))
                            raise
            except BaseException as error:  # for the caller that waits, whatever it is
                job.error = error
            job.ended_s = time.perf_counter()
            job.done.set()
