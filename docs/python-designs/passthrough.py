"""The design `mlir/passthrough.mlir` on the placed level of autumn 2025."""

import sys

import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.helpers.dialects.ext.scf import _for as range_

bytes_in_all = int(sys.argv[1]) if len(sys.argv) > 1 else 262144
bytes_at_once = 4096

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        chunk = np.ndarray[(bytes_at_once,), np.dtype[np.int8]]
        vector = np.ndarray[(bytes_in_all,), np.dtype[np.int8]]
        shim, worker = tile(0, 0), tile(0, 2)
        passthrough = external_func("passthrough", inputs=[chunk, chunk, np.int32])
        given = object_fifo("in", shim, worker, 2, chunk)
        result = object_fifo("out", worker, shim, 2, chunk)

        @core(worker, "passthrough.o")
        def program():
            for _ in range_(sys.maxsize):
                source = given.acquire(ObjectFifoPort.Consume, 1)
                target = result.acquire(ObjectFifoPort.Produce, 1)
                call(passthrough, [source, target, bytes_at_once])
                given.release(ObjectFifoPort.Consume, 1)
                result.release(ObjectFifoPort.Produce, 1)

        @runtime_sequence(vector, vector)
        def sequence(a, b):
            npu_dma_memcpy_nd(metadata=given, bd_id=0, mem=a, sizes=[1, 1, 1, bytes_in_all])
            npu_dma_memcpy_nd(metadata=result, bd_id=1, mem=b, sizes=[1, 1, 1, bytes_in_all])
            dma_wait(result)


assert ctx.module.operation.verify()
print(ctx.module)
