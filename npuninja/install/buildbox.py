"""BuildBox: the client, the server for one machine and the workers of remote execution, from Debian's package of it."""

from __future__ import annotations

import subprocess

from npuninja.diag.errors import ToolError
from npuninja.install.folder import write_launcher

PACKAGES = ("buildbox",)
PROGRAMS = ("trexe", "buildbox-casd", "buildbox-worker", "buildbox-run-hosttools")


def finish_buildbox(root: str) -> str:
    """Makes launchers of the programs that npuninja uses in the unpacked packages, runs each, returns the version.

    Raises:
        ToolError: the packages lack a program, or one does not run.
    """
    version = ""
    for program in PROGRAMS:
        launcher = write_launcher(root, f"usr/bin/{program}")
        done = subprocess.run([launcher, "--version"], capture_output=True, text=True, timeout=60, check=False)
        #     trexe 1.4.30
        words = (done.stdout or done.stderr).split()
        if done.returncode or not words:
            raise ToolError(f"the fetched {program} does not run: {(done.stderr or done.stdout).strip()[:300]}")
        version = words[-1]
    return version
