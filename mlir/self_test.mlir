// self_test: the core reads 800 bytes and answers with the bytes 0 to 79.
// If the host sees anything else, the core did not run the kernel, whatever the device reports.
module @self_test {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @self_test(memref<800xi8>, memref<80xi8>)

    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<800xi8>>
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {
        %in_view = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<800xi8>>
        %in_element = aie.objectfifo.subview.access %in_view[0] : !aie.objectfifosubview<memref<800xi8>> -> memref<800xi8>
        %out_view = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<80xi8>>
        %out_element = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
        func.call @self_test(%in_element, %out_element) : (memref<800xi8>, memref<80xi8>) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "self_test.o"}

    aiex.runtime_sequence @sequence(%a : memref<800xi8>, %b : memref<80xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 800][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 80][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<80xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
