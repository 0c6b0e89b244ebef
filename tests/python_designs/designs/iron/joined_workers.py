"""Joins with a depth for each part, local and shared buffers, a barrier and two kinds of transfers."""

# generations: 2025-10
import numpy as np
from aie.helpers.taplib import TensorAccessPattern, TensorTiler2D
from aie.iron import (
    GlobalBuffer,
    Kernel,
    LocalBuffer,
    ObjectFifo,
    Program,
    Runtime,
    Worker,
    WorkerRuntimeBarrier,
)
from aie.iron.controlflow import range_
from aie.iron.device import NPU1, AnyComputeTile, Tile
from aie.iron.placers import SequentialPlacer

n = 1024
V = np.ndarray[(n,), np.dtype[np.uint8]]
L = np.ndarray[(n // 16,), np.dtype[np.uint8]]
W = 4
k = Kernel("conv", "conv.cc.o", [L, L, np.int32, np.int32])
fi = ObjectFifo(L, name="in_", depth=3)
sk = fi.cons(2).forward(depth=4, name="skip")
fo = ObjectFifo(np.ndarray[(W * n // 16,), np.dtype[np.uint8]], name="out")
parts = fo.prod().join(
    [i * n // 16 for i in range(W)], obj_types=[L] * W, names=[f"p{i}" for i in range(W)], depths=[1, 2, 2, 2]
)
bars = WorkerRuntimeBarrier()
gb = GlobalBuffer(initial_value=np.arange(9, dtype=np.int16), name="filter")
rtp = GlobalBuffer(np.ndarray[(8,), np.dtype[np.int32]], name="rtp", use_write_rtp=True)


def first(i, o, kk, g, r, b):
    loc = LocalBuffer(L)
    b.wait_for_value(1)
    g[3]
    x = i.acquire(2)
    y = o.acquire(1)
    kk(x[0], y, r[0], 3)
    kk(x[1], loc, n // 16, 3)
    i.release(2)
    o.release(1)


def other(i, o):
    LocalBuffer(initial_value=np.zeros(4, dtype=np.int32))
    for _ in range_(3):
        x = i.acquire(1)
        y = o.acquire(1)
        for t in range_(n // 16):
            y[t] = x[t]
        i.release(1)
        o.release(1)


ws = [Worker(first, [fi.cons(), parts[0].prod(), k, gb, rtp, bars], stack_size=0x800, while_true=False)]
for i in range(1, W):
    ws.append(Worker(other, [sk.cons(), parts[i].prod()], placement=Tile(0, 5) if i == 3 else AnyComputeTile))
rt = Runtime()
with rt.sequence(V, V) as (a, b):

    def setr(r):
        r[0] = 4
        r[7] = -1

    rt.inline_ops(setr, [rtp])
    rt.set_barrier(bars, 1)
    rt.start(*ws)
    for t in TensorTiler2D.simple_tiler((16, n // 16), (4, n // 16)):
        tg = rt.task_group()
        rt.fill(fi.prod(), a, t, task_group=tg)
        rt.drain(fo.cons(), b, t, wait=True, task_group=tg)
        rt.finish_task_group(tg)
    rt.fill(fi.prod(), a)
    rt.drain(fo.cons(), b, TensorAccessPattern((1, n), 0, [1, 1, 1, n], [0, 0, 0, 1]), wait=True)
prog = Program(NPU1(), rt)
print(prog.resolve_program(SequentialPlacer()))
