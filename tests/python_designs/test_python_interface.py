"""What designs can import, what the error says when they cannot, and which generation is read off them."""

import json

import pytest

from npuninja.python_designs.imports import generation_of
from npuninja.python_designs.script import run_design

IMPORT_ALL = """
import importlib
from npuninja.python_designs.offered import MODULES
count = 0
for name in MODULES:
    module = importlib.import_module(name)
    for wanted in getattr(module, "__all__", ()):
        getattr(module, wanted)
        count += 1
print("module", len(MODULES), count > 500)
"""


def run(tmp_path, text, *arguments, **options):
    script = tmp_path / "design.py"
    script.write_text(text)
    return run_design(str(script), list(arguments), catches_errors=True, **options)


@pytest.mark.parametrize("generation", ["2025-10", "2026-02", "2026-08"])
def test_every_name_of_the_table_is_there(tmp_path, generation):
    outcome = run(tmp_path, IMPORT_ALL, generation=generation)
    assert outcome.exit_code == 0, outcome.errors
    assert outcome.text.endswith("True\n")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("from aie.iron import Teleporter", "aie.iron.Teleporter is not offered (docs/python-designs.md)"),
        ("import aie.iron.experimental", "No module named 'aie.iron.experimental'"),
        (
            "import aie.iron as iron\niron.ObjectFifo(int, 0)",
            "has depth 0; it needs at least 1",
        ),
        (
            "from aie.iron import ObjectFifo, Worker\nimport numpy as np\n"
            "Worker(None, [ObjectFifo(np.ndarray[(4,), np.dtype[np.int8]])])",
            "a worker works on a side of an ObjectFifo",
        ),
        (
            "from aie.iron import Buffer\nBuffer()",
            "a buffer has the type that is given or that of its initial value",
        ),
        (
            "from aie.iron import Kernel\nKernel('k')",
            "Kernel.__init__() missing 1 required positional argument: 'object_file_name'",
        ),
        (
            "from aie.dialects.aie import bd_dim_layout_array_attr_builder as dims\ndims([(1, 2, 3)])",
            "bd_dim_layout() takes 2 positional arguments but 3 were given",
        ),
        (
            "from aie.helpers.util import np_ndarray_type_get_shape as of\nimport numpy as np\n"
            "of(np.ndarray[('4',), np.dtype[np.int8]])",
            "the shape of an array type holds integers only, not '4'",
        ),
        (
            "from aie.iron import ObjectFifo\nimport numpy as np\n"
            "ObjectFifo(np.ndarray[(4,), np.dtype[np.int8]]).prod().join([])",
            "an ObjectFifoLink has no source",
        ),
        (
            "from aie.ir import Location\nLocation.file('a.py', 1, 2)\nLocation.file('a.py')",
            "file() missing 2 required positional arguments: 'line' and 'col'",
        ),
    ],
)
def test_errors_name_the_place_in_the_design(tmp_path, text, error):
    outcome = run(tmp_path, text, generation="2026-02")
    assert outcome.exit_code == 1
    assert error in outcome.errors
    line = text.count("\n") + 1
    assert f"design.py:{line}: error:" in outcome.errors
    assert "python_designs/" not in outcome.errors.replace("tests/python_designs", "")


JIT = """
import numpy as np
import aie.iron as iron
from aie.iron import CompileTime, In, Out

@iron.jit
def design(a: In, *, n: CompileTime[int]):
    {body}

design(iron.zeros(4), {given})
"""


@pytest.mark.parametrize(
    ("body", "given", "error"),
    [
        (
            "a.shape",
            "n=1",
            "parameter 'a' is a tensor (In/Out/InOut), which the design is built without: "
            "it has no .shape yet",
        ),
        ("pass", "", "'design' needs a value for its CompileTime[T] parameter 'n'"),
        ("pass", "a=1, n=1", "takes its tensors by position; ['a'] came by name"),
    ],
)
def test_a_jitted_design_has_only_its_compile_time_values(tmp_path, body, given, error):
    outcome = run(tmp_path, JIT.format(body=body, given=given), generation="2026-08", print_only=True)
    assert outcome.exit_code == 1
    assert error in outcome.errors


def test_only_the_module_is_printed(tmp_path):
    text = JIT.format(body="pass", given="n=1").replace("design(iron", "print('before')\ndesign(iron")
    outcome = run(tmp_path, text, generation="2026-08", print_only=True)
    assert outcome.text == "module {\n}\n"
    assert "before" in outcome.errors


COMPILED_ONLY = """
import argparse
import numpy as np
import aie.iron as iron
from aie.iron import ExternalFunction, In
from aie.utils.hostruntime.argparse import add_compile_args
from aie.utils.hostruntime.cli import run_design_cli

T = np.ndarray[(4,), np.dtype[np.int32]]

@iron.jit
def design(a: In):
    for name in ("first", "second"):
        ExternalFunction(name, object_file_name="both.o", source_string="void f() {}", arg_types=[T])

parser = argparse.ArgumentParser()
add_compile_args(parser)
run_design_cli(design, parser.parse_args(), compile_kwargs={})
"""


