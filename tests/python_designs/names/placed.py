"""Names of `aie.dialects.aie`."""

# generations: 2025-10 2026-02 2026-08

import sys

import numpy as np
from _sections import print_sections, section
from aie.dialects.aie import *
from aie.helpers.dialects.scf import _for as range_

LINE = np.ndarray[(16,), np.dtype[np.int32]]
PIXELS = np.ndarray[(4, 8), np.dtype[np.uint8]]


@section("tile", "TileOp", "is_core_tile", "is_mem_tile", "is_shim_tile")
def _(core_tile, mem_tile, shim):
    assert [t.is_core_tile() for t in (core_tile, mem_tile, shim)] == [True, False, False]
    assert [t.is_mem_tile() for t in (core_tile, mem_tile, shim)] == [False, True, False]
    assert [t.is_shim_tile() for t in (core_tile, mem_tile, shim)] == [False, False, True]
    tile(1, 3, allocation_scheme="basic-sequential")


@section("get_target_model", "AIEDevice")
def _():
    model = get_target_model(AIEDevice.npu2)
    assert (model.columns(), model.rows()) == (8, 6)
    assert model.is_mem_tile(0, 1) and model.is_core_tile(0, 2) and model.is_shim_noc_tile(0, 0)


@section("core", "Core", "EndOp", "end")
def _(core_tile, other):
    @core(core_tile, stack_size=2048)
    def body():
        pass

    @core(other, dynamic_objfifo_lowering=True)
    def body():
        for _ in range_(sys.maxsize):
            pass


@section("external_func", "call")
def _(core_tile):
    scale = external_func("scale", inputs=[LINE, LINE, np.int32, np.float32])
    line = buffer(core_tile, LINE, "line")

    @core(core_tile)
    def body():
        scale(line, line, 3, 0.5)
        call(scale, [line, line, -1, 2.0])


@section("buffer", "BufferOp", "external_buffer")
def _(core_tile):
    plain = buffer(core_tile, LINE, "plain")
    buffer(core_tile, PIXELS, "pixels", address=1024, mem_bank=1)
    buffer(core_tile, LINE, "given", initial_value=np.arange(16, dtype=np.int32))
    buffer(core_tile, LINE, "same", initial_value=np.full(16, -1, dtype=np.int32))
    buffer(core_tile, LINE)
    external_buffer(LINE, name="host")
    assert (plain.shape, plain.get_name(), str(plain.dtype)) == ([16], "plain", "i32")


@section("lock", "LockOp", "use_lock", "acquire", "release", "LockAction")
def _(core_tile):
    first = lock(core_tile, lock_id=3, init=1, sym_name="first")
    second = lock(core_tile)

    @core(core_tile)
    def body():
        use_lock(first, LockAction.AcquireGreaterEqual, value=1)
        use_lock(second, LockAction.Release)
        acquire(first, acq_val=2)
        release(second, rel_val=2)


@section("object_fifo", "ObjectFifoPort", "allocate")
def _(core_tile, other, mem_tile, shim):
    one = object_fifo("one", shim, core_tile, 2, LINE)
    several = object_fifo(
        "several", shim, [core_tile, other], [2, 3, 4], LINE, dimensionsToStream=[(4, 4), (4, 1)]
    )
    object_fifo(
        "shaped", mem_tile, [other], 2, PIXELS, dimensionsFromStreamPerConsumer=[[(8, 4), (4, 1)]],
        padDimensions=[(0, 1), (2, 0)],
    )  # fmt: skip
    object_fifo("filled", mem_tile, other, 2, LINE, initValues=[np.arange(16, dtype=np.int32)] * 2)
    object_fifo("direct", core_tile, other, 1, LINE, via_DMA=True, disable_synchronization=True)
    several.allocate(other)

    @core(core_tile)
    def body():
        element = one.acquire(ObjectFifoPort.Consume, 1)
        element[0] = 1
        first, second = several.acquire(ObjectFifoPort.Consume, 2)
        second[3] = first[2]
        one.release(ObjectFifoPort.Consume, 1)
        several.release(ObjectFifoPort.Consume, 2)


