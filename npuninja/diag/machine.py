"""What doctor may look at of a machine: files below a root, the environment, limits, the kernel's log.

Everything the rungs know goes through a `MachineFacts`, so that tests can make one up: a folder stands for
`/`, and what is no file is an attribute. A query that fails gives None, which does not mean "is not there".
"""

from __future__ import annotations

import fnmatch
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

KERNEL_LOG_TIME_LIMIT_S = 5.0
_LARGEST_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class MachineFacts:
    """A machine as doctor sees it.

    Attributes:
        root: the folder that stands for `/`.
        environment: the environment variables.
        locked_memory_bytes: how much memory may be locked; None for no limit.
        kernel_log: the kernel's messages; None when they may not be read.
        forbidden: paths (below `root`) that may not be opened for reading and writing.
    """

    root: str
    environment: Mapping[str, str]
    locked_memory_bytes: int | None
    kernel_log: str | None
    forbidden: frozenset[str] = field(default_factory=frozenset)

    def path(self, *components: str) -> str:
        """The real path of a path of this machine, given without its first slash."""
        return os.path.join(self.root, *components)

    def shown(self, path: str) -> str:
        """The path of this machine for a real path."""
        return os.path.join(os.sep, os.path.relpath(path, self.root))

    def read(self, *components: str) -> str | None:
        """The text of a small file without the white space around it; None when it cannot be read."""
        try:
            with open(self.path(*components), encoding="utf-8", errors="replace") as stream:
                return stream.read(_LARGEST_FILE_BYTES).strip()
        except OSError:
            return None

    def names(self, *components: str) -> list[str] | None:
        """What is in a folder, sorted; None when it cannot be read."""
        try:
            return sorted(os.listdir(self.path(*components)))
        except OSError:
            return None

    def find(self, folder: str, *patterns: str) -> list[str]:
        """The files in a folder whose name fits a pattern, as paths of this machine without first slash."""
        names = self.names(folder) or []
        return [
            os.path.join(folder, n)
            for n in names
            if any(fnmatch.fnmatchcase(n, pattern) for pattern in patterns)
        ]

    def exists(self, *components: str) -> bool:
        """Whether there is such a file or folder."""
        return os.path.exists(self.path(*components))

    def usable(self, path: str) -> bool:
        """Whether a file may be read and written."""
        return path not in self.forbidden and os.access(self.path(path), os.R_OK | os.W_OK)


def this_machine(environment: Mapping[str, str]) -> MachineFacts:
    """The facts of the machine that this runs on."""
    return MachineFacts(os.sep, environment, _locked_memory_bytes(), _kernel_log())


def _locked_memory_bytes() -> int | None:
    try:
        import resource
    except ImportError:  # not on every system
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft


def _kernel_log() -> str | None:
    """What `dmesg` says; on many systems only root may ask."""
    try:
        done = subprocess.run(
            ["dmesg"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=KERNEL_LOG_TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
