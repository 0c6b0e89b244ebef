"""The processes of a farm: started with logs, started again when they die, ended to the last one (Linux).

A process ends with the farm in every case: it has a session of its own, so that Ctrl-C reaches the farm
alone, which then ends it in order; and the kernel ends it when the farm itself is killed. What a dead worker
leaves behind becomes a child of the farm and is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from npuninja.errors import ToolError

# <linux/prctl.h>
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True)
END_LIMIT_S = 8.0  # until a process that was asked to end is killed
# A process that dies sooner than this after its start is broken, not unlucky.
_UNLUCKY_AFTER_S = 1.0


@dataclass(frozen=True)
class Service:
    """A process that a farm needs.

    Attributes:
        name: for people, and of the log.
        command: absolute path of the program and its arguments.
        variables: its whole environment.
        user: uid and gid to run as; None: those of the farm.
        end_signal: asks it to end.
        restart: whether another one is started in place of a dead one; else the farm ends with it.
    """

    name: str
    command: Sequence[str]
    variables: Mapping[str, str]
    user: tuple[int, int] | None = None
    end_signal: int = signal.SIGTERM
    restart: bool = False


@dataclass
class _RunningService:
    service: Service
    process: subprocess.Popen[bytes]
    since: float


@dataclass
class Processes:
    """The processes of one farm; as a context, it ends them all.

    Attributes:
        folder: for the logs, `NAME.log`.
        say: called with what happens, a line each.
    """

    folder: str
    say: Callable[[str], None]
    _running: list[_RunningService] = field(default_factory=list)

    def __enter__(self) -> Processes:
        os.makedirs(self.folder, exist_ok=True)
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, service: Service) -> None:
        """Starts a process. Raises ToolError when there is no such program."""
        self._running.append(self._start(service))

    def _start(self, service: Service) -> _RunningService:
        def prepare() -> None:
            if service.user:
                os.setgroups([])
                os.setgid(service.user[1])
                os.setuid(service.user[0])
            # After the change of user, which would undo it.
            _LIBC.prctl(_PR_SET_PDEATHSIG, service.end_signal, 0, 0, 0)

        with open(self._log(service), "ab") as log:
            try:
                process = subprocess.Popen(
                    service.command, env=dict(service.variables), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, start_new_session=True, preexec_fn=prepare, cwd="/",
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                raise ToolError(f"cannot start {service.command[0]}: {error}") from error
        return _RunningService(service, process, time.monotonic())

    def run(self, service: Service, time_limit_s: float = 120.0) -> None:
        """Starts a process and waits for its end.

        Raises:
            ToolError: it fails or does not end in time; with the end of its log.
        """
        running = self._start(service)
        self._running.append(running)
        try:
            code = running.process.wait(time_limit_s)
        except subprocess.TimeoutExpired as error:
            raise self._failed(service, f"did not end within {time_limit_s:g} s") from error
        self._running.remove(running)
        if code:
            raise self._failed(service, f"failed with exit code {code}")

    def wait_for(self, service_name: str, ready: Callable[[], bool], time_limit_s: float = 60.0) -> None:
        """Waits until a service is ready. Raises ToolError if a process ends instead or it takes too long."""
        limit = time.monotonic() + time_limit_s
        while not ready():
            self.watch()
            if time.monotonic() > limit:
                service = next(r.service for r in self._running if r.service.name == service_name)
                raise self._failed(service, f"is not ready after {time_limit_s:g} s")
            time.sleep(0.05)

    def watch(self) -> None:
        """Looks at the processes once: starts again what may die. Raises ToolError when another has ended."""
        for i, running in enumerate(self._running):
            code = running.process.poll()
            if code is None:
                continue
            service = running.service
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            if not service.restart or time.monotonic() - running.since < _UNLUCKY_AFTER_S:
                del self._running[i]
                raise self._failed(service, how)
            self._kill_strays()
            self._running[i] = self._start(service)
            self.say(f"{service.name} {how} and was started again")

    def end(self) -> None:
        """Ends all processes, the last one first, and whatever they left behind."""
        for running in reversed(self._running):
            process = running.process
            if process.poll() is None:
                process.send_signal(running.service.end_signal)
                try:
                    process.wait(END_LIMIT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._running.clear()
        self._kill_strays()

    def _kill_strays(self) -> None:
        """Kills children that this farm did not start: their parents, which it did, have died."""
        known = {running.process.pid for running in self._running}
        while strays := [pid for pid in children_of(os.getpid()) if pid not in known]:
            for pid in strays:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    return  # it is not ours to wait for, and gone

    def _log(self, service: Service) -> str:
        return os.path.join(self.folder, f"{service.name}.log")

    def _failed(self, service: Service, how: str) -> ToolError:
        try:
            with open(self._log(service), encoding="utf-8", errors="replace") as stream:
                lines = stream.read().rstrip().splitlines()[-12:]
        except OSError:
            lines = []
        return ToolError(
            f"{service.name} {how}", notes=(("its log ends:\n" + "\n".join(lines), None),) if lines else ()
        )


def children_of(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stream:
                    # 4711 (name with blanks) S PARENT …
                    parent = int(stream.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            found += [int(name)] if parent == pid else []
    return found


def accepts(path: str) -> bool:
    """Whether something listens on a socket of this machine."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(path)
        except OSError:
            return False
    return True
