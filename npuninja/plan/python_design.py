"""Designs as Python programs: `mlir/NAME.py` prints MLIR on stdout. It is run while planning, in a child
process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from npuninja.errors import Location, UserError

TIME_LIMIT_S = 60.0
WHAT_IT_DOES = "a design in Python prints its MLIR on stdout"

# Runs the script as __main__ and then writes which modules it has loaded, which are its inputs as much as
# itself.
_RUN = """
import json, os, runpy, sys
script, report, *arguments = sys.argv[1:]
sys.argv[:] = [script, *arguments]
sys.path[0] = os.path.dirname(os.path.abspath(script))
try:
    runpy.run_path(script, run_name="__main__")
finally:
    sys.stdout.flush()
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    with open(report, "w", encoding="utf-8") as stream:
        json.dump([f for f in files if f], stream)
"""


def run_python_design(
    script: str, source_root: str, arguments: Sequence[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """Runs a design's script with `arguments`; returns the MLIR it printed and the files below `source_root`
    that it imported.

    Raises:
        UserError: it fails, prints nothing, or does not end within the time limit.
    """
    with tempfile.TemporaryDirectory(prefix="npuninja-") as folder:
        report = os.path.join(folder, "modules.json")
        try:
            done = subprocess.run(
                [sys.executable, "-c", _RUN, os.path.abspath(script), report, *arguments],
                cwd=source_root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(f"the script did not end within {TIME_LIMIT_S:g} s", Location(script)) from error
        if done.returncode:
            printed = done.stderr.decode("utf-8", "replace").strip()
            raise UserError(
                f"the script failed with exit code {done.returncode}",
                Location(script),
                notes=((f"it printed:\n{printed}", None),) if printed else (),
                hint=WHAT_IT_DOES,
            )
        text = done.stdout.decode("utf-8", "replace")
        if not text.strip():
            raise UserError("the script printed nothing", Location(script), hint=WHAT_IT_DOES)
        with open(report, encoding="utf-8") as stream:
            files = json.load(stream)
    return text, tuple(sorted({f for f in files if _is_own(f, source_root) and not _same(f, script)}))


def _is_own(file: str, source_root: str) -> bool:
    """Whether a module belongs to the project; installed packages do not, even in an environment below it."""
    path = os.path.realpath(file)
    below = path.startswith(os.path.realpath(source_root) + os.sep)
    return below and not path.startswith(os.path.realpath(sys.prefix) + os.sep)


def _same(file: str, other: str) -> bool:
    return os.path.realpath(file) == os.path.realpath(other)
