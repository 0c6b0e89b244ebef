"""A ready kernel, whose source is looked for only when it is compiled."""

# generations: 2026-08

import aie.iron as iron
import numpy as np
from aie.iron import In, ObjectFifo, Out, Program, Runtime, Worker, kernels


@iron.jit
def largest(a: In, b: Out):
    whole, one = np.ndarray[(1024,), np.dtype[np.int32]], np.ndarray[(1,), np.dtype[np.int32]]
    given, found = ObjectFifo(whole, name="given"), ObjectFifo(one, name="found")

    def core(source, result, kernel):
        out = result.acquire(1)
        kernel(source.acquire(1), out, 1024)
        source.release(1)
        result.release(1)

    worker = Worker(core, [given.cons(), found.prod(), kernels.reduce_max()], trace=1)

    def sequence(a, b, fill, drain):
        fill.fill(a)
        drain.drain(b, wait=True)

    rt = Runtime(sequence, [whole, one, given.prod(), found.cons()])
    program = Program(iron.get_current_device(), rt, workers=[worker])
    program.enable_trace(4096)
    return program.resolve_program()


largest(iron.zeros(1024, dtype=np.int32), iron.zeros(1, dtype=np.int32))
