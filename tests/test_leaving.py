"""A process without threads just ends, one with threads is wound up by Python; both say all they had to."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

PROGRAM = """
import sys
{before}
from npuninja.leaving import leave

class Held:
    def __del__(self):
        sys.stderr.write("taken apart")

held = Held()
print("a word")
leave({code})
"""


@pytest.mark.parametrize(("before", "wound_up"), [("", False), ("import threading", True)])
def test_leaving(before: str, wound_up: bool) -> None:
    program = PROGRAM.format(before=before, code=3)
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "a word\n")
    assert ("taken apart" in done.stderr) == wound_up


def test_the_reader_has_gone() -> None:
    program = PROGRAM.format(before="import os; os.close(1)", code=0).replace(
        'print("a word")', "print('x' * 100000)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Bad file descriptor" in done.stderr


@pytest.mark.parametrize("closed", [1, 2])
def test_a_stream_that_is_not_there(closed: int) -> None:
    program = f"""
import os
os.close({closed})
os.execv({sys.executable!r}, [{sys.executable!r}, "-S", "-c", "from npuninja.leaving import leave; leave(3)"])
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
