"""The wheel: what installers read of it, and a design's run in a new environment with nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from email.parser import Parser
from pathlib import Path

import numpy
import pytest
from conftest import ROOT
from packed_project import WHEEL

from npuninja.packaging.contents import EMULATOR_REQUIRES, OLDEST_PYTHON, REQUIRES
from npuninja.packaging.package import Package
from npuninja.packaging.wheel import wheel_files
from npuninja.packaging.zip_file import read_zip
from npuninja.settings.toml_file import read_toml

INFO = "gain_designs-1.2.0+for.tests.dist-info"


def test_what_the_runner_needs_is_what_npuninja_needs():
    project = read_toml(str(ROOT / "pyproject.toml"))["project"]
    assert {*REQUIRES, *EMULATOR_REQUIRES} <= set(project["dependencies"])
    assert project["requires-python"] == f">={OLDEST_PYTHON}"


def test_metadata(packed):
    files = read_zip(packed.wheel.read_bytes(), WHEEL)
    metadata = Parser().parsestr(files[f"{INFO}/METADATA"].decode())
    assert (metadata["Name"], metadata["Version"]) == ("Gain-Designs", "1.2.0+for.tests")
    assert metadata["License-Expression"] == "MIT AND Apache-2.0"
    assert metadata.get_all("Requires-Dist") == ["numpy>=1.24", 'wasmtime>=36; extra == "emulator"']
    for name in metadata.get_all("License-File"):
        assert f"{INFO}/licenses/{name}" in files
    assert files[f"{INFO}/sboms/sbom.cdx.json"] == files["gain_designs/sbom.cdx.json"]


@pytest.mark.parametrize(
    ("license_", "whole"),
    [("Apache-2.0", "Apache-2.0"), ("MIT OR ISC", "(MIT OR ISC) AND Apache-2.0"), ("", None)],
)
def test_the_licence_is_that_of_designs_and_runner(license_, whole):
    contents = {"sbom.cdx.json": b"{}", "runner/LICENSE": b"x"}
    files = wheel_files(Package("x", license=license_), contents, emulated=False)
    metadata = Parser().parsestr(files["x-0.0.0.dist-info/METADATA"].decode())
    assert metadata["License-Expression"] == whole
    assert metadata["Provides-Extra"] is None, "designs for real cores need no emulator"


def pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--python", str(python), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_design_runs_from_the_wheel_in_a_new_environment(packed, tmp_path):
    environment = tmp_path / "new environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    bin_ = environment / "bin"
    # Fetched in continuous integration, and at a desk when asked: unpacking them takes twenty seconds.
    fetches = os.environ.get("CI") or os.environ.get("NPUNINJA_FETCH")
    if fetches and pip(bin_ / "python", "install", "--quiet", "numpy", "wasmtime").returncode == 0:
        done = pip(bin_ / "python", "install", "--quiet", f"{packed.wheel}[emulator]")
        assert "No broken requirements" in pip(bin_ / "python", "check").stdout
        listed = json.loads(pip(bin_ / "python", "list", "--format", "json").stdout)
        assert {entry["name"].lower() for entry in listed} >= {"gain-designs", "numpy", "wasmtime"}
        assert not {"npuninja", "ziglang"} & {entry["name"] for entry in listed}
    else:  # what the wheel needs is taken from here
        done = pip(bin_ / "python", "install", "--quiet", "--no-deps", str(packed.wheel))
        (folder,) = environment.glob("lib/*/site-packages")
        (folder / "from_here.pth").write_text(str(Path(numpy.__file__).parents[1]) + "\n")
    assert done.returncode == 0, done.stderr

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        variables = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
        )

    done = run(bin_ / "python", "-m", "gain_designs", "gain", "--verify")
    assert "b: all 256 elements are right" in done.stdout, done.stderr
    assert "all 256 elements are right" in run(bin_ / "Gain-Designs", "gain", "--verify").stdout
    assert "usage: Gain-Designs DESIGN" in run(bin_ / "Gain-Designs", "--help").stdout
    assert (
        "usage: python -m gain_designs DESIGN" in run(bin_ / "python", "-m", "gain_designs", "--help").stdout
    )
    manifest = run(
        bin_ / "python", "-c", "import gain_designs; print(gain_designs.designs()['gain'])"
    ).stdout.strip()
    assert Path(manifest).is_relative_to(environment)
    assert json.loads(Path(manifest).read_text())["design"] == "gain"
    assert pip(bin_ / "python", "uninstall", "--yes", "--quiet", "Gain-Designs").returncode == 0
    assert not list(environment.glob("lib/*/site-packages/gain_designs/**/*.xclbin"))
