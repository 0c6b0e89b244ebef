"""A line on the terminal that shows that something long is going on."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

QUIET_S = 1.0  # nothing is shown before: most runs are over by then


class Progress:
    """Shows `label`, a count and the seconds, on a terminal only, in a context.

        with Progress("running", total=100) as progress:
            progress.step()

    Args:
        label: what is going on.
        total: how many steps there are; 1 shows no count.
        stream: where; standard error by default.
    """

    def __init__(self, label: str, total: int = 1, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._stream = stream or sys.stderr
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._width = 0

    def step(self) -> None:
        """One more step is done."""
        self.done += 1

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread:
            self._thread.join()
            if self._width:
                self._stream.write("\r" + " " * self._width + "\r")
                self._stream.flush()

    def _show(self) -> None:
        start = time.monotonic()
        wait_s = QUIET_S
        while not self._end.wait(wait_s):
            wait_s = 0.2
            count = f" {self.done}/{self.total}" if self.total > 1 else ""
            line = f"{self.label}{count}, {time.monotonic() - start:.0f} s"
            self._stream.write("\r" + line.ljust(self._width))
            self._stream.flush()
            self._width = max(self._width, len(line))
