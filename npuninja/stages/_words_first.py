"""What a stage says: before Ninja's words on it when it fails, and kept for the report when it does not.

Ninja keeps what a command prints until it ends. When it fails, Ninja prints `FAILED:`, the command, often
many lines, and only then what it kept. So a stage keeps its words itself, and when it fails it writes them to
the terminal, pipe or file that is Ninja's standard output. The pool `console` writes there too, but runs one
command at a time.

What a stage that succeeds says are warnings. They are in a file beside its depfile, `OUTPUT.warnings`,
until the stage runs again, so that `npuninja report` can show them in the sources.
"""

from __future__ import annotations

import io
import os
import stat
import sys

from npuninja import TYPE_CHECKING
from npuninja.source_places import WARNINGS_SUFFIX
from npuninja.terminal import started_by_ninja, use_colour, without_colour

if TYPE_CHECKING:
    from typing import Callable

#: The number of pidfd_getfd(2), Linux 5.6, which is the same on all machines that AMD's drivers run on.
_PIDFD_GETFD = 438


def with_words_first(stage: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Runs a stage; if it fails under Ninja, its words come before the command. Returns its exit code.

    Where that cannot be (Ninja writes into a file, there is no /proc), Ninja gets them as ever.
    """
    record = _record(arguments)
    by_ninja = started_by_ninja()
    if not by_ninja and record is None:
        return stage(arguments)
    kept = io.StringIO()
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = kept
    failed = True
    try:
        code = stage(arguments)
        failed = code != 0
        return code
    finally:
        sys.stdout, sys.stderr = streams
        words = kept.getvalue()
        if record is not None:
            _keep("" if failed else words, record)
        if words and not (failed and by_ninja and _write_first(words)):
            sys.stderr.write(words)
            sys.stderr.flush()


def _record(arguments: list[str]) -> str | None:
    """Where warnings are kept: beside the depfile, whose name is an output's or a batch's and `.d`."""
    if "--depfile" not in arguments[:-1]:
        return None
    return arguments[arguments.index("--depfile") + 1].removesuffix(".d") + WARNINGS_SUFFIX


def _keep(words: str, record: str) -> None:
    try:
        if words:
            with open(record, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(without_colour(words))
        elif os.path.lexists(record):
            os.unlink(record)
    except OSError:  # what makes the folder unwritable is said by the stage, about its output
        pass


def _write_first(words: str) -> bool:
    """Writes on Ninja's standard output; returns whether that could be done."""
    place = _output_of_ninja()
    if place is None:
        return False
    try:
        terminal = os.isatty(place)
        if terminal:
            import signal  # only on the way to an error

            # `stty tostop` stops processes in the background that write, and Ninja's commands are such.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        if not use_colour(os.environ, terminal):
            words = without_colour(words)
        if not words.endswith("\n"):
            words += "\n"
        # On a terminal the line of progress is there without an end: it is written over.
        data = (("\r\x1b[K" if terminal else "") + words).encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(place, data) :]
    except OSError:
        return False
    finally:
        os.close(place)
    return True


def _output_of_ninja() -> int | None:
    """A descriptor of the parent's standard output, a terminal, pipe or file; None where none can be had."""
    path = f"/proc/{os.getppid()}/fd/1"
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISREG(kind):
            return _shared_output(os.getppid())
        if not (stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)) or os.path.samefile(path, os.devnull):
            return None
        return os.open(path, os.O_WRONLY | os.O_NOCTTY)
    except OSError:
        return None


def _shared_output(process: int) -> int | None:
    """A process's standard output, sharing its position in a file; None where Linux does not give it.

    A file opened a second time has a position of its own, and each would write over the other's words.
    """
    try:
        import ctypes  # only on the way to an error

        handle = os.pidfd_open(process)
        try:
            shared = int(ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, handle, 1, 0))
        finally:
            os.close(handle)
    except (ImportError, AttributeError, OSError):
        return None
    return shared if shared >= 0 else None