@section("object_fifo_link", "set_repeat_count")
def _(core_tile, other, mem_tile, shim):
    given = object_fifo("given", shim, mem_tile, 2, LINE)
    half = np.ndarray[(8,), np.dtype[np.int32]]
    parts = [object_fifo(f"part{i}", mem_tile, t, 2, half) for i, t in enumerate((core_tile, other))]
    object_fifo_link(given, parts, [], [0, 8])
    back = object_fifo("back", core_tile, mem_tile, 2, LINE)
    out = object_fifo("out", mem_tile, shim, 2, LINE)
    object_fifo_link("back", "out")
    out.set_repeat_count(3)
    assert back.sym_name.value == "back"


@section("flow", "packetflow", "cascade_flow", "WireBundle")
def _(core_tile, other, mem_tile, shim):
    flow(shim, WireBundle.DMA, 0, core_tile, WireBundle.DMA, 1)
    flow(shim, dest=mem_tile)
    packetflow(2, core_tile, WireBundle.Trace, 0, {"dest": shim, "port": WireBundle.DMA, "channel": 1}, True)
    targets = [{"dest": t, "port": WireBundle.DMA, "channel": 0} for t in (core_tile, other)]
    packetflow(3, shim, WireBundle.DMA, 1, targets)
    cascade_flow(core_tile, other)


@section("switchbox", "shim_mux", "connect")
def _(core_tile, shim):
    @switchbox(core_tile)
    def body():
        connect(WireBundle.South, 0, WireBundle.DMA, 0)

    @shim_mux(shim)
    def body():
        connect(WireBundle.DMA, 0, WireBundle.North, 3)


@section("mem", "dma_start", "dma_bd", "next_bd", "DMAChannelDir")
def _(core_tile):
    line = buffer(core_tile, LINE, "line")
    free, full = lock(core_tile, init=1), lock(core_tile, init=0)

    @mem(core_tile)
    def body(block):
        dma_start(DMAChannelDir.S2MM, 0, dest=block[1], chain=block[3])
        with block[1]:
            use_lock(free, LockAction.AcquireGreaterEqual, value=1)
            dma_bd(line, offset=4, len=8)
            use_lock(full, LockAction.Release, value=1)
            next_bd(block[2])
        with block[2]:
            dma_bd(line)
            next_bd(block[1])
        with block[3]:
            EndOp()


@section("memtile_dma", "shim_dma", "bd_dim_layout")
def _(mem_tile, shim):
    line = buffer(mem_tile, LINE, "line")

    @memtile_dma(mem_tile)
    def body(block):
        dma_start(DMAChannelDir.MM2S, 5, dest=block[1], chain=block[2], repeat_count=3)
        with block[1]:
            dma_bd(line, offset=0, len=16, dimensions=[bd_dim_layout(4, 1), (4, 4)])
            next_bd(block[1])
        with block[2]:
            EndOp()

    host = external_buffer(LINE, "host")

    @shim_dma(shim)
    def body(block):
        dma_start(DMAChannelDir.MM2S, 0, dest=block[1], chain=block[2])
        with block[1]:
            dma_bd(host)
            EndOp()
        with block[2]:
            EndOp()


@section("dma", "another_bd")
def _(mem_tile):
    line = buffer(mem_tile, LINE, "line")

    @mem(mem_tile) if False else memtile_dma(mem_tile)
    def body():
        @dma(DMAChannelDir.S2MM, 0, num_blocks=2, loop=False)
        def first():
            dma_bd(line)

        @another_bd(first)
        def second():
            dma_bd(line, offset=8, len=8)


@section("bd_chain")
def _():
    @bd_chain(LINE)
    def chain(bd, given):
        with bd[0]:
            dma_bd(given, len=8)
            next_bd(bd[1])
        with bd[1]:
            dma_bd(given, offset=8, len=8)
            EndOp()


@section(
    "ObjectFifoType",
    "ObjectFifoSubviewType",
    "objectfifo_acquire",
    "objectfifo_subview_access",
    "objectfifo_release",
)
def _(core_tile, shim):
    from aie.helpers.util import np_ndarray_type_to_memref_type

    element = np_ndarray_type_to_memref_type(LINE)
    object_fifo("of", shim, core_tile, 2, LINE)
    assert str(ObjectFifoType.get(element)) == "!aie.objectfifo<memref<16xi32>>"

    @core(core_tile)
    def body():
        subview = objectfifo_acquire(ObjectFifoSubviewType.get(element), ObjectFifoPort.Consume, "of", 1)
        objectfifo_subview_access(element, subview, 0)
        objectfifo_release(ObjectFifoPort.Consume, "of", 1)


print_sections()
