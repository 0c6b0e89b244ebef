module {
  aiex.scratchpad_parameter @gain : i32
  aie.device(npu1) {
    %0 = aie.logical_tile<CoreTile>(0, 2)
    %1 = aie.logical_tile<ShimNOCTile>(?, ?)
    %2 = aie.logical_tile<ShimNOCTile>(0, 0)
    aie.objectfifo @amplified(%0, {%1}, 1 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @given(%2, {%0}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %settings = aie.buffer(%0) {sym_name = "settings"} : memref<4xi32> 
    %3 = aie.lock(%0)
    %core_0_2 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c1_0 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c1 step %c1_0 {
        %c1_i32 = arith.constant 1 : i32
        aie.use_lock(%3, Acquire, %c1_i32)
        %4 = aiex.read_scratchpad_parameter @gain : i32
        %5 = aie.objectfifo.acquire @given(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
        %6 = aie.objectfifo.subview.access %5[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
        %7 = aie.objectfifo.acquire @amplified(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
        %8 = aie.objectfifo.subview.access %7[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
        %c0_1 = arith.constant 0 : index
        %c16 = arith.constant 16 : index
        %c1_2 = arith.constant 1 : index
        scf.for %arg1 = %c0_1 to %c16 step %c1_2 {
          %9 = memref.load %6[%arg1] : memref<16xi32>
          %10 = arith.muli %9, %4 : i32
          memref.store %10, %8[%arg1] : memref<16xi32>
        }
        aie.objectfifo.release @given(Consume, 1)
        aie.objectfifo.release @amplified(Produce, 1)
      }
      aie.end
    } {stack_size = 2048 : i32}
    aie.runtime_sequence(%arg0: memref<64xi32>, %arg1: memref<64xi32>) {
      %c7_i32 = arith.constant 7 : i32
      aiex.npu.rtp_write(@settings, 0, %c7_i32) : i32
      aiex.sync_scratchpad_parameters_from_host
      aiex.set_lock(%3, 1)
      %4 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<64xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%4)
      %5 = aiex.dma_configure_task_for @amplified {
        aie.dma_bd(%arg1 : memref<64xi32> offset = 0 len = 64 sizes = [1, 1, 1, 64] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%5)
      aiex.dma_await_task(%5)
      aiex.dma_free_task(%4)
      aiex.dma_free_task(%5)
    }
  }
}
