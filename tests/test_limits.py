"""docs/limits.md: its rows against the constants, and the constants against its rows."""

from __future__ import annotations

import importlib
import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "examples" / "mel"))

PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (\S.*?) \| `([\w.]+)` \| (.+?) \|$", PAGE, re.MULTILINE)
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "Mi characters": 1 << 20}
#: Folders and modules whose bounds belong on the page: they read what others made.
READERS = ("formats", "ir", "emulator", "packaging", "xrt_emulation", "device", "lowering", "files.py")
#: Facts of the hardware and widths of pages, which bound no reader.
NO_BOUNDS = {
    "MAX_ITERATIONS",
    "MAX_PACKET_ID",
    "MOST_BUFFERS",
    "MOST_ITERATIONS",
    "MOST_SPANS",
    "MOST_PARAMETERS",
    "MOST_WORDS",
}


@pytest.mark.parametrize("row", ROWS, ids=[row[2].rpartition(".")[2] + "-" + row[0][:20] for row in ROWS])
def test_a_row_says_what_its_constant_is(row):
    what, bound, name, why = row
    module, _, constant = name.rpartition(".")
    number, _, unit = bound.partition(" ")
    assert getattr(importlib.import_module(module), constant) == int(number) * UNITS[unit]
    assert len(what) > 5
    assert len(why) > 15, "a reason"


def test_every_bound_of_a_reader_has_a_row():
    """A public constant called MAX_… or MOST_… in a module that reads what others made."""
    said = {row[2].rpartition(".")[2] for row in ROWS}
    missing = []
    for part in READERS:
        path = ROOT / "npuninja" / part
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for name in re.findall(
                r"^((?:MAX|MOST)_\w+)(?:: \w+)? = ", file.read_text(encoding="utf-8"), re.MULTILINE
            ):
                if name not in said | NO_BOUNDS:
                    missing.append(f"{file.relative_to(ROOT)}: {name}")
    assert missing == []


def test_security_names_the_page():
    assert "docs/limits.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
