"""A design under `@iron.jit`: the first call compiles it, each call runs it, here on the emulated NPU.

npuninja python docs/python-designs/increment.py            runs and checks it
npuninja python docs/python-designs/increment.py --print    prints the module that the first call compiles
"""

import aie.iron as iron
import numpy as np
from aie.iron import CompileTime, In, ObjectFifo, Out, Program, Runtime, Worker
from aie.iron.controlflow import range_
from aie.utils.verify import assert_pass


@iron.jit
def increment(a: In, b: Out, *, length: CompileTime[int], by: CompileTime[int] = 1):
    vector, chunk = (np.ndarray[(n,), np.dtype[np.int32]] for n in (length, 16))
    given, result = ObjectFifo(chunk, name="given"), ObjectFifo(chunk, name="result")

    def core(source, target):
        x, y = source.acquire(1), target.acquire(1)
        for i in range_(16):
            y[i] = x[i] + by
        source.release(1)
        target.release(1)

    worker = Worker(core, [given.cons(), result.prod()])

    def sequence(a, b, fill, drain):
        fill.fill(a)
        drain.drain(b, wait=True)

    rt = Runtime(sequence, [vector, vector, given.prod(), result.cons()])
    return Program(iron.get_current_device(), rt, workers=[worker]).resolve_program()


a = iron.arange(256, dtype=np.int32)
b = iron.zeros_like(a)
increment(a, b, length=256, by=3)
assert_pass(b.numpy(), a.numpy() + 3)
