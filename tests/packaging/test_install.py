"""`ninja install`: below a prefix and DESTDIR, whole or not at all, and nothing of others is touched."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from packed_project import Packed

from npuninja.errors import ToolError, UserError
from npuninja.packaging.installation import install
from npuninja.packaging.verify import Verified, verify
from npuninja.stages.install import run

NAME = "Gain-Designs"


@pytest.fixture
def good(packed: Packed) -> Verified:
    return verify(packed.archive.read_bytes(), str(packed.archive))


def put(good: Verified, root: Path, **changes: bytes) -> list[str]:
    said: list[str] = []
    install(good.package, {**good.files, **changes}, str(root), "", said.append)
    return said


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_ninja_installs_where_prefix_and_destdir_say(packed, tmp_path):
    project = packed.project
    prefix = tmp_path / "the prefix"
    project.configure("-B", "other", "--preset", "for_tests", "--prefix", str(prefix))
    assert str(prefix) in (project.folder / "other/config.toml").read_text()
    printed = project.ninja("-C", "other", "install").stdout
    program = prefix / "bin" / NAME
    assert f"installed {program}" in printed
    listed = [
        line.partition("installed ")[2] for line in printed.splitlines() if line.startswith("installed ")
    ]
    assert sorted(listed) == sorted(str(prefix / name) for name in everything(prefix))
    # The program takes the Python that PYTHON names, else the one on PATH, which need not have NumPy.
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [program, "gain", "--verify"], env=environment, capture_output=True, text=True, check=False
    )
    assert "all 256 elements are right" in done.stdout, done.stderr
    project.environment["DESTDIR"] = str(tmp_path / "staged")
    try:
        project.ninja("-C", "other", "install")
    finally:
        del project.environment["DESTDIR"]
    staged = Path(f"{tmp_path}/staged{prefix}")
    assert {n: d for n, d in everything(prefix).items() if "__pycache__" not in n} == everything(staged)
    # A prefix may be moved: the program finds the designs by its own place.
    moved = (tmp_path / "staged").rename(tmp_path / "moved")
    done = subprocess.run(
        [f"{moved}{prefix}/bin/{NAME}"], env=environment, capture_output=True, text=True, check=False
    )
    assert "gain" in done.stderr


def test_modes_do_not_depend_on_the_umask(good, tmp_path):
    before = os.umask(0o077)
    try:
        put(good, tmp_path / "p")
    finally:
        os.umask(before)
    for path in (tmp_path / "p").rglob("*"):
        program = path == tmp_path / "p/bin" / NAME
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() or program else 0o644), path


def test_another_version_takes_the_place_of_the_old_one(good, tmp_path):
    files = dict(good.files)
    dropped = files.pop("README.txt")
    put(good, tmp_path)
    before = everything(tmp_path)
    (tmp_path / "share/of_another").write_text("x")
    (tmp_path / f"share/{NAME}/runner/npuninja/__pycache__").mkdir()
    install(good.package, files, str(tmp_path), "", lambda path: None)
    after = everything(tmp_path)
    assert set(before) - set(after) == {f"share/{NAME}/README.txt"}
    assert dropped
    assert after["share/of_another"] == b"x"
    assert not [name for name in os.listdir(tmp_path / "share") if name.startswith(".")]


def test_what_is_not_a_package_is_left_alone(good, tmp_path):
    place = tmp_path / "share" / NAME
    place.mkdir(parents=True)
    (place / "precious").write_text("x")
    with pytest.raises(UserError, match="is there, and is no package of designs"):
        put(good, tmp_path)
    assert everything(tmp_path) == {f"share/{NAME}/precious": b"x"}


def test_what_somebody_put_into_an_installed_package_is_not_lost(good, tmp_path):
    put(good, tmp_path)
    own = tmp_path / "share" / NAME / "designs/notes.txt"
    own.write_text("x")
    with pytest.raises(UserError, match=r"designs/notes\.txt does not belong to the package there"):
        put(good, tmp_path)
    assert own.read_text() == "x"


@pytest.mark.parametrize("number", [1, 40, 85, 87])
def test_a_failure_in_the_middle_changes_nothing(good, tmp_path, monkeypatch, number):
    """The disk is full at the n-th file."""
    put(good, tmp_path)
    before = everything(tmp_path)
    count = 0
    real = os.chmod

    def chmod(path: str, mode: int) -> None:
        nonlocal count
        count += os.path.isfile(path)
        if count == min(number, len(good.files) + 1):
            raise OSError(28, "No space left on device", path)
        real(path, mode)

    monkeypatch.setattr(os, "chmod", chmod)
    with pytest.raises(ToolError, match=r"cannot install .*no space left"):
        put(good, tmp_path, **{"run.py": b"another\n"})
    assert everything(tmp_path) == before
    assert os.listdir(tmp_path / "share") == [NAME]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_failed_rename_leaves_the_old_package(good, tmp_path, monkeypatch, number):
    put(good, tmp_path)
    before = everything(tmp_path)
    count = 0

    def failing(real):
        def rename(source: str, target: str) -> None:
            nonlocal count
            count += 1
            if count == number:
                raise OSError(5, "Input/output error", source)
            real(source, target)

        return rename

    monkeypatch.setattr(os, "rename", failing(os.rename))
    monkeypatch.setattr(os, "replace", failing(os.replace))
    with pytest.raises(ToolError, match="input/output error"):
        put(good, tmp_path, **{"run.py": b"another\n"})
    expected = dict(before)
    if number == 3:  # the designs are in place, only their program is still the old one, which is the same
        expected[f"share/{NAME}/run.py"] = b"another\n"
    assert everything(tmp_path) == expected


def test_a_damaged_archive_is_not_installed(packed, tmp_path):
    archive = tmp_path / packed.archive.name
    archive.write_bytes(packed.archive.read_bytes()[:-1])
    with pytest.raises(UserError, match="not as it was made"):
        run([str(archive), "--prefix", str(tmp_path / "p")])
    assert not (tmp_path / "p").exists()


def test_a_place_that_may_not_be_written_is_reported(good, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ToolError, match=r"cannot install .*/file: file exists") as caught:
        put(good, tmp_path / "file")
    assert "--prefix" in (caught.value.hint or "")
    with pytest.raises(UserError, match="expected an absolute folder"):
        install(good.package, good.files, "relative", "", print)
