"""The folders in examples/ as a user meets them: copied, configured, built, and judged by their own tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from build_project import make_can_build
from conftest import ROOT


def _in(folder: Path, tools: str, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NPUNINJA_TOOLS": tools}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # of a make that runs the tests
        environment.pop(name, None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_several_devices_in_a_runlist(tmp_path, xrt):
    folder = tmp_path / "steps"
    shutil.copytree(ROOT / "examples" / "steps", folder, ignore=shutil.ignore_patterns("build*", ".*"))
    _in(folder, xrt, sys.executable, "configure.py")
    shown = _in(folder, xrt, "ninja", "run", "run-hosts")
    assert "PASS!" in shown
    for label in ("scale:all", "scale:first", "offset:all"):
        assert f"steps {label} on emu" in shown
    assert shown.count("elements are right") == 3


def test_a_program_that_is_its_own_host(tmp_path):
    script = shutil.copy(ROOT / "examples" / "jit_add" / "add.py", tmp_path)
    assert "PASS!" in _in(tmp_path, os.devnull, sys.executable, "-m", "npuninja", "python", script)


@make_can_build
@pytest.mark.skipif(not shutil.which("g++") or not shutil.which("cmake"), reason="no g++, or no cmake")
def test_a_folder_with_a_makefile(tmp_path, xrt):
    folder, project = tmp_path / "scale", tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "scale", folder)
    _in(tmp_path, xrt, sys.executable, "-m", "npuninja", "import", str(folder), "-o", str(project))
    _in(project, xrt, sys.executable, "configure.py")
    assert "PASS!" in _in(project, xrt, "ninja", "run-hosts")
