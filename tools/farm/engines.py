"""The two servers that a farm can have, both ready-made: buildbox-casd alone, or BuildGrid with workers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from farm.postgresql import find_postgresql, start_postgresql
from farm.processes import Processes, Service, accepts
from farm.worker_place import WorkerPlace
from npuninja.errors import ToolError
from npuninja.install.buildbox import buildbox_program
from npuninja.install.folder import installed_program
from npuninja.install.installed_files import require_whole

ENGINES = ("casd", "buildgrid")
CACHE_LIMIT = "10G"  # of casd's files
# Until BuildGrid gives what a silent worker had to another one.
KEEPALIVE_S = 6
# A worker asks at least this often, for work and to say that it lives.
_POLL_S = 3
# buildbox-worker 1.4.30 sleeps for 0.25 s before an action and after it; with two at a time a CPU has work.
_JOBS_OF_A_WORKER = 2
# What workers pass on to stages: those decide by themselves what tools see (npuninja/stages/_run.py).
_PASSED = ("HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "LANG")

_BUILDGRID = """\
server:
  - !channel
    address: "{address}"
    insecure-mode: true
authorization:
  method: none
connections:
  - !sql-connection &sql
    connection-string: "{database}"
    pool-size: 20
    max-overflow: 40
storages:
  - !disk-storage &storage
    path: "{cache}"
caches:
  - !lru-action-cache &cache
    storage: *storage
    max-cached-refs: 1000000
    allow-updates: true
    cache-failed-actions: false
schedulers:
  - !sql-scheduler &scheduler
    sql: *sql
    action-cache: *cache
    storage: *storage
    property-set: !dynamic-property-set
      match-property-keys: [OSFamily, npuninja, tool]
    bot-session-keepalive-timeout: {keepalive}
    session-expiry-timer-interval: 1
    proactive-fetch-to-capacity: true
    assigners:
      - !priority-age-assigner
        count: 1
        interval: 0.05
        jitter-factor: 0
        failure-backoff: 0.1
        priority-assignment-percentage: 100
instances:
  - name: ""
    services:
      - !action-cache
        cache: *cache
      - !execution
        scheduler: *scheduler
      - !cas
        storage: *storage
      - !bytestream
        storage: *storage
thread-pool-size: 100
"""


@dataclass(frozen=True)
class Farm:
    """What is wanted.

    Attributes:
        socket: path of the socket on which the server listens; users that may open it may run commands.
        workers: how many actions run at a time.
        folder: for files that outlive the farm: logs, and casd's cache.
        place: what the workers have.
        environment: of the user.
    """

    socket: str
    workers: int
    folder: str
    place: WorkerPlace
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        """The address that `configure.py --remote` takes."""
        return f"unix:{self.socket}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of workers and what they start."""
        passed = {name: self.environment[name] for name in _PASSED if name in self.environment}
        return {**passed, "PATH": self.place.programs + os.pathsep + passed.get("PATH", os.defpath)}


def choose_engine(wanted: str | None, environment: Mapping[str, str]) -> tuple[str, str]:
    """The engine and why.

    Raises:
        ToolError: the wanted one lacks something.
    """
    if wanted == "casd":
        return wanted, "it was asked for"
    missing = []
    if not os.path.isfile(installed_program(environment, "buildgrid", "bgd")):
        missing.append(("BuildGrid", "buildgrid"))
    if find_postgresql(environment) is None:
        missing.append(("PostgreSQL", "postgresql"))
    if not missing:
        return "buildgrid", "BuildGrid and PostgreSQL are there" if wanted is None else "it was asked for"
    names = " and ".join(name for name, _ in missing)
    commands = "; ".join(f"npuninja tools install {name}" for _, name in missing)
    if wanted is None:
        return "casd", f"there is no {names} ({commands})"
    raise ToolError(f"--engine buildgrid needs {names}", hint=commands)


