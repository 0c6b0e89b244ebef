"""The front end runs in every stage process, so it must import nothing slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SLOW = {
    "argparse",
    "ast",
    "dataclasses",
    "difflib",
    "inspect",
    "logging",
    "numpy",
    "pathlib",
    "subprocess",
    "tempfile",
}


def test_nothing_slow_is_imported() -> None:
    program = "import sys; import npuninja.ir.parser, npuninja.ir.printer, npuninja.ir.verifier; print(*sys.modules, sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert SLOW & set(found.stdout.split()) == set()
