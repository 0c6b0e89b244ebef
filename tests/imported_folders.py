"""Folders of our own for `npuninja import`, and the projects made of them."""

import shutil
import subprocess
import sys

import pytest
import toml
from conftest import TESTS

from npuninja.cli import main
from npuninja.porting.cmake_target import find_cmake

#: Where they are; `foreign_folders` copies them to where make can work.
place = TESTS / "porting" / "folders"

#: Marks of a module that imports them.
NEEDS_MAKE = [
    pytest.mark.skipif(shutil.which("make") is None, reason="no GNU make"),
    pytest.mark.usefixtures("foreign_folders"),
]


@pytest.fixture(scope="module")
def foreign_folders(tmp_path_factory):
    """The folders where make can work: it knows no names with blanks, and this clone may lie below one."""
    global place
    place = tmp_path_factory.mktemp("folders") / "all"
    shutil.copytree(TESTS / "porting" / "folders", place)


@pytest.fixture
def gain(tmp_path):
    """A place for a project of the folder `gain`, whose programs CMake builds."""
    if find_cmake() is None or shutil.which("c++") is None:
        pytest.skip("no CMake, or no C++ compiler for it")
    return tmp_path / "a project"


def imported(name, target, *words):
    assert main(["import", str(place / name), "-o", str(target), *words]) == 0
    return toml.loads((target / "toolchain.toml").read_text())


def ninja(*words):
    return subprocess.run([sys.executable, "-m", "ninja", *words], check=False)


def here(target, path):
    return (target / path).resolve().relative_to(place.resolve()).as_posix()