def start_engine(engine: str, farm: Farm, processes: Processes, temporary: str) -> None:
    """Starts server and workers; returns when the server answers.

    Args:
        engine: one of `ENGINES`.
        farm: what is wanted.
        processes: takes the processes.
        temporary: an empty folder that is deleted with the farm.

    Raises:
        ToolError: something cannot be started.
    """
    if engine == "casd":
        _start_casd(farm, processes)
        return
    _start_buildgrid(farm, processes, temporary)
    start_workers(farm, processes, temporary)


def _start_casd(farm: Farm, processes: Processes) -> None:
    cache = os.path.join(farm.folder, "casd")
    os.makedirs(cache, exist_ok=True)
    command = [
        buildbox_program(farm.environment, "buildbox-casd"),
        f"--bind={farm.address}",
        f"--jobs={farm.workers}",
    ]
    command += [
        f"--buildbox-run={buildbox_program(farm.environment, 'buildbox-run-hosttools')}",
        "--cache-failures=false",
    ]
    # The mode is named, or it would depend on whether the machine has FUSE.
    command += ["--runner-arg=--staging-mode=copy-or-link", "--runner-arg=--log-level=warning"]
    command += [f"--quota-high={CACHE_LIMIT}", "--log-level=warning", cache]
    processes.start(Service("casd", command, farm.variables, restart=True))
    processes.wait_for("casd", lambda: accepts(farm.socket))


def _start_buildgrid(farm: Farm, processes: Processes, temporary: str) -> None:
    programs = find_postgresql(farm.environment)
    assert programs is not None
    database_folder = tempfile.mkdtemp(prefix="pg", dir=temporary)
    if os.geteuid() == 0:
        os.chmod(temporary, 0o711)  # the database's folder in it is nobody's
    url = start_postgresql(processes, programs, database_folder)
    require_whole(farm.environment, "buildgrid")
    bgd = installed_program(farm.environment, "buildgrid", "bgd")
    variables = {name: value for name, value in farm.variables.items() if name != "LD_LIBRARY_PATH"}
    processes.run(Service("migrate", [bgd, "migrate", "apply", url], variables))
    settings = os.path.join(temporary, "buildgrid.yml")
    with open(settings, "w", encoding="utf-8") as stream:
        cache = os.path.join(temporary, "cache")
        os.mkdir(cache, 0o700)
        text = _BUILDGRID.format(address=farm.address, database=url, cache=cache, keepalive=KEEPALIVE_S)
        stream.write(text)
    processes.start(Service("buildgrid", [bgd, "server", "start", settings], variables))
    processes.wait_for("buildgrid", lambda: accepts(farm.socket))


def start_workers(farm: Farm, processes: Processes, temporary: str) -> None:
    """Starts workers for a BuildGrid at the farm's address.

    Raises ToolError when BuildBox is not installed.
    """
    # Not the machine alone: another of its farms may ask the same server. A worker that is started again has
    # the same name.
    name = f"{os.uname().nodename}-{os.getpid()}"
    for number in range(1, farm.workers + 1):
        workspace = os.path.join(temporary, f"work{number}")
        os.makedirs(workspace, mode=0o700, exist_ok=True)
        command = [buildbox_program(farm.environment, "buildbox-worker"), f"--remote={farm.address}"]
        command += [f"--concurrent-jobs={_JOBS_OF_A_WORKER}"]
        command += [
            f"--buildbox-run={buildbox_program(farm.environment, 'buildbox-run-hosttools')}",
            f"--max-wait-time={_POLL_S}",
        ]
        command += [
            "--runner-arg=--disable-localcas",
            f"--runner-arg=--workspace-path={workspace}",
            "--log-level=warning",
        ]
        for what in farm.place.has:
            command += ["--platform", what]
        service = Service(f"worker{number}", [*command, f"{name}-{number}"], farm.variables, restart=True)
        processes.start(service)
