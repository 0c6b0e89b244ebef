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


def small_package(folder: Path) -> Path:
    """The folder of a package npuninja.some with a module, and beside npuninja a module of somebody else."""
    package = folder / "npuninja" / "some"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("TYPE_CHECKING = False\n")
    shutil.copy(ROOT / "npuninja" / "own_bytecode.py", package.parent)
    (package / "__init__.py").write_text("")
    (package / "module.py").write_text("VALUE = 7\n")
    (folder / "theirs.py").write_text("")
    return package


@pytest.mark.parametrize("told", ["1", ""])
def test_bytecode_of_own_modules_is_written_whatever_pythons_setting(tmp_path, told):
    package = small_package(tmp_path)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": told}
    environment.pop("PYTHONPYCACHEPREFIX", None)

    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.format(folder=str(tmp_path))],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    # Built in, frozen, ours, path.
    assert done.stdout.split() == [str(bool(told)), "4", "7"]
    assert [p.name.partition(".")[0] for p in (package / "__pycache__").glob("m*.pyc")] == ["module"]
    assert (tmp_path / "__pycache__").exists() is not bool(told)


def test_a_process_of_other_peoples_modules_keeps_ours_only(tmp_path):
    package = small_package(tmp_path)
    program = PROGRAM.format(folder=str(tmp_path)).replace("keep_own", "keep_only_own")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run([sys.executable, "-S", "-c", program], env=environment, check=True, capture_output=True)
    assert list((package / "__pycache__").glob("module.*.pyc"))
    assert not (tmp_path / "__pycache__").exists()


def test_damaged_bytecode_is_not_used_and_a_full_disk_damages_none(tmp_path):
    package = small_package(tmp_path)
    (package / "module.py").write_text("VALUE = 7\nWORDS = [" + "'a word', " * 3000 + "]\n")
    program = PROGRAM.format(folder=str(tmp_path))

    def run(before: str = "") -> list[str]:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTHONPYCACHEPREFIX", None)
        command = [sys.executable, "-S", "-c", before + program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    if sys.platform == "linux":
        assert run("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))\n")[2] == "7"
        assert list((package / "__pycache__").glob("module.*")) == []
    assert run()[2] == "7"
    (kept,) = (package / "__pycache__").glob("module.*.pyc")
    kept.write_bytes(kept.read_bytes()[:100])
    assert run()[2] == "7"


def test_a_run_keeps_it_too(tmp_path):
    """Stages ignore Python's variables, but a run does not: a design's reference may need them."""
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path),
    }
    stage = ROOT / "npuninja" / "stages" / "__main__.py"
    subprocess.run([sys.executable, stage, "run", "--help"], env=environment, check=True, capture_output=True)
    kept = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert {"errors", "runner"} <= kept
    assert "argparse" not in kept
