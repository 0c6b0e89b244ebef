"""Kernels that a design makes by the names of `aie.iron.kernels._common`, as designs of others do."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.python_designs.script import ScriptOutcome, run_design

HEADS = """
import numpy as np
from pathlib import Path
import aie.iron as iron
from aie.iron.device import NPU2
from aie.iron.kernels._common import (
    _EXTERN_CACHE, _default_source_path, _detect_arch, _include_dirs, _kernel_source, _make_extern,
)
iron.set_current_device(NPU2())
tile = np.ndarray[(64,), np.dtype[np.int32]]
"""


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> ScriptOutcome:
    """What a design prints that has an install with two kernels."""
    for place in ("aie2/older.cc", "aie2p/own.cc"):
        source = folder / "install" / "include" / "aie_kernels" / place
        source.parent.mkdir(parents=True)
        source.write_text("// a kernel\n")
    monkeypatch.setenv("MLIR_AIE_INSTALL_DIR", str(folder / "install"))
    design = folder / "design.py"
    design.write_text(HEADS + body)
    return run_design(str(design), [], generation="2026-08", catches_errors=True)


def test_sources_are_found_by_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's own folder first, then aie2's; a folder can be named."""
    body = """
for path in (_default_source_path("own.cc"), _default_source_path("older.cc"), _kernel_source("aie2", "aie2p", "own.cc")):
    print(path.parent.name, path.name)
print(_detect_arch(), [Path(folder).name for folder in _include_dirs()])
try:
    _default_source_path("own.cc", "aie2")
except FileNotFoundError as error:
    print("own.cc" in str(error))
"""
    outcome = run(tmp_path, monkeypatch, body)
    assert outcome.text.split("\n") == [
        *("aie2p own.cc", "aie2 older.cc", "aie2p own.cc", "aie2p ['include']", "True", ""),
    ], outcome.errors


def test_a_kernel_over_a_source_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal parameters give the same kernel, others one of another symbol and object; a pinned object has no prefix."""
    body = """
one = _make_extern("k", "mine/k.cc", [tile, np.int32])
print(one is _make_extern("k", Path("mine/k.cc"), [tile, np.int32]), one.source_file)
other = _make_extern("k", "mine/k.cc", [tile, np.int32], compile_flags=["-DFAST"])
print(other is one, other.name == one.name, other.object_file_name == one.object_file_name, other.name.endswith("k"))
pinned = _make_extern("k2", "mine/k.cc", [tile], shared_object_file_name="both.o")
print(pinned.name, pinned.object_file_name)
_EXTERN_CACHE.clear()
iron.ExternalFunction._instances.clear()
print(one is _make_extern("k", "mine/k.cc", [tile, np.int32]))
"""
    outcome = run(tmp_path, monkeypatch, body)
    assert outcome.text.split("\n") == [
        *("True mine/k.cc", "False False False True", "k2 both.o", "False", ""),
    ], outcome.errors


def test_sides_that_a_design_adds_to_its_runtime(tmp_path: Path) -> None:
    """Once each, in order."""
    design = tmp_path / "design.py"
    design.write_text("""
import numpy as np
from aie.iron import ObjectFifo, Runtime
runtime, side = Runtime(), ObjectFifo(np.ndarray[(64,), np.dtype[np.int32]], name="a").prod()
with runtime.sequence(np.ndarray[(64,), np.dtype[np.int32]]) as data:
    runtime._fifos.add(side)
    runtime._fifos.add(side)
print([handle is side for handle in runtime.fifos])
""")
    outcome = run_design(str(design), [], generation="2026-02", catches_errors=True)
    assert outcome.text == "[True]\n", outcome.errors
