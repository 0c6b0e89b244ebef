module {
  aie.device(npu2_1col) {
    %0 = aie.logical_tile<CoreTile>(?, ?) {allocation_scheme = "bank-aware"}
    %1 = aie.logical_tile<ShimNOCTile>(?, ?)
    %2 = aie.logical_tile<ShimNOCTile>(?, ?)
    aie.objectfifo @fi(%1, {%0}, 2 : i32) : !aie.objectfifo<memref<4x32xbf16>>
    aie.objectfifo @fo(%0, {%2}, 2 : i32) : !aie.objectfifo<memref<4x32xbf16>>
    func.func private @scale2(memref<128xbf16>, memref<128xbf16>, i32, f32) attributes {link_with = "scale2.o"}
    func.func private @other_fn(memref<4x32xbf16>, memref<16xui8>) attributes {link_with = "other.o"}
    %lut = aie.buffer(%0) {sym_name = "lut"} : memref<16xui8> = dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]>
    %3 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %4 = aie.objectfifo.acquire @fi(Consume, 1) : !aie.objectfifosubview<memref<4x32xbf16>>
        %5 = aie.objectfifo.subview.access %4[0] : !aie.objectfifosubview<memref<4x32xbf16>> -> memref<4x32xbf16>
        %6 = aie.objectfifo.acquire @fo(Produce, 1) : !aie.objectfifosubview<memref<4x32xbf16>>
        %7 = aie.objectfifo.subview.access %6[0] : !aie.objectfifosubview<memref<4x32xbf16>> -> memref<4x32xbf16>
        %8 = memref.collapse_shape %5 [[0, 1]] : memref<4x32xbf16> into memref<128xbf16>
        %9 = memref.collapse_shape %7 [[0, 1]] : memref<4x32xbf16> into memref<128xbf16>
        %c128_i32 = arith.constant 128 : i32
        %cst = arith.constant 5.000000e-01 : f32
        func.call @scale2(%8, %9, %c128_i32, %cst) : (memref<128xbf16>, memref<128xbf16>, i32, f32) -> ()
        func.call @other_fn(%7, %lut) : (memref<4x32xbf16>, memref<16xui8>) -> ()
        aie.objectfifo.release @fi(Consume, 1)
        aie.objectfifo.release @fo(Produce, 1)
      }
      aie.end
    } {stack_size = 4096 : i32}
    aie.runtime_sequence(%arg0: memref<1024xbf16>, %arg1: memref<1024xbf16>) {
      %4 = aiex.dma_configure_task_for @fi {
        aie.dma_bd(%arg0 : memref<1024xbf16> offset = 0 len = 1024 sizes = [1, 1, 1, 1024] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%4)
      %5 = aiex.dma_configure_task_for @fo {
        aie.dma_bd(%arg1 : memref<1024xbf16> offset = 0 len = 1024 sizes = [1, 1, 1, 1024] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%5)
      aiex.dma_await_task(%5)
      aiex.dma_free_task(%4)
      aiex.dma_free_task(%5)
    }
  }
}

