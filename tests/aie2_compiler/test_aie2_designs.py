"""Shipped designs as XCLBINs for a real npu1, with pip alone: built, run as machine code, against NumPy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from npuninja.machine_code.program import read_programs

DESIGNS = ("passthrough", "self_test", "vector_add", "vector_scale", "pipeline", "mel")
LABEL = "unoptimised, not yet run on an NPU"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aie2") / "project"
    for name in DESIGNS:
        shutil.copytree(ROOT / "kernels" / name, folder / "kernels" / name)
        (folder / "mlir").mkdir(exist_ok=True)
        shutil.copy(ROOT / "mlir" / f"{name}.mlir", folder / "mlir")
    shutil.copytree(ROOT / "host", folder / "host", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "toolchain.toml").write_text("")
    environment = {**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = run(
        sys.executable, str(ROOT / "configure.py"), "-S", str(folder), "--provider", "kernel=npuninja-aie2"
    )
    assert LABEL in said
    run(os.path.join(os.path.dirname(sys.executable), "ninja"), "-j2", *DESIGNS)
    return folder, run


def test_ninja_test_runs_the_machine_code_too(project):
    """Its table has a row for emulated cores and one for real ones; the report shows their cycles."""
    folder, run = project
    ninja = os.path.join(os.path.dirname(sys.executable), "ninja")
    said = run(ninja, "-j2", "verdict-vector_add", "machine-code-vector_add")
    verdicts = [
        json.loads((folder / "build" / "npu1_1col" / kind / "vector_add" / "verdict.json").read_text())
        for kind in ("wasm", "aie2")
    ]
    assert [v["verdict"] for v in verdicts] == ["right", "right"], said
    assert LABEL in verdicts[1]["text"]
    assert "--of vector_add:machine-code=build/npu1_1col/aie2/vector_add/verdict.json" in (
        folder / "build.ninja"
    ).read_text(encoding="utf-8")
    run(sys.executable, "-m", "npuninja", "report", "build/npu1_1col/aie2/vector_add", "-o", "report")
    page = (folder / "report" / "vector_add.html").read_text(encoding="utf-8")
    assert "Issue cycles of the cores" in page
    assert "<g><title>core_0_2: " in page
    assert "<td>kernels/vector_add/vector_add.c:" in page  # by C line, whatever folder the project is in
    elf = (folder / "build" / "npu1_1col" / "aie2" / "vector_add" / "core_0_2.elf").read_bytes()
    assert str(folder).encode() not in elf
    assert str(ROOT).encode() not in elf


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_runs_as_machine_code(project, name):
    """The XCLBIN holds machine code and no wasm, names the compiler, and gives what the reference gives."""
    folder, run = project
    built = folder / "build" / "npu1_1col" / "aie2" / name
    kind, programs = read_programs((built / f"{name}.xclbin").read_bytes(), name)
    assert kind == "XCLBIN"
    assert programs
    assert {program.isa for program in programs} == {"aie2"}
    manifest = json.loads((built / f"{name}.json").read_text())
    assert LABEL in json.dumps(manifest["providers"])
    manifest_file = str(built / f"{name}.json")
    words = ("--device", "emu", "--verify", "--seed", "7", "--time-limit", "300")
    said = run(sys.executable, "-m", "npuninja", "run", manifest_file, *words)
    assert "elements are right" in said
    assert LABEL in said
