"""The folders in examples/ as a user meets them: copied, configured, built, and judged by their own tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
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


def test_one_elf_in_place_of_an_xclbin(tmp_path, xrt):
    folder = tmp_path / "whole"
    shutil.copytree(ROOT / "examples" / "whole", folder, ignore=shutil.ignore_patterns("build*", ".*"))
    _in(folder, xrt, sys.executable, "configure.py")
    shown = _in(folder, xrt, "ninja", "run", "run-hosts")
    assert "PASS!" in shown
    assert shown.count("elements are right") == 4
    command = (sys.executable, "-m", "npuninja")
    words = (
        "run",
        "build/npu2_1col/wasm/whole/whole.json",
        "--verify",
        "--device",
        "npu",
        "--kernel",
        "main",
    )
    shown = _in(folder, xrt, *command, "emu", "--device", "npu2", "--", *command, *words)
    assert shown.count("elements are right") == 2, "pyxrt makes a context of the full ELF"


def test_the_workflow_of_a_project_step_by_step(tmp_path, xrt):
    """`npuninja init --ci`'s workflow, its `run:` steps in order, in a project with a host program."""
    folder, tools = tmp_path / "steps", tmp_path / "bin"
    shutil.copytree(ROOT / "examples" / "steps", folder, ignore=shutil.ignore_patterns("build*", ".*"))
    _in(folder, xrt, sys.executable, "-m", "npuninja", "init", "--ci")
    text = (folder / ".github/workflows/build.yml").read_text()
    found = re.findall(r"^ +run: (?:\|\n((?: {10}.*\n)+)|(.+)\n)", text, re.MULTILINE)
    steps = [textwrap.dedent(block) if block else line for block, line in found]
    assert len(steps) == text.count("run:") == 5
    # What a fresh machine would fetch is here already.
    tools.mkdir()
    for name, body in (
        ("pip", 'test "$*" = "install npuninja"'),
        ("python", f'exec "{sys.executable}" "$@"'),
        ("npuninja", f'test "$*" = "tools install xrt" || exec "{sys.executable}" -m npuninja "$@"'),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    shown = ""
    for step in steps:
        script = f'PATH="{tools}:$PATH"\n{step}'
        shown += _in(folder, xrt, "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
    assert "PASS!" in shown
    for path in re.search(r"path: \|\n((?: {12}.*\n)+)", text)[1].split():
        assert (folder / path).exists(), path
    refused = subprocess.run(
        [sys.executable, "-m", "npuninja", "init", "--ci", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "is no project" in refused.stderr


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
