"""Small designs with one mistake each; prints `name | exception | text` for each (see test_python_mistakes.py)."""

import numpy as np
from aie.dialects.aie import DMAChannelDir, LockAction, use_lock
from aie.iron import (
    Bd,
    Buffer,
    DmaChannel,
    Kernel,
    ObjectFifo,
    Program,
    Runtime,
    TaskGroup,
    TileDma,
    Worker,
    WorkerRuntimeBarrier,
)
from aie.iron.controlflow import range_
from aie.iron.device import NPU1Col1, Tile

TENSOR = np.ndarray[(64,), np.dtype[np.int32]]
LINE = np.ndarray[(16,), np.dtype[np.int32]]


def built(body, sequence=None, dma=None, kernel=None):
    given = ObjectFifo(LINE, name="given")
    worker = Worker(body, [given.cons(), *([kernel] if kernel else [])])

    def fill(tensor, handle):
        handle.fill(tensor)

    runtime = Runtime(sequence or fill, [TENSOR, given.prod()])
    if dma is not None:
        runtime.add_tile_dma(dma)
    return Program(NPU1Col1(), runtime, workers=[worker]).resolve_program()


def no_depth():
    ObjectFifo(LINE, depth=None).prod()


def two_subscripts():
    def body(given):
        given.acquire(1)[0, 0]

    built(body)


def fill_of_a_number():
    built(lambda given: None, lambda tensor, handle: handle.fill(5))


def fill_outside():
    ObjectFifo(LINE).prod().fill(3)


def barrier_of_no_worker():
    WorkerRuntimeBarrier().wait_for_value(1)


def operand_that_is_no_value():
    built(lambda given: use_lock(5, LockAction.Acquire))


def next_of_a_descriptor():
    DmaChannel(DMAChannelDir.S2MM, 0, [Bd(Buffer(LINE), next="next")])


def loop_variable_stored():
    def body(given):
        line = given.acquire(1)
        for i in range_(16):
            line[i] = i
        given.release(1)

    built(body)


def loop_left_by_break():
    def body(given):
        line = given.acquire(1)
        for i in range_(16):
            line[i] = 1
            break
        given.release(1)

    built(body)


def wrong_argument_of_a_kernel():
    built(lambda given, kernel: kernel(given.acquire(1)), kernel=Kernel("k", "k.o", [TENSOR]))


def descriptor_without_next():
    tile = Tile(0, 4, tile_type=Worker(None).tile.tile_type)
    buffer = Buffer(LINE, tile=tile)
    built(lambda given: None, dma=TileDma(tile, [DmaChannel(DMAChannelDir.S2MM, 0, [Bd(buffer, next=None)])]))


def finished_twice():
    def sequence(tensor, handle):
        group = TaskGroup()
        handle.fill(tensor, group=group)
        group.finish()
        group.finish()

    built(lambda given: None, sequence)


for name, mistake in list(globals().items()):
    if callable(mistake) and getattr(mistake, "__module__", "") == "__main__" and name not in ("built",):
        try:
            mistake()
        except Exception as error:
            print(f"{name} | {type(error).__name__} | {' '.join(str(error).split())}")
        else:
            print(f"{name} | nothing | ")
