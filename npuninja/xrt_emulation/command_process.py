"""A command as a child that this process acts for: it gets our signals, and does not outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from npuninja.errors import in_words

_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126
#: Signals that end programs go to the command, which decides what they do.
_FORWARDED = (signal.SIGTERM, signal.SIGHUP)


def run_command(command: list[str], environment: Mapping[str, str]) -> int:
    """Runs a command to its end; returns its exit code as a shell would: 128 and the number for a signal, 126
    and 127 with a message when it cannot be started. The command is killed when this process is
    (`preload/lifetime.c`). Only in the main thread.
    """
    with _Signals() as signals:
        try:
            process = subprocess.Popen(command, env={**environment, "NPUNINJA_EMU_PARENT": str(os.getpid())})
        except FileNotFoundError:
            print(f"npuninja emu: there is no command {command[0]}", file=sys.stderr)
            return _COMMAND_NOT_FOUND
        except OSError as error:
            print(f"npuninja emu: cannot start {command[0]}: {in_words(error)}", file=sys.stderr)
            return _COMMAND_NOT_EXECUTABLE
        while process.poll() is None:
            for number in signals.wait():
                if number in _FORWARDED:
                    process.send_signal(number)
    code = int(process.returncode)
    return code if code >= 0 else 128 - code


class _Signals:
    """Signals that arrive here and the end of children, as bytes in a pipe: none is missed.

    A handler alone could run just before a wait, and the wait would know nothing of it. Ctrl-C is ignored,
    because the terminal sends it to the command too.
    """

    def __init__(self) -> None:
        self._pipe = os.pipe()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        os.set_blocking(self._pipe[1], False)
        self._wakeup = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        for number in (*_FORWARDED, signal.SIGINT, signal.SIGCHLD):
            # The command ignores what is ignored here (nohup). SIGCHLD is needed here; it is ignored where
            # nobody asks for children.
            if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, lambda *_: None)
        return self

    def wait(self) -> bytes:
        """Waits for signals; gives their numbers."""
        return os.read(self._pipe[0], 64)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        for descriptor in self._pipe:
            os.close(descriptor)
