"""A file that cannot be written whole: one line of error, the old file as it was, and nothing left behind.

A limit on a file's size stands for a full disk: the write fails in its middle with EFBIG, not ENOSPC.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.errors import ToolError
from npuninja.files import foreign_error

DESIGN = ROOT / "tests" / "conformance" / "new_plain_fifo"
ROOM_BYTES = 2048
#: Sets the limit, then is the command.
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM_BYTES}, {ROOM_BYTES}))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
STAGES = ("-S", "-E", "-B", str(ROOT / "npuninja" / "stages"))
VERBS = ("-m", "npuninja")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a limit of Unix")


def limited(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-c", LIMITED, *command], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ((*VERBS, "lower", str(DESIGN / "design.mlir"), "-o", "."), "input_physical.mlir"),
        (
            (*STAGES, "lower", str(DESIGN / "design.mlir"), "-o", "input_with_addresses.mlir"),
            "input_with_addresses.mlir",
        ),
        ((*VERBS, "as", "long.s", "-o", "long.o"), "long.o"),
    ],
    ids=["verb lower", "stage lower", "verb as"],
)
def test_one_line_and_nothing_lost(command: tuple[str, ...], output: str, tmp_path: Path) -> None:
    (tmp_path / "long.s").write_text(" nop\n" * 4000)
    (tmp_path / output).write_text("as it was\n")
    done = limited(tmp_path, *command)
    assert done.returncode == ToolError.exit_code, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: cannot write"), done.stderr
    assert "file too large" in lines[0]
    assert len([line for line in lines if not line.startswith("hint: ")]) == 1
    left = {p.name: p.read_text() for p in tmp_path.iterdir() if p.name != "long.s"}
    # What a stage makes is taken away when it fails, so that no build goes on with what is old.
    assert left == ({} if "lower" in " ".join(command) else {output: "as it was\n"})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_an_error_of_a_full_disk_that_nobody_caught_is_one_of_the_machine(number: int) -> None:
    error = foreign_error(OSError(number, os.strerror(number), "a/b"))
    assert isinstance(error, ToolError)
    assert error.message.startswith("cannot write a/b: ")
    assert foreign_error(OSError(errno.EIO, "x")) is None
