module @r_use_after {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @reader(memref<80xi8>, memref<80xi8>)
    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %forever step %c1 {
        %iv = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<80xi8>>
        %ie = aie.objectfifo.subview.access %iv[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
        %ov = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<80xi8>>
        %oe = aie.objectfifo.subview.access %ov[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
        func.call @reader(%ie, %oe) : (memref<80xi8>, memref<80xi8>) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "reader.o"}
    aiex.runtime_sequence @sequence(%a : memref<800xi8>, %b : memref<800xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 800][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 800][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<800xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
