"""A gain set by the host, after a barrier: parameters, a buffer of the host, task groups, places."""

# generations: 2026-08

import aie.iron as iron
import numpy as np
from aie.iron import (
    Buffer,
    CompileTime,
    In,
    ObjectFifo,
    Out,
    Program,
    Runtime,
    ScratchpadParameter,
    TaskGroup,
    Worker,
    WorkerRuntimeBarrier,
    sync_parameters,
)
from aie.iron.controlflow import range_
from aie.iron.device import Tile


@iron.jit
def amplify(a: In, b: Out, *, length: CompileTime[int] = 64):
    vector, chunk = (np.ndarray[(n,), np.dtype[np.int32]] for n in (length, 16))
    given, amplified = ObjectFifo(chunk, name="given"), ObjectFifo(chunk, name="amplified", depth=1)
    gain, barrier = ScratchpadParameter("gain", np.int32), WorkerRuntimeBarrier()
    settings = Buffer(np.ndarray[(4,), np.dtype[np.int32]], name="settings", use_write_rtp=True)

    def core(source, result, parameter, barrier, settings):
        barrier.wait_for_value(1)
        factor = parameter.read()
        x = source.acquire(1)
        y = result.acquire(1)
        for i in range_(16):
            y[i] = x[i] * factor
        source.release(1)
        result.release(1)

    worker = Worker(
        core,
        [given.cons(), amplified.prod(), gain, barrier, settings],
        tile=Tile(0, 2),
        stack_size=2048,
        while_true=False,
    )

    def sequence(a, b, fill, drain, settings):
        settings[0] = 7
        sync_parameters()
        barrier.set(1)
        group = TaskGroup()
        fill.fill(a, group=group)
        drain.drain(b, wait=True, group=group)
        group.finish()

    rt = Runtime(sequence, [vector, vector, given.prod(tile=Tile(0, 0)), amplified.cons(), settings])
    return Program(iron.get_current_device(), rt, workers=[worker]).resolve_program()


amplify(iron.arange(64, dtype=np.int32), iron.zeros(64, dtype=np.int32))
