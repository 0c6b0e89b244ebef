module {
  aie.device(npu1) {
    %0 = aie.logical_tile<CoreTile>(?, ?)
    %1 = aie.logical_tile<CoreTile>(3, 5)
    %2 = aie.logical_tile<ShimNOCTile>(?, ?)
    %3 = aie.logical_tile<ShimNOCTile>(?, ?)
    aie.objectfifo @source(%2, {%0}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @target(%0, {%3}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %switchbox_3_5 = aie.switchbox(%1) {
      aie.connect<East : 0, West : 1>
      aie.end
    }
    %4 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %5 = aie.objectfifo.acquire @source(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
        %6 = aie.objectfifo.subview.access %5[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
        %7 = aie.objectfifo.acquire @target(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
        %8 = aie.objectfifo.subview.access %7[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
        %c0_0 = arith.constant 0 : index
        %c16 = arith.constant 16 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c16 step %c1_1 {
          %9 = memref.load %6[%arg1] : memref<16xi32>
          memref.store %9, %8[%arg1] : memref<16xi32>
        }
        aie.objectfifo.release @source(Consume, 1)
        aie.objectfifo.release @target(Produce, 1)
      }
      aie.end
    }
    aie.runtime_sequence(%arg0: memref<64xi32>, %arg1: memref<64xi32>) {
      %5 = aiex.dma_configure_task_for @source {
        aie.dma_bd(%arg0 : memref<64xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%5)
      %6 = aiex.dma_configure_task_for @target {
        aie.dma_bd(%arg1 : memref<64xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%6)
      aiex.dma_await_task(%6)
      aiex.dma_free_task(%5)
      aiex.dma_free_task(%6)
    }
  }
}
