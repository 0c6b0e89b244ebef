"""Folders of the designs' cache: whose they are, one build at a time, whether they hold what was built."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from npuninja.cache_files import require_own
from npuninja.errors import Error, in_words


def cache_home() -> str:
    """The folder of the cache: NPU_CACHE_HOME, IRON_CACHE_HOME, or ~/.npu/cache."""
    for variable in ("NPU_CACHE_HOME", "IRON_CACHE_HOME"):
        if os.environ.get(variable):
            return os.environ[variable]
    return os.path.join(os.path.expanduser("~"), ".npu", "cache")


def own_folder(name: str) -> str:
    """A design's folder in the cache, made when missing.

    Raises:
        RuntimeError: it is somebody else's, others can write to it, or it is no folder: its files are run.
    """
    home = cache_home()
    folder = os.path.join(home, name)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for one in (home, folder):
            require_own(Path(one), "NPU_CACHE_HOME")
        if os.path.islink(folder):
            raise RuntimeError(
                f"[npuninja] {folder} is a link: delete it, and the design is built there again"
            )
    except OSError as error:
        raise RuntimeError(f"[npuninja] cannot make the folder {folder}: {in_words(error)}") from None
    except Error as error:
        raise RuntimeError(f"[npuninja] {error.render()}") from None
    return folder


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """While no other process builds in a folder."""
    with open(os.path.join(folder, ".lock"), "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def file_of(manifest: str, kind: str) -> str:
    """The path of one of the files that a manifest names."""
    with open(manifest, encoding="utf-8") as stream:
        return os.path.join(os.path.dirname(manifest), json.load(stream)["files"][kind]["path"])


def is_whole(manifest: str, design: str) -> bool:
    """Whether the files that a manifest names are there, with the content that the build gave them."""
    try:
        with open(manifest, encoding="utf-8") as stream:
            said = json.load(stream)
        if said["design"] != design:
            return False
        for file in said["files"].values():
            with open(os.path.join(os.path.dirname(manifest), file["path"]), "rb") as data:
                if hashlib.sha256(data.read()).hexdigest() != file["sha256"]:
                    return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return True
