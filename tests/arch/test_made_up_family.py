"""A family that nobody has, with other rows and columns: everything follows from its record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from design_chain import Chain
from made_up import design, machine
from made_up_family import MADE_UP
from wasm_build import WasmBuild

from npuninja.arch.devices import DEVICES, device, devices_of, memory_neighbours
from npuninja.arch.families import FAMILIES, Family, Rows
from npuninja.arch.registers import register
from npuninja.device.emulated import EmulatedDevice
from npuninja.device.manifest import read_manifest
from npuninja.device.program import program_of
from npuninja.diag.inspect import inspect_bytes
from npuninja.emulator.array import Array
from npuninja.emulator.checks import CHECKS
from npuninja.emulator.layout import Geometry
from npuninja.errors import UserError
from npuninja.formats.txn import read_txn
from npuninja.ir.enums import ENUMS
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.plan.context import Context
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.layout import Layout
from npuninja.plan.providers import choose, parse_choices
from npuninja.plan.recipe import plan
from npuninja.plan.wasm_compiler import wasm_compiler
from npuninja.records import replace
from npuninja.stages.table import rules

# Through memtiles of both rows, the topmost core, its neighbour's memory, and the last column.
DESIGN = """module {
  aie.device(npu9) {
    %shim = aie.tile(0, 0)
    %low = aie.tile(0, 1)
    %high = aie.tile(2, 2)
    %first = aie.tile(2, 6)
    %second = aie.tile(2, 5)
    %last = aie.tile(1, 3)
    aie.objectfifo @in(%shim, {%high}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @up(%high, {%first}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo.link [@in] -> [@up]([] [])
    aie.objectfifo @beside(%first, {%second}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @across(%second, {%last}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @down(%last, {%low}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @out(%low, {%shim}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo.link [@down] -> [@out]([] [])
CORES
    aiex.runtime_sequence @sequence(%a : memref<512xi32>, %b : memref<512xi32>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 512][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<512xi32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 512][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<512xi32>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
"""
CORE = """    %core_NAME = aie.core(%NAME) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %added = arith.constant ADDED : i32
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {
        %from_view = aie.objectfifo.acquire @FROM(Consume, 1) : !aie.objectfifosubview<memref<64xi32>>
        %from = aie.objectfifo.subview.access %from_view[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        %to_view = aie.objectfifo.acquire @TO(Produce, 1) : !aie.objectfifosubview<memref<64xi32>>
        %to = aie.objectfifo.subview.access %to_view[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        scf.for %j = %c0 to %c64 step %c1 {
          %value = memref.load %from[%j] : memref<64xi32>
          %sum = arith.addi %value, %added : i32
          memref.store %sum, %to[%j] : memref<64xi32>
        }
        aie.objectfifo.release @FROM(Consume, 1)
        aie.objectfifo.release @TO(Produce, 1)
      }
      aie.end
    }
"""


def core(name: str, added: int, source: str, dest: str) -> str:
    text = CORE.replace("NAME", name).replace("ADDED", str(added))
    return text.replace("FROM", source).replace("TO", dest)


TEXT = DESIGN.replace(
    "CORES\n",
    core("first", 1, "up", "beside")
    + core("second", 10, "beside", "across")
    + core("last", 100, "across", "down"),
)


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> Family:
    """Makes the family known while a test runs, as its row in the table would."""
    monkeypatch.setitem(FAMILIES, MADE_UP.name, MADE_UP)
    for name, model in devices_of(MADE_UP).items():
        monkeypatch.setitem(DEVICES, name, model)
    for name, number in MADE_UP.device_numbers.items():
        monkeypatch.setitem(ENUMS["AIEDevice"], name, number)
    return MADE_UP


def test_its_devices() -> None:
    whole = device("npu9")
    assert (whole.columns, whole.rows, whole.memtile_rows, whole.shim_row) == (3, 7, 2, 0)
    assert [whole.tile_kind(row) for row in range(7)] == ["shim", "mem", "mem", *["core"] * 4]
    assert sorted(memory_neighbours(whole, (1, 3))) == ["north", "own", "west"]  # below it is a memtile
    assert sorted(memory_neighbours(whole, (1, 2))) == ["east", "own", "west"]
    assert [device(f"npu9_{n}col").start_columns for n in (1, 2)] == [(1, 2), (1,)]
    assert ENUMS["AIEDevice"]["npu9_2col"] == 92
    assert register("aie9", "core", "Core_PC") == 0x12340


def test_a_design_for_it_is_planned() -> None:
    toolchain, choices = machine("peano"), parse_choices(())
    compiler = wasm_compiler(toolchain, choices)
    context = Context(
        layout=Layout("/project", "/project", "build"),
        toolchain=toolchain,
        compiler=compiler,
        providers=choose(choices, toolchain, compiler),
        kernels=KernelFolder("kernels", ("kernels",), {"gain": ("kernels/gain.c",)}),
        rules=frozenset({name for name, _, _ in rules()} | {"test", "test-npu", "size", "doctor", "batch"}),
    )
    made = design()
    configurations = tuple(replace(c, device="npu9_1col") for c in made.configurations)
    graph = plan(context, [replace(made, configurations=configurations)])
    outputs = [path for edge in graph.edges for path in edge.outputs]
    assert any(path.startswith("build/npu9_1col/wasm/gain/") for path in outputs)
    (compiled,) = [edge for edge in graph.edges if edge.rule == "kernel_cc"]
    assert compiled.options[compiled.options.index("--architecture") + 1] == "aie9"


@pytest.mark.parametrize(
    ("tile", "message"),
    [
        ("%t = aie.tile(1, 7)", "row 7 is outside npu9, which has rows 0 to 6"),
        ("%t = aie.tile(3, 0)", "column 3 is outside npu9, which has columns 0 to 2"),
        (
            "%t = aie.tile(0, 2)\n    %c = aie.core(%t) {\n      aie.end\n    }",
            "tile (0, 2) is a memtile; cores are in rows 3 to 6",
        ),
        (
            "%t = aie.tile(0, 3)\n    %m = aie.memtile_dma(%t) {\n      aie.end\n    }",
            "tile (0, 3) is a core tile, expected a memtile",
        ),
    ],
)
def test_what_it_does_not_have_is_refused(tile: str, message: str) -> None:
    module = parse_module(f"module {{\n  aie.device(npu9) {{\n    {tile}\n  }}\n}}\n", "d.mlir")
    with pytest.raises(UserError) as raised:
        verify(module)
    assert message in str(raised.value)


def test_a_design_for_it_is_lowered_built_and_runs_right(wasm_build: WasmBuild) -> None:
    manifest = read_manifest(Chain(wasm_build, "third", TEXT).run())
    insts = Path(manifest.insts).read_bytes()
    stream = read_txn(insts)
    assert (stream.generation, stream.rows, stream.columns, stream.memtile_rows) == (9, 7, 3, 2)
    assert "for npu9, 3 columns" in "\n".join(inspect_bytes(insts, "insts.bin").lines)
    npu = EmulatedDevice(frozenset(CHECKS))
    try:
        npu.load(program_of(manifest))
        given, got = npu.allocate(2048, 0), npu.allocate(2048, 1)
        values = np.arange(512, dtype=np.int32) * 7919
        for again in range(2):
            given.view[:] = (values + again).tobytes()
            npu.wait(npu.start([[given, got]]), 60.0)
            np.testing.assert_array_equal(np.frombuffer(got.view, np.int32), values + again + 111)
        assert npu.remarks() == []
    finally:
        npu.close()


def test_more_rows_than_the_emulated_array_has_room_for_are_refused() -> None:
    with pytest.raises(
        UserError, match="the device has 9 rows of tiles, and the emulated array has room for 8"
    ):
        Array(Geometry(1, Rows(("shim", *["core"] * 8))))
