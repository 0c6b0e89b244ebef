"""Shipped designs packed by the real bootgen and xclbinutil: as by the embedded writers, twice the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from build_project import Project
from conftest import ROOT

from npuninja.formats.xclbin import read_xclbin
from npuninja.plan.designs import find_designs

FOLDERS = ("mlir", "kernels", "host")


@pytest.fixture
def shipped(tmp_path: Path, tools: Path) -> Project:
    """A copy of what this repository ships."""
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, tmp_path / "project" / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    return Project(tmp_path / "project", tools)


def packed(project: Project, *, remove: bool = False) -> dict[str, bytes]:
    """PDI and XCLBIN of each design; `remove` takes them away, and what is made between them."""
    paths = sorted(
        p for p in (project.folder / "build").glob("*/wasm/*/*") if p.suffix in (".pdi", ".xclbin")
    )
    content = {path.name: path.read_bytes() for path in paths}
    for path in paths if remove else []:
        path.unlink()
        (path.parent / "main_aie_partition.json").unlink(missing_ok=True)
    return content


@pytest.mark.slow
def test_shipped_designs(shipped: Project, bootgen: str, xclbinutil: str) -> None:
    shipped.write("toolchain.toml", f'[tools]\nbootgen = "{bootgen}"\nxclbinutil = "{xclbinutil}"\n')
    designs = sorted(find_designs(str(shipped.folder))[0])
    results = {}
    for build, choice in (("embedded", "embedded"), ("real", "real"), ("again", "real")):
        shipped.configure("--provider", f"pdi={choice}", "--provider", f"xclbin={choice}")
        shipped.ninja()
        results[build] = packed(shipped, remove=True)
    assert sorted(results["real"]) == sorted(
        f"{name}.{suffix}" for name in designs for suffix in ("pdi", "xclbin")
    )
    assert results["again"] == results["real"]
    for name, real in results["real"].items():
        embedded = results["embedded"][name]
        if name.endswith(".pdi"):
            assert real == embedded
        else:
            one, other = read_xclbin(real), read_xclbin(embedded)
            assert [(s.kind, s.name, s.data) for s in one.sections] == [
                (s.kind, s.name, s.data) for s in other.sections
            ]
            if one.version == other.version:
                assert real == embedded


def test_a_small_project(project: Project, bootgen: str, xclbinutil: str) -> None:
    project.write("toolchain.toml", f'[tools]\nbootgen = "{bootgen}"\nxclbinutil = "{xclbinutil}"\n')
    assert "xclbinutil" in project.configure("--provider", "xclbin=real").stdout
    project.ninja()
    real = packed(project)
    assert "no work to do" in project.ninja().stdout
    assert "core (0, 2)" in project.ninja("size").stdout
    project.configure("--provider", "xclbin=embedded", "--provider", "pdi=embedded")
    project.ninja()
    assert packed(project) == real or read_xclbin(real["gain.xclbin"]).version[:2] != (2, 25)
