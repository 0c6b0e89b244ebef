"""`configure.py --retarget DEVICE`, and what presets say of tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.new_project.write import write_project
from npuninja.plan.retarget import retargeted, target_of
from npuninja.plan.scan import scan_module

DESIGN = """\
module {
  aie.device(npu1) {
    %shim = aie.tile(3, 0)
    %worker = aie.tile(3, 2)
    %core = aie.core(%worker) { aie.end }
    aiex.runtime_sequence @sequence(%a : memref<16xi32>) {
    }
  }
}
"""


@pytest.mark.parametrize(
    ("device", "wanted", "target"),
    [
        ("npu1_1col", "npu2", "npu2_1col"), ("npu1", "npu2", "npu2_4col"),
        ("npu2_4col", "npu1", "npu1"), ("npu2_7col", "npu1", "npu1"),
        ("npu1_2col", "npu1", "npu1"), ("npu1_1col", "npu1_3col", "npu1_3col"), ("npu2", "npu1", "npu1"),
    ],
)  # fmt: skip
def test_which_device_is_meant(device: str, wanted: str, target: str) -> None:
    assert target_of(device, wanted) == target


def test_a_column_that_the_other_device_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = DESIGN
    Path("d.mlir").write_text(text, encoding="utf-8")
    design = scan_module(parse_module(text, "d.mlir"), "d", "d.mlir", "d.mlir", ())
    with pytest.raises(UserError) as raised:
        retargeted(design, "npu1_2col", "build")
    assert "to npu1_2col: it uses column 3, and npu1_2col has 2 columns" in raised.value.message
    assert raised.value.location is not None
    assert raised.value.location.line == 3


def test_a_design_for_npu1_runs_as_one_for_npu2(tmp_path: Path) -> None:
    """By a preset that sets device, checks, seeds and schedules; messages name the user's file."""
    project = tmp_path / "a project"
    write_project(str(project), "gemm", "npu1")
    (project / "toolchain.toml").write_text(
        '[preset.strix]\nretarget = "npu2"\nchecks = ["memory"]\nseeds = 2\nschedules = 1\n', encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*command: str, code: int = 0) -> str:
        done = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = run(sys.executable, "configure.py", "--preset", "strix")
    assert "retargeted to npu2, whatever the designs say (--retarget)" in said
    assert "1 design for npu2_1col: gemm" in said
    ninja = str(Path(sys.executable).parent / "ninja")
    said = run(ninja, "test-gemm")
    assert "all 4096 elements are right" in said
    assert "checked for wrong accesses to memory" in said
    assert "seeds 1 to 2" in said
    manifest = json.loads((project / "build/npu2_1col/wasm/gemm/gemm.json").read_text(encoding="utf-8"))
    assert manifest["device"] == "npu2_1col"
    mlir = project / "mlir/gemm.mlir"
    mlir.write_text(
        mlir.read_text(encoding="utf-8").replace("release @a(", "release @x(", 1), encoding="utf-8"
    )
    said = run(ninja, code=2)
    assert "mlir/gemm.mlir:30:11: error:" in said
    assert "there is no objectFifo '@x'" in said
    # The command of a stage that failed is short, and its words are kept.
    assert len(next(line for line in said.splitlines() if " batch " in line)) < 400


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--retarget", "npu9"], "--retarget: there is no NPU device 'npu9'"),
        (["--checks", "raceS"], "there is no check 'raceS'"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, words: list[str], message: str) -> None:
    project = tmp_path / "p"
    write_project(str(project), "passthrough", "npu1")
    done = subprocess.run(
        [sys.executable, "-m", "npuninja", "configure", *words], cwd=project, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
