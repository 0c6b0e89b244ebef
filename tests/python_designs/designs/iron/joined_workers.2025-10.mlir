module {
  aie.device(npu1) {
    %tile_0_2 = aie.tile(0, 2)
    %tile_0_3 = aie.tile(0, 3)
    %tile_0_4 = aie.tile(0, 4)
    %tile_0_5 = aie.tile(0, 5)
    %shim_noc_tile_0_0 = aie.tile(0, 0)
    %buf_0_2_0 = aie.buffer(%tile_0_2) {sym_name = "buf_0_2_0"} : memref<64xui8> 
    %buf_0_3_0 = aie.buffer(%tile_0_3) {sym_name = "buf_0_3_0"} : memref<4xi32> = dense<0>
    %buf_0_4_0 = aie.buffer(%tile_0_4) {sym_name = "buf_0_4_0"} : memref<4xi32> = dense<0>
    %buf_0_5_0 = aie.buffer(%tile_0_5) {sym_name = "buf_0_5_0"} : memref<4xi32> = dense<0>
    %mem_tile_0_1 = aie.tile(0, 1)
    aie.objectfifo @in_(%shim_noc_tile_0_0, {%mem_tile_0_1, %tile_0_2}, [3, 2, 3]) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo @skip(%mem_tile_0_1, {%tile_0_3, %tile_0_4, %tile_0_5}, 4 : i32) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo.link [@in_] -> [@skip] ([] [0])
    aie.objectfifo @out(%mem_tile_0_1, {%shim_noc_tile_0_0}, 2 : i32) : !aie.objectfifo<memref<256xui8>>
    aie.objectfifo @p0(%tile_0_2, {%mem_tile_0_1}, [1, 2]) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo @p1(%tile_0_3, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo @p2(%tile_0_4, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo @p3(%tile_0_5, {%mem_tile_0_1}, 2 : i32) : !aie.objectfifo<memref<64xui8>>
    aie.objectfifo.link [@p0, @p1, @p2, @p3] -> [@out] ([0, 64, 128, 192] [])
    func.func private @conv(memref<64xui8>, memref<64xui8>, i32, i32)
    %filter = aie.buffer(%tile_0_2) {sym_name = "filter"} : memref<9xi16> = dense<[0, 1, 2, 3, 4, 5, 6, 7, 8]>
    %rtp = aie.buffer(%tile_0_2) {sym_name = "rtp"} : memref<8xi32> 
    %0 = aie.lock(%tile_0_2)
    %core_0_2 = aie.core(%tile_0_2) {
      aie.use_lock(%0, Acquire, 1)
      %c3 = arith.constant 3 : index
      %1 = memref.load %filter[%c3] : memref<9xi16>
      %2 = aie.objectfifo.acquire @in_(Consume, 2) : !aie.objectfifosubview<memref<64xui8>>
      %3 = aie.objectfifo.subview.access %2[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
      %4 = aie.objectfifo.subview.access %2[1] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
      %5 = aie.objectfifo.acquire @p0(Produce, 1) : !aie.objectfifosubview<memref<64xui8>>
      %6 = aie.objectfifo.subview.access %5[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
      %c0 = arith.constant 0 : index
      %7 = memref.load %rtp[%c0] : memref<8xi32>
      %c3_i32 = arith.constant 3 : i32
      func.call @conv(%3, %6, %7, %c3_i32) : (memref<64xui8>, memref<64xui8>, i32, i32) -> ()
      %c64_i32 = arith.constant 64 : i32
      %c3_i32_0 = arith.constant 3 : i32
      func.call @conv(%4, %buf_0_2_0, %c64_i32, %c3_i32_0) : (memref<64xui8>, memref<64xui8>, i32, i32) -> ()
      aie.objectfifo.release @in_(Consume, 2)
      aie.objectfifo.release @p0(Produce, 1)
      aie.end
    } {link_with = "conv.cc.o", stack_size = 2048 : i32}
    %core_0_3 = aie.core(%tile_0_3) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c3 = arith.constant 3 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c3 step %c1_1 {
          %1 = aie.objectfifo.acquire @skip(Consume, 1) : !aie.objectfifosubview<memref<64xui8>>
          %2 = aie.objectfifo.subview.access %1[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %3 = aie.objectfifo.acquire @p1(Produce, 1) : !aie.objectfifosubview<memref<64xui8>>
          %4 = aie.objectfifo.subview.access %3[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %c0_2 = arith.constant 0 : index
          %c64 = arith.constant 64 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c64 step %c1_3 {
            %5 = memref.load %2[%arg2] : memref<64xui8>
            memref.store %5, %4[%arg2] : memref<64xui8>
          }
          aie.objectfifo.release @skip(Consume, 1)
          aie.objectfifo.release @p1(Produce, 1)
        }
      }
      aie.end
    }
    %core_0_4 = aie.core(%tile_0_4) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c3 = arith.constant 3 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c3 step %c1_1 {
          %1 = aie.objectfifo.acquire @skip(Consume, 1) : !aie.objectfifosubview<memref<64xui8>>
          %2 = aie.objectfifo.subview.access %1[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %3 = aie.objectfifo.acquire @p2(Produce, 1) : !aie.objectfifosubview<memref<64xui8>>
          %4 = aie.objectfifo.subview.access %3[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %c0_2 = arith.constant 0 : index
          %c64 = arith.constant 64 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c64 step %c1_3 {
            %5 = memref.load %2[%arg2] : memref<64xui8>
            memref.store %5, %4[%arg2] : memref<64xui8>
          }
          aie.objectfifo.release @skip(Consume, 1)
          aie.objectfifo.release @p2(Produce, 1)
        }
      }
      aie.end
    }
    %core_0_5 = aie.core(%tile_0_5) {
      %c0 = arith.constant 0 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %c1 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c9223372036854775807 step %c1 {
        %c0_0 = arith.constant 0 : index
        %c3 = arith.constant 3 : index
        %c1_1 = arith.constant 1 : index
        scf.for %arg1 = %c0_0 to %c3 step %c1_1 {
          %1 = aie.objectfifo.acquire @skip(Consume, 1) : !aie.objectfifosubview<memref<64xui8>>
          %2 = aie.objectfifo.subview.access %1[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %3 = aie.objectfifo.acquire @p3(Produce, 1) : !aie.objectfifosubview<memref<64xui8>>
          %4 = aie.objectfifo.subview.access %3[0] : !aie.objectfifosubview<memref<64xui8>> -> memref<64xui8>
          %c0_2 = arith.constant 0 : index
          %c64 = arith.constant 64 : index
          %c1_3 = arith.constant 1 : index
          scf.for %arg2 = %c0_2 to %c64 step %c1_3 {
            %5 = memref.load %2[%arg2] : memref<64xui8>
            memref.store %5, %4[%arg2] : memref<64xui8>
          }
          aie.objectfifo.release @skip(Consume, 1)
          aie.objectfifo.release @p3(Produce, 1)
        }
      }
      aie.end
    }
    aiex.runtime_sequence(%arg0: memref<1024xui8>, %arg1: memref<1024xui8>) {
      aiex.npu.rtp_write(@rtp, 0, 4)
      aiex.npu.rtp_write(@rtp, 7, -1)
      aiex.set_lock(%0, 1)
      %1 = aiex.dma_configure_task_for @in_ {
        aie.dma_bd(%arg0 : memref<1024xui8>, 0, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%1)
      %2 = aiex.dma_configure_task_for @out {
        aie.dma_bd(%arg1 : memref<1024xui8>, 0, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%2)
      aiex.dma_await_task(%2)
      aiex.dma_free_task(%1)
      %3 = aiex.dma_configure_task_for @in_ {
        aie.dma_bd(%arg0 : memref<1024xui8>, 256, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%3)
      %4 = aiex.dma_configure_task_for @out {
        aie.dma_bd(%arg1 : memref<1024xui8>, 256, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%4)
      aiex.dma_await_task(%4)
      aiex.dma_free_task(%3)
      %5 = aiex.dma_configure_task_for @in_ {
        aie.dma_bd(%arg0 : memref<1024xui8>, 512, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%5)
      %6 = aiex.dma_configure_task_for @out {
        aie.dma_bd(%arg1 : memref<1024xui8>, 512, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%6)
      aiex.dma_await_task(%6)
      aiex.dma_free_task(%5)
      %7 = aiex.dma_configure_task_for @in_ {
        aie.dma_bd(%arg0 : memref<1024xui8>, 768, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%7)
      %8 = aiex.dma_configure_task_for @out {
        aie.dma_bd(%arg1 : memref<1024xui8>, 768, 256, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 4, stride = 64>, <size = 64, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%8)
      aiex.dma_await_task(%8)
      aiex.dma_free_task(%7)
      %9 = aiex.dma_configure_task_for @in_ {
        aie.dma_bd(%arg0 : memref<1024xui8>, 0, 1024, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1024, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      }
      aiex.dma_start_task(%9)
      %10 = aiex.dma_configure_task_for @out {
        aie.dma_bd(%arg1 : memref<1024xui8>, 0, 1024, [<size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, <size = 1024, stride = 1>]) {burst_length = 0 : i32}
        aie.end
      } {issue_token = true}
      aiex.dma_start_task(%10)
      aiex.dma_await_task(%10)
      aiex.dma_free_task(%9)
    }
  }
}

