"""What the emulated driver has to say to the person who runs the program, like the kernel's log."""

from __future__ import annotations

import threading
import traceback
from typing import TextIO

from npuninja.errors import Error


class Journal:
    """Writes lines to a stream; from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def problem(self, sentence: str) -> None:
        """Writes a sentence for the user, each line marked as the emulated NPU's."""
        with self._lock:
            self._stream.write("".join(f"npuninja emu: {line}\n" for line in sentence.splitlines()))
            self._stream.flush()

    def failure(self, what: str, error: Error) -> None:
        """An error with its notes and hint."""
        self.problem(f"{what}: {error.render()}")

    def bug(self, what: str, error: Exception) -> None:
        """An error of npuninja itself, with its traceback."""
        self.problem(
            f"{what}: this is a bug of npuninja; please report it\n"
            + "".join(traceback.format_exception(error))
        )
