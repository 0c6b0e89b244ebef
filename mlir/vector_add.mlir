// vector_add: two inputs, one output. Both inputs have a shim DMA channel of their own.
//
// Written in the syntax of 2026: `aie.runtime_sequence`, and the object file belongs to the function (`link_with` on
// func.func), not to the core.
module @vector_add {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @vector_add(memref<1024xi32>, memref<1024xi32>, memref<1024xi32>) attributes {link_with = "vector_add.o"}

    aie.objectfifo @lhs(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
    aie.objectfifo @rhs(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
    aie.objectfifo @sum(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {
        %lhs_view = aie.objectfifo.acquire @lhs(Consume, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %lhs_element = aie.objectfifo.subview.access %lhs_view[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        %rhs_view = aie.objectfifo.acquire @rhs(Consume, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %rhs_element = aie.objectfifo.subview.access %rhs_view[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        %sum_view = aie.objectfifo.acquire @sum(Produce, 1) : !aie.objectfifosubview<memref<1024xi32>>
        %sum_element = aie.objectfifo.subview.access %sum_view[0] : !aie.objectfifosubview<memref<1024xi32>> -> memref<1024xi32>
        func.call @vector_add(%lhs_element, %rhs_element, %sum_element) : (memref<1024xi32>, memref<1024xi32>, memref<1024xi32>) -> ()
        aie.objectfifo.release @lhs(Consume, 1)
        aie.objectfifo.release @rhs(Consume, 1)
        aie.objectfifo.release @sum(Produce, 1)
      }
      aie.end
    }

    aie.runtime_sequence @sequence(%a : memref<32768xi32>, %b : memref<32768xi32>, %c : memref<32768xi32>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 32768][0, 0, 0, 1]) {id = 0 : i64, metadata = @lhs} : memref<32768xi32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 32768][0, 0, 0, 1]) {id = 1 : i64, metadata = @rhs} : memref<32768xi32>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 0][1, 1, 1, 32768][0, 0, 0, 1]) {id = 2 : i64, metadata = @sum} : memref<32768xi32>
      aiex.npu.dma_wait {symbol = @sum}
    }
  }
}
