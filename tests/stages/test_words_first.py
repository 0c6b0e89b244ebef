"""Why a command failed comes before Ninja's `FAILED:` and the command, on a terminal and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

NINJA = [sys.executable, "-m", "ninja"]
BUILD = """\
rule stage
  command = exec '@PYTHON@' -S -E '@STAGES@' $words $out.txt $long
  description = SAYS $out
build good: stage
  words = spell --help
build bad: stage
  words = faulty
  long = @LONG@
"""
SAID = "mlir/x.mlir:4:16: error: unknown operation 'oops'"

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad.txt").write_text(SAID + "\n", encoding="utf-8")
    text = BUILD.replace("@PYTHON@", sys.executable).replace("@STAGES@", str(ROOT / "npuninja/stages"))
    long = " ".join(["bad.txt"] * 100)  # a command of many lines
    (tmp_path / "build.ninja").write_text(text.replace("@LONG@", long), encoding="utf-8")
    return tmp_path


def environment(**variables: str) -> dict[str, str]:
    cleared = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CLICOLOR_FORCE")}
    return {**cleared, "TERM": "xterm", **variables}


def test_in_a_pipe_the_reason_is_first_and_without_colours(folder: Path) -> None:
    done = subprocess.run(
        [*NINJA, "bad"], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    lines = done.stdout.splitlines()
    assert lines[0] == SAID
    assert next(n for n, line in enumerate(lines) if line.startswith("FAILED")) > 100
    assert "\x1b" not in done.stdout
    assert lines[-1].startswith("ninja: build stopped")
    assert done.stdout.count(SAID) == 101  # it is said once for each file, and not again after the command


def test_on_a_terminal_the_reason_is_first_and_in_colour(folder: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*NINJA, "bad"], cwd=folder, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        assert process.wait() != 0
    os.close(ours)
    text = shown.decode()
    assert "\x1b[1;31merror\x1b[0m: unknown operation" in text
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    assert plain.index(SAID) < plain.index("FAILED: ")
    assert f"\r{SAID}" in plain  # at the start of a line: Ninja's progress was taken away
    assert SAID not in plain[plain.index("FAILED: ") :]


def test_a_terminal_that_stops_writers_in_the_background_stops_nothing(folder: Path) -> None:
    process, ours = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve(
            "/bin/sh", ["sh", "-c", 'stty tostop; exec "$0" -m ninja bad', sys.executable], environment()
        )
    shown = b""
    try:
        while select.select([ours], [], [], 60)[0] and (part := os.read(ours, 65536)):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)  # ends what was stopped nevertheless
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) != 0
    assert shown.decode().index("unknown operation") < shown.decode().index("FAILED")


def test_in_a_file_nothing_is_lost_or_written_over(folder: Path) -> None:
    log = folder / "log"
    with log.open("wb") as stream:
        subprocess.run(
            [*NINJA, "bad"], cwd=folder, env=environment(), stdout=stream, stderr=stream, check=False
        )
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines.count(SAID) == 101
    failed = next(n for n, line in enumerate(lines) if line.startswith("FAILED"))
    assert lines[-1].startswith("ninja: build stopped")
    # Linux may hide files of other processes (ptrace_scope); the words are where Ninja has them then.
    with log.open("rb") as stream:
        asked = subprocess.run(
            [sys.executable, "-c", SHARES, str(ROOT)], stdout=stream, stderr=subprocess.PIPE, check=False
        )
    assert failed > 100 if asked.returncode == 0 else failed < 100


#: Whether a process may have its parent's standard output.
SHARES = """
import os, subprocess, sys
child = "import os, sys; sys.path[:0] = sys.argv[1:]; from npuninja.stages import _words_first as w; "
child += "sys.exit(w._shared_output(os.getppid()) is None)"
sys.exit(subprocess.run([sys.executable, "-c", child, sys.argv[1]]).returncode)
"""


def test_what_a_command_that_succeeds_says_is_where_ninja_has_it(folder: Path) -> None:
    done = subprocess.run(
        [*NINJA, "good"], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("SAYS good")
    assert "spell" in lines[1]
