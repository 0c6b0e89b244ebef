"""A design of three devices, as a project has it: `DESIGN` and its reference.

`@twice` and `@negate` are configurations with a core each; `@negate` has two sequences. `@both` has no tiles:
its sequence loads one after the other and runs their sequences.
"""

from __future__ import annotations

CORE = """
    %core = aie.core(%tile) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %factor = arith.constant {factor} : i32
      %end = arith.constant 0xFFFFFE : index
      scf.for %round = %c0 to %end step %c1 {{
        %si = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<64xi32>>
        %so = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<64xi32>>
        %ei = aie.objectfifo.subview.access %si[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        %eo = aie.objectfifo.subview.access %so[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        scf.for %i = %c0 to %c64 step %c1 {{
          %x = memref.load %ei[%i] : memref<64xi32>
          %y = arith.muli %x, %factor : i32
          memref.store %y, %eo[%i] : memref<64xi32>
        }}
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }}
      aie.end
    }}"""
DEVICE = """  aie.device(npu1_1col) @{name} {{
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, {row})
    aie.objectfifo @in(%shim, {{%tile}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @out(%tile, {{%shim}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>{core}{sequences}
  }}
"""
SEQUENCE = """
    aie.runtime_sequence @{name}(%a : memref<{n}xi32>, %b : memref<{n}xi32>) {{
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 1 : i64, metadata = @out}} : memref<{n}xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 0 : i64, metadata = @in}} : memref<{n}xi32>
      aiex.npu.dma_wait {{symbol = @out}}
    }}"""
DESIGN = (
    "module {\n"
    + DEVICE.format(
        name="twice",
        row=2,
        core=CORE.format(factor=2),
        sequences=SEQUENCE.format(name="run", n=128),
    )
    + DEVICE.format(
        name="negate",
        row=3,
        core=CORE.format(factor=-1),
        sequences=SEQUENCE.format(name="short", n=64) + SEQUENCE.format(name="long", n=192),
    )
    + """  aie.device(npu1_1col) @both {
    aie.runtime_sequence @run(%x : memref<128xi32>, %y : memref<128xi32>, %u : memref<64xi32>, %v : memref<64xi32>) {
      aiex.configure @twice {
        aiex.run @run(%x, %y) : (memref<128xi32>, memref<128xi32>)
      }
      aiex.configure @negate {
        aiex.run @short(%u, %v) : (memref<64xi32>, memref<64xi32>)
      }
    }
  }
}
"""
)
REFERENCE = """
def inputs(rng, arguments):
    return [rng.integers(-99, 99, a.shape, a.dtype) for a in arguments if a.is_input]

def reference(inputs, kernel, sequence):
    assert sequence in {"twice": ["run"], "negate": ["short", "long"], "both": ["run"]}[kernel]
    if kernel == "both":
        return [2 * inputs[0], -inputs[1]]
    return [(2 if kernel == "twice" else -1) * inputs[0]]
"""
