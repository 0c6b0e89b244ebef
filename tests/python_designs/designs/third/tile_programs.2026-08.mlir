module {
  aie.device(npu2_1col) {
    %0 = aie.logical_tile<CoreTile>(0, 2)
    %1 = aie.logical_tile<ShimNOCTile>(0, 0)
    %2 = aie.logical_tile<MemTile>(0, 1)
    aie.flow(%1, DMA : 0, %2, DMA : 0)
    aie.shim_dma_allocation @inA(%1, MM2S, 0)
    aie.flow(%2, DMA : 0, %0, DMA : 0)
    aie.packet_flow(5) {
      aie.packet_source<%0, DMA : 1>
      aie.packet_dest<%1, DMA : 0>
      aie.packet_dest<%2, DMA : 1>
    } {keep_pkt_header = true}
    aie.shim_dma_allocation @outA(%1, S2MM, 0)
    %free = aie.lock(%0) {init = 2 : i32, sym_name = "free"}
    %full = aie.lock(%0) {init = 0 : i32, sym_name = "full"}
    %lock_0 = aie.lock(%2, 3) {init = 1 : i32, sym_name = "lock_0"}
    %lock_1 = aie.lock(%2, 4) {init = 0 : i32, sym_name = "lock_1"}
    %ping = aie.buffer(%0) {sym_name = "ping"} : memref<64xi32> 
    %pong = aie.buffer(%0) {sym_name = "pong"} : memref<64xi32> 
    %stage = aie.buffer(%2) {sym_name = "stage"} : memref<64xi32> 
    %core_0_2 = aie.core(%0) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c1_0 = arith.constant 1 : index
      scf.for %arg0 = %c0 to %c1 step %c1_0 {
        %c0_1 = arith.constant 0 : index
        %c4 = arith.constant 4 : index
        %c1_2 = arith.constant 1 : index
        scf.for %arg1 = %c0_1 to %c4 step %c1_2 {
          %c1_i32 = arith.constant 1 : i32
          aie.use_lock(%full, AcquireGreaterEqual, %c1_i32)
          %c0_3 = arith.constant 0 : index
          %c64 = arith.constant 64 : index
          %c1_4 = arith.constant 1 : index
          scf.for %arg2 = %c0_3 to %c64 step %c1_4 {
            %3 = memref.load %ping[%arg2] : memref<64xi32>
            %c1_i32_8 = arith.constant 1 : i32
            %4 = arith.addi %3, %c1_i32_8 : i32
            memref.store %4, %ping[%arg2] : memref<64xi32>
          }
          %c1_i32_5 = arith.constant 1 : i32
          aie.use_lock(%free, Release, %c1_i32_5)
          %c1_i32_6 = arith.constant 1 : i32
          aie.use_lock(%full, Acquire, %c1_i32_6)
          %c1_i32_7 = arith.constant 1 : i32
          aie.use_lock(%free, Release, %c1_i32_7)
        }
      }
      aie.end
    }
    %mem_0_2 = aie.mem(%0) {
      %3 = aie.dma_start(S2MM, 0, ^bb1, ^bb2)
    ^bb1:  // 2 preds: ^bb0, ^bb5
      %c1_i32 = arith.constant 1 : i32
      aie.use_lock(%free, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%ping : memref<64xi32>)
      %c1_i32_0 = arith.constant 1 : i32
      aie.use_lock(%full, Release, %c1_i32_0)
      aie.next_bd ^bb5
    ^bb2:  // pred: ^bb0
      %4 = aie.dma_start(MM2S, 1, ^bb3, ^bb4)
    ^bb3:  // 2 preds: ^bb2, ^bb3
      aie.dma_bd_packet(0, 5)
      aie.dma_bd(%ping : memref<64xi32> len = 32 sizes = [4, 8] strides = [8, 1])
      aie.next_bd ^bb3
    ^bb4:  // pred: ^bb2
      aie.end
    ^bb5:  // pred: ^bb1
      %c1_i32_1 = arith.constant 1 : i32
      aie.use_lock(%free, AcquireGreaterEqual, %c1_i32_1)
      aie.dma_bd(%pong : memref<64xi32>)
      %c1_i32_2 = arith.constant 1 : i32
      aie.use_lock(%full, Release, %c1_i32_2)
      aie.next_bd ^bb1
    }
    %memtile_dma_0_1 = aie.memtile_dma(%2) {
      %3 = aie.dma_start(S2MM, 0, ^bb1, ^bb2)
    ^bb1:  // 2 preds: ^bb0, ^bb1
      %c1_i32 = arith.constant 1 : i32
      aie.use_lock(%lock_0, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%stage : memref<64xi32>)
      %c1_i32_0 = arith.constant 1 : i32
      aie.use_lock(%lock_1, Release, %c1_i32_0)
      aie.next_bd ^bb1
    ^bb2:  // pred: ^bb0
      %4 = aie.dma_start(MM2S, 0, ^bb3, ^bb4)
    ^bb3:  // 2 preds: ^bb2, ^bb3
      %c1_i32_1 = arith.constant 1 : i32
      aie.use_lock(%lock_1, AcquireGreaterEqual, %c1_i32_1)
      aie.dma_bd(%stage : memref<64xi32>) {iteration = #aie.bd_iteration<size = 4, stride = 16, current = 0>}
      %c1_i32_2 = arith.constant 1 : i32
      aie.use_lock(%lock_0, Release, %c1_i32_2)
      aie.next_bd ^bb3
    ^bb4:  // pred: ^bb2
      aie.end
    }
    aie.runtime_sequence(%arg0: memref<64xi32>, %arg1: memref<64xi32>) {
    }
  }
}

