"""A PostgreSQL of the farm's own, for BuildGrid: reached by a socket in a folder, gone when the farm ends."""

from __future__ import annotations

import glob
import os
import pwd
import re
import shutil
import signal
from collections.abc import Mapping

from farm.processes import Processes, Service
from npuninja.install.folder import tools_folder

_USER = "npuninja"
# What is lost in a crash is a queue that is asked for again.
_SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
)


def find_postgresql(environment: Mapping[str, str]) -> str | None:
    """The folder of `postgres` and `initdb`: the machine's, else of `npuninja tools install postgresql`."""
    on_path = shutil.which("initdb", path=environment.get("PATH", ""))
    folders = [os.path.dirname(os.path.realpath(on_path))] if on_path else []
    own = os.path.join(tools_folder(environment), "postgresql", "usr")
    for root in ("/usr", own):
        found = glob.glob(os.path.join(root, "lib", "postgresql", "*", "bin"))
        folders += sorted(
            found, key=lambda path: [int(n) for n in re.findall(r"\d+", path[len(root) :])], reverse=True
        )
    return next(
        (f for f in folders if all(os.path.isfile(os.path.join(f, p)) for p in ("postgres", "initdb"))), None
    )


def start_postgresql(processes: Processes, programs: str, folder: str) -> str:
    """Starts an empty database; returns its URL as SQLAlchemy takes it.

    Args:
        processes: takes the server.
        programs: the folder of `find_postgresql`.
        folder: an empty one with a short path, for data and socket.

    Raises:
        ToolError: it cannot be started.
    """
    # PostgreSQL refuses to run as root, so nobody runs it then.
    user = None
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = nobody.pw_uid, nobody.pw_gid
        programs = reachable(programs, os.path.join(folder, "programs"))
        os.chown(folder, *user)
    variables = {"PATH": os.defpath, "LC_ALL": "C"}
    data = os.path.join(folder, "data")
    words = ["-D", data, "-U", _USER, "--auth=trust", "--no-sync", "--no-instructions"]
    processes.run(Service("initdb", [os.path.join(programs, "initdb"), *words], variables, user))
    command = [os.path.join(programs, "postgres"), "-D", data, "-k", folder]
    for setting in _SETTINGS:
        command += ["-c", setting]
    # SIGINT: end now, with clients connected or not.
    processes.start(Service("postgresql", command, variables, user, signal.SIGINT))
    lock = os.path.join(data, "postmaster.pid")

    def ready() -> bool:
        try:
            with open(lock, encoding="utf-8") as stream:
                return stream.read().splitlines()[-1].strip() == "ready"
        except (OSError, IndexError):
            return False

    processes.wait_for("postgresql", ready)
    # psycopg2 by name: SQLAlchemy would take psycopg 3, for which BuildGrid is not made.
    return f"postgresql+psycopg2://{_USER}@/postgres?host={folder}"


def reachable(programs: str, folder: str) -> str:
    """The folder of the programs, for other users than root.

    What `npuninja tools install` fetched may lie in root's home, where they cannot go: then it is linked into
    `folder`.
    """
    if _others_reach(programs):
        return programs
    # ROOT/usr/lib/postgresql/VERSION/bin; the programs find the rest relative to themselves.
    root = os.path.abspath(os.path.join(programs, *[os.pardir] * 5))
    shutil.copytree(root, folder, symlinks=True, copy_function=_link_or_copy)
    return os.path.join(folder, os.path.relpath(programs, root))


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _others_reach(path: str) -> bool:
    while True:
        if not os.stat(path).st_mode & 0o001:
            return False
        above = os.path.dirname(path)
        if above == path:
            return True
        path = above
