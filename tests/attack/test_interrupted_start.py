"""Ctrl-C while any program still loads its modules: one line and the exit code of shells."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

#: Runs a program whose first import of `errors` comes to Ctrl-C.
PROGRAM = """
import runpy, sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "npuninja.errors":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    "program",
    ["configure.py", "npuninja/__main__.py", "npuninja/stages/__main__.py", "npuninja/remote/__main__.py"],
)
def test_one_line(program: str) -> None:
    path = ROOT / program
    command = [sys.executable, "-c", PROGRAM, str(path), "run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_installed_command_starts_there_too() -> None:
    assert 'npuninja = "npuninja.__main__:main"' in (ROOT / "pyproject.toml").read_text()
