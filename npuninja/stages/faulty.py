"""Stage faulty: a design that configure.py could not plan; says why, and fails."""

from __future__ import annotations

import sys

from npuninja.errors import UserError
from npuninja.stages._run import read_text


def run(arguments: list[str]) -> None:
    """`ERROR.txt…`: prints what configure.py said, and leaves with the exit code for wrong input."""
    sys.stderr.write("\n".join(read_text(path).rstrip("\n") for path in arguments) + "\n")
    sys.stderr.flush()
    raise SystemExit(UserError.exit_code)
