// pipeline: three cores in a chain, min(|x - 128|, 1000) on int16 samples.
//
//   host ─▶ core (0, 2) centre ═shared memory═▶ core (0, 3) magnitude ─DMA─▶ core (0, 4) clip ─▶ host
//
// A core reads and writes the memories of its direct neighbours. The fifo @centred uses that: its buffers lie in one tile
// and nothing is moved. @magnitudes could do the same; `via_DMA` has it copied through the stream switches instead, which
// is what happens between tiles that are not neighbours.
module @pipeline {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %first = aie.tile(0, 2)
    %second = aie.tile(0, 3)
    %third = aie.tile(0, 4)
    func.func private @centre(memref<1024xi16>, memref<1024xi16>, i32, i32)
    func.func private @magnitude(memref<1024xi16>, memref<1024xi16>, i32)
    func.func private @clip(memref<1024xi16>, memref<1024xi16>, i32, i32)

    aie.objectfifo @samples(%shim, {%first}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @centred(%first, {%second}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @magnitudes(%second, {%third}, 2 : i32) {via_DMA = true} : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @clipped(%third, {%shim}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>

    %centre_core = aie.core(%first) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %level = arith.constant 128 : i32
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @samples(Consume, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        %out_view = aie.objectfifo.acquire @centred(Produce, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        func.call @centre(%in_element, %out_element, %level, %count) : (memref<1024xi16>, memref<1024xi16>, i32, i32) -> ()
        aie.objectfifo.release @samples(Consume, 1)
        aie.objectfifo.release @centred(Produce, 1)
      }
      aie.end
    } {link_with = "centre.o"}

    %magnitude_core = aie.core(%second) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @centred(Consume, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        %out_view = aie.objectfifo.acquire @magnitudes(Produce, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        func.call @magnitude(%in_element, %out_element, %count) : (memref<1024xi16>, memref<1024xi16>, i32) -> ()
        aie.objectfifo.release @centred(Consume, 1)
        aie.objectfifo.release @magnitudes(Produce, 1)
      }
      aie.end
    } {link_with = "magnitude.o"}

    %clip_core = aie.core(%third) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %limit = arith.constant 1000 : i32
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @magnitudes(Consume, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        %out_view = aie.objectfifo.acquire @clipped(Produce, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        func.call @clip(%in_element, %out_element, %limit, %count) : (memref<1024xi16>, memref<1024xi16>, i32, i32) -> ()
        aie.objectfifo.release @magnitudes(Consume, 1)
        aie.objectfifo.release @clipped(Produce, 1)
      }
      aie.end
    } {link_with = "clip.o"}

    aiex.runtime_sequence @sequence(%a : memref<65536xi16>, %b : memref<65536xi16>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 65536][0, 0, 0, 1]) {id = 0 : i64, metadata = @samples} : memref<65536xi16>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 65536][0, 0, 0, 1]) {id = 1 : i64, metadata = @clipped} : memref<65536xi16>
      aiex.npu.dma_wait {symbol = @clipped}
    }
  }
}
