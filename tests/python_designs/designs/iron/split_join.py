"""Two workers share a memory tile's halves: split, join, forward, dims, parameter, barrier, groups."""

import numpy as np
from aie.helpers.taplib import TensorTiler2D
from aie.iron import Kernel, ObjectFifo, Program, Runtime, Worker, WorkerRuntimeBarrier
from aie.iron.controlflow import range_
from aie.iron.device import NPU1Col1, Tile


def placement():
    """A placer where the generation wants one: the interface differs between them."""
    from npuninja.python_designs.construct import generation

    if not generation.is_first():
        return []
    from aie.iron.placers import SequentialPlacer

    return [SequentialPlacer()]


vector = np.ndarray[(256,), np.dtype[np.int16]]
whole = np.ndarray[(64,), np.dtype[np.int16]]
half = np.ndarray[(32,), np.dtype[np.int16]]

given = ObjectFifo(whole, name="given")
halves = given.cons().split([0, 32], obj_types=[half, half], names=["left", "right"])
result = ObjectFifo(whole, name="result", dims_to_stream=[(8, 1), (8, 8)])
parts = result.prod().join([0, 32], obj_types=[half, half], names=["low", "high"])
finish = Kernel("finish", "finish.o", [half, half, np.int32])
barrier = WorkerRuntimeBarrier()


def core(source, target, finish, barrier):
    barrier.wait_for_value(1)
    x = source.acquire(1)
    y = target.acquire(1)
    for i in range_(0, 32, 2):
        y[i] = x[i] - 1
    finish(x, y, 32)
    source.release(1)
    target.release(1)


workers = [
    Worker(core, [a.cons(), b.prod(), finish, barrier], Tile(0, 2 + i), stack_size=0x600)
    for i, (a, b) in enumerate(zip(halves, parts))
]
taps = TensorTiler2D.simple_tiler((4, 64), (1, 64))

rt = Runtime()
with rt.sequence(vector, vector) as (a, b):
    rt.set_barrier(barrier, 1)
    rt.start(*workers)
    for tap in taps:
        group = rt.task_group()
        rt.fill(given.prod(), a, tap, task_group=group)
        rt.drain(result.cons(), b, tap, task_group=group, wait=True)
        rt.finish_task_group(group)

print(Program(NPU1Col1(), rt).resolve_program(*placement()))
