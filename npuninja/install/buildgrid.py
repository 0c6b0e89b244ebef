"""BuildGrid, the server that gives actions to workers on many machines, from the Python package index."""

from __future__ import annotations

import os
import subprocess

from npuninja.errors import ToolError

OLDEST_PYTHON = (3, 11)
# psycopg2: BuildGrid waits for news of the database through it; its own wheel does not ask for it. Other
# versions of BuildGrid may read another configuration.
REQUIREMENTS = ("buildgrid==0.4.4", "psycopg2-binary>=2.9")

_PROOF = "import importlib.metadata, psycopg2, buildgrid; print(importlib.metadata.version('buildgrid'))"


def finish_buildgrid(folder: str) -> str:
    """Proves that BuildGrid imports and that its program is there; returns its version. ToolError when not."""
    command = [os.path.join(folder, "bin", "python"), "-I", "-c", _PROOF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or not os.path.isfile(os.path.join(folder, "bin", "bgd")):
        raise ToolError(f"the fetched BuildGrid does not run: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout.strip()
