"""Programs from the Python package index, with an interpreter that only pretends to make environments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from farm.python_packages import find_python, install_python_packages

from npuninja.errors import ToolError
from npuninja.install.installed_files import RECORD, UNFINISHED, problem_of, require_whole

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


def test_an_environment_that_was_killed_half_way_is_no_tool(tmp_path):
    """`python -m venv` cannot be moved, so it is made in its place, under a mark."""
    folder = tmp_path / "tools/buildgrid"
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nmkdir -p "$3/bin"\ntouch "$3/bin/bgd"\nkill -9 $PPID\n')
    python.chmod(0o755)
    program = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tools")!r}]
from farm.python_packages import install_python_packages
install_python_packages(["x"], {str(folder)!r}, python={str(python)!r}, finish=print)
"""
    subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert (folder / "bin/bgd").exists()
    assert problem_of(str(folder)) == "was not finished"
    with pytest.raises(ToolError, match="was not finished"):
        require_whole({"NPUNINJA_TOOLS": str(tmp_path / "tools")}, "buildgrid")


def test_a_finished_environment_has_a_record(tmp_path):
    python = tmp_path / "python"
    text = (
        "#!/bin/sh\n"
        'mkdir -p "$3/bin"\n'
        "printf '#!/bin/sh\\nexit 0\\n' > \"$3/bin/python\"\n"
        'chmod +x "$3/bin/python"\n'
    )
    python.write_text(text)
    python.chmod(0o755)
    folder = tmp_path / "it"
    install_python_packages(["x"], str(folder), python=str(python), finish=lambda _: None)
    assert not (folder / UNFINISHED).exists()
    assert list(json.loads((folder / RECORD).read_text())["files"]) == ["bin/python"]
    assert problem_of(str(folder)) == ""
