"""Names in designs of others that MLIR-AIE's own examples lack: `aie.iron.kernels._common` and some more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from npuninja.python_designs.script import ScriptOutcome, run_design

HEADS = """
import numpy as np
import re
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
    """Equal parameters give one kernel, others another symbol and object; a pinned object has no prefix."""
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


def test_functions_that_share_an_object(tmp_path: Path) -> None:
    """A bound function has the object and prefix of its origin; operations' results are there."""
    design = tmp_path / "design.py"
    design.write_text("""
import numpy as np
from aie.dialects import arith, memref
from aie.dialects.aie import AIEDevice, buffer, core, device, tile
from aie.extras.context import mlir_mod_ctx
from aie.ir import IndexType
from aie.iron import ExternalFunction
line = np.ndarray[(64,), np.dtype[np.int32]]
for prefix in (None, "p1"):
    first = ExternalFunction("first", source_string="", arg_types=[line], symbol_prefix=prefix)
    second = first.object_file.bind("second", [line, np.int32])
    print(second.name, second.object_file_name == first.object_file_name == first.object_file.name)
    print(first.build_flags, len(second.arg_types()), second in ExternalFunction._instances)
    ExternalFunction._instances.clear()
with mlir_mod_ctx() as module:
    @device(AIEDevice.npu2)
    def body():
        second.resolve()
        held = buffer(tile(0, 2), line, name="b")
        @core(tile(0, 2))
        def code():
            at = arith.ConstantOp(IndexType.get(), 3).result
            second(held, memref.LoadOp(held, [at]).result)
    print(module.module)
""")
    outcome = run_design(str(design), [], generation="2026-08", catches_errors=True)
    assert outcome.exit_code == 0, outcome.errors
    lines = outcome.text.splitlines()
    assert lines[:4] == [
        *(
            "second True",
            "[] 2 False",
            "p1_second True",
            "['-Dfirst=p1_first', '-Dsecond=p1_second'] 2 False",
        ),
    ]
    assert (
        'func.func private @p1_second(memref<64xi32>, i32) attributes {link_with = "p1_first.o"}'
        in outcome.text
    )
    assert re.search(r"func.call @p1_second\(%b, %\d\)", outcome.text)


def test_names_of_algorithms_of_june(tmp_path: Path) -> None:
    """For a week of June 2026 algorithms that take types had names of their own; some designs have them."""
    design = tmp_path / "design.py"
    design.write_text("""
from aie.iron import algorithms
for name in ("for_each", "reduce", "transform", "transform_binary", "transform_parallel", "transform_parallel_binary"):
    print(getattr(algorithms, name + "_typed") is getattr(algorithms, name))
""")
    assert run_design(str(design), [], generation="2026-08").text == "True\n" * 6
