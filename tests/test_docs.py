"""docs/writing-a-design.md is true: its files make a project that builds and runs as it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PAGE = (ROOT / "docs" / "writing-a-design.md").read_text(encoding="utf-8")


def files_of_the_page() -> dict[str, str]:
    """The blocks that follow a line with nothing but a file's name."""
    return dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)


def test_the_walk_through_builds_runs_and_fails_as_it_says(tmp_path: Path) -> None:
    files = files_of_the_page()
    assert set(files) == {"kernels/clamp/clamp.c", "mlir/clamp.mlir", "host/clamp.py"}
    for name in ("configure.py", "build.ninja.in", "toolchain.toml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "npuninja", tmp_path / "npuninja", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    configured = run(tmp_path, "configure.py", "clamp")
    assert configured.returncode == 0, configured.stderr
    done = run(tmp_path, "-m", "ninja", "run-clamp")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "b: all 16384 elements are right" in done.stdout

    kernel = tmp_path / "kernels/clamp/clamp.c"
    kernel.write_text(
        kernel.read_text(encoding="utf-8").replace("in[i] > high", "in[i] > 200"), encoding="utf-8"
    )
    wrong = run(tmp_path, "-m", "ninja", "run-clamp")
    assert wrong.returncode != 0
    assert "LOWER" not in wrong.stdout
    assert re.search(r"b\[\d+\].*235", wrong.stdout + wrong.stderr), wrong.stdout + wrong.stderr
