module {
  aie.device(npu2_1col) {
    %0 = aie.logical_tile<CoreTile>(0, 3)
    %1 = aie.logical_tile<ShimNOCTile>(0, 0)
    aie.objectfifo @given(%1, {%0}, 2 : i32) : !aie.objectfifo<memref<8x4xbf16>>
    aie.objectfifo @scaled(%0, {%1}, 1 : i32) : !aie.objectfifo<memref<8x4xbf16>>
    %table = aie.buffer(%0) {sym_name = "table"} : memref<4xbf16> = dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00]>
    %count = aie.buffer(%0) {sym_name = "count"} : memref<2xi32> 
    %core_0_3 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %2 = memref.load %count[%c0] : memref<2xi32>
      %c0_0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0_0 to %c4 step %c1 {
        %3 = aie.objectfifo.acquire @given(Consume, 1) : !aie.objectfifosubview<memref<8x4xbf16>>
        %4 = aie.objectfifo.subview.access %3[0] : !aie.objectfifosubview<memref<8x4xbf16>> -> memref<8x4xbf16>
        %5 = aie.objectfifo.acquire @scaled(Produce, 1) : !aie.objectfifosubview<memref<8x4xbf16>>
        %6 = aie.objectfifo.subview.access %5[0] : !aie.objectfifosubview<memref<8x4xbf16>> -> memref<8x4xbf16>
        %c0_1 = arith.constant 0 : index
        %c8 = arith.constant 8 : index
        %c1_2 = arith.constant 1 : index
        scf.for %arg1 = %c0_1 to %c8 step %c1_2 {
          %c0_3 = arith.constant 0 : index
          %c4_4 = arith.constant 4 : index
          %c1_5 = arith.constant 1 : index
          scf.for %arg2 = %c0_3 to %c4_4 step %c1_5 {
            %7 = memref.load %4[%arg1, %arg2] : memref<8x4xbf16>
            %8 = memref.load %table[%arg2] : memref<4xbf16>
            %9 = arith.mulf %7, %8 : bf16
            %cst = arith.constant 1.500000e+00 : bf16
            %10 = arith.addf %9, %cst : bf16
            memref.store %10, %6[%arg1, %arg2] : memref<8x4xbf16>
            %c1_i32 = arith.constant 1 : i32
            %11 = arith.cmpi sgt, %2, %c1_i32 : i32
            scf.if %11 {
              %cst_6 = arith.constant 5.000000e-01 : bf16
              memref.store %cst_6, %6[%arg1, %arg2] : memref<8x4xbf16>
            } else {
              %12 = memref.load %4[%arg1, %arg2] : memref<8x4xbf16>
              memref.store %12, %6[%arg1, %arg2] : memref<8x4xbf16>
            }
          }
        }
        aie.objectfifo.release @given(Consume, 1)
        aie.objectfifo.release @scaled(Produce, 1)
      }
      aie.end
    }
    aie.trace @trace_core_1(%0) {
      aie.trace.mode "Event-Time"
      aie.trace.packet id = 1 type = core
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
    aie.runtime_sequence(%arg0: memref<64xbf16>, %arg1: memref<64xbf16>) {
      aie.trace.host_config buffer_size = 8192
      aie.trace.start_config @trace_core_1
      aiex.npu.rtp_write(@count, 0, 2)
      %2 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<64xbf16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%2)
      %3 = aiex.dma_configure_task_for @scaled {
        aie.dma_bd(%arg1 : memref<64xbf16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%3)
      aiex.dma_await_task(%3)
      aiex.dma_free_task(%2)
    }
  }
}

