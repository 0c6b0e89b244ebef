"""What a farm's servers are fetched from: `npuninja tools install` has it in a source tree only."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from conftest import ROOT
from farm.installations import INSTALLATIONS, finish_buildgrid, finish_postgresql

from npuninja import cli
from npuninja.errors import ToolError
from npuninja.install.installation import Circumstances


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_they_are_known_in_a_source_tree(capsys, monkeypatch, tmp_path):
    assert set(INSTALLATIONS) == {"buildgrid", "postgresql"}
    assert cli.main(["tools", "install", "nothing"]) == 2
    assert "known: xclbinutil, xrt, g++, buildbox, buildgrid, postgresql" in capsys.readouterr().err
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "site-packages/npuninja/cli.py"))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["tools", "install", "buildgrid"]) == 2
    said = capsys.readouterr().err
    assert "'buildgrid' cannot be installed" in said
    assert said.endswith("known: xclbinutil, xrt, g++, buildbox\n")


def test_no_module_of_the_package_names_them():
    """Its hints do: a build may ask a server that somebody else runs."""
    named = [
        path
        for path in (ROOT / "npuninja").rglob("*.py")
        if any(name in path.read_text(encoding="utf-8").lower() for name in INSTALLATIONS)
    ]
    assert named == []


def test_the_verb_installs_one(capsys, monkeypatch, tmp_path):
    """With a pretended package index: the environment's own Python says the version."""
    seen = []

    def fetch(packages, folder, finish, given: Circumstances):
        seen.append((packages, given.mirror))
        program(Path(folder, "bin/python"), "echo 0.4.4")
        program(Path(folder, "bin/bgd"), "")
        finish(folder)

    monkeypatch.setitem(
        INSTALLATIONS, "buildgrid", dataclasses.replace(INSTALLATIONS["buildgrid"], fetch=fetch)
    )
    monkeypatch.setenv("NPUNINJA_TOOLS", str(tmp_path))
    assert cli.main(["tools", "install", "buildgrid"]) == 0
    assert seen == [(("buildgrid==0.4.4", "psycopg2-binary>=2.9"), None)]
    assert capsys.readouterr().out == (
        f"buildgrid 0.4.4 in {tmp_path}/buildgrid; npuninja farm up --engine buildgrid\n"
    )


def test_buildgrid_without_its_program(tmp_path):
    program(tmp_path / "bin/python", "echo 0.4.4")
    with pytest.raises(ToolError, match="no bgd"):
        finish_buildgrid(str(tmp_path))


def test_postgresql_starts_from_its_folder(tmp_path):
    with pytest.raises(ToolError, match="0 versions of PostgreSQL, expected one"):
        finish_postgresql(str(tmp_path))
    for name in ("postgres", "initdb"):
        program(tmp_path / "usr/lib/postgresql/18/bin" / name, f'echo "{name} (PostgreSQL) 18.1"')
    # The pretended loader runs the program that it is given last but one.
    program(
        tmp_path / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        'for w in "$@"; do last=$p; p=$w; done; "$last"',
    )
    assert finish_postgresql(str(tmp_path)) == "18.1"
    assert (tmp_path / "usr/lib/postgresql/18/bin/initdb.elf").exists()
