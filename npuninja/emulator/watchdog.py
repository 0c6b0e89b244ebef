"""Does something once when a time limit passes. One thread for the whole life of its owner: to start one
costs more than a short run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Watchdog:
    """Calls `action` from a thread of its own when the armed time has passed and nobody disarmed it."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._asleep_until: float | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def arm(self, seconds: float) -> None:
        """Starts the clock: `action` is called after so many seconds."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="npuninja-watchdog", daemon=True)
                self._thread.start()
            elif self._asleep_until is None or self._asleep_until > self._deadline:
                self._changed.notify()

    def disarm(self) -> None:
        """Stops the clock. The thread finds out when it wakes."""
        with self._changed:
            self._deadline = None

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._deadline is not None and now >= self._deadline:
                    self._deadline = None
                    self._action()
                self._asleep_until = self._deadline
                self._changed.wait(None if self._deadline is None else self._deadline - now)
