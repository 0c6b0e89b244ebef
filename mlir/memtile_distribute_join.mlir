// memtile_distribute_join: a memory tile splits every element between two cores and joins their results.
//
//                         ┌─▶ core (0, 2): x * 3 + 1 ─┐
//   host ─▶ memtile (0, 1)┤                           ├memtile (0, 1)─▶ host
//                         └─▶ core (0, 3): 7 - x ─────┘
//
// `aie.objectfifo.link` tells that the memtile only passes data on: one fifo in, two out, with the offset of each part in
// elements (distribute), and the reverse (join). No core code runs on a memtile; its DMAs do all of it.
// Written in the syntax of 2026 (see vector_add.mlir).
module @memtile_distribute_join {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %memtile = aie.tile(0, 1)
    %lower = aie.tile(0, 2)
    %upper = aie.tile(0, 3)
    func.func private @affine_i16(memref<1024xi16>, memref<1024xi16>, i32, i32, i32) attributes {link_with = "affine_i16.o"}

    aie.objectfifo @in(%shim, {%memtile}, 2 : i32) : !aie.objectfifo<memref<2048xi16>>
    aie.objectfifo @in_lower(%memtile, {%lower}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @in_upper(%memtile, {%upper}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @out_lower(%lower, {%memtile}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @out_upper(%upper, {%memtile}, 2 : i32) : !aie.objectfifo<memref<1024xi16>>
    aie.objectfifo @out(%memtile, {%shim}, 2 : i32) : !aie.objectfifo<memref<2048xi16>>
    aie.objectfifo.link [@in] -> [@in_lower, @in_upper] ([] [0, 1024])
    aie.objectfifo.link [@out_lower, @out_upper] -> [@out] ([0, 1024] [])

    %lower_core = aie.core(%lower) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %scale = arith.constant 3 : i32
      %offset = arith.constant 1 : i32
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in_lower(Consume, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        %out_view = aie.objectfifo.acquire @out_lower(Produce, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        func.call @affine_i16(%in_element, %out_element, %scale, %offset, %count) : (memref<1024xi16>, memref<1024xi16>, i32, i32, i32) -> ()
        aie.objectfifo.release @in_lower(Consume, 1)
        aie.objectfifo.release @out_lower(Produce, 1)
      }
      aie.end
    }

    %upper_core = aie.core(%upper) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      %scale = arith.constant -1 : i32
      %offset = arith.constant 7 : i32
      %count = arith.constant 1024 : i32
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in_upper(Consume, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        %out_view = aie.objectfifo.acquire @out_upper(Produce, 1) : !aie.objectfifosubview<memref<1024xi16>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<1024xi16>> -> memref<1024xi16>
        func.call @affine_i16(%in_element, %out_element, %scale, %offset, %count) : (memref<1024xi16>, memref<1024xi16>, i32, i32, i32) -> ()
        aie.objectfifo.release @in_upper(Consume, 1)
        aie.objectfifo.release @out_upper(Produce, 1)
      }
      aie.end
    }

    aie.runtime_sequence @sequence(%a : memref<65536xi16>, %b : memref<65536xi16>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 65536][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<65536xi16>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 65536][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<65536xi16>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
