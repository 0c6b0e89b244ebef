"""Two configurations in one sequence: @main loads @twice, then @less, and each leaves its half of the result.

A design in Python need not use a library: this one prints its MLIR.
"""

DEVICE = """  aie.device(npu2_1col) @{name} {{
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @in(%shim, {{%tile}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @out(%tile, {{%shim}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    %core = aie.core(%tile) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %amount = arith.constant {amount} : i32
      %end = arith.constant 0xFFFFFE : index
      scf.for %round = %c0 to %end step %c1 {{
        %si = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<64xi32>>
        %so = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<64xi32>>
        %ei = aie.objectfifo.subview.access %si[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        %eo = aie.objectfifo.subview.access %so[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        scf.for %i = %c0 to %c64 step %c1 {{
          %x = memref.load %ei[%i] : memref<64xi32>
          %y = {operation} %x, %amount : i32
          memref.store %y, %eo[%i] : memref<64xi32>
        }}
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }}
      aie.end
    }}
    aie.runtime_sequence @run(%a : memref<256xi32>, %b : memref<256xi32>) {{
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {{id = 1 : i64, metadata = @out}} : memref<256xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {{id = 0 : i64, metadata = @in}} : memref<256xi32>
      aiex.npu.dma_wait {{symbol = @out}}
    }}
  }}
"""
MAIN = """  aie.device(npu2_1col) @main {
    aie.runtime_sequence @run(%a : memref<256xi32>, %b : memref<256xi32>, %c : memref<256xi32>) {
      aiex.configure @twice {
        aiex.run @run(%a, %b) : (memref<256xi32>, memref<256xi32>)
      }
      aiex.configure @less {
        aiex.run @run(%b, %c) : (memref<256xi32>, memref<256xi32>)
      }
    }
  }
"""

print("module {")
print(DEVICE.format(name="twice", operation="arith.muli", amount=2), end="")
print(DEVICE.format(name="less", operation="arith.subi", amount=7), end="")
print(MAIN, end="")
print("}")
