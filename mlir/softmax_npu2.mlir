// softmax_npu2: `softmax` of rows of 256 bfloat16, a row at a time.
module @softmax_npu2 {
  aie.device(npu2_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @softmax(memref<256xbf16>, memref<256xbf16>, i32) attributes {link_with = "activations.o"}

    aie.objectfifo @rows(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>
    aie.objectfifo @results(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 256 : i32
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {
        %row_view = aie.objectfifo.acquire @rows(Consume, 1) : !aie.objectfifosubview<memref<256xbf16>>
        %row = aie.objectfifo.subview.access %row_view[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
        %result_view = aie.objectfifo.acquire @results(Produce, 1) : !aie.objectfifosubview<memref<256xbf16>>
        %result = aie.objectfifo.subview.access %result_view[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
        func.call @softmax(%row, %result, %n) : (memref<256xbf16>, memref<256xbf16>, i32) -> ()
        aie.objectfifo.release @rows(Consume, 1)
        aie.objectfifo.release @results(Produce, 1)
      }
      aie.end
    }

    aie.runtime_sequence @sequence(%in : memref<4096xbf16>, %out : memref<4096xbf16>) {
      aiex.npu.dma_memcpy_nd(%in[0, 0, 0, 0][1, 1, 1, 4096][0, 0, 0, 1]) {id = 0 : i64, metadata = @rows} : memref<4096xbf16>
      aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 4096][0, 0, 0, 1]) {id = 1 : i64, metadata = @results} : memref<4096xbf16>
      aiex.npu.dma_wait {symbol = @results}
    }
  }
}
