"""Several stages in one process."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

MLIR = (ROOT / "tests/projects/plain/mlir/gain.mlir").read_text(encoding="utf-8")
LOWER = ("--then", "lower", "-o", "lowered.mlir", "gain.mlir")
SEQUENCE = ("--then", "sequence", "--device-symbol", "main", "--arguments", "arguments.json")
SEQUENCE_FILES = ("-o", "sequence.mlir", "lowered.mlir")
INSTS = (
    "--then",
    "insts",
    "--device-symbol",
    "main",
    "--sequence",
    "sequence",
    "-o",
    "insts.bin",
    "sequence.mlir",
)
OUTPUTS = ("lowered.mlir", "sequence.mlir", "arguments.json", "insts.bin")


def batch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-E", str(ROOT / "npuninja/stages/__main__.py"), "batch", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gain.mlir").write_text(MLIR, encoding="utf-8")
    return tmp_path


def names_in(folder):
    """The files of a folder, without the places of lines that are beside MLIR."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".places")


def test_stages_run_in_order_with_one_depfile(folder):
    done = batch(
        folder,
        "--depfile",
        "d",
        "-o",
        *OUTPUTS,
        *LOWER,
        *SEQUENCE,
        "--sequence",
        "sequence",
        *SEQUENCE_FILES,
        *INSTS,
    )
    assert done.returncode == 0, done.stderr
    assert names_in(folder) == sorted(["gain.mlir", "d", *OUTPUTS])
    depfile = (folder / "d").read_text(encoding="utf-8")
    assert depfile.startswith("lowered.mlir:")
    # The modules of all the stages, and nothing that the batch makes.
    assert all(f"/stages/{name}.py" in depfile for name in ("batch", "lower", "sequence", "insts"))
    assert "sequence.mlir" not in depfile


def test_outputs_behind_a_failure_are_taken_away(folder):
    for name in OUTPUTS:
        (folder / name).write_text("of an earlier build", encoding="utf-8")
    done = batch(folder, "-o", *OUTPUTS, *LOWER, *SEQUENCE, "--sequence", "another", *SEQUENCE_FILES, *INSTS)
    assert done.returncode == 2
    assert "another" in done.stderr
    assert "Traceback" not in done.stderr
    assert names_in(folder) == ["gain.mlir", "lowered.mlir"]
    assert "of an earlier build" not in (folder / "lowered.mlir").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("-o", "x"), 2, "batch: expected -o OUTPUT"),
        (LOWER, 2, "batch: expected -o OUTPUT"),
        (("-o", "lowered.mlir", "more", *LOWER), 70, "no stage made more"),
    ],
)
def test_what_is_no_batch(folder, words, code, message):
    done = batch(folder, *words)
    assert done.returncode == code
    assert message in done.stderr


def test_the_words_may_be_in_a_file(folder):
    """As Ninja writes it, quoted for a shell; the command that a failure shows is short then."""
    sequence = (*SEQUENCE, "--sequence", "sequence", *SEQUENCE_FILES)
    quoted = " ".join(map(shlex.quote, ["-o", *OUTPUTS, *LOWER, *sequence, *INSTS]))
    (folder / "w o r d s").write_text(quoted, encoding="utf-8")
    done = batch(folder, "@w o r d s")
    assert done.returncode == 0, done.stderr
    assert "cannot read nothing" in batch(folder, "@nothing").stderr


def test_designs_of_one_kind_share_a_file_of_words(folder):
    """Folder and design follow from the output after it; what was said in front of it stays."""
    words = [*("-o", *OUTPUTS), *LOWER, *SEQUENCE, "--sequence", "sequence", *SEQUENCE_FILES, *INSTS]
    text = " ".join(map(shlex.quote, words)).replace("gain.mlir", "'${folder}/../${design}.mlir'")
    (folder / "words").write_text(text, encoding="utf-8")
    (folder / "g ain.mlir").write_text(MLIR, encoding="utf-8")
    (folder / "g ain").mkdir()
    done = batch(folder, "--depfile", "d", "@words", "g ain/insts.bin")
    assert done.returncode == 0, done.stderr
    assert (folder / "d").read_text(encoding="utf-8").startswith("lowered.mlir:")
    assert "cannot read ghost/../ghost.mlir" in batch(folder, "@words", "ghost/insts.bin").stderr
