"""Every layout in which the tools are installed: what is found, and what is said of the rest."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Callable

import pytest
from conftest import ROOT
from fake_tools import installs

from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import Toolchain, detect, environment_packages
from npuninja.detect.mlir_aie import AIECC
from npuninja.detect.tool import Surroundings

SYSTEM_LLVM = "Debian LLVM version 14.0.6\n  LLVM version 14.0.6\n  Registered Targets:\n    x86 - 32-bit X86"
WRAPPER = "/usr/bin/xclbinutil: /usr/bin/unwrapped/xclbinutil: not found"


class Root:
    """A made-up machine below a folder: `/opt`, `/usr`, a home, the packages of this Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.site = folder / "site-packages"
        self.path = folder / "usr/bin"
        self.variables = {"PATH": str(self.path), "HOME": str(self.home)}
        for made in (self.home, self.site, self.path):
            made.mkdir(parents=True)
        # What the pretended programs are started with; nothing of this machine is on PATH.
        for name in ("sh", "cat"):
            (self.path / name).symlink_to(f"/bin/{name}")

    def look(self) -> Toolchain:
        packages = (str(self.site), *environment_packages(self.variables))
        surroundings = Surroundings(self.variables, {}, packages, sys.executable, str(self.folder))
        return detect(surroundings, ProbeCache(str(self.folder / "probe_cache.json")))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def wheels_2025(root: Root) -> None:
    installs.mlir_aie_wheel(root.site, "2025-10-05")
    installs.peano_wheel(root.site)


def wheels_2026(root: Root) -> None:
    installs.mlir_aie_wheel(root.site, "2026-03-15")
    installs.peano_wheel(root.site, installs.PEANO_2026)


def wheels_of_another_python(root: Root) -> None:
    site = installs.venv(root.folder / "venv")
    root.variables["VIRTUAL_ENV"] = str(root.folder / "venv")
    installs.mlir_aie_wheel(site, "2025-10-21")
    installs.peano_wheel(site)


def source_tree(root: Root) -> None:
    installs.mlir_aie(root.home / "mlir-aie/install", "2026-03-15")
    installs.peano(root.home / "llvm-aie/install")


def named_by_variables(root: Root) -> None:
    installs.mlir_aie(root.folder / "somewhere", "2025-10-05")
    installs.peano(root.folder / "somewhere/peano")
    root.variables["MLIR_AIE_INSTALL_DIR"] = str(root.folder / "somewhere")


def peano_unset_and_a_system_llvm(root: Root) -> None:
    # `${PEANO_INSTALL_DIR}/bin/llc` with the variable unset is the system's.
    installs.says(root.path / "llc", SYSTEM_LLVM)
    installs.says(root.path / "opt", SYSTEM_LLVM)
    installs.mlir_aie_wheel(root.site, "2025-10-05")


def peano_behind_a_system_llvm(root: Root) -> None:
    peano_unset_and_a_system_llvm(root)
    installs.peano(root.folder / "peano")
    root.variables["PEANO_INSTALL_DIR"] = str(root.folder / "peano")


def peano_in_parts(root: Root) -> None:
    installs.peano(root.folder / "peano")
    (root.folder / "peano/bin/ld.lld").unlink()
    root.variables["PEANO_INSTALL_DIR"] = str(root.folder / "peano")


def aiecc_without_its_package(root: Root) -> None:
    installs.mlir_aie_wheel(root.site, "2025-10-05")
    (root.site / "mlir_aie/python/aie/__init__.py").write_text("import aie.extras.util\n", encoding="utf-8")


def driver_of_2026_07(root: Root) -> None:
    installs.mlir_aie_wheel(root.site, "2026-07")


def xrt_in_opt(root: Root) -> None:
    installs.xrt(root.folder / "opt/xilinx/xrt", "2.20.0")


def xrt_of_the_distribution(root: Root) -> None:
    root.variables["PATH"] = str(root.folder / "nothing")
    installs.program(root.path / "xclbinutil", "xclbinutil", "2.25.00")


def xrt_for_running_only(root: Root) -> None:
    installs.xrt(root.folder / "opt/xilinx/xrt", tools=False)


def xclbinutil_wrapper(root: Root) -> None:
    installs.says(root.path / "xclbinutil", WRAPPER, 127)


def pyxrt_of_another_python(root: Root) -> None:
    installs.xrt(root.folder / "opt/xilinx/xrt")
    (root.folder / "opt/xilinx/xrt/python/pyxrt.cpython-39-x86_64-linux-gnu.so").write_bytes(b"")


def bootgen_of_a_dead_environment(root: Root) -> None:
    text = "Traceback (most recent call last):\n  File …\nModuleNotFoundError: No module named aie"
    installs.says(root.path / "bootgen", text, 1)


