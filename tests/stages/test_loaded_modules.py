"""What the process of a stage loads: every module more is time in each command of a build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Folders whose modules run in the processes of stages.
RUN_IN_STAGES = ("aie2_compiler", "arch", "formats", "ir", "lints", "lowering")


def loaded(program: str) -> set[str]:
    """The modules that a stage's Python process has loaded when the lines of a program have run."""
    text = f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n{program}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", text], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_frame_of_stages_loads_no_patterns_and_no_types():
    found = loaded("from npuninja.stages import __main__, bif, table")
    assert not found & {
        "typing",
        "re",
        "collections",
        "functools",
        "enum",
        "contextlib",
        "subprocess",
        "argparse",
    }


@pytest.mark.parametrize("folder", RUN_IN_STAGES)
def test_modules_of_stages_load_little(folder):
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "npuninja" / folder).rglob("*.py"))
    ]
    found = loaded("\n".join(f"import {name}" for name in names))
    assert set(names) <= found
    assert not found & {
        "typing",
        "dataclasses",
        "inspect",
        "pathlib",
        "argparse",
        "numpy",
        "subprocess",
        "tempfile",
    }
