"""Small projects in a temporary folder, with tools that only pretend, and the commands on them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TESTS

from npuninja.cache_files import cache_folder

PROJECTS = TESTS / "projects"

# Variables that would let the machine's own tools into a test.
TOOL_VARIABLES = (
    *("PEANO_INSTALL_DIR", "MLIR_AIE_INSTALL_DIR", "XILINX_XRT", "XRT_ROOT", "VIRTUAL_ENV"),
    *("NO_COLOR", "CLICOLOR_FORCE"),
)


def make_tool(path: Path, output: str, code: int = 0) -> Path:
    """A program that prints `output` and ends with `code`, whatever it is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


#: For tests that have Make build with this Python and these sources.
make_can_build = pytest.mark.skipif(
    shutil.which("make") is None or not re.fullmatch(r"[\w./+-]+", sys.executable + str(ROOT)),
    reason="there is no make, or it cannot name these folders",
)


class Project:
    """A project folder and what one does in it."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.tools = tools
        self.environment = {k: v for k, v in os.environ.items() if k not in TOOL_VARIABLES}
        self.environment["PATH"] = f"{tools}:/usr/bin:/bin"
        self.environment["HOME"] = str(tools / "home")
        # The emulator's engine is compiled once for all of them: five seconds each otherwise.
        self.environment["NPUNINJA_CACHE_DIR"] = str(cache_folder())
        self.environment["NPUNINJA_TOOLS"] = str(tools / "installed")

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces text in a file of the project, which must be there."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def configure(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs configure.py on the project; the exit code must be `code`."""
        return self._run(
            [sys.executable, str(ROOT / "configure.py"), "-S", str(self.folder), *arguments], code
        )

    def ninja(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Runs Ninja in the project; the exit code must be `code`, any but 0 for None (versions differ)."""
        return self._run([str(Path(sys.executable).parent / "ninja"), *arguments], code)

    def make(
        self, *arguments: str, code: int | None = 0, file: str | None = "build.mk"
    ) -> subprocess.CompletedProcess[str]:
        """Runs Make with two jobs; the exit code must be `code`, or any but 0 for None."""
        return self._run(["make", "-j2", *(["-f", file] if file else []), *arguments], code)

    def remade(self, *arguments: str) -> list[str]:
        """Runs Make and returns what it says of the commands that it ran, without folders, sorted."""
        printed = self.make(*arguments).stdout
        said = re.findall(r"^([A-Z]{2,}(?: \(\w+\)| [A-Z]+)*) (\S+)$", printed, re.MULTILINE)
        return sorted(f"{what} {os.path.basename(name)}" for what, name in said)

    def npuninja(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a verb of npuninja in the project; the exit code must be `code`."""
        return self._run([sys.executable, str(ROOT / "npuninja"), *arguments], code)

    def _run(self, command: list[str], code: int | None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        good = done.returncode == code if code is not None else done.returncode != 0
        assert good, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def rebuilt(self, *arguments: str) -> list[str]:
        """Runs Ninja; returns the first outputs of the stages that it ran, without folder, sorted."""
        printed = self._with_words(self.ninja("-v", "-d", "explain", "-d", "keeprsp", *arguments).stdout)
        return sorted({os.path.basename(name) for name in re.findall(r" -o (\S+)", printed)})

    def commands(self, target: str) -> list[str]:
        """The command lines that make a target, with the words of response files in their place."""
        asked = set(self.ninja("-t", "commands", target).stdout.splitlines())
        plain = json.loads(self.ninja("-t", "compdb").stdout)
        whole = json.loads(self.ninja("-t", "compdb", "-x").stdout)
        return [
            self._with_words(expanded["command"])
            for edge, expanded in zip(plain, whole)
            if edge["command"] in asked
        ]

    def _with_words(self, commands: str) -> str:
        """Command lines with the words of batches, which are in files, in place of these."""

        def words(found: re.Match[str]) -> str:
            text = (self.folder / found[1]).read_text(encoding="utf-8").strip()
            return text.replace("${folder}", found[2] or "").replace("${design}", found[3] or "")

        return re.sub(r"@(\S+\.words)(?: 'folder=([^']*)' 'design=([^']*)')?", words, commands)

    def graph(self, build: str = "build") -> dict[str, Any]:
        """The content of graph.json."""
        return json.loads((self.folder / build / "graph.json").read_text(encoding="utf-8"))

    def portable(self, text: str) -> str:
        """Text without the places and versions of this machine."""
        # Python first: it may lie below another of these.
        places = (
            (sys.executable, "PYTHON"),
            # Pytest may be started by a path with `..`; the plan holds the normal form.
            (os.path.normpath(sys.executable), "PYTHON"),
            (self.folder, "PROJECT"),
            (self.tools, "TOOLS"),
            (ROOT, "NPUNINJA"),
        )
        for path, name in places:
            text = text.replace(str(path), f"/{name}")
        text = re.sub(r"""(--modules"?,? "?)[0-9a-f]{12}\b""", r"\g<1>000000000000", text)
        text = re.sub(r"python-[\d.]+-[0-9a-f]{8}", "python-0.0.0-00000000", text)
        return re.sub(r"-[0-9a-f]{8}\b", "-00000000", text)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for pretended tools; first on the PATH of `project`."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path, tools: Path) -> Project:
    """A copy of tests/projects/plain: one design, one kernel with a header."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECTS / "plain", folder)
    return Project(folder, tools)
