"""`npuninja pdi`: configuration files to a device image."""

from __future__ import annotations

import sys

from npuninja.errors import UserError
from npuninja.stages import pdi
from npuninja.stages._run import read_arguments

USAGE = """\
usage: npuninja pdi --cdo FILE … -o FILE.pdi [--bootgen PROGRAM]

Joins the CDO files in the order given (elfs, init, enable). The bytes are those that bootgen makes.
"""


def main(arguments: list[str]) -> int:
    """Runs `npuninja pdi`; returns its exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(USAGE)
        return 0
    options = read_arguments("npuninja pdi", arguments, options=("--cdo", "--bootgen"))
    # `--cdo A B` means the same as `--cdo A --cdo B`.
    files = [*options.all("--cdo"), *options.positional]
    if not files:
        raise UserError("npuninja pdi: option --cdo is missing")
    bootgen = options.optional("--bootgen")
    pdi.run([*files, "-o", options.one("-o"), *(["--bootgen", bootgen] if bootgen else [])])
    return 0
