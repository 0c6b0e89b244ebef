"""Launchers in a folder of unpacked packages."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from npuninja.errors import ToolError
from npuninja.install.folder import launch_in_place, proved, write_launcher, write_runner


@pytest.fixture
def root(tmp_path):
    """A folder with `echo`, its libraries and a loader: this machine's, where packages have them."""
    echo = shutil.which("echo")
    done = subprocess.run(["ldd", str(echo)], capture_output=True, text=True, check=False)
    paths = [word for word in done.stdout.split() if word.startswith("/")]
    if not any("ld-linux" in path for path in paths):
        pytest.skip("echo is not linked as on a glibc system")
    libraries = tmp_path / "root" / "usr" / "lib" / "some-linux-gnu"
    libraries.mkdir(parents=True)
    for path in paths:
        shutil.copy(os.path.realpath(path), libraries / os.path.basename(path))
    (tmp_path / "root" / "usr" / "bin").mkdir()
    shutil.copy(os.path.realpath(str(echo)), tmp_path / "root" / "usr" / "bin" / "echo")
    return tmp_path / "root"


def output_after_moving(root, launcher, *words):
    moved = root.with_name("moved, and renamed")
    root.rename(moved)
    command = [str(moved / Path(launcher).relative_to(root)), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_launcher(root):
    assert output_after_moving(root, write_launcher(str(root), "usr/bin/echo"), "a b", "c") == "a b c\n"


def test_launcher_in_place(root):
    assert output_after_moving(root, launch_in_place(str(root), "usr/bin/echo"), "a b", "c") == "a b c\n"


def test_runner(root):
    launcher = write_runner(str(root), "with-these")
    assert output_after_moving(root, launcher, str(shutil.which("echo")), "a b") == "a b\n"


def test_a_runner_looks_in_the_folders_of_ld_library_path_too(root, monkeypatch):
    launcher = write_runner(str(root), "with-these")
    shutil.copy(shutil.which("echo"), root / "echo")
    needed = next((root / "usr" / "lib").rglob("libc.so.6"))
    elsewhere = root / "else where"
    elsewhere.mkdir()
    needed.rename(elsewhere / needed.name)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(elsewhere))
    monkeypatch.setenv("LD_DEBUG", "libs")
    run = subprocess.run([launcher, str(root / "echo"), "a b"], capture_output=True, text=True, check=True)
    assert run.stdout == "a b\n"
    assert f"calling init: {elsewhere}/libc.so.6" in run.stderr


@pytest.mark.parametrize("write", [write_launcher, launch_in_place])
def test_missing_program(root, write):
    with pytest.raises(ToolError, match="have no usr/bin/other"):
        write(str(root), "usr/bin/other")


def test_missing_loader(tmp_path):
    with pytest.raises(ToolError, match="no dynamic loader"):
        write_runner(str(tmp_path), "with-these")


def test_a_program_that_is_proved():
    assert proved("echo", ["echo", "a", "b c"], least_words=3) == ["a", "b", "c"]
    assert proved("true", ["true"], least_words=0) == []
    for command, least_words in ((["true"], 1), (["echo", "a"], 2), (["sh", "-c", "echo a; exit 1"], 1)):
        with pytest.raises(ToolError, match="the fetched thing does not work: "):
            proved("thing", command, least_words=least_words)
