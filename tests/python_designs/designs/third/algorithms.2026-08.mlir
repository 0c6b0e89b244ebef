module {
  aie.device(npu1) {
    %0 = aie.logical_tile<CoreTile>(?, ?)
    %1 = aie.logical_tile<CoreTile>(?, ?)
    %2 = aie.logical_tile<CoreTile>(?, ?)
    %3 = aie.logical_tile<CoreTile>(?, ?)
    %4 = aie.logical_tile<ShimNOCTile>(?, ?)
    %5 = aie.logical_tile<ShimNOCTile>(?, ?)
    %6 = aie.logical_tile<ShimNOCTile>(?, ?)
    %7 = aie.logical_tile<ShimNOCTile>(?, ?)
    %8 = aie.logical_tile<ShimNOCTile>(?, ?)
    %9 = aie.logical_tile<ShimNOCTile>(?, ?)
    %10 = aie.logical_tile<ShimNOCTile>(?, ?)
    %11 = aie.logical_tile<ShimNOCTile>(?, ?)
    aie.objectfifo @in0_0(%4, {%0}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @in0_1(%5, {%1}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @in0_2(%6, {%2}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @in0_3(%7, {%3}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @out_0(%0, {%8}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @out_1(%1, {%9}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @out_2(%2, {%10}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @out_3(%3, {%11}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %12 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c4 step %c1_1 {
          %16 = aie.objectfifo.acquire @in0_0(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
          %17 = aie.objectfifo.subview.access %16[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %18 = aie.objectfifo.acquire @out_0(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
          %19 = aie.objectfifo.subview.access %18[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %c0_2 = arith.constant 0 : index
          %c16 = arith.constant 16 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c16 step %c1_3 {
            %20 = memref.load %17[%arg2] : memref<16xi32>
            %c1_i32 = arith.constant 1 : i32
            %21 = arith.addi %20, %c1_i32 : i32
            memref.store %21, %19[%arg2] : memref<16xi32>
          }
          aie.objectfifo.release @in0_0(Consume, 1)
          aie.objectfifo.release @out_0(Produce, 1)
        }
      }
      aie.end
    }
    %13 = aie.core(%1) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c4 step %c1_1 {
          %16 = aie.objectfifo.acquire @in0_1(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
          %17 = aie.objectfifo.subview.access %16[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %18 = aie.objectfifo.acquire @out_1(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
          %19 = aie.objectfifo.subview.access %18[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %c0_2 = arith.constant 0 : index
          %c16 = arith.constant 16 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c16 step %c1_3 {
            %20 = memref.load %17[%arg2] : memref<16xi32>
            %c1_i32 = arith.constant 1 : i32
            %21 = arith.addi %20, %c1_i32 : i32
            memref.store %21, %19[%arg2] : memref<16xi32>
          }
          aie.objectfifo.release @in0_1(Consume, 1)
          aie.objectfifo.release @out_1(Produce, 1)
        }
      }
      aie.end
    }
    %14 = aie.core(%2) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c4 step %c1_1 {
          %16 = aie.objectfifo.acquire @in0_2(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
          %17 = aie.objectfifo.subview.access %16[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %18 = aie.objectfifo.acquire @out_2(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
          %19 = aie.objectfifo.subview.access %18[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %c0_2 = arith.constant 0 : index
          %c16 = arith.constant 16 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c16 step %c1_3 {
            %20 = memref.load %17[%arg2] : memref<16xi32>
            %c1_i32 = arith.constant 1 : i32
            %21 = arith.addi %20, %c1_i32 : i32
            memref.store %21, %19[%arg2] : memref<16xi32>
          }
          aie.objectfifo.release @in0_2(Consume, 1)
          aie.objectfifo.release @out_2(Produce, 1)
        }
      }
      aie.end
    }
    %15 = aie.core(%3) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c4 step %c1_1 {
          %16 = aie.objectfifo.acquire @in0_3(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
          %17 = aie.objectfifo.subview.access %16[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %18 = aie.objectfifo.acquire @out_3(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
          %19 = aie.objectfifo.subview.access %18[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          %c0_2 = arith.constant 0 : index
          %c16 = arith.constant 16 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c16 step %c1_3 {
            %20 = memref.load %17[%arg2] : memref<16xi32>
            %c1_i32 = arith.constant 1 : i32
            %21 = arith.addi %20, %c1_i32 : i32
            memref.store %21, %19[%arg2] : memref<16xi32>
          }
          aie.objectfifo.release @in0_3(Consume, 1)
          aie.objectfifo.release @out_3(Produce, 1)
        }
      }
      aie.end
    }
    aie.runtime_sequence(%arg0: memref<256xi32>, %arg1: memref<256xi32>) {
      %16 = aiex.dma_configure_task_for @in0_0 {
        aie.dma_bd(%arg0 : memref<256xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%16)
      %17 = aiex.dma_configure_task_for @in0_1 {
        aie.dma_bd(%arg0 : memref<256xi32> offset = 64 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%17)
      %18 = aiex.dma_configure_task_for @in0_2 {
        aie.dma_bd(%arg0 : memref<256xi32> offset = 128 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%18)
      %19 = aiex.dma_configure_task_for @in0_3 {
        aie.dma_bd(%arg0 : memref<256xi32> offset = 192 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%19)
      aiex.dma_free_task(%16)
      aiex.dma_free_task(%17)
      aiex.dma_free_task(%18)
      aiex.dma_free_task(%19)
      %20 = aiex.dma_configure_task_for @out_0 {
        aie.dma_bd(%arg1 : memref<256xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%20)
      %21 = aiex.dma_configure_task_for @out_1 {
        aie.dma_bd(%arg1 : memref<256xi32> offset = 64 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%21)
      %22 = aiex.dma_configure_task_for @out_2 {
        aie.dma_bd(%arg1 : memref<256xi32> offset = 128 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%22)
      %23 = aiex.dma_configure_task_for @out_3 {
        aie.dma_bd(%arg1 : memref<256xi32> offset = 192 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%23)
      aiex.dma_await_task(%20)
      aiex.dma_await_task(%21)
      aiex.dma_await_task(%22)
      aiex.dma_await_task(%23)
      aiex.dma_free_task(%20)
      aiex.dma_free_task(%21)
      aiex.dma_free_task(%22)
      aiex.dma_free_task(%23)
    }
  }
}
