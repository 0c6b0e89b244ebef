"""Two devices in one module: @scale and @offset, each with a core; @scale has two runtime sequences.

A design in Python need not use a library: this one prints its MLIR.
"""

DEVICE = """  aie.device(npu1_1col) @{name} {{
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @in(%shim, {{%tile}}, 2 : i32) : !aie.objectfifo<memref<256xi16>>
    aie.objectfifo @out(%tile, {{%shim}}, 2 : i32) : !aie.objectfifo<memref<256xi16>>
    func.func private @{name}(memref<256xi16>, memref<256xi16>, i32) attributes {{link_with = "{name}.o"}}
    %core = aie.core(%tile) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %amount = arith.constant {amount} : i32
      %end = arith.constant 0xFFFFFE : index
      scf.for %round = %c0 to %end step %c1 {{
        %si = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<256xi16>>
        %so = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<256xi16>>
        %ei = aie.objectfifo.subview.access %si[0] : !aie.objectfifosubview<memref<256xi16>> -> memref<256xi16>
        %eo = aie.objectfifo.subview.access %so[0] : !aie.objectfifosubview<memref<256xi16>> -> memref<256xi16>
        func.call @{name}(%ei, %eo, %amount) : (memref<256xi16>, memref<256xi16>, i32) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }}
      aie.end
    }}{sequences}
  }}
"""
SEQUENCE = """
    aie.runtime_sequence @{name}(%a : memref<{n}xi16>, %b : memref<{n}xi16>) {{
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 1 : i64, metadata = @out}} : memref<{n}xi16>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{id = 0 : i64, metadata = @in}} : memref<{n}xi16>
      aiex.npu.dma_wait {{symbol = @out}}
    }}"""

scale = SEQUENCE.format(name="all", n=1024) + SEQUENCE.format(name="first", n=256)
offset = SEQUENCE.format(name="all", n=1024)
print("module {")
print(DEVICE.format(name="scale", amount=3, sequences=scale), end="")
print(DEVICE.format(name="offset", amount=-100, sequences=offset), end="")
print("}")
