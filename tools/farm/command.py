"""`npuninja farm up|down`: a farm for `configure.py --remote` on this machine, to try it."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import npuninja
from farm.engines import ENGINES, Farm, choose_engine, start_engine, start_workers
from farm.processes import Processes
from farm.worker_place import write_worker_place
from npuninja.argument_parser import VerbParser
from npuninja.configure.settings import Settings, read_settings
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import detect, surroundings_of
from npuninja.errors import ToolError, UserError
from npuninja.files import write_file
from npuninja.install.buildbox import buildbox_program
from npuninja.remote.action import make_action
from npuninja.remote.settings import RemoteSettings
from npuninja.remote.trexe import run_action

PACKAGE = os.path.dirname(os.path.abspath(npuninja.__file__))
#: In a folder of its own below the farm's, which only the farm's user can enter.
SOCKET = os.path.join("socket", "farm")
_SOCKET_PATH_BYTES = 107  # sun_path of unix(7) with its end
START_LIMIT_S, END_LIMIT_S = 120.0, 60.0


def farm_folder(environment: Mapping[str, str]) -> str:
    """Where a farm keeps its logs, and casd its cache: `npuninja/farm` in the user's cache folder."""
    cache = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME", os.sep), ".cache")
    return os.path.join(cache, "npuninja", "farm")


