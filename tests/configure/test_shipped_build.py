"""The six designs that a fresh clone shows first, from configure.py to verified runs, by embedded stages."""

import subprocess
import sys
from pathlib import Path

import pytest
from build_project import TOOL_VARIABLES
from conftest import ROOT

DESIGNS = ["memtile_distribute_join", "passthrough", "pipeline", "self_test", "vector_add", "vector_scale"]


@pytest.mark.slow
def test_six_designs_are_built_and_verified(tmp_path, monkeypatch):
    for name in TOOL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    folder = tmp_path / "a folder of $HOME's"

    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    embedded = [word for stage in ("pdi", "xclbin") for word in ("--provider", f"{stage}=embedded")]
    said = run(sys.executable, str(ROOT / "configure.py"), "-B", str(folder), *embedded, *DESIGNS)
    assert f"6 designs for npu1_1col: {', '.join(DESIGNS)}" in said
    ninja = [str(Path(sys.executable).parent / "ninja"), "-C", str(folder)]
    run(*ninja)
    assert "no work to do" in run(*ninja)
    verified = [line for line in run(*ninja, "run").splitlines() if " elements are right" in line]
    assert len(verified) == len(DESIGNS)
    assert "b: all 80 elements are right" in verified  # self_test
