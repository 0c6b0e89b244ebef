module @r_overlap {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %mem = aie.tile(0, 1)
    aie.objectfifo @in(%shim, {%mem}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo @out(%mem, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo.link [@in] -> [@out]([] [])
    aie.objectfifo @in2(%shim, {%mem}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo @out2(%mem, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>
    aie.objectfifo.link [@in2] -> [@out2]([] [])
    aiex.runtime_sequence @sequence(%x : memref<800xi8>, %y : memref<800xi8>) {
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 400][0, 0, 0, 1]) {id = 1 : i64, metadata = @out, issue_token = true} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 320][1, 1, 1, 400][0, 0, 0, 1]) {id = 3 : i64, metadata = @out2, issue_token = true} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 400][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<800xi8>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 400][1, 1, 1, 400][0, 0, 0, 1]) {id = 2 : i64, metadata = @in2} : memref<800xi8>
      aiex.npu.dma_wait {symbol = @out}
      aiex.npu.dma_wait {symbol = @out2}
    }
  }
}
