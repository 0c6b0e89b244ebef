// vector_scale: int32 words times a factor which the runtime sequence sets (a run-time parameter, RTP).
//
// The factor lives in a buffer in the core's own memory. The sequence writes it before it starts a transfer, and the core
// reads it after it has acquired an element of that transfer, so the core always sees the value meant for its data. The
// sequence waits for all output of the first half before it changes the factor. No lock is needed for that.
module @vector_scale {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    %factor = aie.buffer(%worker) {sym_name = "factor"} : memref<1xi32>
    func.func private @vector_scale(memref<1024xi32>, memref<1024xi32>, i32, i32)

    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        %out_view = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        %value = memref.load %factor[%c0] : memref<1xi32>
        func.call @vector_scale(%in_element, %out_element, %value, %count) : (memref<1024xi32>, memref<1024xi32>, i32, i32) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "vector_scale.o"}

    aiex.runtime_sequence @sequence(%a : memref<32768xi32>, %b : memref<32768xi32>) {
      // First half, times 3.
      aiex.npu.rtp_write(@factor, 0, 3)
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 16384][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<32768xi32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 16384][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<32768xi32>
      aiex.npu.dma_wait {symbol = @out}
      // Second half, times -5.
      aiex.npu.rtp_write(@factor, 0, -5)
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 16384][1, 1, 1, 16384][0, 0, 0, 1]) {id = 2 : i64, metadata = @in} : memref<32768xi32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 16384][1, 1, 1, 16384][0, 0, 0, 1]) {id = 3 : i64, metadata = @out} : memref<32768xi32>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
