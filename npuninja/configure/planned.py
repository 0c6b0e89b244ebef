"""What the last configure planned, and from what: with nothing changed, the same plan is not made again.

Planning is a function of data: the project, the machine, npuninja itself. Their digest is kept with size and
time of the files that followed from them. Another digest, or a file that somebody touched, means planning
again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable

from npuninja.files import write_if_changed

FILE = "planned.json"
#: The folder of npuninja.
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Folders of npuninja that nothing here loads, so they decide no plan. To look at all modules would take more
#: time than the rest of a configure without a change; a test holds that the list is right.
NOT_OF_PLANNING = frozenset(
    (
        *(
            "commands",
            "diag",
            "host_headers",
            "language_server",
        ),
        *("new_project", "porting", "report", "xrt_emulation"),
    )
)
_SKIPPED = NOT_OF_PLANNING | {"__pycache__"}


class Planned:
    """The memory of one build folder.

    Args:
        build_folder: where it is kept.
        causes: the digest of all that decides the plan.
        stamp: that of npuninja's modules, which decide as well (`modules_stamp`).
    """

    def __init__(self, build_folder: str, causes: str, stamp: str) -> None:
        self._path = os.path.join(build_folder, FILE)
        self._digest = f"{causes} {stamp}"

    def still_holds(self) -> bool:
        """Whether the files of the last configure are what this one would write."""
        try:
            with open(self._path, encoding="utf-8") as stream:
                content = json.load(stream)
            if content["causes"] != self._digest or not content["files"]:
                return False
            return all(_stamp(path) == stamp for path, stamp in content["files"].items())
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return False

    def remember(self, files: Iterable[str]) -> None:
        """Keeps what was written: the paths of the files."""
        content = {"causes": self._digest, "files": {path: _stamp(path) for path in files}}
        write_if_changed(self._path, json.dumps(content))


def _stamp(path: str) -> list[int] | None:
    """Size and time of a file, as JSON gives them back; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def modules_stamp(package: str = PACKAGE) -> str:
    """A digest of path, size and time of npuninja's files that may decide a plan. Looking takes 6 ms."""
    found: list[tuple[str, int, int]] = []
    pending = [package]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if not entry.is_dir():
                    status = entry.stat()
                    found.append((entry.path, status.st_size, status.st_mtime_ns))
                elif entry.name not in _SKIPPED:
                    pending.append(entry.path)
    return hashlib.sha256(repr(sorted(found)).encode("utf-8", "surrogateescape")).hexdigest()
