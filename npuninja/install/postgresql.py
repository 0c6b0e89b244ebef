"""PostgreSQL in a private folder, for BuildGrid's queue; only `npuninja farm` starts its server."""

from __future__ import annotations

import glob
import os

from npuninja.errors import ToolError
from npuninja.install.folder import launch_in_place, proved

PACKAGES = ("postgresql",)
PROGRAMS = ("postgres", "initdb")


def finish_postgresql(root: str) -> str:
    """Makes the server and `initdb` in the unpacked packages start from there; returns the version.

    Raises:
        ToolError: the packages lack them, or they do not run.
    """
    folders = glob.glob(os.path.join(root, "usr", "lib", "postgresql", "*", "bin"))
    if len(folders) != 1:
        raise ToolError(f"the packages have {len(folders)} versions of PostgreSQL, expected one")
    for program in PROGRAMS:
        # In place: initdb looks for the server beside itself, and both for their data relative to it.
        launch_in_place(root, os.path.relpath(os.path.join(folders[0], program), root))
    #     postgres (PostgreSQL) 18.1 (Debian 18.1-1)
    return proved("PostgreSQL", [os.path.join(folders[0], "postgres"), "--version"], least_words=3)[2]
