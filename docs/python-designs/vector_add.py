"""The design `mlir/vector_add.mlir` on the placed level of spring 2026."""

import sys

import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.iron.controlflow import range_

length, chunk_length = 32768, 1024

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        chunk = np.ndarray[(chunk_length,), np.dtype[np.int32]]
        vector = np.ndarray[(length,), np.dtype[np.int32]]
        shim, worker = tile(0, 0), tile(0, 2)
        vector_add = external_func("vector_add", inputs=[chunk, chunk, chunk], link_with="vector_add.o")
        lhs, rhs = (object_fifo(name, shim, worker, 2, chunk) for name in ("lhs", "rhs"))
        total = object_fifo("sum", worker, shim, 2, chunk)

        @core(worker)
        def program():
            for _ in range_(sys.maxsize):
                x = lhs.acquire(ObjectFifoPort.Consume, 1)
                y = rhs.acquire(ObjectFifoPort.Consume, 1)
                z = total.acquire(ObjectFifoPort.Produce, 1)
                vector_add(x, y, z)
                lhs.release(ObjectFifoPort.Consume, 1)
                rhs.release(ObjectFifoPort.Consume, 1)
                total.release(ObjectFifoPort.Produce, 1)

        @runtime_sequence(vector, vector, vector)
        def sequence(a, b, c):
            for number, (fifo, data) in enumerate(((lhs, a), (rhs, b), (total, c))):
                npu_dma_memcpy_nd(metadata=fifo, bd_id=number, mem=data, sizes=[1, 1, 1, length])
            dma_wait(total)


assert ctx.module.operation.verify()
print(ctx.module)
