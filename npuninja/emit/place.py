"""Puts build.ninja in place: only when it changed, and only after Ninja has read it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from npuninja.errors import InternalError, ToolError


def place_build_file(path: str, text: str, ninja: str | None) -> bool:
    """Writes build.ninja unless it has this text, but has Ninja read it first: a broken one could not repair
    itself.

    Returns whether it wrote.

    Raises:
        InternalError: Ninja does not accept the text; the old file stays.
        ToolError: Ninja does not start.
    """
    try:
        with open(path, "rb") as stream:
            if stream.read() == text.encode("utf-8", "surrogateescape"):
                return False
    except OSError:
        pass
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".new{os.getpid()}.{name}")
    with open(temporary, "wb") as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))
    try:
        if ninja:
            _check(ninja, folder, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return True


def settle(folder: str, names: Sequence[str]) -> None:
    """Makes files at least as new as the folder of build.ninja, when writing there has made that newer.

    A project without a toolchain.toml is configured again when its folder changes: so a new one is noticed.
    """
    newer_ns = os.stat(folder).st_mtime_ns
    for name in names:
        path = os.path.join(folder, name)
        if os.stat(path).st_mtime_ns < newer_ns:
            os.utime(path, ns=(newer_ns, newer_ns))


def remove_dead_outputs(ninja: str, folder: str) -> None:
    """Deletes what earlier builds made and the new build.ninja no longer makes (a design was renamed or taken
    away).

    Nobody is to run an old XCLBIN by mistake. Files that are in no log of Ninja's stay.

    Raises:
        ToolError: Ninja does not start.
    """
    _run([ninja, "-C", folder, "-t", "cleandead"])


def _check(ninja: str, folder: str, file: str) -> None:
    # Tool `targets` reads and connects the whole file, runs nothing and, unlike `-n`, does not look whether
    # the file itself is to be made anew.
    command = [ninja, "-C", folder, "-f", file, "-t", "targets", "depth", "1"]
    done = _run(command)
    if done.returncode:
        raise InternalError(
            "Ninja does not accept the build file that was made",
            notes=((f"it printed: {(done.stderr or done.stdout).strip()}", None),),
            hint="please report this with the design and the name of its folder",
        )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"cannot start {command[0]}: {error}", hint="pip install ninja") from error
