module {
  aie.device(npu1) {
    func.func private @k(memref<256xbf16>, memref<256xbf16>, i32, f32)
    %shim_noc_tile_0_0 = aie.tile(0, 0)
    %shim_noc_tile_1_0 = aie.tile(1, 0)
    %mem_tile_0_1 = aie.tile(0, 1)
    %tile_0_2 = aie.tile(0, 2)
    %tile_1_3 = aie.tile(1, 3)
    aie.objectfifo @a(%shim_noc_tile_0_0, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<1024xbf16>>
    aie.objectfifo @a0(%mem_tile_0_1, {%tile_0_2}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>
    aie.objectfifo @a1(%mem_tile_0_1, {%tile_1_3}, [2, 1]) : !aie.objectfifo<memref<256xbf16>>
    aie.objectfifo.link [@a] -> [@a0, @a1] ([] [0, 256])
    aie.objectfifo @b0(%tile_0_2, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>
    aie.objectfifo @b1(%tile_1_3, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>
    aie.objectfifo @b(%mem_tile_0_1 dimensionsToStream [<size = 2, stride = 2>, <size = 2, stride = 1>], {%shim_noc_tile_1_0}, 2 : i32) : !aie.objectfifo<memref<1024xbf16>>
    aie.objectfifo.link [@b0, @b1] -> [@b] ([0, 256] [])
    aie.cascade_flow(%tile_0_2, %tile_1_3)
    %rtp = aie.buffer(%tile_0_2) {sym_name = "rtp"} : memref<16xi32> 
    aie.packet_flow(1) {
      aie.packet_source<%tile_0_2, Trace : 0>
      aie.packet_dest<%shim_noc_tile_1_0, DMA : 1>
    } {keep_pkt_header = true}
    aie.packet_flow(2) {
      aie.packet_source<%tile_1_3, Trace : 0>
      aie.packet_dest<%shim_noc_tile_1_0, DMA : 1>
    } {keep_pkt_header = true}
    aie.packet_flow(3) {
      aie.packet_source<%mem_tile_0_1, Trace : 0>
      aie.packet_dest<%shim_noc_tile_1_0, DMA : 1>
    } {keep_pkt_header = true}
    aie.packet_flow(4) {
      aie.packet_source<%shim_noc_tile_0_0, Trace : 0>
      aie.packet_dest<%shim_noc_tile_1_0, DMA : 1>
    } {keep_pkt_header = true}
    %core_0_2 = aie.core(%tile_0_2) {
      %c0 = arith.constant 0 : index
      %c4294967295 = arith.constant 4294967295 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c4294967295 step %c1 {
        %c0_0 = arith.constant 0 : index
        %0 = memref.load %rtp[%c0_0] : memref<16xi32>
        %c1_1 = arith.constant 1 : index
        %1 = memref.load %rtp[%c1_1] : memref<16xi32>
        %2 = aie.objectfifo.acquire @a0(Consume, 1) : !aie.objectfifosubview<memref<256xbf16>>
        %3 = aie.objectfifo.subview.access %2[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
        %4 = aie.objectfifo.acquire @b0(Produce, 1) : !aie.objectfifosubview<memref<256xbf16>>
        %5 = aie.objectfifo.subview.access %4[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
        %c5_i32 = arith.constant 5 : i32
        %cst = arith.constant 1.500000e+00 : f32
        func.call @k(%3, %5, %c5_i32, %cst) : (memref<256xbf16>, memref<256xbf16>, i32, f32) -> ()
        %6 = arith.cmpi eq, %0, %1 : i32
        scf.if %6 {
          %cst_2 = arith.constant 2.500000e+00 : f32
          func.call @k(%5, %3, %0, %cst_2) : (memref<256xbf16>, memref<256xbf16>, i32, f32) -> ()
        } else {
          %cst_2 = arith.constant 3.000000e+00 : f32
          func.call @k(%5, %3, %1, %cst_2) : (memref<256xbf16>, memref<256xbf16>, i32, f32) -> ()
        }
        aie.objectfifo.release @a0(Consume, 1)
        aie.objectfifo.release @b0(Produce, 1)
      }
      aie.end
    } {link_with = "k.o", stack_size = 3328 : i32}
    %core_1_3 = aie.core(%tile_1_3) {
      %c3_i32 = arith.constant 3 : i32
      %c0 = arith.constant 0 : index
      %c10 = arith.constant 10 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c10 step %c1 {
        %c2 = arith.constant 2 : index
        %c8 = arith.constant 8 : index
        %c3 = arith.constant 3 : index
        scf.for %arg1 = %c2 to %c8 step %c3 {
          %0 = aie.objectfifo.acquire @a1(Consume, 1) : !aie.objectfifosubview<memref<256xbf16>>
          %1 = aie.objectfifo.subview.access %0[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
          %2 = aie.objectfifo.acquire @b1(Produce, 1) : !aie.objectfifosubview<memref<256xbf16>>
          %3 = aie.objectfifo.subview.access %2[0] : !aie.objectfifosubview<memref<256xbf16>> -> memref<256xbf16>
          %cst = arith.constant 0.000000e+00 : f32
          func.call @k(%1, %3, %c3_i32, %cst) : (memref<256xbf16>, memref<256xbf16>, i32, f32) -> ()
          aie.objectfifo.release @a1(Consume, 1)
          aie.objectfifo.release @b1(Produce, 1)
        }
      }
      aie.end
    } {link_with = "k.o"}
    aiex.runtime_sequence(%arg0: memref<1024xbf16>, %arg1: memref<1024xbf16>) {
      aiex.npu.write32 {address = 213200 : ui32, column = 0 : i32, row = 2 : i32, value = 2038038528 : ui32}
      aiex.npu.write32 {address = 213204 : ui32, column = 0 : i32, row = 2 : i32, value = 1 : ui32}
      aiex.npu.write32 {address = 213216 : ui32, column = 0 : i32, row = 2 : i32, value = 441404193 : ui32}
      aiex.npu.write32 {address = 213220 : ui32, column = 0 : i32, row = 2 : i32, value = 0 : ui32}
      aiex.npu.write32 {address = 261888 : ui32, column = 0 : i32, row = 2 : i32, value = 545 : ui32}
      aiex.npu.write32 {address = 261892 : ui32, column = 0 : i32, row = 2 : i32, value = 0 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 0 : i32, row = 2 : i32, value = 31232 : ui32}
      aiex.npu.write32 {address = 213200 : ui32, column = 1 : i32, row = 3 : i32, value = 2038038528 : ui32}
      aiex.npu.write32 {address = 213204 : ui32, column = 1 : i32, row = 3 : i32, value = 2 : ui32}
      aiex.npu.write32 {address = 213216 : ui32, column = 1 : i32, row = 3 : i32, value = 441404193 : ui32}
      aiex.npu.write32 {address = 213220 : ui32, column = 1 : i32, row = 3 : i32, value = 0 : ui32}
      aiex.npu.write32 {address = 261888 : ui32, column = 1 : i32, row = 3 : i32, value = 545 : ui32}
      aiex.npu.write32 {address = 261892 : ui32, column = 1 : i32, row = 3 : i32, value = 0 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 1 : i32, row = 3 : i32, value = 31232 : ui32}
      aiex.npu.write32 {address = 606416 : ui32, column = 0 : i32, row = 1 : i32, value = 2627534848 : ui32}
      aiex.npu.write32 {address = 606420 : ui32, column = 0 : i32, row = 1 : i32, value = 12291 : ui32}
      aiex.npu.write32 {address = 606432 : ui32, column = 0 : i32, row = 1 : i32, value = 1549292624 : ui32}
      aiex.npu.write32 {address = 606436 : ui32, column = 0 : i32, row = 1 : i32, value = 1818780768 : ui32}
      aiex.npu.write32 {address = 724736 : ui32, column = 0 : i32, row = 1 : i32, value = 16780832 : ui32}
      aiex.npu.write32 {address = 724740 : ui32, column = 0 : i32, row = 1 : i32, value = 84148994 : ui32}
      aiex.npu.write32 {address = 606208 : ui32, column = 0 : i32, row = 1 : i32, value = 7424 : ui32}
      aiex.npu.write32 {address = 213200 : ui32, column = 0 : i32, row = 0 : i32, value = 2088566784 : ui32}
      aiex.npu.write32 {address = 213204 : ui32, column = 0 : i32, row = 0 : i32, value = 8196 : ui32}
      aiex.npu.write32 {address = 213216 : ui32, column = 0 : i32, row = 0 : i32, value = 370151182 : ui32}
      aiex.npu.write32 {address = 213220 : ui32, column = 0 : i32, row = 0 : i32, value = 522065943 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 0 : i32, row = 0 : i32, value = 32000 : ui32}
      aiex.npu.writebd {bd_id = 15 : i32, buffer_length = 8192 : i32, buffer_offset = 2048 : i32, burst_length = 64 : i32, column = 1 : i32, d0_size = 0 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 0 : i32, d1_stride = 0 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 0 : i32, d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, enable_packet = 1 : i32, iteration_current = 0 : i32, iteration_size = 0 : i32, iteration_stride = 0 : i32, lock_acq_enable = 0 : i32, lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 0 : i32, out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, row = 0 : i32, use_next_bd = 0 : i32, valid_bd = 1 : i32}
      aiex.npu.address_patch {addr = 33673700 : ui32, arg_idx = 4 : i32, arg_plus = 2048 : i32}
      aiex.npu.write32 {address = 119308 : ui32, column = 1 : i32, row = 0 : i32, value = 15 : ui32}
      aiex.npu.write32 {address = 212992 : ui32, column = 1 : i32, row = 0 : i32, value = 32512 : ui32}
      aiex.npu.write32 {address = 213068 : ui32, column = 1 : i32, row = 0 : i32, value = 127 : ui32}
      aiex.npu.write32 {address = 213000 : ui32, column = 1 : i32, row = 0 : i32, value = 127 : ui32}
      aiex.npu.rtp_write(@rtp, 0, 5)
      aiex.npu.dma_memcpy_nd(%arg1[0, 0, 0, 0][1, 1, 1, 1024][0, 0, 0, 1]) {id = 0 : i64, metadata = @b} : memref<1024xbf16>
      aiex.npu.dma_memcpy_nd(%arg0[0, 0, 0, 0][1, 1, 1, 1024][0, 0, 0, 1]) {id = 1 : i64, issue_token = true, metadata = @a} : memref<1024xbf16>
      aiex.npu.dma_wait {symbol = @a}
      aiex.npu.dma_wait {symbol = @b}
      aiex.npu.write32 {address = 213064 : ui32, column = 1 : i32, row = 0 : i32, value = 126 : ui32}
      aiex.npu.write32 {address = 213000 : ui32, column = 1 : i32, row = 0 : i32, value = 126 : ui32}
    }
  }
}

