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


# What these modules may import and do; what Python loads for it is its affair (NamedTuple: `ast` from 3.14).
ALLOWED = """\
import re, struct, typing, hashlib, json

class Record(typing.NamedTuple):
    field: int
"""


def loaded_by(program: str) -> set[str]:
    program = f"{program}\nimport sys\nprint(*sys.modules, sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(found.stdout.split())


def test_nothing_slow_is_imported() -> None:
    ours = loaded_by("import npuninja.ir.parser, npuninja.ir.printer, npuninja.ir.verifier")
    assert SLOW & (ours - loaded_by(ALLOWED)) == set()
