"""Paths that are no plain files: inputs of every verb, outputs, and sources that a foreign program names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.errors import Location, UserError, source_lines
from npuninja.machine_code.listing import SourceFiles

#: Verbs that read a file, with `@` in its place.
VERBS: dict[str, list[str]] = {
    "inspect": ["@"],
    "disasm": ["@"],
    "explain": ["@"],
    "core": ["@"],
    "as": ["@", "-o", "out.o"],
    "ld": ["@", "-T", "@", "-o", "out.elf"],
    "run": ["@"],
    "run-bare": ["x.xclbin", "--insts", "@", "--input", "@"],
    "lower": ["@", "-o", "out"],
    "verify-package": ["@"],
    "sign-package": ["@", "--key", "@"],
    "model": ["@"],
    "size": ["@"],
    "settings": ["check", "@"],
    "cdo": ["@", "-o", "out.cdo"],
    "pdi": ["@", "-o", "out.pdi"],
    "trace": ["--run", "@"],
    "profile": ["@"],
    "report": ["@"],
}


def fifo(folder: Path) -> str:
    path = folder / "fifo"
    os.mkfifo(path)
    return str(path)


def loop(folder: Path) -> str:
    (folder / "loop").symlink_to("loop")
    return str(folder / "loop")


def sparse(folder: Path) -> str:
    """A terabyte that takes no room on the disk."""
    with open(folder / "sparse", "wb") as stream:
        stream.truncate(1 << 40)
    return str(folder / "sparse")


PATHS = {
    "FIFO": fifo,
    "folder": lambda folder: str(folder),
    "link to itself": loop,
    "gone": lambda folder: str(folder / "gone"),
    "NUL in its name": lambda folder: "a\0b",
    "lone surrogate": lambda folder: str(folder / "a\ud800"),
    "long name": lambda folder: str(folder / ("x" * 300)),
    "empty name": lambda folder: "",
}


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("verb", VERBS)
def test_verbs_refuse_what_is_no_file_of_theirs(verb, kind, tmp_path, monkeypatch, capsys):
    path = PATHS[kind](tmp_path)
    monkeypatch.chdir(tmp_path)
    words = [path if word == "@" else word for word in VERBS[verb]]
    try:
        code = main([verb.partition("-bare")[0], *words])
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr().err
    assert "bug of npuninja" not in said
    assert "Traceback" not in said
    if (
        verb not in ("explain", "as") or kind != "FIFO"
    ):  # an empty log has no errors, and empty assembly is some
        assert code in (2, 3), said


@pytest.mark.parametrize("limit", ["MAX_DESCRIPTION_BYTES", "MAX_XCLBIN_BYTES"])
def test_a_file_of_a_terabyte_is_refused(limit, tmp_path, monkeypatch):
    """Without being read further than the limit, which is made small here."""
    from npuninja import files

    with pytest.raises(UserError, match="more than 4096 bytes"):
        files.read_file(sparse(tmp_path), 4096)


@pytest.mark.parametrize("kind", ["FIFO", "device", "folder", "gone", "NUL"])
def test_sources_that_a_program_names_are_plain_files(kind, tmp_path):
    """The line table of a foreign program may name any path as its source."""
    path = {
        "FIFO": lambda: fifo(tmp_path),
        "device": lambda: "/dev/zero",
        "folder": lambda: str(tmp_path),
        "gone": lambda: str(tmp_path / "gone"),
        "NUL": lambda: "a\0b",
    }[kind]()
    assert source_lines(path) == []
    assert SourceFiles().excerpt(Location(path, 1)) == ""
    assert UserError("m", Location(path, 1, 1)).render().count("\n") == 0


def test_outputs_of_verbs_that_are_special_stay_what_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.s").write_text("nop\n")
    (tmp_path / "target").write_text("")
    (tmp_path / "link").symlink_to("target")
    for output in ("/dev/null", "link"):
        assert main(["as", "a.s", "-o", output]) == 0, capsys.readouterr().err
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes()[:4] == b"\x7fELF"
    assert main(["as", "a.s", "-o", "/dev/full"]) == 3
    assert "cannot write /dev/full: no space left on device" in capsys.readouterr().err
    assert stat.S_ISCHR(os.lstat("/dev/full").st_mode)


@pytest.mark.parametrize("kind", ["FIFO", "device", "folder", "link to itself", "sparse"])
@pytest.mark.parametrize("name", ["Makefile", "a.mlir", "a.py", "run.sh", "CMakeLists.txt", "run.lit"])
def test_import_reads_plain_files_only(name, kind, tmp_path, capsys):
    folder = tmp_path / "foreign"
    folder.mkdir()
    place = folder / name
    {
        "FIFO": lambda: os.mkfifo(place),
        "device": lambda: place.symlink_to("/dev/zero"),
        "folder": lambda: place.mkdir(),
        "link to itself": lambda: place.symlink_to(name),
        "sparse": lambda: (place.touch(), os.truncate(place, 1 << 40)),
    }[kind]()
    assert main(["import", str(folder), "-o", str(tmp_path / "project")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "bug of npuninja" not in said
