"""A part of its own: a class with only `tiles` and `resolve` writes the routes of a worker by hand."""

# generations: 2026-08

import aie.iron as iron
import numpy as np
from aie.dialects.aie import EndOp, WireBundle, connect, switchbox
from aie.iron import In, ObjectFifo, Out, Program, Runtime, Worker
from aie.iron.controlflow import range_
from aie.iron.device import Tile

LINE = np.ndarray[(16,), np.dtype[np.int32]]
DATA = np.ndarray[(64,), np.dtype[np.int32]]


class Bridge:
    def __init__(self, place):
        self._place = place

    def tiles(self):
        return [self._place]

    def resolve(self, loc=None, ip=None):
        @switchbox(self._place.op)
        def body():
            connect(WireBundle.East, 0, WireBundle.West, 1)
            EndOp()


@iron.jit
def bridged(given: In, made: Out):
    source, target = ObjectFifo(LINE, name="source"), ObjectFifo(LINE, name="target")

    def copy(source, target, bridge):
        old, new = source.acquire(1), target.acquire(1)
        for i in range_(16):
            new[i] = old[i]
        source.release(1)
        target.release(1)

    worker = Worker(copy, [source.cons(), target.prod(), Bridge(Tile(3, 5))])

    def sequence(given, made, source, target):
        source.fill(given)
        target.drain(made, wait=True)

    runtime = Runtime(sequence, [DATA, DATA, source.prod(), target.cons()])
    return Program(iron.get_current_device(), runtime, workers=[worker]).resolve_program()


numbers = iron.arange(64, dtype=np.int32, device="npu")
bridged(numbers, iron.zeros(64, dtype=np.int32, device="npu"))
