"""What a newcomer, and a program that imports npuninja, expects to find at the top."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from build_project import Project
from conftest import ROOT

from npuninja import __version__


def test_types_are_offered():
    """PEP 561: without this file type checkers take everything for Any."""
    assert (ROOT / "npuninja/py.typed").exists()


def test_the_version_has_its_place_in_the_list_of_changes():
    assert re.search(
        rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_issue_form_asks_for_what_helps():
    text = (ROOT / ".github/ISSUE_TEMPLATE/fault.yml").read_text(encoding="utf-8")
    assert "npuninja doctor --json" in text
    assert "npuninja --version" in text


def test_the_hooks_are_what_make_check_runs():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    for command in ("ruff check", "ruff format", "mypy"):
        assert f"-m {command}" in hooks, command


def test_the_hooks_can_be_installed():
    """By what the extra `dev` brings: `make check` has put it beside the tools that the hooks run."""
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    dev = re.search(r"^dev = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert dev is not None
    assert '"pre-commit>=' in dev[1]


def test_python_by_a_path_with_dots_is_made_portable(project: Project, monkeypatch: pytest.MonkeyPatch):
    dotted = f"{ROOT}/../{ROOT.name}/bin/python"
    monkeypatch.setattr(sys, "executable", dotted)
    assert project.portable(f"{dotted} {ROOT}/bin/python") == "/PYTHON /PYTHON"
