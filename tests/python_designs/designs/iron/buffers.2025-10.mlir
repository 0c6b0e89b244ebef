module {
  aie.device(npu2_1col) {
    %tile_0_3 = aie.tile(0, 3)
    %shim_noc_tile_0_0 = aie.tile(0, 0)
    aie.objectfifo @given(%shim_noc_tile_0_0, {%tile_0_3}, 2 : i32) : !aie.objectfifo<memref<8x4xbf16>>
    aie.objectfifo @scaled(%tile_0_3, {%shim_noc_tile_0_0}, 1 : i32) : !aie.objectfifo<memref<8x4xbf16>>
    %table = aie.buffer(%tile_0_3) {sym_name = "table"} : memref<4xbf16> = dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00]>
    %count = aie.buffer(%tile_0_3) {sym_name = "count"} : memref<2xi32> 
    %core_0_3 = aie.core(%tile_0_3) {
      %c0 = arith.constant 0 : index
      %0 = memref.load %count[%c0] : memref<2xi32>
      %c0_0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0_0 to %c4 step %c1 {
        %1 = aie.objectfifo.acquire @given(Consume, 1) : !aie.objectfifosubview<memref<8x4xbf16>>
        %2 = aie.objectfifo.subview.access %1[0] : !aie.objectfifosubview<memref<8x4xbf16>> -> memref<8x4xbf16>
        %3 = aie.objectfifo.acquire @scaled(Produce, 1) : !aie.objectfifosubview<memref<8x4xbf16>>
        %4 = aie.objectfifo.subview.access %3[0] : !aie.objectfifosubview<memref<8x4xbf16>> -> memref<8x4xbf16>
        %c0_1 = arith.constant 0 : index
        %c8 = arith.constant 8 : index
        %c1_2 = arith.constant 1 : index
        scf.for %arg1 = %c0_1 to %c8 step %c1_2 {
          %c0_3 = arith.constant 0 : index
          %c4_4 = arith.constant 4 : index
          %c1_5 = arith.constant 1 : index
          scf.for %arg2 = %c0_3 to %c4_4 step %c1_5 {
            %5 = memref.load %2[%arg1, %arg2] : memref<8x4xbf16>
            %6 = memref.load %table[%arg2] : memref<4xbf16>
            %7 = arith.mulf %5, %6 : bf16
            %cst = arith.constant 1.500000e+00 : bf16
            %8 = arith.addf %7, %cst : bf16
            memref.store %8, %4[%arg1, %arg2] : memref<8x4xbf16>
            %c1_i32 = arith.constant 1 : i32
            %9 = arith.cmpi sgt, %0, %c1_i32 : i32
            scf.if %9 {
              %cst_6 = arith.constant 5.000000e-01 : bf16
              memref.store %cst_6, %4[%arg1, %arg2] : memref<8x4xbf16>
            } else {
              %10 = memref.load %2[%arg1, %arg2] : memref<8x4xbf16>
              memref.store %10, %4[%arg1, %arg2] : memref<8x4xbf16>
            }
          }
        }
        aie.objectfifo.release @given(Consume, 1)
        aie.objectfifo.release @scaled(Produce, 1)
      }
      aie.end
    }
    aie.packet_flow(1) {
      aie.packet_source<%tile_0_3, Trace : 0>
      aie.packet_dest<%shim_noc_tile_0_0, DMA : 1>
    } {keep_pkt_header = true}
    aiex.runtime_sequence(%arg0: memref<64xbf16>, %arg1: memref<64xbf16>) {
      aiex.npu.write32 {address = 213200 : ui32, column = 0 : i32, row = 3 : i32, value = 2038038528 : ui32}
      aiex.npu.write32 {address = 213204 : ui32, column = 0 : i32, row = 3 : i32, value = 1 : ui32}
      aiex.npu.write32 {address = 213216 : ui32, column = 0 : i32, row = 3 : i32, value = 1260724769 : ui32}
      aiex.npu.write32 {address = 213220 : ui32, column = 0 : i32, row = 3 : i32, value = 439168079 : ui32}
      aiex.npu.write32 {address = 261888 : ui32, column = 0 : i32, row = 3 : i32, value = 289 : ui32}
      aiex.npu.write32 {address = 261892 : ui32, column = 0 : i32, row = 3 : i32, value = 0 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 0 : i32, row = 3 : i32, value = 31232 : ui32}
      aiex.npu.writebd {bd_id = 15 : i32, buffer_length = 8192 : i32, buffer_offset = 0 : i32, burst_length = 64 : i32, column = 0 : i32, d0_size = 0 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 0 : i32, d1_stride = 0 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 0 : i32, d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, enable_packet = 1 : i32, iteration_current = 0 : i32, iteration_size = 0 : i32, iteration_stride = 0 : i32, lock_acq_enable = 0 : i32, lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 0 : i32, out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, row = 0 : i32, use_next_bd = 0 : i32, valid_bd = 1 : i32}
      aiex.npu.address_patch {addr = 119268 : ui32, arg_idx = 4 : i32, arg_plus = 0 : i32}
      aiex.npu.write32 {address = 119308 : ui32, column = 0 : i32, row = 0 : i32, value = 15 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 0 : i32, row = 0 : i32, value = 32512 : ui32}
      aiex.npu.write32 {address = 213068 : ui32, column = 0 : i32, row = 0 : i32, value = 127 : ui32}
      aiex.npu.write32 {address = 213000 : ui32, column = 0 : i32, row = 0 : i32, value = 127 : ui32}
      aiex.npu.rtp_write(@count, 0, 2)
      %0 = aiex.dma_configure_task_for @given {
        aie.dma_bd(%arg0 : memref<64xbf16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%0)
      %1 = aiex.dma_configure_task_for @scaled {
        aie.dma_bd(%arg1 : memref<64xbf16>, 0, 64, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%1)
      aiex.dma_await_task(%1)
      aiex.dma_free_task(%0)
      aiex.npu.write32 {address = 213064 : ui32, column = 0 : i32, row = 0 : i32, value = 126 : ui32}
      aiex.npu.write32 {address = 213000 : ui32, column = 0 : i32, row = 0 : i32, value = 126 : ui32}
    }
  }
}

