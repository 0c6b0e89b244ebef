"""One faulty design stops one design; naming designs takes nothing from the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build_project import Project


@pytest.fixture
def three(project: Project) -> Project:
    """A good design, one whose kernel is missing, one that is no MLIR."""
    text = (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8")
    project.write("mlir/nokernel.mlir", text.replace('"gain.o"', '"missing.o"'))
    project.write("mlir/broken.mlir", text.replace("aie.tile(0, 2)", "aie.tile(0, 2"))
    return project


def test_every_fault_is_said_and_the_others_are_built(three: Project) -> None:
    done = three.configure(code=2)
    assert "mlir/broken.mlir:" in done.stderr
    assert "mlir/nokernel.mlir:" in done.stderr
    assert "nothing makes 'missing.o'" in done.stderr
    assert "1 design for npu1_1col: gain" in done.stdout
    # Also when nothing has changed since.
    assert three.configure(code=2).stderr == done.stderr
    three.ninja("gain")
    printed = three.ninja(code=None).stdout
    assert "nothing makes 'missing.o'" in printed
    assert (three.folder / "build/npu1_1col/wasm/gain/gain.xclbin").exists()
    assert "nothing makes 'missing.o'" in three.ninja("run-nokernel", code=None).stdout


def test_a_design_that_is_mended_is_noticed(three: Project) -> None:
    three.configure(code=2)
    three.edit("mlir/nokernel.mlir", "missing.o", "gain.o")
    three.edit("mlir/broken.mlir", "aie.tile(0, 2", "aie.tile(0, 2)")
    three.ninja("nokernel", "broken", "all")
    assert "FAULTY" not in three.ninja("-t", "commands").stdout


def test_the_good_ones_are_run_before_the_faults_are_said(three: Project) -> None:
    three.configure(code=2)
    printed = three.ninja("run", code=None).stdout
    assert printed.index("first run:") < printed.index("FAULTY")


def test_naming_a_design_keeps_the_outputs_of_the_others_and_their_targets(project: Project) -> None:
    shutil.copy(project.folder / "mlir/gain.mlir", project.folder / "mlir/other.mlir")
    project.configure()
    project.ninja()
    printed = project.configure("gain").stdout
    assert (project.folder / "build/npu1_1col/wasm/other/other.xclbin").exists()
    assert "not asked for: 1 more" in printed
    assert printed.splitlines()[-1].endswith("next: ninja (only gain), then ninja run")
    # A design that is new later has its targets, too.
    shutil.copy(project.folder / "mlir/gain.mlir", project.folder / "mlir/third.mlir")
    assert "(only gain)" in project.ninja("run-third").stdout
    assert project.ninja().stdout == "ninja: no work to do.\n"


def test_a_device_takes_the_designs_that_fit(project: Project) -> None:
    text = (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8")
    project.write("mlir/whole.mlir", text.replace("npu1_1col", "npu1"))
    project.write("mlir/other.mlir", text.replace("npu1_1col", "npu2"))
    assert "1 design for npu1_1col: gain" in project.configure("--device", "npu1_1col").stdout
    assert "2 designs for npu1, npu1_1col: gain, whole" in project.configure("--device", "npu1").stdout
    refused = project.configure("--device", "npu1", "other", code=2).stderr
    assert "mlir/other.mlir:3:" in refused
    assert "the design is for npu2, not for npu1 as --device says" in refused


SLOW = """\
import pathlib, time
here = pathlib.Path(__file__).parent.parent
(here / "started").touch()
time.sleep(0.5)
print((here / "mlir/gain.mlir").read_text())
"""


def test_an_interrupted_configure_leaves_a_build_that_works(project: Project) -> None:
    """Ctrl-C while Ninja configures: Ninja deletes build.ninja and the rest, and they come back."""
    project.write("mlir/slow.py", SLOW)
    project.configure()
    made = ["build.ninja", "build/graph.json", "build/package_plan.json", "build/designs/slow.mlir"]
    before = {name: (project.folder / name).read_bytes() for name in made}
    (project.folder / "started").unlink()
    project.edit("mlir/slow.py", "0.5", "5")
    ninja = subprocess.Popen(
        [str(Path(sys.executable).parent / "ninja"), "build.ninja"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    wait_for(project.folder / "started")
    os.killpg(ninja.pid, signal.SIGINT)
    printed = ninja.communicate(timeout=60)[0].decode()
    assert "Traceback" not in printed
    assert "interrupted" in printed
    for name in made:
        wait_for(project.folder / name)
        assert (project.folder / name).read_bytes() == before[name]
    project.edit("mlir/slow.py", "sleep(5)", "sleep(0)")
    project.ninja("slow")


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


MEETS = """
import pathlib, sys, time
mine, other = pathlib.Path("{mine}.running"), pathlib.Path("{other}.running")
mine.touch()
for _ in range(400):
    if other.exists():
        break
    time.sleep(0.05)
else:
    sys.exit("{other} has not been started")
print({text!r})
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor runs one script at a time")
def test_designs_in_python_are_run_side_by_side_and_each_stops_itself_only(project: Project) -> None:
    text = (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8")
    for mine, other in (("first", "second"), ("second", "first")):
        project.write(f"mlir/{mine}.py", MEETS.format(mine=mine, other=other, text=text))
    project.write("mlir/third.py", "raise SystemExit('not today')\n")
    done = project.configure(code=2)
    assert "3 designs for npu1_1col: first, gain, second" in done.stdout
    assert "mlir/third.py" in done.stderr
    assert "not today" in done.stderr
