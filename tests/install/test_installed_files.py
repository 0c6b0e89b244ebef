"""Installations that were killed, or changed behind npuninja's back: cleaned away, or refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.errors import ToolError
from npuninja.install.installed_files import (
    RECORD,
    UNFINISHED,
    installing,
    problem_of,
    problem_of_program,
    require_whole,
    write_record,
)


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    folder = tmp_path / "tools" / "it"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/it").write_text("program\n")
    (folder / "lib").mkdir()
    (folder / "lib/it.so").write_bytes(bytes(100))
    (folder / "lib/link.so").symlink_to("it.so")
    (folder / "lib/__pycache__").mkdir()
    (folder / "lib/__pycache__/x.pyc").write_bytes(b"1")
    write_record(str(folder), {"packages": []})
    return folder


def changed_later(path: Path, data: bytes) -> None:
    """With the old times: only the time of the last change tells, which nobody can set."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda f: None, ""),
        (lambda f: (f / "lib/__pycache__/x.pyc").write_bytes(b"2"), ""),
        (lambda f: os.utime(f / "bin/it"), ""),
        (lambda f: (f / "bin/more").write_text("beside it\n"), ""),
        (lambda f: changed_later(f / "bin/it", b"PROGRAM\n"), "has another bin/it than was installed"),
        (
            lambda f: changed_later(f / "lib/it.so", bytes(99) + b"x"),
            "has another lib/it.so than was installed",
        ),
        (lambda f: (f / "bin/it").unlink(), "lacks bin/it"),
        (lambda f: ((f / "bin/it").unlink(), (f / "bin/it").symlink_to("/bin/sh")), "has another bin/it"),
        (lambda f: (f / RECORD).write_text("{"), "has a damaged"),
        (lambda f: (f / RECORD).write_text('{"files": []}'), "has a damaged"),
        (lambda f: (f / RECORD).write_text("[" * 100000), "has a damaged"),
        (lambda f: (f / RECORD).unlink(), ""),
        (lambda f: (f / UNFINISHED).touch(), "was not finished"),
    ],
)
def test_what_was_changed_is_named(tool, tamper, problem):
    tamper(tool)
    found = problem_of(str(tool))
    assert found.startswith(problem)
    assert bool(found) == bool(problem)


def test_a_tampered_tool_is_refused_where_it_is_detected_and_used(tool, tmp_path):
    environment = {"NPUNINJA_TOOLS": str(tmp_path / "tools")}
    assert problem_of_program(str(tool / "bin/it"), environment) == ""
    require_whole(environment, "it")
    (tool / "bin/it").write_text("another program\n")
    said = problem_of_program(str(tool / "bin/it"), environment)
    assert "has another bin/it" in said
    assert "npuninja tools install it" in said
    assert problem_of_program(sys.executable, environment) == ""
    with pytest.raises(ToolError, match="has another bin/it") as caught:
        require_whole(environment, "it")
    assert caught.value.hint == "npuninja tools install it"


def test_what_a_killed_installation_left_is_removed_by_the_next(tmp_path):
    """It is killed at any point: the kernel takes its lock, and its work lies in a folder of its own."""
    tools = tmp_path / "tools"
    program = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from npuninja.install.installed_files import installing
with installing({str(tools)!r}, print):
    os.mkdir({str(tools / ".npuninja-work")!r})
    open({str(tools / ".npuninja-work/half")!r}, "w").close()
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert (tools / ".npuninja-work/half").exists()
    said: list[str] = []
    with installing(str(tools), said.append):
        assert not (tools / ".npuninja-work").exists()
    assert "an installation that was killed left" in said[0]
