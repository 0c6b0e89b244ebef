"""A project that is built and packed once, fixture `packed`: archive and wheel of the design `gain`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from build_project import PROJECTS, Project

SETTINGS = """
[providers]
pdi = "embedded"
xclbin = "embedded"

[package]
name = "Gain-Designs"
version = "1.2.0"
summary = "Multiplies bytes."
license = "MIT"

[preset.for_tests]
device = "npu1_1col"
"""
PRESET = ("--preset", "for_tests")
STEM = "Gain-Designs-1.2.0-for.tests"
WHEEL = "gain_designs-1.2.0+for.tests-py3-none-any.whl"
PARTS = "designs/gain"


class Packed(NamedTuple):
    """The project, and the two files."""

    project: Project
    archive: Path
    wheel: Path


def packable(folder: Path, tools: Path) -> Project:
    """A copy of tests/projects/plain with a licence, a preset and a `[package]`."""
    tools.mkdir(exist_ok=True)
    shutil.copytree(PROJECTS / "plain", folder)
    project = Project(folder, tools)
    project.write("toolchain.toml", SETTINGS)
    project.write("LICENSE", "Use it as you like.\n")
    return project


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Built and packed by Ninja. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("packed")
    project = packable(folder / "project", folder / "tools")
    project.configure(*PRESET)
    project.ninja("package")
    made = project.folder / "build/dist"
    return Packed(project, made / f"{STEM}.zip", made / WHEEL)
