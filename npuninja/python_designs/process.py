"""The process of a design's script: one of its own, or a copy of ours with Python and npuninja loaded.

What it writes goes to files, so that it never waits for somebody to read.
"""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

from npuninja import TYPE_CHECKING
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import IO, NoReturn

#: How long to wait at a time for the end of a copy, which may have left others behind that hold its pipe.
_STEP_S = 0.25


class TooLong(Exception):
    """A process did not end in time. It has been ended."""


class Finished(NamedTuple):
    """What a process wrote, and its exit code, negative for a signal. `errors` is "" when not caught."""

    text: str
    errors: str
    exit_code: int


class Running(ABC):
    """A started process; its standard input is empty where its errors are caught, else ours. Use `with`."""

    def __init__(self, catches_errors: bool = True) -> None:
        self._open = ExitStack()
        self._text = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._errors = self._open.enter_context(tempfile.TemporaryFile()) if catches_errors else None  # noqa: SIM115

    def finished(self, time_limit_s: float | None = None) -> Finished:
        """Waits for its end. Raises TooLong."""
        exit_code = self._wait(time_limit_s)
        if exit_code is None:
            raise TooLong
        return Finished(_content(self._text), _content(self._errors), exit_code)

    @abstractmethod
    def _wait(self, time_limit_s: float | None) -> int | None:
        """Its exit code; None when it had to be ended."""

    @abstractmethod
    def _end(self) -> None:
        """Ends it when it has not ended by itself."""

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._open.close()


def _content(stream: IO[bytes] | None) -> str:
    if stream is None:
        return ""
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


class OwnProcess(Running):
    """A process of its own: `command` in the folder `cwd`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: str | None, catches_errors: bool
    ) -> None:
        super().__init__(catches_errors)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL if catches_errors else None, stdout=self._text,
            stderr=self._errors, env=environment, cwd=cwd,
        )  # fmt: skip

    def _wait(self, time_limit_s: float | None) -> int | None:
        try:
            return self._process.wait(time_limit_s)
        except subprocess.TimeoutExpired:
            self._end()
            return None

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def can_be_copied(folders: Sequence[str]) -> bool:
    """Whether a copy of this process acts as a new one to a script that searches `folders` for modules first:
    the system copies processes, no other thread runs here, and no module that we loaded has a namesake there.
    """
    if sys.platform != "linux" or sys.stdout is None or sys.stderr is None:
        return False
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return False
    ours = {name.partition(".")[0] for name in sys.modules} - {"npuninja"}
    try:
        return not any(name.partition(".")[0] in ours for folder in folders for name in os.listdir(folder))
    except OSError:
        return False


class Copy(Running):
    """A copy of this process that runs `npuninja.python_designs.start` with `words` in the folder `cwd`.

    Args:
        words: the command line of `start`.
        python_path: the process's `PYTHONPATH`.
        cwd: the folder.
    """

    def __init__(self, words: Sequence[str], python_path: str, cwd: str) -> None:
        # What every copy loads is loaded once, before it.
        import runpy  # noqa: F401

        from npuninja.python_designs import running, serving  # noqa: F401
        from npuninja.python_designs.construct import generation  # noqa: F401

        super().__init__()
        sys.stdout.flush()
        sys.stderr.flush()
        self._ends, ended = os.pipe()
        self._exit_code: int | None = None
        self._process = os.fork()
        if self._process == 0:
            assert self._errors is not None
            _become(words, python_path, cwd, self._text.fileno(), self._errors.fileno())
        os.close(ended)

    def _wait(self, time_limit_s: float | None) -> int | None:
        end = time.monotonic() + time_limit_s if time_limit_s is not None else float("inf")
        while not self._has_ended():
            left = end - time.monotonic()
            if left <= 0:
                self._end()
                return None
            if select.select([self._ends], [], [], min(left, _STEP_S))[0]:
                self._has_ended(wait=True)
        return self._exit_code

    def _has_ended(self, wait: bool = False) -> bool:
        if self._exit_code is None:
            process, status = os.waitpid(self._process, 0 if wait else os.WNOHANG)
            if process:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code is not None

    def _end(self) -> None:
        if not self._has_ended():
            os.kill(self._process, signal.SIGKILL)
            self._has_ended(wait=True)
        if self._ends >= 0:
            os.close(self._ends)
            self._ends = -1


def _become(words: Sequence[str], python_path: str, cwd: str, text: int, errors: int) -> NoReturn:
    """Makes a copy what a new process would be, runs the script and ends."""
    exit_code = 1
    try:
        import atexit
        import gc
        from weakref import finalize

        # What ends with us is not the script's: a folder of ours would be deleted once nothing here holds it.
        finalize._registry.clear()  # type: ignore[attr-defined]
        finalize._registered_with_atexit = False  # type: ignore[attr-defined]
        atexit._clear()
        gc.freeze()  # a collection would write to our objects, and so copy all our memory: half of the time
        gc.enable()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, stream in enumerate((nothing, text, errors)):
            os.dup2(stream, number)
        sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))  # type: ignore[misc]
        sys.stdout = sys.__stdout__ = _writer(1, sys.stdout, "strict")  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = _writer(2, sys.stderr, "backslashreplace")  # type: ignore[misc]
        os.chdir(cwd)
        own = os.path.dirname(
            os.path.abspath(getattr(sys.modules["__main__"], "__file__", None) or sys.argv[0])
        )
        safe = getattr(sys.flags, "safe_path", False)  # then `python -m` does not search its folder
        first = [*(() if safe else (cwd,)), *python_path.split(os.pathsep)]
        sys.path[:] = [*first, *(folder for folder in sys.path if folder not in (own, *first))]
        os.environ["PYTHONPATH"] = python_path
        from npuninja.python_designs.start import main

        exit_code = main(list(words))
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except SystemExit as stop:
        exit_code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stderr.flush()
        finally:
            os._exit(exit_code & 0xFF)


def _writer(number: int, ours: IO[str], errors: str) -> io.TextIOWrapper:
    """A stream like that of a new process whose output is no terminal."""
    encoding = getattr(ours, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(number, "w", closefd=False)), encoding,
        getattr(ours, "errors", None) or errors, line_buffering=number == 2,
    )  # fmt: skip