OLD, MIDDLE, NEW = "0.0.1.2025100604+5950a4d", "0.0.1.2025102704+74b223d", "0.0.1.2026042304+9796296"
# Layout, what is found (tool: version, origin), what is not (tool: part of the reason).
LAYOUTS: list[tuple[Callable[[Root], None], dict[str, tuple[str, str]], dict[str, str]]] = [
    (
        wheels_2025,
        {
            "aie-opt": (OLD, "Python package"),
            "aie-translate": (OLD, "Python package"),
            "aiecc": (OLD, "python"),
            "peano": (installs.PEANO_2025, "Python package"),
            "bootgen": ("2023.2", "Python package"),
        },
        {"xclbinutil": "not found"},
    ),
    (
        wheels_2026,
        {
            "aie-opt": (NEW, "Python package"),
            "aiecc": (NEW, "c++"),
            "peano": (installs.PEANO_2026, "Python package"),
        },
        {},
    ),
    (
        wheels_of_another_python,
        {
            "aie-opt": (MIDDLE, "Python package"),
            "aiecc": (MIDDLE, "python"),
            "peano": (installs.PEANO_2025, "Python package"),
        },
        {},
    ),
    (
        source_tree,
        {
            "aie-opt": ("23.0.0git", "usual place"),
            "aiecc": ("979629649", "c++"),
            "peano": ("19.0.0git", "usual place"),
        },
        {},
    ),
    (
        named_by_variables,
        {
            "aie-opt": ("22.0.0git", "$MLIR_AIE_INSTALL_DIR"),
            "aiecc": ("5950a4d3d", "python"),
            "peano": ("19.0.0git", "$MLIR_AIE_INSTALL_DIR"),
        },
        {},
    ),
    (
        peano_unset_and_a_system_llvm,
        {"aie-opt": (OLD, "Python package")},
        {"peano": "LLVM 14.0.6 without the AI Engine"},
    ),
    (peano_behind_a_system_llvm, {"peano": ("19.0.0git", "$PEANO_INSTALL_DIR")}, {}),
    (peano_in_parts, {}, {"peano": "it has no ld.lld beside it"}),
    (
        aiecc_without_its_package,
        {"aie-opt": (OLD, "Python package")},
        {"aiecc": "No module named 'aie.extras'"},
    ),
    (driver_of_2026_07, {"aiecc": ("1.4.1", "declarative"), "aie-opt": ("1.4.1", "Python package")}, {}),
    (xrt_in_opt, {"xclbinutil": ("2.20.0", "usual place")}, {"pyxrt": "not found"}),
    (xrt_of_the_distribution, {"xclbinutil": ("2.25.00", "usual place")}, {}),
    (xrt_for_running_only, {}, {"xclbinutil": "an XRT for running only has no xclbinutil"}),
    (xclbinutil_wrapper, {}, {"xclbinutil": "unwrapped/xclbinutil: not found"}),
    (pyxrt_of_another_python, {"xclbinutil": ("2.20.0", "usual place")}, {"pyxrt": "built for cpython-39"}),
    (bootgen_of_a_dead_environment, {}, {"bootgen": "No module named aie"}),
]


@pytest.mark.parametrize(
    ("layout", "found", "refused"), LAYOUTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_found(root, layout, found, refused):
    layout(root)
    toolchain = root.look()
    for name, (version, origin) in found.items():
        tool = toolchain.found(name)
        absent = toolchain.absent(name)
        assert tool is not None, absent and absent.explain()
        assert (tool.version, tool.facts[0] if name == "aiecc" else tool.origin) == (version, origin)
    for name, reason in refused.items():
        absent = toolchain.absent(name)
        assert absent is not None, toolchain.found(name)
        assert reason in absent.explain()


def test_a_warm_look_starts_no_program(root, monkeypatch):
    wheels_2025(root)
    first = root.look()

    def refuse(*arguments, **options):
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr("subprocess.run", refuse)
    second = root.look()
    assert {name: str(outcome) for name, outcome in first.outcomes.items()} == {
        name: str(outcome) for name, outcome in second.outcomes.items()
    }


def test_every_package_folder_of_the_environment_is_looked_at(tmp_path):
    installs.venv(tmp_path / "venv")
    os.makedirs(tmp_path / "venv/lib/python3.11/site-packages")
    folders = environment_packages({"VIRTUAL_ENV": str(tmp_path / "venv")})
    assert [Path(folder).parent.name for folder in folders] == ["python3.11", "python3.13"]
    assert environment_packages({}) == environment_packages({"VIRTUAL_ENV": str(tmp_path / "none")}) == []


def test_the_page_has_every_layout():
    page = (ROOT / "docs/real-tools.md").read_text(encoding="utf-8")
    section = page[page.index("## Install layouts") : page.index("## The provider of a stage")]
    assert re.findall(r"\| `(\w+)` \|$", section, re.MULTILINE) == [
        layout.__name__ for layout, _, _ in LAYOUTS
    ]


def test_the_commit_of_an_aiecc_is_read_in_every_generation():
    for said in (
        "aiecc.py 5950a4d3d2c1",
        "aiecc (C++ version) 5950a4d3d2c1",
        "aiecc (…)\n  git SHA:  5950a4d3d2c1",
    ):
        assert AIECC.read(0, f"--get-xclbin\n{said}\n").version == "5950a4d3d2c1"
