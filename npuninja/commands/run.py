"""`npuninja run`: a design by its manifest, or by its name in the project here; without either all of them."""

from __future__ import annotations

import os
import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    from npuninja.device.runner import main as run

    if not arguments:
        from npuninja.commands.project import run_ninja

        return run_ninja(["run"])
    first = arguments[0]
    if _NAME.fullmatch(first) and not os.path.isfile(first):
        from npuninja.commands.project import configured
        from npuninja.configure.built import built_manifest

        configured()
        return run([built_manifest(first), *arguments[1:]])
    return run(arguments)
