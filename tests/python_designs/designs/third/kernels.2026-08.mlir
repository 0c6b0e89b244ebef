module {
  aie.device(npu1) {
    %0 = aie.logical_tile<CoreTile>(?, ?)
    %1 = aie.logical_tile<ShimNOCTile>(?, ?)
    %2 = aie.logical_tile<ShimNOCTile>(?, ?)
    aie.objectfifo @found(%0, {%1}, 2 : i32) : !aie.objectfifo<memref<1xi32>>
    aie.objectfifo @given(%2, {%0}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
    func.func private @reduce_max_vector(memref<1024xi32>, memref<1xi32>, i32) attributes {link_with = "reduce_max.cc.o"}
    %3 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %4 = aie.objectfifo.acquire @found(Produce, 1) : !aie.objectfifosubview<memref<1xi32>>
        %5 = aie.objectfifo.subview.access %4[0] : !aie.objectfifosubview<memref<1xi32>> -> memref<1xi32>
        %6 = aie.objectfifo.acquire @given(Consume, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %7 = aie.objectfifo.subview.access %6[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        %c1024_i32 = arith.constant 1024 : i32
        func.call @reduce_max_vector(%7, %5, %c1024_i32) : (memref<1024xi32>, memref<1xi32>, i32) -> ()
        aie.objectfifo.release @given(Consume, 1)
        aie.objectfifo.release @found(Produce, 1)
      }
      aie.end
    }
    aie.trace @trace_core_1(%0) {
      aie.trace.mode "Event-Time"
      aie.trace.packet type = core
      aie.trace.event <"INSTR_EVENT_0">
      aie.trace.event <"INSTR_EVENT_1">
      aie.trace.event <"INSTR_VECTOR">
      aie.trace.event <"MEMORY_STALL">
      aie.trace.event <"STREAM_STALL">
      aie.trace.event <"LOCK_STALL">
      aie.trace.event <"PORT_RUNNING_0">
      aie.trace.event <"PORT_RUNNING_1">
      aie.trace.port<0> port = DMA channel = 0 direction = S2MM
      aie.trace.port<1> port = DMA channel = 0 direction = MM2S
      aie.trace.start broadcast = 15
      aie.trace.stop broadcast = 14
    }
    aie.runtime_sequence(%arg0: memref<1024xi32>, %arg1: memref<1xi32>) {
      aie.trace.host_config {buffer_size = 4096 : i32}
      aie.trace.start_config @trace_core_1
      %4 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<1024xi32> offset = 0 len = 1024 sizes = [1, 1, 1, 1024] strides = [0, 0, 0, 1])
        aie.end
      }
      aiex.dma_start_task(%4)
      %5 = aiex.dma_configure_task_for @found {
        aie.dma_bd(%arg1 : memref<1xi32> offset = 0 len = 1 sizes = [1, 1, 1, 1] strides = [0, 0, 0, 1])
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%5)
      aiex.dma_await_task(%5)
      aiex.dma_free_task(%4)
      aiex.dma_free_task(%5)
    }
  }
}
