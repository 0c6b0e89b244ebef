"""A design whose trace units are on: text `DESIGN`, and its kernel `work.cc`."""

DESIGN = """module {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @source(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<32xi32>>
    aie.objectfifo @target(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<32xi32>>
    func.func private @work(memref<32xi32>, memref<32xi32>) attributes {link_with = "work.o"}
    %core = aie.core(%tile) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %end = arith.constant 0xFFFFFE : index
      scf.for %round = %c0 to %end step %c1 {
        %si = aie.objectfifo.acquire @source(Consume, 1) : !aie.objectfifosubview<memref<32xi32>>
        %so = aie.objectfifo.acquire @target(Produce, 1) : !aie.objectfifosubview<memref<32xi32>>
        %ei = aie.objectfifo.subview.access %si[0] : !aie.objectfifosubview<memref<32xi32>> -> memref<32xi32>
        %eo = aie.objectfifo.subview.access %so[0] : !aie.objectfifosubview<memref<32xi32>> -> memref<32xi32>
        func.call @work(%ei, %eo) : (memref<32xi32>, memref<32xi32>) -> ()
        aie.objectfifo.release @source(Consume, 1)
        aie.objectfifo.release @target(Produce, 1)
      }
      aie.end
    }
    aie.trace @of_core(%tile) {
      aie.trace.mode "Event-Time"
      aie.trace.packet id=3 type=core
      aie.trace.event<"INSTR_EVENT_0">
      aie.trace.event<"INSTR_EVENT_1">
      aie.trace.event<"LOCK_STALL">
      aie.trace.event<"ACTIVE">
      aie.trace.event<"PORT_RUNNING_0">
      aie.trace.event<"INSTR_VECTOR">
      aie.trace.port<0> port=DMA channel=0 direction=S2MM
      aie.trace.start broadcast=15
      aie.trace.stop broadcast=14
    }
    aie.trace @of_memory(%tile) {
      aie.trace.packet id=4 type=mem
      aie.trace.event<"DMA_S2MM_0_FINISHED_BD">
      aie.trace.event<"DMA_MM2S_0_STALLED_LOCK">
      aie.trace.event<"LOCK_0_REL">
      aie.trace.start broadcast=15
      aie.trace.stop broadcast=14
    }
    aie.runtime_sequence @sequence(%a : memref<128xi32>, %b : memref<128xi32>) {
      aie.trace.host_config buffer_size = 4096
      aie.trace.start_config @of_core
      aie.trace.start_config @of_memory
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 128][0, 0, 0, 1]) {id = 0 : i64, metadata = @target} : memref<128xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 128][0, 0, 0, 1]) {id = 1 : i64, metadata = @source} : memref<128xi32>
      aiex.npu.dma_wait {symbol = @target}
    }
  }
}
"""
KERNEL = """#include <aie_api/aie.hpp>
extern "C" void work(const int *a, int *b) {
    event0();
    for (int i = 0; i < 32; i++) b[i] = 3 * a[i];
    event1();
}
"""
