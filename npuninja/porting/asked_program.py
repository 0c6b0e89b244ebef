"""Asks make and CMake what they would do with folders of strangers; ends them and all that they start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

#: What a program may say: hundreds of times what the largest Makefile's commands take.
MAX_OUTPUT_BYTES = 64 << 20
_LOOK_S = 0.2


class TooMuchSaidError(Exception):
    """The program has written more than is read here."""


def ask(
    command: Sequence[str], folder: str, environment: Mapping[str, str], time_limit_s: float
) -> subprocess.CompletedProcess[str]:
    """What a program says. It has a session of its own, which is ended with it, at the limit and on Ctrl-C.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it has not ended in time.
        TooMuchSaidError: it says more than `MAX_OUTPUT_BYTES`.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            waited_s = 0.0
            while True:
                try:
                    code = process.wait(_LOOK_S)
                    break
                except subprocess.TimeoutExpired:
                    waited_s += _LOOK_S
                    _bound(out, err)
                    if waited_s >= time_limit_s:
                        raise subprocess.TimeoutExpired(list(command), time_limit_s) from None
        finally:
            _end(process)
        _bound(out, err)
        return subprocess.CompletedProcess(list(command), code, _text(out), _text(err))


def _bound(*streams: IO[bytes]) -> None:
    if any(os.fstat(stream.fileno()).st_size > MAX_OUTPUT_BYTES for stream in streams):
        raise TooMuchSaidError


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace").replace("\r\n", "\n")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what the program has started, too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing of it is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
