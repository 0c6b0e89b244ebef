"""The design `mlir/memtile_distribute_join.mlir`: one function makes the programs of both cores."""

import sys

import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.iron.controlflow import range_

length, half_length = 65536, 1024

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        vector, whole, half = (
            np.ndarray[(count,), np.dtype[np.int16]] for count in (length, 2 * half_length, half_length)
        )
        shim, memory, lower, upper = (tile(0, row) for row in range(4))
        affine = external_func(
            "affine_i16", inputs=[half, half, np.int32, np.int32, np.int32], link_with="affine_i16.o"
        )
        given = object_fifo("in", shim, memory, 2, whole)
        into = [object_fifo(f"in_{n}", memory, t, 2, half) for n, t in (("lower", lower), ("upper", upper))]
        out_of = [
            object_fifo(f"out_{n}", t, memory, 2, half) for n, t in (("lower", lower), ("upper", upper))
        ]
        result = object_fifo("out", memory, shim, 2, whole)
        object_fifo_link(given, into, [], [0, half_length])
        object_fifo_link(out_of, result, [0, half_length], [])

        for place, source, target, scale, offset in (
            (lower, into[0], out_of[0], 3, 1),
            (upper, into[1], out_of[1], -1, 7),
        ):

            @core(place)
            def program(source=source, target=target, scale=scale, offset=offset):
                for _ in range_(sys.maxsize):
                    x = source.acquire(ObjectFifoPort.Consume, 1)
                    y = target.acquire(ObjectFifoPort.Produce, 1)
                    affine(x, y, scale, offset, half_length)
                    source.release(ObjectFifoPort.Consume, 1)
                    target.release(ObjectFifoPort.Produce, 1)

        @runtime_sequence(vector, vector)
        def sequence(a, b):
            npu_dma_memcpy_nd(metadata=given, bd_id=0, mem=a, sizes=[1, 1, 1, length])
            npu_dma_memcpy_nd(metadata=result, bd_id=1, mem=b, sizes=[1, 1, 1, length])
            dma_wait(result)


assert ctx.module.operation.verify()
print(ctx.module)