def test_a_design_that_can_only_be_compiled_is_printed(tmp_path):
    report = tmp_path / "report.json"
    outcome = run(tmp_path, COMPILED_ONLY, generation="2026-08", print_only=True, report=str(report))
    assert outcome.text == "module {\n}\n", outcome.errors
    kernels = json.loads(report.read_text())["kernels"]
    assert [kernel["object"] for kernel in kernels] == ["both.o"]
    outcome = run(tmp_path, COMPILED_ONLY, generation="2026-08")
    assert (outcome.exit_code, outcome.text) == (1, "")
    assert "run_design_cli has no run_and_verify" in outcome.errors


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("from aie.iron.placers import SequentialPlacer", "2025-10"),
        ("from aie.helpers.dialects.ext.scf import _for as range_", "2025-10"),
        ("@core(tile, 'x.o')\ndef f(): pass", "2025-10"),
        ("from aie.iron import LocalBuffer", "2025-10"),
        ("from aie.utils.trace.events import PortEvent", "2026-02"),
        ("external_func('f', [], link_with='f.o')", "2026-02"),
        ("if tracing: trace_utils.gen_trace_done_aie2(shim)", "2025-10"),
        ("external_func('f', [], link_with='f.o')\nif no: trace_utils.gen_trace_done_aie2(shim)", "2026-02"),
        ("from aie.iron import In, Out", "2026-08"),
        ("Runtime(sequence, [])", "2026-08"),
        ("from aie.iron import kernels\nfrom aie.utils.verify import assert_pass", "2026-08"),
        ("from aie.iron import Program", "2026-02"),
    ],
)
def test_the_generation_is_read_off_imports_and_calls(tmp_path, text, generation):
    script = tmp_path / "design.py"
    script.write_text(text)
    assert generation_of(str(script)).generation == generation


ABSENT = """
import importlib.machinery, linecache, sys, tokenize, traceback
sys.modules.pop("torch", None)
importlib.machinery.PathFinder.find_spec = classmethod(lambda *_: None)
import torch
from torch import nn

class Model(nn.Module):
    weights = nn.functional

print("module {}" if len(sys.argv) == 1 else torch.ones(3))
"""


def test_packages_for_a_designs_own_test_are_missed_where_they_are_used(tmp_path):
    assert run(tmp_path, ABSENT, generation="2026-02").text == "module {}\n"
    outcome = run(tmp_path, ABSENT, "use", generation="2026-02")
    assert "design.py:11: error: ImportError: this needs PyTorch: pip install torch" in outcome.errors


DENSE = """
import numpy as np
from aie.dialects.aie import *
from aie.extras.context import mlir_mod_ctx
from ml_dtypes import bfloat16

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        t = tile(0, 2)
        for name, array in (
            ("whole", np.array([[1, -2], [3, 4]], dtype=np.int8)),
            ("unsigned", np.array([0, 255], dtype=np.uint8)),
            ("equal", np.full(300, 7, dtype=np.int16)),
            ("one", np.array([3], dtype=np.int16)),
            ("halves", np.array([0.5, -0.0, 0.1], dtype=bfloat16)),
            ("ends", np.array([np.inf, 1e-3], dtype=np.float32)),
        ):
            shape = (4,) if name == "one" else array.shape
            buffer(t, np.ndarray[shape, np.dtype[array.dtype.type]], name, initial_value=array)

print(ctx.module)
"""


def test_values_of_buffers_are_written_as_mlir_writes_them(tmp_path):
    outcome = run(tmp_path, DENSE, generation="2026-02")
    assert outcome.exit_code == 0, outcome.errors
    values = [
        line.partition(" = dense<")[2].rstrip(">") for line in outcome.text.splitlines() if "dense<" in line
    ]
    assert values == [
        "[[1, -2], [3, 4]]",
        "[0, 255]",
        "7",
        "3",
        "[5.000000e-01, -0.000000e+00, 1.000977e-01]",
        "[0x7F800000, 1.000000e-03]",
    ]


OLDER_STYLE = """
from aie.dialects.aie import *
from aie.dialects.arith import CmpIPredicate, cmpi
from aie.extras.context import mlir_mod_ctx
from aie.helpers.taplib.utils import validate_and_clean_sizes_strides
from aie.helpers.util import pack_pad_value

with mlir_mod_ctx() as ctx:
    dev = Device(AIEDevice.npu1)
    with InsertionPoint(Block.create_at_start(dev.body_region)):
        t = tile(0, 2)
        c = Core(t)
        with InsertionPoint(Block.create_at_start(c.body)):
            end()
assert validate_and_clean_sizes_strides([1, 1, 4], [7, 7, 1]) == ([1, 1, 4], [0, 0, 1])
assert [pack_pad_value(7, n) for n in (1, 2, 4)] == [0x07070707, 0x00070007, 7]
print(ctx.module)
"""


def test_blocks_can_be_made_one_by_one(tmp_path):
    outcome = run(tmp_path, OLDER_STYLE, generation="2026-08")
    assert outcome.exit_code == 0, outcome.errors
    assert "%core_0_2 = aie.core(%tile_0_2) {\n      aie.end\n    }" in outcome.text


ITERATION = """
import numpy as np
from aie.dialects.aie import AIETileType, DMAChannelDir
from aie.iron import Bd, BdIteration, Buffer, DmaChannel, Program, Runtime, TileDma
from aie.iron.device import NPU2Col1, Tile

kind = np.ndarray[(16,), np.dtype[np.int32]]
place = Tile(0, 2, tile_type=AIETileType.CoreTile)
data = Buffer(tile=place, type=kind, name="data")
bd = Bd(buffer=data, offset=0, length=16, iteration=BdIteration(size=4, stride=2, current=1), next="self")
rt = Runtime(lambda _: None, [kind])
rt.add_tile_dma(TileDma(place, [DmaChannel(DMAChannelDir.MM2S, 0, [bd])]))
print(Program(NPU2Col1(), rt).resolve_program())
"""


def test_tiles_with_their_kind_are_shared_and_descriptors_move_on(tmp_path):
    outcome = run(tmp_path, ITERATION, generation="2026-08")
    assert outcome.exit_code == 0, outcome.errors
    assert outcome.text.count("logical_tile<CoreTile>") == 1
    assert "iteration = #aie.bd_iteration<size = 4, stride = 2, current = 1>" in outcome.text
