// Multiplies bytes.
module @gain {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @gain(memref<64xi8>, memref<64xi8>, i32)
    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<64xi8>>
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<64xi8>>
    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %factor = arith.constant 3 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<64xi8>>
        %x = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<64xi8>> -> memref<64xi8>
        %out_view = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<64xi8>>
        %y = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<64xi8>> -> memref<64xi8>
        func.call @gain(%x, %y, %factor) : (memref<64xi8>, memref<64xi8>, i32) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "gain.o"}
    aiex.runtime_sequence @sequence(%a : memref<256xi8>, %b : memref<256xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<256xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<256xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