def main(arguments: list[str]) -> int:
    """Runs the verb. `up` returns when the farm was ended; with `--background`, when it is ready."""
    parser = VerbParser(
        prog="npuninja farm",
        description="Runs a server of the Remote Execution API and workers on this machine, "
        "for `configure.py --remote`.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=VerbParser)
    up = verbs.add_parser("up", description="Starts a farm; it runs until Ctrl-C or `npuninja farm down`.")
    cpus = os.cpu_count() or 1
    up.add_argument(
        "--workers", type=int, default=cpus, metavar="N", help="actions at a time (default: CPUs)"
    )
    up.add_argument(
        "--engine", choices=ENGINES,
        help="casd: one process, its cache stays; buildgrid: "
             "a server and N workers (default where it is installed)",
    )  # fmt: skip
    up.add_argument("--background", action="store_true", help="come back when it is ready")
    join = verbs.add_parser(
        "join",
        description="Starts workers on this machine for the BuildGrid of another one, "
        "whose socket SSH brings here.",
    )
    join.add_argument("address", metavar="ADDRESS", help="of the BuildGrid, as unix:PATH")
    join.add_argument("--workers", type=int, default=cpus, metavar="N", help="how many (default: CPUs)")
    down = verbs.add_parser("down", description="Ends the farm.")
    for verb in (up, join, down):
        verb.add_argument(
            "--folder", default=farm_folder(os.environ), help="of the farm (default: in the user's cache)"
        )
    for verb in (up, join):
        verb.add_argument(
            "--toolchain", metavar="FILE", help="the pinned tools (default: toolchain.toml, if it is here)"
        )
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        raise UserError(
            "a farm needs Linux", hint="configure.py --remote ADDRESS asks one that runs elsewhere"
        )
    folder = os.path.abspath(options.folder)
    if options.verb == "down":
        return _down(folder)
    if options.workers < 1:
        raise UserError(f"--workers {options.workers} is not above 0")
    if options.verb == "up" and options.background:
        return _in_background(folder, [word for word in arguments if word != "--background"])
    return _run(folder, options)


def _run(folder: str, options: argparse.Namespace) -> int:
    _make_own(folder)
    environment = dict(os.environ)
    with _lock(folder) as lock, _ending_signals():
        temporary = tempfile.mkdtemp(prefix="npuninja-farm-")
        lock.write(f"{temporary}\n")
        lock.flush()
        logs = os.path.join(folder, "logs")
        shutil.rmtree(logs, ignore_errors=True)
        try:
            with Processes(logs, _say) as processes:
                _start(folder, options, environment, processes, temporary)
                while True:
                    processes.watch()
                    time.sleep(0.2)
        except _Ended:
            _say("the farm has ended")
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            _forget(folder)
    return 0


def _start(
    folder: str,
    options: argparse.Namespace,
    environment: dict[str, str],
    processes: Processes,
    temporary: str,
) -> None:
    """Starts everything, proves that an action can be run, and says where."""
    settings = _settings(options.toolchain)
    cache = ProbeCache(os.path.join(folder, "probe_cache.json"))
    toolchain = detect(surroundings_of(environment, settings.pins), cache, settings.denied)
    place = write_worker_place(os.path.join(folder, "worker"), PACKAGE, toolchain)
    if options.verb == "join":
        farm = Farm(_path_of(options.address), options.workers, folder, place, environment)
        start_workers(farm, processes, temporary)
        one = options.workers == 1
        asking = "1 worker asks" if one else f"{options.workers} workers ask"
        _say(f"{asking} {farm.address} for work; Ctrl-C ends {'it' if one else 'them'}")
        _remember(folder, {"address": farm.address, "workers": options.workers})
        return
    engine, why = choose_engine(options.engine, environment)
    farm = Farm(_socket(folder), options.workers, folder, place, environment)
    _say(f"engine {engine}: {why}")
    start_engine(engine, farm, processes, temporary)
    _prove(farm, temporary)
    _say(
        f"{options.workers} worker{'s' if options.workers > 1 else ''} at {farm.address}, "
        f"with {', '.join(place.has)}"
    )
    _say(f"build with: configure.py --remote {farm.address}")
    _remember(folder, {"address": farm.address, "engine": engine, "workers": options.workers})


def _prove(farm: Farm, temporary: str) -> None:
    """Has a worker answer, through the client that builds use. Raises ToolError when none does."""
    client = RemoteSettings(
        farm.address, buildbox_program(farm.environment, "trexe"), farm.place.package, (), "", 0
    )
    records = os.path.join(temporary, "proof")
    for name in ("in", "out"):
        os.makedirs(os.path.join(records, name))
    before = os.getcwd()
    os.chdir(records)  # trexe reads a `:` in a path its own way
    try:
        result = run_action(client.trexe, client.address, make_action(client, [], [], []), "in", "out", ".")
    finally:
        os.chdir(before)
    if result.exit_code:
        raise ToolError(f"the workers of the farm do not work: {result.printed.strip()[:500]}")


def _settings(path: str | None) -> Settings:
    if path is None and not os.path.isfile("toolchain.toml"):
        return Settings()
    return read_settings(path or "toolchain.toml")


def _path_of(address: str) -> str:
    scheme, _, path = address.partition(":")
    if scheme != "unix" or not os.path.isabs(path):
        raise UserError(
            f"{address!r} is no address of a farm",
            hint="as unix:/PATH; a farm of another machine is reached through SSH: "
            "ssh -N -L /PATH:SOCKET MACHINE",
        )
    return path


def _make_own(folder: str) -> None:
    """Makes a folder that nobody else can enter, or takes one of this user's.

    Raises:
        UserError: it is somebody else's, or a link.
    """
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise UserError(
            f"{folder} is no folder of yours: its owner could run commands as you",
            hint="take another one: --folder FOLDER",
        )
    os.chmod(folder, 0o700)


def _socket(folder: str) -> str:
    """Where the farm listens; what an earlier one left there is removed."""
    path = os.path.join(folder, SOCKET)
    if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
        raise UserError(
            f"the farm's socket would be {path}, "
            f"longer than the {_SOCKET_PATH_BYTES} bytes that a socket's name may have",
            hint="take a shorter one: --folder FOLDER",
        )
    _make_own(os.path.dirname(path))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # the lock is held: no farm of this folder runs
    return path


class _Ended(Exception):
    """Somebody asked the farm to end."""


@contextmanager
def _ending_signals() -> Iterator[None]:
    """Ctrl-C and the signals that end programs raise `_Ended`, but once only, so that the end is orderly."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _Ended

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _lock(folder: str) -> Iterator[TextIO]:
    """Holds the folder as long as the farm runs; gives the file that says what holds it, and what to delete.

    Raises:
        UserError: another farm has the folder.
    """
    with open(os.path.join(folder, "lock"), "a+", encoding="utf-8") as lock:
        if not _locked(lock):
            raise UserError(
                f"a farm is running already: {_described(folder)}", hint="npuninja farm down ends it"
            )
        lock.seek(0)
        for left in lock.read().splitlines()[1:]:
            shutil.rmtree(left, ignore_errors=True)  # the one before was killed
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock
        lock.truncate(0)


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _down(folder: str) -> int:
    try:
        lock = open(os.path.join(folder, "lock"), encoding="utf-8")  # noqa: SIM115  (closed by the `with` below)
    except FileNotFoundError:
        _say("no farm is running")
        return 0
    with lock:
        limit = time.monotonic() + END_LIMIT_S
        asked = False
        while not _locked(lock):
            if not asked:
                lock.seek(0)
                holder = lock.readline()
                if holder.endswith("\n"):  # else it is just starting
                    os.kill(int(holder), signal.SIGTERM)
                    asked = True
            if time.monotonic() > limit:
                raise ToolError(f"the farm does not end; its logs are in {os.path.join(folder, 'logs')}")
            time.sleep(0.05)
    _say("the farm has ended" if asked else "no farm is running")
    return 0


def _in_background(folder: str, arguments: list[str]) -> int:
    """Starts the farm in a process of its own and waits until it is ready."""
    _make_own(folder)
    log_path = os.path.join(folder, "farm.log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, PACKAGE, "farm", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    limit = time.monotonic() + START_LIMIT_S
    while process.poll() is None and (_remembered(folder) or {}).get("pid") != process.pid:
        if time.monotonic() > limit:
            process.terminate()
            raise ToolError(f"the farm is not ready after {START_LIMIT_S:g} s; see {log_path}")
        time.sleep(0.05)
    with open(log_path, encoding="utf-8", errors="replace") as stream:
        sys.stdout.write(stream.read())
    return process.poll() or 0


def _remember(folder: str, what: dict[str, Any]) -> None:
    write_file(os.path.join(folder, "farm.json"), json.dumps({"pid": os.getpid(), **what}).encode())


def _forget(folder: str) -> None:
    path = os.path.join(folder, "farm.json")
    if os.path.exists(path):
        os.unlink(path)


def _remembered(folder: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(folder, "farm.json"), encoding="utf-8") as stream:
            content: Any = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _described(folder: str) -> str:
    return str((_remembered(folder) or {}).get("address", "it is just starting"))


def _say(line: str) -> None:
    print(line, flush=True)
