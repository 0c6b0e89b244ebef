"""Kernels of this repository on the AIE API, in their designs, for both generations: built, run, verified."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

DESIGNS = ["gelu_npu2", "gemm_cascade", "gemm_int8_4core", "layer_norm", "softmax_npu2"]


@pytest.mark.slow
def test_designs_are_built_and_verified(tmp_path):
    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, str(ROOT / "configure.py"), "-B", str(tmp_path), *DESIGNS)
    said = run(str(Path(sys.executable).parent / "ninja"), "-C", str(tmp_path), "run")
    assert said.count(" elements are right") == len(DESIGNS), said
