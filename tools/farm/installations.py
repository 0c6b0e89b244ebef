"""What a farm's servers can be fetched from: BuildGrid from the Python package index, PostgreSQL from Debian.

`npuninja tools install` finds this module in the source tree.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence

from farm.python_packages import find_python, install_python_packages
from npuninja.errors import ToolError
from npuninja.install.folder import launch_in_place, proved
from npuninja.install.installation import Circumstances, Installation

# Of BuildGrid.
OLDEST_PYTHON = (3, 11)
# psycopg2: BuildGrid waits for the database's news through it, but its own wheel does not ask for it. Other
# versions of BuildGrid may read another configuration.
REQUIREMENTS = ("buildgrid==0.4.4", "psycopg2-binary>=2.9")

_PROOF = "import importlib.metadata, psycopg2, buildgrid; print(importlib.metadata.version('buildgrid'))"


def fetch_buildgrid(
    packages: Sequence[str], folder: str, finish: Callable[[str], None], given: Circumstances
) -> None:
    """Makes a virtual environment with BuildGrid. Raises ToolError without a Python for it."""
    python = find_python(OLDEST_PYTHON, given.environment)
    install_python_packages(packages, folder, python=python, finish=finish, say=given.say)


def finish_buildgrid(folder: str) -> str:
    """Proves that BuildGrid imports and has its program; returns its version. Raises ToolError if not."""
    words = proved("BuildGrid", [os.path.join(folder, "bin", "python"), "-I", "-c", _PROOF])
    if not os.path.isfile(os.path.join(folder, "bin", "bgd")):
        raise ToolError("the fetched BuildGrid has no bgd")
    return words[0]


def finish_postgresql(root: str) -> str:
    """Makes the server and `initdb` in the unpacked packages start from there; returns the version.

    Raises:
        ToolError: the packages lack them, or they do not run.
    """
    folders = glob.glob(os.path.join(root, "usr", "lib", "postgresql", "*", "bin"))
    if len(folders) != 1:
        raise ToolError(f"the packages have {len(folders)} versions of PostgreSQL, expected one")
    for program in ("postgres", "initdb"):
        # In place: initdb looks for the server beside itself, and both for their data relative to it.
        launch_in_place(root, os.path.relpath(os.path.join(folders[0], program), root))
    #     postgres (PostgreSQL) 18.1 (Debian 18.1-1)
    return proved("PostgreSQL", [os.path.join(folders[0], "postgres"), "--version"], least_words=3)[2]


_USE = "npuninja farm up --engine buildgrid"
INSTALLATIONS = {
    "buildgrid": Installation(
        "server of a farm of workers", _USE, REQUIREMENTS, finish_buildgrid, fetch_buildgrid
    ),
    "postgresql": Installation("database for buildgrid", _USE, ("postgresql",), finish_postgresql),
}
