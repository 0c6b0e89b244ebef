"""The database of a farm: where it is found, and that users other than root reach it."""

from __future__ import annotations

import os
from pathlib import Path

from farm.postgresql import find_postgresql, reachable


def install(folder: Path, version: str) -> str:
    programs = folder / f"usr/lib/postgresql/{version}/bin"
    programs.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (programs / name).write_text(f"{name} {version}", encoding="utf-8")
    return str(programs)


def test_one_on_path_comes_first_then_the_newest(tmp_path):
    tools = tmp_path / "tools"
    install(tools / "postgresql", "9")
    newest = install(tools / "postgresql", "18")
    environment = {"NPUNINJA_TOOLS": str(tools), "PATH": os.devnull}
    found = find_postgresql(environment)
    # That of the system, where there is one, comes before it.
    assert found == newest or (found is not None and found.startswith("/usr/lib/postgresql/"))
    elsewhere = install(tmp_path / "elsewhere", "15")
    assert (Path(elsewhere) / "initdb").exists()
    (Path(elsewhere) / "initdb").chmod(0o755)
    assert find_postgresql({**environment, "PATH": elsewhere}) == elsewhere


def test_what_others_cannot_reach_is_linked_for_them(tmp_path):
    home = tmp_path / "home"
    programs = install(home / "postgresql", "18")
    share = home / "postgresql/usr/share"
    share.mkdir()
    (share / "data").write_text("data", encoding="utf-8")
    (share / "link").symlink_to("data")
    home.chmod(0o700)
    there = tmp_path / "there"
    found = reachable(programs, str(there))
    assert found == str(there / "usr/lib/postgresql/18/bin")
    assert (Path(found) / "postgres").samefile(Path(programs) / "postgres")
    assert os.readlink(there / "usr/share/link") == "data"


def test_what_everybody_reaches_stays_where_it_is(tmp_path):
    assert reachable("/usr/bin", str(tmp_path / "there")) == "/usr/bin"
    assert not (tmp_path / "there").exists()
