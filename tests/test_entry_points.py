"""The two commands of a fresh clone, and what CI runs, with programs that write down their arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

# Stands for Python: makes an environment of programs that write down their folder and arguments.
PYTHON = """#!/bin/sh
case "$1" in
-c) exit 0 ;;
-m) mkdir -p "$3/bin"
    for name in python ninja ruff; do
        printf '#!/bin/sh\\necho "%s $*" >> "$LOG"\\n' "$name" > "$3/bin/$name"
        chmod +x "$3/bin/$name"
    done ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder of $HOME's"
    (folder / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", ".ci/run"):
        shutil.copy2(ROOT / name, folder / name)
    python = folder / "the python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return folder


def make(clone: Path, target: str) -> list[str]:
    """What `make TARGET` starts."""
    log = clone / "log"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "LOG": str(log), "MAKEFLAGS": ""}
    command = ["make", "PYTHON=./the python", target]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return log.read_text().splitlines()


def test_make_run_sets_up_once_then_configures_builds_and_runs(clone: Path) -> None:
    assert make(clone, "run") == [
        "python -m pip install --quiet --disable-pip-version-check -e .[dev]",
        "python configure.py",
        "ninja ",
        "ninja run",
    ]
    assert make(clone, "run") == ["python configure.py", "ninja ", "ninja run"]


def test_make_test_lints_checks_types_and_runs_the_tests(clone: Path) -> None:
    make(clone, "run")
    for target, words in (("test", "--dist worksteal"), ("check", "-q --quick")):
        begun = make(clone, target)
        assert begun[:2] == ["ruff check .", "ruff format --check ."]
        # Both at a time, so either may be the first.
        assert sorted(begun[2:]) == ["python -m mypy", f"python -m pytest -n 2 {words}"]


def test_the_backend_installs_below_any_folder() -> None:
    """setuptools takes a `$` in the folder's name for a variable and fails."""
    assert 'build-backend = "flit_core.buildapi"' in (ROOT / "pyproject.toml").read_text()


def test_the_readme_begins_with_the_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:24])
    places = [first_screen.index(text) for text in ("make run", "make test", "python configure.py && ninja")]
    assert places == sorted(places)
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")[:200]


@pytest.mark.parametrize(
    ("code", "closing"), [(0, "12 passed, 1 skipped in 3.45s"), (1, "1 failed, 11 passed in 3.45s")]
)
def test_ci_ends_with_the_closing_line_and_the_code_of_the_tests(
    clone: Path, code: int, closing: str
) -> None:
    programs = clone / "programs"
    programs.mkdir()
    pretended = programs / "make"
    pretended.write_text(
        f"#!/bin/sh\necho 'rerun {closing}'\necho 'skipped: 1 (why)'\necho '==== {closing} ===='\necho later; exit {code}\n"
    )
    pretended.chmod(0o755)
    (programs / "bootgen").write_text("#!/bin/sh\n")
    (programs / "bootgen").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:/usr/bin:/bin"}
    done = subprocess.run([clone / ".ci/run"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout.splitlines()[-2:] == ["skipped: 1 (why)", f"==== {closing} ===="]
