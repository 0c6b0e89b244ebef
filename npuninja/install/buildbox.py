"""BuildBox's client, server for one machine and workers of remote execution, from Debian's package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from npuninja.errors import ToolError
from npuninja.install.folder import installed_program, proved, write_launcher
from npuninja.install.installed_files import require_whole

PACKAGES = ("buildbox",)
PROGRAMS = ("trexe", "buildbox-casd", "buildbox-worker", "buildbox-run-hosttools")


def finish_buildbox(root: str) -> str:
    """Makes launchers of the unpacked programs that npuninja uses, runs each, returns the version.

    Raises:
        ToolError: the packages lack a program, or one does not run.
    """
    version = ""
    for program in PROGRAMS:
        #     trexe 1.4.30
        version = proved(program, [write_launcher(root, f"usr/bin/{program}"), "--version"])[-1]
    return version


def buildbox_program(environment: Mapping[str, str], program: str) -> str:
    """The absolute path of a program: that of `npuninja tools install buildbox`, else one on PATH.

    Raises:
        ToolError: there is none.
    """
    require_whole(environment, "buildbox")
    installed = installed_program(environment, "buildbox", program)
    found = (
        installed if os.path.isfile(installed) else shutil.which(program, path=environment.get("PATH", ""))
    )
    if found is None:
        raise ToolError(
            f"there is no {program}, a program of BuildBox", hint="npuninja tools install buildbox"
        )
    return os.path.abspath(found)
