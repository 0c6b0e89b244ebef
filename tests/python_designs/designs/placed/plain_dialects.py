"""Casts, views and reductions of MLIR's plain dialects in a core."""

# generations: 2026-08

import aie.extras.types as T
import numpy as np
from aie.dialects import arith, memref, vector
from aie.dialects.aie import AIEDevice, ObjectFifoPort, buffer, core, device, object_fifo, tile
from aie.extras.context import mlir_mod_ctx
from aie.extras.dialects.arith import constant
from aie.ir import MemRefType, ShapedType, VectorType

LINE = np.ndarray[(16,), np.dtype[np.int32]]

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu2)
    def body():
        worker = tile(0, 2)
        given = object_fifo("given", tile(0, 0), worker, 2, LINE)
        kept = buffer(worker, LINE, "kept")

        @core(worker)
        def program():
            line = given.acquire(ObjectFifoPort.Consume, 1)
            memref.reinterpret_cast(MemRefType.get((4, 4), T.i32()), line, [], [], [], [0], [4, 4], [4, 1])
            memref.cast(MemRefType.get((ShapedType.get_dynamic_size(),), T.i32()), line)
            line[2:10][0] = 5
            four = vector.load(VectorType.get((4,), T.i32()), kept, [constant(0, index=True)])
            vector.reduction(T.i32(), vector.CombiningKind.ADD, arith.addi(four, four))
            arith.cmpf(arith.CmpFPredicate.OLT, constant(1.0), constant(2.0))

    print(ctx.module)
