"""Shipped designs and their twins in Python mean the same; a jitted design runs on the emulated NPU."""

import os
import subprocess
import sys

import pytest
from conformance.compare_mlir import compare
from conftest import ROOT

from npuninja.commands.lower import lower_design
from npuninja.errors import Warnings
from npuninja.python_designs.script import run_design

EXAMPLES = ROOT / "docs" / "python-designs"


@pytest.mark.parametrize("name", ["passthrough", "vector_add", "memtile_distribute_join"])
def test_a_twin_is_lowered_to_the_same(name):
    outcome = run_design(str(EXAMPLES / f"{name}.py"), [])
    assert outcome.exit_code == 0
    shipped = (ROOT / "mlir" / f"{name}.mlir").read_text(encoding="utf-8")
    lowered = [lower_design(text, name, None, "auto", Warnings()) for text in (outcome.text, shipped)]
    for file in ("input_with_addresses.mlir", "input_physical.mlir"):
        assert compare(*(files[file].decode() for files in lowered)) == []
    assert lowered[0]["insts.bin"] == lowered[1]["insts.bin"]


@pytest.mark.slow
def test_a_jitted_design_runs_on_the_emulated_npu(tmp_path):
    environment = {**os.environ, "NPU_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "npuninja", "python", str(EXAMPLES / "increment.py")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "PASS!\n"), done.stderr
    assert "emulated" in done.stderr
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert again.stdout == "PASS!\n"
    assert len([f for f in tmp_path.iterdir() if f.is_dir()]) == 1  # one folder: the content is the same
