module {
  aie.device(npu1) {
    %0 = aie.logical_tile<CoreTile>(0, 2)
    %1 = aie.logical_tile<ShimNOCTile>(0, 0)
    aie.flow(%1, DMA : 0, %0, DMA : 0)
    aie.shim_dma_allocation @send(%1, MM2S, 0)
    aie.flow(%0, DMA : 0, %1, DMA : 0)
    aie.shim_dma_allocation @receive(%1, S2MM, 0)
    %free = aie.lock(%0) {init = 1 : i32, sym_name = "free"}
    %full = aie.lock(%0) {init = 0 : i32, sym_name = "full"}
    %done = aie.lock(%0) {init = 0 : i32, sym_name = "done"}
    %data = aie.buffer(%0) {sym_name = "data"} : memref<16xi32> 
    %core_0_2 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c1_i32 = arith.constant 1 : i32
        aie.use_lock(%full, AcquireGreaterEqual, %c1_i32)
        %c0_0 = arith.constant 0 : index
        %c16 = arith.constant 16 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c16 step %c1_1 {
          %2 = memref.load %data[%arg1] : memref<16xi32>
          %c1_i32_3 = arith.constant 1 : i32
          %3 = arith.addi %2, %c1_i32_3 : i32
          memref.store %3, %data[%arg1] : memref<16xi32>
        }
        %c1_i32_2 = arith.constant 1 : i32
        aie.use_lock(%done, Release, %c1_i32_2)
      }
      aie.end
    }
    %mem_0_2 = aie.mem(%0) {
      %2 = aie.dma_start(S2MM, 0, ^bb1, ^bb2)
    ^bb1:  // 2 preds: ^bb0, ^bb1
      %c1_i32 = arith.constant 1 : i32
      aie.use_lock(%free, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%data : memref<16xi32>)
      %c1_i32_0 = arith.constant 1 : i32
      aie.use_lock(%full, Release, %c1_i32_0)
      aie.next_bd ^bb1
    ^bb2:  // pred: ^bb0
      %3 = aie.dma_start(MM2S, 0, ^bb3, ^bb4)
    ^bb3:  // 2 preds: ^bb2, ^bb3
      %c1_i32_1 = arith.constant 1 : i32
      aie.use_lock(%done, AcquireGreaterEqual, %c1_i32_1)
      aie.dma_bd_packet(0, 3)
      aie.dma_bd(%data : memref<16xi32>)
      %c1_i32_2 = arith.constant 1 : i32
      aie.use_lock(%free, Release, %c1_i32_2)
      aie.next_bd ^bb3
    ^bb4:  // pred: ^bb2
      aie.end
    }
    aie.runtime_sequence(%arg0: memref<16xi32>, %arg1: memref<16xi32>) {
      %2 = aiex.dma_configure_task_for @send {
        aie.dma_bd(%arg0 : memref<16xi32> offset = 0 len = 16 sizes = [1, 1, 1, 16] strides = [0, 0, 0, 1])
        aie.end
      }
      %3 = aiex.dma_configure_task_for @receive {
        aie.dma_bd(%arg1 : memref<16xi32> offset = 0 len = 16 sizes = [1, 1, 1, 16] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%2)
      aiex.dma_start_task(%3)
      aiex.dma_await_task(%3)
    }
  }
}
