"""Kernels as people write them, run by themselves and within designs, and compared with NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from design_chain import Chain
from module_build import Module, build
from sanity_models import BF16, F32, I8, I16, I32, KERNELS, U8, U16, check, given
from wasm_build import WasmBuild

from npuninja.emulator import Emulator
from npuninja.stages import kernel_cc

HERE = Path(__file__).parent
ELEMENTS = 256
TYPES = {U8: "i8", I8: "i8", U16: "i16", I16: "i16", I32: "i32", F32: "f32", BF16: "bf16"}

CALL = """
      %view_{name} = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<{o}>
      %out_{name} = aie.objectfifo.subview.access %view_{name}[0] : !aie.objectfifosubview<{o}> -> {o}
      func.call @{name}(%a, %b, %out_{name}) : ({i}, {i}, {o}) -> ()
      aie.objectfifo.release @out(Produce, 1)"""
DESIGN = """
module {{
  aie.device(npu1_1col) {{
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
{functions}
    aie.objectfifo @lhs(%shim, {{%worker}}, 1 : i32) : !aie.objectfifo<{i}>
    aie.objectfifo @rhs(%shim, {{%worker}}, 1 : i32) : !aie.objectfifo<{i}>
    aie.objectfifo @out(%worker, {{%shim}}, 2 : i32) : !aie.objectfifo<{o}>
    %core = aie.core(%worker) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {{
      %lhs = aie.objectfifo.acquire @lhs(Consume, 1) : !aie.objectfifosubview<{i}>
      %a = aie.objectfifo.subview.access %lhs[0] : !aie.objectfifosubview<{i}> -> {i}
      %rhs = aie.objectfifo.acquire @rhs(Consume, 1) : !aie.objectfifosubview<{i}>
      %b = aie.objectfifo.subview.access %rhs[0] : !aie.objectfifosubview<{i}> -> {i}
{calls}
      aie.objectfifo.release @lhs(Consume, 1)
      aie.objectfifo.release @rhs(Consume, 1)
      }}
      aie.end
    }} {{stack_size = 4096 : i32}}
    aie.runtime_sequence @sequence(%x : {i}, %y : {i}, %z : {z}) {{
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 0 : i64, metadata = @lhs}} : {i}
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 1 : i64, metadata = @rhs}} : {i}
      aiex.npu.dma_memcpy_nd(%z[0, 0, 0, 0][1, 1, 1, {total}][0, 0, 0, 1]) {{id = 2 : i64, metadata = @out}} : {z}
      aiex.npu.dma_wait {{symbol = @out}}
    }}
  }}
}}
"""


def of_types(inputs: object, output: object) -> list[str]:
    """The kernels with such buffers: those of one design."""
    return [name for name, row in KERNELS.items() if row[:2] == (inputs, output)]


def design(names: list[str], inputs: object, output: object) -> str:
    """A design whose core calls the kernels in turn, each with a transfer of its own for the output."""
    i, o = (f"memref<{ELEMENTS}x{TYPES[kind]}>" for kind in (inputs, output))
    declared = '    func.func private @{} ({i}, {i}, {o}) attributes {{link_with = "sanity.o"}}'
    return DESIGN.format(
        functions="\n".join(declared.format(name, i=i, o=o) for name in names),
        calls="".join(CALL.format(name=name, i=i, o=o) for name in names),
        i=i, o=o, n=ELEMENTS, total=ELEMENTS * len(names), z=f"memref<{ELEMENTS * len(names)}x{TYPES[output]}>",
    )  # fmt: skip


class OneObject(Chain):
    """A design that is linked with an object which is there already."""

    made = ""

    def kernel(self, name: str) -> str:
        return self.made


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Module:
    return build(HERE / "sanity.cc", tmp_path_factory.mktemp("sanity"), "aie2")


@pytest.fixture(scope="module")
def sanity_object(tmp_path_factory, compiler_cache) -> WasmBuild:
    """A folder with sanity.o, as the stage that compiles kernels makes it."""
    made = WasmBuild(tmp_path_factory.mktemp("designs"), compiler_cache)
    arguments = made.compile_arguments(HERE / "sanity.cc", made.folder / "sanity.o")
    kernel_cc.run([*arguments, "--architecture", "aie2"])
    return made


@pytest.mark.parametrize("name", KERNELS)
def test_kernel(kernels, name):
    inputs, wanted, dtype = given(name)
    check(name, kernels.run(name, list(inputs), wanted.shape, dtype), wanted)


@pytest.mark.parametrize(("inputs", "output"), dict.fromkeys(row[:2] for row in KERNELS.values()))
def test_kernels_in_a_design(sanity_object, inputs, output):
    """Each kernel called by a core of a design: lowered, linked, packed, run on the emulated array."""
    names = of_types(inputs, output)
    chain = OneObject(sanity_object, f"of_{TYPES[inputs]}_{names[0]}", design(names, inputs, output))
    chain.made = str(sanity_object.folder / "sanity.o")
    chain.run()
    insts = Path(chain.file("insts.bin")).read_bytes()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    results = {}
    for name in names:  # all kernels run each time, since each has data of its own
        data, wanted, dtype = given(name)
        buffers = [npu.allocate(array.nbytes) for array in data]
        buffers.append(npu.allocate(ELEMENTS * np.dtype(dtype).itemsize * len(names)))
        for buffer, array in zip(buffers, data):
            buffer.view[:] = array.tobytes()
        npu.run(insts, buffers)
        found = np.frombuffer(bytes(buffers[2].view), dtype).reshape(len(names), ELEMENTS)[names.index(name)]
        results[name] = found[: wanted.size].reshape(wanted.shape), wanted
    npu.close()
    for name, (found, wanted) in results.items():
        check(name, found, wanted)


def test_there_are_forty_and_more():
    assert len(KERNELS) >= 40
