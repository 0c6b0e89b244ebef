"""Adds a constant to numbers on the NPU: the design, its host program and its check in one file."""

import sys

import aie.iron as iron
import numpy as np
from aie.iron import CompileTime, In, ObjectFifo, Out, Program, Runtime, Worker
from aie.iron.controlflow import range_


@iron.jit
def add(
    a: In, b: Out, *, constant: CompileTime[int], elements: CompileTime[int], tile: CompileTime[int] = 64
):
    whole_type = np.ndarray[(elements,), np.dtype[np.int32]]
    tile_type = np.ndarray[(tile,), np.dtype[np.int32]]
    source = ObjectFifo(tile_type, name="source")
    target = ObjectFifo(tile_type, name="target")

    def core(source, target):
        for _ in range_(elements // tile):
            taken = source.acquire(1)
            given = target.acquire(1)
            for i in range_(tile):
                given[i] = taken[i] + constant
            source.release(1)
            target.release(1)

    worker = Worker(core, fn_args=[source.cons(), target.prod()])

    def sequence(a, b, source, target):
        source.fill(a)
        target.drain(b, wait=True)

    runtime = Runtime(sequence, [whole_type, whole_type, source.prod(), target.cons()])
    return Program(iron.get_current_device(), runtime, workers=[worker]).resolve_program()


def main():
    elements = 1024
    a = iron.arange(elements, dtype=np.int32, device="npu")
    b = iron.zeros(elements, dtype=np.int32, device="npu")
    add(a, b, constant=7, elements=elements)
    wrong = int(np.count_nonzero(b.numpy() != a.numpy() + 7))
    print("PASS!" if not wrong else f"FAIL: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
