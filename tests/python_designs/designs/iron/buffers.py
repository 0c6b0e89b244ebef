"""Buffers with values, a parameter that the host writes, an array of parameters, a trace of a worker."""

import numpy as np
from aie.helpers.dialects.scf import else_, if_
from aie.iron import Buffer, ObjectFifo, Program, Runtime, Worker
from aie.iron.controlflow import range_
from aie.iron.device import NPU2Col1, Tile
from ml_dtypes import bfloat16

chunk = np.ndarray[(8, 4), np.dtype[bfloat16]]
vector = np.ndarray[(64,), np.dtype[bfloat16]]
table = Buffer(initial_value=np.arange(4, dtype=bfloat16), name="table")
count = Buffer(np.ndarray[(2,), np.dtype[np.int32]], name="count", use_write_rtp=True)
given, scaled = ObjectFifo(chunk, name="given"), ObjectFifo(chunk, depth=1, name="scaled")


def core(source, target, table, count):
    limit = count[0]
    for _ in range_(4):
        x = source.acquire(1)
        y = target.acquire(1)
        for i in range_(8):
            for j in range_(4):
                y[i, j] = x[i, j] * table[j] + 1.5
                with if_(limit > 1) as branch:
                    y[i, j] = 0.5
                with else_(branch):
                    y[i, j] = x[i, j]
        source.release(1)
        target.release(1)


worker = Worker(core, [given.cons(), scaled.prod(), table, count], Tile(0, 3), while_true=False, trace=1)
rt = Runtime()
with rt.sequence(vector, vector) as (a, b):
    rt.enable_trace(8192)
    rt.inline_ops(lambda buffer: buffer.__setitem__(0, 2), [count])
    rt.start(worker)
    rt.fill(given.prod(), a, placement=Tile(0, 0))
    rt.drain(scaled.cons(), b, wait=True, placement=Tile(0, 0))

print(Program(NPU2Col1(), rt).resolve_program())
