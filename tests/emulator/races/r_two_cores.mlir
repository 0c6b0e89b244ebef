module @r_two_cores {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %a = aie.tile(0, 2)
    %b = aie.tile(0, 3)
    func.func private @writer(memref<80xi8>, memref<80xi8>)
    func.func private @writer2(memref<80xi8>, memref<80xi8>)
    %shared = aie.buffer(%a) {sym_name = "shared"} : memref<80xi8>
    aie.objectfifo @in(%shim, {%a}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo @out(%b, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    %c = aie.core(%a) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 10 : index
      scf.for %i = %c0 to %n step %c1 {
        %iv = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<80xi8>>
        %ie = aie.objectfifo.subview.access %iv[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
        func.call @writer(%shared, %ie) : (memref<80xi8>, memref<80xi8>) -> ()
        aie.objectfifo.release @in(Consume, 1)
      }
      aie.end
    } {link_with = "writer.o"}
    %d = aie.core(%b) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 10 : index
      scf.for %i = %c0 to %n step %c1 {
        %ov = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<80xi8>>
        %oe = aie.objectfifo.subview.access %ov[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
        func.call @writer(%oe, %shared) : (memref<80xi8>, memref<80xi8>) -> ()
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {link_with = "writer.o"}
    aiex.runtime_sequence @sequence(%x : memref<800xi8>, %y : memref<800xi8>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 800][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 800][0, 0, 0, 1]) {id = 1 : i64, metadata = @out} : memref<800xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
