"""The line about skipped tests is above pytest's closing line, whatever else the run says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TESTS

SKIPPED = """
import pytest

@pytest.mark.parametrize("tool", ["bootgen", "trexe"])
def test_missing(tool):
    pytest.skip(f"there is no {tool}")

def test_slow():
    pytest.skip("no network")
"""
GOOD = "def test_good(): pass\n"
WRONG = "def test_wrong(): assert 1 == 2\n"
LINE = "skipped: 3 (2 times: there is no …; 1 times: no network)"


@pytest.mark.parametrize(
    ("code", "options", "closing"),
    [
        (GOOD, [], "1 passed, 3 skipped"),
        (GOOD + WRONG, [], "1 failed, 1 passed, 3 skipped"),
        (GOOD + WRONG, ["-rA"], "1 failed, 1 passed, 3 skipped"),
        (GOOD + WRONG, ["-q"], "1 failed, 1 passed, 3 skipped"),
        (WRONG, ["-n", "2"], "1 failed, 3 skipped"),
    ],
)
def test_the_line_is_the_last_but_one(tmp_path: Path, code: str, options: list[str], closing: str):
    lines = run(tmp_path, SKIPPED + code, *options)
    assert lines[-2] == LINE
    assert re.search(rf"\b{closing}(, | in )", lines[-1])


def test_no_line_when_none_is_skipped(tmp_path: Path):
    assert not any(line.startswith("skipped") for line in run(tmp_path, WRONG))


def run(folder: Path, code: str, *options: str) -> list[str]:
    """The lines that pytest prints about one module."""
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "skipped_line", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout.splitlines()
