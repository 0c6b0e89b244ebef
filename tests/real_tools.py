"""Real tools that are here or can be got: fixtures `bootgen`, `xclbinutil`, `xrt`, `buildbox`, `buildgrid`.

A test that uses one is skipped only when the tool cannot be had; the reason says why. What is not here is
fetched in continuous integration, and at a desk with NPUNINJA_FETCH=1: it takes minutes, which `make test`
has not.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from farm.postgresql import find_postgresql

from npuninja.commands.tools import install_tool
from npuninja.detect.bootgen import BOOTGEN
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import surroundings_of
from npuninja.detect.probe import probe
from npuninja.detect.tool import Detection, FoundTool, Tool
from npuninja.detect.xrt import XCLBINUTIL
from npuninja.errors import Error
from npuninja.install.folder import installed_program, tools_folder


def _may_fetch(tool: str) -> None:
    """Skips the test where nothing is to be fetched."""
    if not (os.environ.get("CI") or os.environ.get("NPUNINJA_FETCH")):
        pytest.skip(f"{tool} is not here, and is fetched with NPUNINJA_FETCH=1 only")


def _detected(tool: Tool, environment: dict[str, str], folder: Path) -> Detection:
    return probe([tool], surroundings_of(environment, {}), ProbeCache(str(folder / "probe_cache.json")))[
        tool.name
    ]


@pytest.fixture(scope="session")
def bootgen(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bootgen that ran."""
    outcome = _detected(BOOTGEN, dict(os.environ), tmp_path_factory.mktemp("bootgen"))
    if not isinstance(outcome, FoundTool):
        pytest.skip(f"no bootgen: {outcome.explain()}")
    return outcome.path


@pytest.fixture(scope="session")
def xclbinutil(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> str:
    """An xclbinutil that ran: this machine's, else `npuninja tools install`'s in pytest's cache folder."""
    folder = tmp_path_factory.mktemp("xclbinutil")
    outcome = _detected(XCLBINUTIL, dict(os.environ), folder)
    if isinstance(outcome, FoundTool):
        return outcome.path
    assert pytestconfig.cache is not None
    tools = pytestconfig.cache.mkdir("npuninja-tools")
    environment = {**os.environ, "NPUNINJA_TOOLS": str(tools)}
    with open(tools / "lock", "w") as lock:  # pytest-xdist has several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = _detected(XCLBINUTIL, environment, folder)
        if not isinstance(outcome, FoundTool):
            _may_fetch("xclbinutil")
            try:
                install_tool("xclbinutil", environment)
            except Error as error:
                pytest.skip(f"no xclbinutil: {error.render()}")
            outcome = _detected(XCLBINUTIL, environment, folder)
    assert isinstance(outcome, FoundTool), "it was installed and does not prove itself"
    return outcome.path


@pytest.fixture(scope="session")
def xrt(pytestconfig: pytest.Config) -> str:
    """The folder of tools (`NPUNINJA_TOOLS`) with XRT: the user's, else one in pytest's cache folder."""
    return _folder_with({"xrt": "python3"}, pytestconfig)


@pytest.fixture(scope="session")
def buildbox(pytestconfig: pytest.Config) -> str:
    """The folder of tools with BuildBox in it."""
    return _folder_with({"buildbox": "trexe"}, pytestconfig)


@pytest.fixture(scope="session")
def buildgrid(pytestconfig: pytest.Config) -> str:
    """The folder of tools with BuildBox and BuildGrid, and PostgreSQL where the machine has none."""
    needed = {"buildbox": "trexe", "buildgrid": "bgd"}
    if find_postgresql({**os.environ, "NPUNINJA_TOOLS": os.devnull}) is None:
        needed["postgresql"] = "../npuninja-packages.json"
    return _folder_with(needed, pytestconfig)


def _folder_with(needed: dict[str, str], pytestconfig: pytest.Config) -> str:
    """The user's folder of tools if it has what is needed (tool -> program), else one in pytest's cache."""
    if all(os.path.isfile(installed_program(os.environ, tool, program)) for tool, program in needed.items()):
        return tools_folder(os.environ)
    assert pytestconfig.cache is not None
    tools = pytestconfig.cache.mkdir("npuninja-tools")
    environment = {**os.environ, "NPUNINJA_TOOLS": str(tools)}
    with open(tools / "lock", "w") as lock:  # pytest-xdist has several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        for tool, program in needed.items():
            if not os.path.isfile(installed_program(environment, tool, program)):
                _may_fetch(tool)
                try:
                    install_tool(tool, environment)
                except Error as error:
                    pytest.skip(f"no {tool}: {error.render()}")
    return str(tools)
