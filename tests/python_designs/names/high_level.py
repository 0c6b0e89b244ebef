"""Names of `aie.iron` of autumn 2025, spring 2026: objectFifos, workers, buffers, barriers, host programs."""

# generations: 2025-10 2026-02

import numpy as np
from _sections import print_sections, section
from aie.helpers.taplib import TensorAccessPattern, TensorTiler2D
from aie.iron import (
    Buffer,
    Kernel,
    ObjectFifo,
    Program,
    Runtime,
    Worker,
    WorkerRuntimeBarrier,
    dtype_to_str,
    str_to_dtype,
)
from aie.iron.controlflow import range_
from aie.iron.device import NPU1, NPU2, AnyMemTile, NPU1Col1, NPU1Col2, NPU2Col3, Tile
from aie.iron.placers import SequentialPlacer

LINE = np.ndarray[(16,), np.dtype[np.int32]]
DATA = np.ndarray[(64,), np.dtype[np.int32]]


def copy(given, made):
    source, target = given.acquire(1), made.acquire(1)
    for i in range_(16):
        target[i] = source[i]
    given.release(1)
    made.release(1)


def program(rt, device=None):
    return Program(device or NPU1Col1(), rt).resolve_program(SequentialPlacer())


def run(workers, given, made, kinds=(DATA, DATA), device=None):
    rt = Runtime()
    with rt.sequence(*kinds) as (a, b):
        rt.start(*workers)
        rt.fill(given.prod(), a)
        rt.drain(made.cons(), b, wait=True)
    return program(rt, device)


@section(
    "ObjectFifo", "prod", "cons", "acquire", "release", "Worker", "Runtime", "Program", "SequentialPlacer"
)
def _():
    given, made = ObjectFifo(LINE, name="given"), ObjectFifo(LINE, 3, "made")
    return run([Worker(copy, [given.cons(), made.prod()], stack_size=2048)], given, made)


@section("while_true", "Tile", "dims_to_stream", "depth")
def _():
    given = ObjectFifo(LINE, name="given", dims_from_stream_per_cons=[(4, 4), (4, 1)])
    made = ObjectFifo(LINE, name="made", dims_to_stream=[(4, 1), (4, 4)])
    worker = Worker(copy, [given.cons(4), made.prod(1)], placement=Tile(1, 4), while_true=False)
    return run([worker], given, made, device=NPU1())


@section("forward")
def _():
    given = ObjectFifo(LINE, name="given")
    return run([], given, given.cons().forward(name="made", depth=1), device=NPU2Col3())


@section("split", "join")
def _():
    given, made = ObjectFifo(DATA, name="given"), ObjectFifo(DATA, name="made")
    offsets = [0, 16, 32, 48]
    parts = given.cons().split(offsets, obj_types=[LINE] * 4, names=[f"in{i}" for i in range(4)])
    results = made.prod().join(offsets, obj_types=[LINE] * 4, placement=AnyMemTile)
    workers = [Worker(copy, [a.cons(), b.prod()]) for a, b in zip(parts, results)]
    return run(workers, given, made, device=NPU1Col2())


@section("Kernel", "Buffer", "initial_value")
def _():
    given, made = ObjectFifo(LINE, name="given"), ObjectFifo(LINE, name="made")
    scale = Kernel("scale", "scale.o", [LINE, LINE, LINE, np.int32])
    table = Buffer(LINE, name="table", initial_value=np.arange(16, dtype=np.int32))

    def body(given, made, table, scale):
        scale(given.acquire(1), made.acquire(1), table, 16)
        given.release(1)
        made.release(1)

    return run([Worker(body, [given.cons(), made.prod(), table, scale])], given, made)


@section(
    "WorkerRuntimeBarrier",
    "wait_for_value",
    "release_with_value",
    "set_barrier",
    "inline_ops",
    "use_write_rtp",
)
def _():
    given, made = ObjectFifo(LINE, name="given"), ObjectFifo(LINE, name="made")
    barrier = WorkerRuntimeBarrier()
    gain = Buffer(LINE, name="gain", use_write_rtp=True)

    def body(given, made, gain, barrier):
        barrier.wait_for_value(1)
        target = made.acquire(1)
        target[0] = given.acquire(1)[0] + gain[0]
        given.release(1)
        made.release(1)
        barrier.release_with_value(2)

    rt = Runtime()
    with rt.sequence(DATA, DATA) as (a, b):

        def write(buffer):
            buffer[0] = 5

        rt.inline_ops(write, [gain])
        rt.start(Worker(body, [given.cons(), made.prod(), gain, barrier]))
        rt.set_barrier(barrier, 1)
        rt.fill(given.prod(), a)
        rt.drain(made.cons(), b, wait=True)
    return program(rt)


@section("task_group", "finish_task_group", "TensorAccessPattern", "TensorTiler2D")
def _():
    given = ObjectFifo(LINE, name="given")
    made = given.cons().forward(name="made")
    rt = Runtime()
    with rt.sequence(DATA, DATA) as (a, b):
        for tap in TensorTiler2D.simple_tiler((8, 8), (4, 8)):
            group = rt.task_group()
            rt.fill(given.prod(), a, tap, task_group=group)
            rt.drain(
                made.cons(), b, TensorAccessPattern((8, 8), 0, [1, 1, 4, 8], [0, 0, 8, 1]), group, wait=True
            )
            rt.finish_task_group(group)
    return program(rt)


@section("core_fn", "str_to_dtype", "dtype_to_str", "NPU2")
def _():
    for name in ("i8", "i16", "i32", "bf16", "f32"):
        assert dtype_to_str(str_to_dtype(name)) == name
    assert [(d.cols, d.rows) for d in (NPU1(), NPU1Col2(), NPU2())] == [(4, 6), (2, 6), (8, 6)]
    given = ObjectFifo(LINE, name="given")
    made = given.cons().forward(name="made")
    return run([Worker(None)], given, made)


print_sections(whole_modules=True)
