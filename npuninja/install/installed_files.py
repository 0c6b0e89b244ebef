"""Whether an installation of `npuninja tools install` is whole: finished, and its files what was installed.

A record lies in the installation's folder. It is written last, so a file changed afterwards has a later time
of change (`ctime`, which nobody can set back); only such files are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping

from npuninja import TYPE_CHECKING
from npuninja.errors import ToolError
from npuninja.install.folder import tools_folder

if TYPE_CHECKING:
    from typing import Any

RECORD = "npuninja-packages.json"
#: Is there while an installation is made in its place.
UNFINISHED = "npuninja-unfinished"
#: What begins so beside the installations is work of one that runs, or was killed.
WORK_PREFIX = ".npuninja-"
_CHUNK_BYTES = 1 << 20


def write_record(root: str, facts: Mapping[str, Any]) -> None:
    """Writes what an installation is, with the sums of its files."""
    files = {os.path.relpath(path, root): _sum(path) for path in _files(root)}
    with open(os.path.join(root, RECORD), "w", encoding="utf-8") as stream:
        json.dump({"format": 2, **facts, "files": files}, stream, indent=1)


def _files(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path) and name not in (RECORD, UNFINISHED):
                yield path


def _sum(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def problem_of(folder: str) -> str:
    """Why an installation is not to be used, as the end of "… "; "" when nothing speaks against it."""
    if os.path.lexists(os.path.join(folder, UNFINISHED)):
        return "was not finished"
    record = os.path.join(folder, RECORD)
    try:
        written = os.stat(record).st_ctime_ns
        with open(record, encoding="utf-8") as stream:
            files = json.load(stream).get("files", {})
        sums = {str(name): str(digest) for name, digest in files.items()}
    except FileNotFoundError:
        return ""  # put there by hand
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        return f"has a damaged {RECORD} ({error})"
    for name, digest in sums.items():
        path = os.path.join(folder, name)
        try:
            status = os.lstat(path)
            same = status.st_ctime_ns < written or (not os.path.islink(path) and _sum(path) == digest)
        except OSError:
            return f"lacks {name}"
        if not same:
            return f"has another {name} than was installed"
    return ""


def problem_of_program(path: str, environment: Mapping[str, str]) -> str:
    """`problem_of` the installation that a program belongs to, as a sentence; "" for all other programs."""
    tools = os.path.realpath(tools_folder(environment))
    real = os.path.realpath(path)
    if not real.startswith(tools + os.sep):
        return ""
    name = os.path.relpath(real, tools).split(os.sep)[0]
    problem = problem_of(os.path.join(tools, name))
    return f"its installation {problem}; `npuninja tools install {name}` installs it again" if problem else ""


def require_whole(environment: Mapping[str, str], tool: str) -> None:
    """Raises ToolError when a tool's installation is not to be used."""
    folder = os.path.join(tools_folder(environment), tool)
    problem = problem_of(folder)
    if problem:
        raise ToolError(f"{folder} {problem}", hint=f"npuninja tools install {tool}")


@contextlib.contextmanager
def installing(folder: str, say: Callable[[str], None]) -> Iterator[None]:
    """One installation at a time in a folder of tools; what a killed one left there is removed first."""
    import fcntl  # here, as the other functions are for every system

    os.makedirs(folder, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"waiting for another installation into {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name.startswith(WORK_PREFIX) and os.path.isdir(path) and not os.path.islink(path):
                say(f"removing {path}, which an installation that was killed left")
                shutil.rmtree(path, ignore_errors=True)
        yield
    finally:
        os.close(lock)
