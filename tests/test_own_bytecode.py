"""Bytecode of npuninja's own modules is kept, and nobody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """\
import sys
sys.path[:0] = [{folder!r}]
from npuninja.own_bytecode import keep_own_bytecode
keep_own_bytecode()
keep_own_bytecode()
import npuninja.some.module
import theirs
print(sys.dont_write_bytecode, len(sys.meta_path), npuninja.some.module.VALUE)
"""


@pytest.mark.parametrize("told", ["1", ""])
def test_bytecode_of_own_modules_is_written_whatever_python_was_told(tmp_path, told):
    package = tmp_path / "npuninja" / "some"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    shutil.copy(ROOT / "npuninja" / "own_bytecode.py", package.parent)
    (package / "__init__.py").write_text("")
    (package / "module.py").write_text("VALUE = 7\n")
    (tmp_path / "theirs.py").write_text("")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": told}
    environment.pop("PYTHONPYCACHEPREFIX", None)

    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.format(folder=str(tmp_path))],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    finders = 4 if told else 3  # what stands there at the start: built in, frozen, path
    assert done.stdout.split() == [str(bool(told)), str(finders), "7"]
    assert [p.name.partition(".")[0] for p in (package / "__pycache__").glob("m*.pyc")] == ["module"]
    assert (tmp_path / "__pycache__").exists() is not bool(told)
