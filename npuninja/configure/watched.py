"""What the last configure looked at, so that the next one can tell whether any of it has changed.

Ninja looks at times, and a folder's time changes when an editor saves by renaming, although the folder has
what it had. Imported before anything else of configure.py, so it loads nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable

FILE = "watched.json"
#: What a file that is not there, or not as it was written, ends in.
_DAMAGED = (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError)


def nothing_changed(build_folder: str, ninja_folder: str) -> bool:
    """Whether all that the last configure looked at, and what it wrote, is as it was.

    What it wrote is then as new as Ninja wants it.

    Args:
        build_folder: where the last configure kept what it looked at.
        ninja_folder: that of build.ninja, in which paths are relative.
    """
    try:
        seen, made = _kept(build_folder)
        if not made or any(_look(path, ninja_folder)[0] != state for path, state in seen.items()):
            return False
        if any(_size_bytes(path, ninja_folder) != size for path, size in made.items()):
            return False
        settle(ninja_folder, made)
    except _DAMAGED:
        return False
    return True


def remember(
    build_folder: str, ninja_folder: str, started_ns: int, watched_files: Iterable[str], made: Iterable[str]
) -> None:
    """Keeps the state of what configure.py looked at; nothing when something of it has changed meanwhile.

    Args:
        build_folder: where it is kept.
        ninja_folder: that of build.ninja, from which paths are.
        started_ns: when this configure began to look.
        watched_files: files and folders, as Ninja watches them.
        made: what Ninja takes for a configure's outputs; times may be set later. Empty: Ninja is not asked.
    """
    looks = {name: _look(name, ninja_folder) for name in watched_files}
    sizes_bytes = {name: _size_bytes(name, ninja_folder) for name in made}
    late = any(time_ns >= started_ns for _, time_ns in looks.values())
    path = os.path.join(build_folder, FILE)
    if late or not sizes_bytes:
        if os.path.exists(path):
            os.unlink(path)
        return
    from npuninja.files import write_if_changed  # a configure that has nothing to do does without

    seen = {name: state for name, (state, _) in looks.items()}
    write_if_changed(path, json.dumps({"seen": seen, "made": sizes_bytes}))


def remember_again(build_folder: str, ninja_folder: str, started_ns: int) -> None:
    """Keeps the state of the files that the last configure looked at: this one found its plan unchanged."""
    try:
        seen, made = _kept(build_folder)
        watched_files, outputs = list(seen), list(made)
    except _DAMAGED:
        return
    remember(build_folder, ninja_folder, started_ns, watched_files, outputs)


def _kept(build_folder: str) -> tuple[dict[str, object], dict[str, int]]:
    """What `remember` kept: states of what was looked at, sizes of what was made. Raises one of _DAMAGED."""
    with open(os.path.join(build_folder, FILE), encoding="utf-8", errors="surrogateescape") as stream:
        content = json.load(stream)
    return content["seen"], content["made"]


def settle(folder: str, names: Iterable[str]) -> None:
    """Makes files at least as new as the folder of build.ninja, when writing there has made that newer.

    A project without a toolchain.toml is configured again when its folder changes: so a new one is noticed.
    """
    newer_ns = os.stat(folder).st_mtime_ns
    for name in names:
        path = os.path.join(folder, name)
        if os.stat(path).st_mtime_ns < newer_ns:
            os.utime(path, ns=(newer_ns, newer_ns))


def _look(name: str, ninja_folder: str) -> tuple[list[object] | None, int]:
    """What a file or folder is like, and its time in ns; None and 0 when it is not there.

    Of a file it is size and time, of a folder the names in it, and which are folders, as JSON gives it back.
    """
    path = os.path.join(ninja_folder, name)
    if name == os.curdir:
        # It is watched for this one name. configure.py itself writes into it, so its time says nothing.
        return [os.path.exists(os.path.join(path, "toolchain.toml"))], 0
    try:
        status = os.stat(path)
    except OSError:
        return None, 0
    if not stat.S_ISDIR(status.st_mode):
        return [status.st_size, status.st_mtime_ns], status.st_mtime_ns
    with os.scandir(path) as entries:
        return [sorted([entry.name, entry.is_dir()] for entry in entries)], status.st_mtime_ns


def _size_bytes(name: str, ninja_folder: str) -> int | None:
    try:
        return os.stat(os.path.join(ninja_folder, name)).st_size
    except OSError:
        return None
