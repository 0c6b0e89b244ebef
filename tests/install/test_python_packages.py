"""Programs from the Python package index, with an interpreter that only pretends to make environments."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from npuninja.errors import ToolError
from npuninja.install.python_packages import find_python, install_python_packages

# `PYTHON -m venv FOLDER` makes a folder whose own python notes what pip is asked for.
PYTHON = """#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$@" > "%s/asked"\\necho "no matching distribution" >&2\\nexit {code}\\n' "$3" > "$3/bin/python"
chmod +x "$3/bin/python"
"""


def make_python(path: Path, code: int = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PYTHON.format(code=code), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_running_python_is_taken_when_it_is_new_enough():
    assert find_python((3, 10), {"PATH": ""}) == sys.executable


def test_a_newer_python_is_found_by_its_name(tmp_path):
    for name in ("python3.97", "python3.19", "python3.20"):
        make_python(tmp_path / name)
    assert find_python((3, 19), {"PATH": str(tmp_path)}) == str(tmp_path / "python3.20")
    with pytest.raises(ToolError, match=r"Python 3\.18 or newer"):
        find_python((3, 18), {"PATH": os.devnull})


def test_packages_go_into_an_environment_of_their_own(tmp_path):
    folder = tmp_path / "tools" / "it"
    (folder / "old").mkdir(parents=True)
    seen = []
    python = make_python(tmp_path / "python")
    install_python_packages(["one==1", "two"], str(folder), python=python, finish=seen.append)
    assert seen == [str(folder)]
    assert (folder / "asked").read_text(encoding="utf-8").split()[:3] == ["-m", "pip", "install"]
    assert (folder / "asked").read_text(encoding="utf-8").split()[-2:] == ["one==1", "two"]
    assert not (folder / "old").exists()


def test_a_failure_leaves_nothing(tmp_path):
    folder = tmp_path / "it"
    with pytest.raises(ToolError, match="cannot install one") as raised:
        install_python_packages(
            ["one"], str(folder), python=make_python(tmp_path / "python", 1), finish=print
        )
    assert "no matching distribution" in raised.value.render()
    assert not folder.exists()

    def refuse(path: str) -> None:
        raise ToolError("it does not run")

    with pytest.raises(ToolError, match="it does not run"):
        install_python_packages(["one"], str(folder), python=make_python(tmp_path / "python"), finish=refuse)
    assert not folder.exists()
