"""A machine with pretended real tools, fixture `machine`: MLIR-AIE, Peano, XRT of tests/fake_tools."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from build_project import Project
from fake_tools import installs


class Machine:
    """A project beside a virtual environment and XRT, in which a test puts installations."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.folder.parent / "machine"
        self.site = installs.venv(self.root / "venv")
        project.environment["VIRTUAL_ENV"] = str(self.root / "venv")
        project.environment["XILINX_XRT"] = str(self.root / "xrt")
        # What this machine has must not be found: nothing but the shell's own programs.
        project.environment["PATH"] = f"{project.tools}:{self.root}/path"
        (self.root / "path").mkdir()
        for name in ("sh", "cat", "env"):
            (self.root / "path" / name).symlink_to(shutil.which(name) or "/bin/false")

    def with_release(self, since: str) -> Machine:
        """Installs everything, MLIR-AIE of that release."""
        installs.mlir_aie_wheel(self.site, since)
        installs.peano_wheel(self.site)
        installs.xrt(self.root / "xrt")
        return self

    def output(self, name: str) -> Path:
        """A file of the design."""
        return self.project.folder / "build/npu1_1col/aie2/gain" / name

    def commands(self, target: str = "gain") -> str:
        """The command lines of the build, with the words of response files in their place."""
        return "\n".join(self.project.commands(target))


@pytest.fixture
def machine(project: Project) -> Machine:
    return Machine(project)
