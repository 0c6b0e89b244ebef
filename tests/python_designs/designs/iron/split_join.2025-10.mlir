module {
  aie.device(npu1_1col) {
    %tile_0_2 = aie.tile(0, 2)
    %tile_0_3 = aie.tile(0, 3)
    %shim_noc_tile_0_0 = aie.tile(0, 0)
    %mem_tile_0_1 = aie.tile(0, 1)
    aie.objectfifo @given(%shim_noc_tile_0_0, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @left(%mem_tile_0_1, {%tile_0_2}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @right(%mem_tile_0_1, {%tile_0_3}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo.link [@given] -> [@left, @right] ([] [0, 32])
    aie.objectfifo @high(%tile_0_3, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @low(%tile_0_2, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @result(%mem_tile_0_1 dimensionsToStream [<size = 8, stride = 1>, <size = 8, stride = 8>], {%shim_noc_tile_0_0}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo.link [@low, @high] -> [@result] ([0, 32] [])
    func.func private @finish(memref<32xi16>, memref<32xi16>, i32)
    %0 = aie.lock(%tile_0_2)
    %core_0_2 = aie.core(%tile_0_2) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        aie.use_lock(%0, Acquire, 1)
        %2 = aie.objectfifo.acquire @left(Consume, 1) : !aie.objectfifosubview<memref<32xi16>>
        %3 = aie.objectfifo.subview.access %2[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %4 = aie.objectfifo.acquire @low(Produce, 1) : !aie.objectfifosubview<memref<32xi16>>
        %5 = aie.objectfifo.subview.access %4[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %c0_0 = arith.constant 0 : index
        %c32 = arith.constant 32 : index
        %c2 = arith.constant 2 : index
        scf.for %arg1 = %c0_0 to %c32 step %c2 {
          %6 = memref.load %3[%arg1] : memref<32xi16>
          %c1_i16 = arith.constant 1 : i16
          %7 = arith.subi %6, %c1_i16 : i16
          memref.store %7, %5[%arg1] : memref<32xi16>
        }
        %c32_i32 = arith.constant 32 : i32
        func.call @finish(%3, %5, %c32_i32) : (memref<32xi16>, memref<32xi16>, i32) -> ()
        aie.objectfifo.release @left(Consume, 1)
        aie.objectfifo.release @low(Produce, 1)
      }
      aie.end
    } {link_with = "finish.o", stack_size = 1536 : i32}
    %1 = aie.lock(%tile_0_3)
    %core_0_3 = aie.core(%tile_0_3) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        aie.use_lock(%1, Acquire, 1)
        %2 = aie.objectfifo.acquire @right(Consume, 1) : !aie.objectfifosubview<memref<32xi16>>
        %3 = aie.objectfifo.subview.access %2[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %4 = aie.objectfifo.acquire @high(Produce, 1) : !aie.objectfifosubview<memref<32xi16>>
        %5 = aie.objectfifo.subview.access %4[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %c0_0 = arith.constant 0 : index
        %c32 = arith.constant 32 : index
        %c2 = arith.constant 2 : index
        scf.for %arg1 = %c0_0 to %c32 step %c2 {
          %6 = memref.load %3[%arg1] : memref<32xi16>
          %c1_i16 = arith.constant 1 : i16
          %7 = arith.subi %6, %c1_i16 : i16
          memref.store %7, %5[%arg1] : memref<32xi16>
        }
        %c32_i32 = arith.constant 32 : i32
        func.call @finish(%3, %5, %c32_i32) : (memref<32xi16>, memref<32xi16>, i32) -> ()
        aie.objectfifo.release @right(Consume, 1)
        aie.objectfifo.release @high(Produce, 1)
      }
      aie.end
    } {link_with = "finish.o", stack_size = 1536 : i32}
    aiex.runtime_sequence(%arg0: memref<256xi16>, %arg1: memref<256xi16>) {
      aiex.set_lock(%0, 1)
      aiex.set_lock(%1, 1)
      %2 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%2)
      %3 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%3)
      aiex.dma_await_task(%3)
      aiex.dma_free_task(%2)
      %4 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 64, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%4)
      %5 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 64, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%5)
      aiex.dma_await_task(%5)
      aiex.dma_free_task(%4)
      %6 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 128, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%6)
      %7 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 128, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%7)
      aiex.dma_await_task(%7)
      aiex.dma_free_task(%6)
      %8 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 192, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%8)
      %9 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 192, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%9)
      aiex.dma_await_task(%9)
      aiex.dma_free_task(%8)
    }
  }
}

