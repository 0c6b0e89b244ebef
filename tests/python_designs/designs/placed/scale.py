"""A core that doubles a vector and hands it to a function in C."""

import sys

import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.iron.controlflow import range_

length = int(sys.argv[1]) if len(sys.argv) > 1 else 64
chunk = np.ndarray[(16,), np.dtype[np.int32]]
vector = np.ndarray[(length,), np.dtype[np.int32]]

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        finish = external_func("finish", inputs=[chunk, chunk, np.int32])
        shim, worker = tile(0, 0), tile(0, 2)
        given = object_fifo("given", shim, worker, 2, chunk)
        doubled = object_fifo("doubled", worker, shim, 2, chunk)

        @core(worker)
        def program():
            for _ in range_(sys.maxsize):
                x = given.acquire(ObjectFifoPort.Consume, 1)
                y = doubled.acquire(ObjectFifoPort.Produce, 1)
                for i in range_(16):
                    y[i] = x[i] * 2 + 1
                call(finish, [x, y, 3])
                given.release(ObjectFifoPort.Consume, 1)
                doubled.release(ObjectFifoPort.Produce, 1)

        @runtime_sequence(vector, vector)
        def sequence(a, b):
            npu_dma_memcpy_nd(metadata=given, bd_id=1, mem=a, sizes=[1, 1, 1, length])
            npu_dma_memcpy_nd(metadata=doubled, bd_id=0, mem=b, sizes=[1, 1, 1, length])
            dma_wait(doubled)


assert ctx.module.operation.verify()
print(ctx.module)
