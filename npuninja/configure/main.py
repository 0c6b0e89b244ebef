"""The door of configure.py: it alone is loaded when Ninja started it and nothing that it looks at changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from npuninja import TYPE_CHECKING

if sys.dont_write_bytecode:  # as in many container images: each configure would parse all modules
    from npuninja.own_bytecode import keep_own_bytecode

    keep_own_bytecode()

from npuninja.configure.signals import is_held_back
from npuninja.configure.watched import nothing_changed

if TYPE_CHECKING:
    from typing import TextIO


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    output: TextIO | None = None,
    home: str | None = None,
) -> int:
    """Runs configure.py; returns its exit code. A project's configure.py calls it without arguments.

    Args:
        arguments: the command line; None for that of this process, with its stdout as `output`.
        environment: of the caller; it alone decides, not the process's.
        output: for the summary; None when it is closed. Errors go to stderr.
        home: the folder of configure.py, where the project is unless `-S` says otherwise.
    """
    if arguments is None:
        arguments, output = sys.argv[1:], sys.stdout
    if (
        len(arguments) == 2
        and arguments[0] == "--regenerate"
        and nothing_changed(os.path.dirname(arguments[1]), os.getcwd())
        and not is_held_back()
    ):
        return 0
    try:
        from npuninja.configure.whole import run
    except KeyboardInterrupt:  # before anything was begun
        sys.stderr.write("interrupted\n")
        return 130

    return run(arguments, environment, output, home or os.path.dirname(os.path.abspath(sys.argv[0])))
