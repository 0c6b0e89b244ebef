module {
  aie.device(npu1_1col) {
    %0 = aie.logical_tile<CoreTile>(0, 2)
    %1 = aie.logical_tile<CoreTile>(0, 3)
    %2 = aie.logical_tile<ShimNOCTile>(?, ?)
    %3 = aie.logical_tile<MemTile>(?, ?)
    %4 = aie.logical_tile<MemTile>(?, ?)
    %5 = aie.logical_tile<ShimNOCTile>(?, ?)
    aie.objectfifo @given(%2, {%3}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @left(%3, {%0}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @right(%3, {%1}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo.link [@given] -> [@left, @right] ([] [0, 32])
    aie.objectfifo @high(%1, {%4}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @low(%0, {%4}, 2 : i32) : !aie.objectfifo<memref<32xi16>>
    aie.objectfifo @result(%4 dimensionsToStream [<size = 8, stride = 1>, <size = 8, stride = 8>], {%5}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo.link [@low, @high] -> [@result] ([0, 32] [])
    func.func private @finish(memref<32xi16>, memref<32xi16>, i32) attributes {link_with = "finish.o"}
    %6 = aie.lock(%0)
    %core_0_2 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        aie.use_lock(%6, Acquire, 1)
        %8 = aie.objectfifo.acquire @left(Consume, 1) : !aie.objectfifosubview<memref<32xi16>>
        %9 = aie.objectfifo.subview.access %8[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %10 = aie.objectfifo.acquire @low(Produce, 1) : !aie.objectfifosubview<memref<32xi16>>
        %11 = aie.objectfifo.subview.access %10[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %c0_0 = arith.constant 0 : index
        %c32 = arith.constant 32 : index
        %c2 = arith.constant 2 : index
        scf.for %arg1 = %c0_0 to %c32 step %c2 {
          %12 = memref.load %9[%arg1] : memref<32xi16>
          %c1_i16 = arith.constant 1 : i16
          %13 = arith.subi %12, %c1_i16 : i16
          memref.store %13, %11[%arg1] : memref<32xi16>
        }
        %c32_i32 = arith.constant 32 : i32
        func.call @finish(%9, %11, %c32_i32) : (memref<32xi16>, memref<32xi16>, i32) -> ()
        aie.objectfifo.release @left(Consume, 1)
        aie.objectfifo.release @low(Produce, 1)
      }
      aie.end
    } {stack_size = 1536 : i32}
    %7 = aie.lock(%1)
    %core_0_3 = aie.core(%1) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        aie.use_lock(%7, Acquire, 1)
        %8 = aie.objectfifo.acquire @right(Consume, 1) : !aie.objectfifosubview<memref<32xi16>>
        %9 = aie.objectfifo.subview.access %8[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %10 = aie.objectfifo.acquire @high(Produce, 1) : !aie.objectfifosubview<memref<32xi16>>
        %11 = aie.objectfifo.subview.access %10[0] : !aie.objectfifosubview<memref<32xi16>> -> memref<32xi16>
        %c0_0 = arith.constant 0 : index
        %c32 = arith.constant 32 : index
        %c2 = arith.constant 2 : index
        scf.for %arg1 = %c0_0 to %c32 step %c2 {
          %12 = memref.load %9[%arg1] : memref<32xi16>
          %c1_i16 = arith.constant 1 : i16
          %13 = arith.subi %12, %c1_i16 : i16
          memref.store %13, %11[%arg1] : memref<32xi16>
        }
        %c32_i32 = arith.constant 32 : i32
        func.call @finish(%9, %11, %c32_i32) : (memref<32xi16>, memref<32xi16>, i32) -> ()
        aie.objectfifo.release @right(Consume, 1)
        aie.objectfifo.release @high(Produce, 1)
      }
      aie.end
    } {stack_size = 1536 : i32}
    aie.runtime_sequence(%arg0: memref<256xi16>, %arg1: memref<256xi16>) {
      aiex.set_lock(%6, 1)
      aiex.set_lock(%7, 1)
      %8 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%8)
      %9 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%9)
      aiex.dma_await_task(%9)
      aiex.dma_free_task(%8)
      %10 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 64, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%10)
      %11 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 64, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%11)
      aiex.dma_await_task(%11)
      aiex.dma_free_task(%10)
      %12 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 128, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%12)
      %13 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 128, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%13)
      aiex.dma_await_task(%13)
      aiex.dma_free_task(%12)
      %14 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<256xi16>, 192, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%14)
      %15 = aiex.dma_configure_task_for @result {
        aie.dma_bd(%arg1 : memref<256xi16>, 192, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%15)
      aiex.dma_await_task(%15)
      aiex.dma_free_task(%14)
    }
  }
}

