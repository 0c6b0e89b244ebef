"""Small designs with one mistake each, and some that only look like one.

Prints `name | exception | text` for each (see test_python_mistakes.py).
"""

import importlib

import aie.iron as iron
import numpy as np
from aie.dialects.aie import (
    AIEDevice,
    DMAChannelDir,
    LockAction,
    device,
    generate_control_packets,
    object_fifo,
    tile,
    use_lock,
)
from aie.dialects.aiex import AttrBuilder, control_packet, npu_dma_memcpy_nd, runtime_sequence
from aie.extras.context import mlir_mod_ctx
from aie.helpers.taplib import TensorAccessPattern, TensorAccessSequence
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
    kernels,
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


def transfer_without_sizes():
    with mlir_mod_ctx() as ctx:

        @device(AIEDevice.npu1)
        def body():
            given = object_fifo("given", tile(0, 0), tile(0, 2), 2, LINE)

            @runtime_sequence(TENSOR)
            def sequence(tensor):
                npu_dma_memcpy_nd(metadata=given, bd_id=0, mem=tensor, burst_length=64)

        ctx.module.operation.verify()


def name_that_is_asked_for():
    assert not hasattr(iron, "Teleporter")
    assert getattr(iron, "Teleporter", 5) == 5


def filled_from_the_wrong_side():
    ObjectFifo(LINE).cons().fill(3)


def pinned_afterwards():
    fifo = ObjectFifo(LINE, name="line")
    fifo.prod()
    fifo.prod(channel=1)


def pinned_twice_alike():
    fifo = ObjectFifo(LINE)
    fifo.prod(channel=1, tile=Tile(0, 0))
    fifo.prod(channel=1, tile=Tile(0, 0))


def tiles_without_an_end():
    fifo = ObjectFifo(LINE)
    fifo.cons()
    fifo.tiles(cons_only=True)


def split_into_nothing():
    ObjectFifo(LINE).cons().split([])


def runtime_without_a_function():
    Runtime()


def name_as_a_subscript():
    built(lambda given: given.acquire(1)["a"])


def array_stored_in_an_element():
    def body(given):
        given.acquire(1)[0] = np.zeros(4, np.int32)

    built(body)


def endless_loop_over_a_buffer():
    built(lambda given: list(given.acquire(1)))


def parameter_without_a_type():
    Kernel("k", "k.o", [3]).arg_dtype(0)


def sequence_against_a_pattern():
    pattern = TensorAccessPattern((4, 4), 0, [1], [1])
    TensorAccessSequence.from_taps([pattern]).compare_access_orders(pattern)


def pattern_of_another_tensor():
    sequence = TensorAccessSequence.from_taps([TensorAccessPattern((4, 4), 0, [1], [1])])
    sequence.append(TensorAccessPattern((4, 5), 0, [1], [1]))


def kernel_of_another_width():
    kernels.threshold(dtype=np.float32)


def kernel_of_another_stride():
    kernels.bn_conv2dk3_dw(stride=3)


def random_numbers_without_a_shape():
    iron.rand()


def result_of_another_shape():
    iron.ones(4, dtype=np.int32, out=iron.zeros(5, dtype=np.int32))


def part_at_half_a_byte():
    iron.zeros(64, dtype=np.int32).subview(1.5, (4,))


def jitted_number():
    iron.jit(lambda: 5).as_mlir()


def module_that_is_missing():
    importlib.import_module("aie.teleporter")


def device_of_an_older_release():
    print(AIEDevice.npu1_4col)


def control_packets():
    with mlir_mod_ctx() as ctx:

        @device(AIEDevice.npu1)
        def body():
            shim = tile(0, 0)
            shim.attributes["controller_id"] = AttrBuilder.get("PacketInfoAttr")([2, 3])

            @runtime_sequence()
            def sequence():
                control_packet(address=0x1F000, opcode=0, stream_id=0, data=[2])
                control_packet(address=0x400, opcode=1, stream_id=2, length=4)

    raise ValueError([hex(word) for word in generate_control_packets(ctx.module.operation)])


for name, mistake in list(globals().items()):
    if callable(mistake) and getattr(mistake, "__module__", "") == "__main__" and name not in ("built",):
        try:
            mistake()
        except Exception as error:
            print(f"{name} | {type(error).__name__} | {' '.join(str(error).split())}")
        else:
            print(f"{name} | nothing | ")
