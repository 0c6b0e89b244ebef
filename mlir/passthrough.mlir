// passthrough: bytes go from the host through one core and back.
//
//   host ──shim DMA──▶ @in ──▶ core (0, 2) ──▶ @out ──shim DMA──▶ host
//
// An objectFifo is a ring of buffers ("elements") between two tiles, with the locks that say which of them a side may touch.
// Depth 2 is double buffering: the core works on one element while the DMA moves the other.
module @passthrough {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)

    // The kernel: a C function in passthrough.o, made from kernels/passthrough/passthrough.c.
    func.func private @passthrough(memref<4096xi8>, memref<4096xi8>, i32)

    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      // A core starts when the design is loaded and then waits for data, run after run: the loop never ends in practice.
      %forever = arith.constant 9223372036854775807 : index
      %bytes = arith.constant 4096 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>
        %out_view = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>
        func.call @passthrough(%in_element, %out_element, %bytes) : (memref<4096xi8>, memref<4096xi8>, i32) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "passthrough.o"}

    // What the host has the NPU do in each run: start both transfers (offsets, sizes, strides; outermost first), wait for the output.
    aiex.runtime_sequence @sequence(%a : memref<262144xi8>, %b : memref<262144xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 262144][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<262144xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 262144][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<262144xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
