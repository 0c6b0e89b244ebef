"""Stage faulty: a design that configure.py could not plan; says why, and fails."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.stages._run import read_text
from npuninja.terminal import tell


def run(arguments: list[str]) -> None:
    """`ERROR.txt…`: prints what configure.py said, and leaves with the exit code for wrong input."""
    tell("\n".join(read_text(path).rstrip("\n") for path in arguments))
    raise SystemExit(UserError.exit_code)
