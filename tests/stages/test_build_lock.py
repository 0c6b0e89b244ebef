"""One Ninja at a time in a build folder: the second is refused, and what the first builds stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.errors import UserError
from npuninja.stages import _build_lock
from npuninja.stages._build_lock import LOCK, claim_build_folder

NINJA = str(Path(sys.executable).parent / "ninja")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="locks of files are POSIX's")


@pytest.fixture(autouse=True)
def any_name(monkeypatch):
    """Here the parents are Pythons and shells, not Ninjas."""
    monkeypatch.setattr(_build_lock, "BUILDERS", (b"",))


def test_an_orphan_owns_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_build_lock, "BUILDERS", (b"no such program",))
    claim_build_folder(str(tmp_path / LOCK))
    assert not (tmp_path / LOCK).exists()


def test_the_owner_may_go_on(tmp_path):
    lock = str(tmp_path / LOCK)
    claim_build_folder(lock)
    claim_build_folder(lock)
    assert (tmp_path / LOCK).read_text().startswith(f"{os.getppid()} ")


def test_another_living_process_is_named(tmp_path):
    claim = (
        "import npuninja.stages._build_lock as l; l.BUILDERS = b'',; "
        f"l.claim_build_folder({str(tmp_path / LOCK)!r})"
    )
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {claim!r}], check=True)"
    first = subprocess.Popen(
        [sys.executable, "-c", f"{start}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert first.stdout
    first.stdout.readline()
    with pytest.raises(UserError, match=f"process {first.pid} already builds in"):
        claim_build_folder(str(tmp_path / LOCK))
    first.communicate(b"\n")
    claim_build_folder(str(tmp_path / LOCK))  # the owner has ended


@pytest.mark.parametrize("text", ["", "x", "1", "999999999 4", "-5 3", "1 1", "\x00\xff" * 60])
def test_what_is_in_the_file_is_not_trusted(tmp_path, text):
    (tmp_path / LOCK).write_text(text, encoding="latin-1")
    claim_build_folder(str(tmp_path / LOCK))


def test_two_at_once_damage_nothing(project):
    project.configure()
    two = [
        subprocess.Popen([NINJA, "-C", str(project.folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    printed = [process.communicate()[0].decode() for process in two]
    failed = [text for process, text in zip(two, printed) if process.returncode]
    assert len(failed) <= 1, printed  # 0: the one had ended when the other started
    assert all("already builds in" in text for text in failed)
    project.ninja()
    again = project.ninja().stdout
    assert "no work to do" in again
    assert "premature end of file" not in again
