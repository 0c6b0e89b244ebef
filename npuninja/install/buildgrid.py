"""BuildGrid, the server that gives actions to workers on many machines, from the Python package index."""

from __future__ import annotations

import os

from npuninja.errors import ToolError
from npuninja.install.folder import proved

OLDEST_PYTHON = (3, 11)
# psycopg2: BuildGrid waits for the database's news through it, but its own wheel does not ask for it. Other
# versions of BuildGrid may read another configuration.
REQUIREMENTS = ("buildgrid==0.4.4", "psycopg2-binary>=2.9")

_PROOF = "import importlib.metadata, psycopg2, buildgrid; print(importlib.metadata.version('buildgrid'))"


def finish_buildgrid(folder: str) -> str:
    """Proves that BuildGrid imports and has its program; returns its version. Raises ToolError if not."""
    words = proved("BuildGrid", [os.path.join(folder, "bin", "python"), "-I", "-c", _PROOF])
    if not os.path.isfile(os.path.join(folder, "bin", "bgd")):
        raise ToolError("the fetched BuildGrid has no bgd")
    return words[0]
