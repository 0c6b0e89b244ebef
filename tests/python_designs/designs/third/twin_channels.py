"""Routing by hand: flows, locks and a DMA program around a core that works in place."""

# generations: 2026-08

import aie.iron as iron
import numpy as np
from aie.dialects.aie import AIETileType, DMAChannelDir
from aie.dialects.aiex import dma_await_task, dma_start_task, shim_dma_single_bd_task
from aie.iron import (
    Acquire,
    Bd,
    Buffer,
    DmaChannel,
    Flow,
    In,
    Lock,
    Out,
    Program,
    Release,
    Runtime,
    TileDma,
    Worker,
)
from aie.iron.controlflow import range_
from aie.iron.device import Tile


@iron.jit
def bounce(a: In, b: Out):
    chunk = np.ndarray[(16,), np.dtype[np.int32]]
    place = Tile(0, 2, tile_type=AIETileType.CoreTile)
    shim = Tile(0, 0, tile_type=AIETileType.ShimNOCTile)
    data = Buffer(chunk, name="data", tile=place)
    free, full, done = (Lock(place, init=i, name=n) for i, n in ((1, "free"), (0, "full"), (0, "done")))

    def core(data, full, done):
        full.acquire()
        for i in range_(16):
            data[i] = data[i] + 1
        done.release()

    worker = Worker(core, [data, full, done], tile=place)
    program = TileDma(
        place,
        [
            DmaChannel(DMAChannelDir.S2MM, 0, [Bd(data, acquires=[Acquire(free)], releases=[Release(full)])]),
            DmaChannel(
                DMAChannelDir.MM2S,
                0,
                [Bd(data, acquires=[Acquire(done)], releases=[Release(free)], packet=(0, 3))],
            ),
        ],
    )

    def sequence(a, b):
        send = shim_dma_single_bd_task("send", a.op, sizes=[1, 1, 1, 16])
        receive = shim_dma_single_bd_task("receive", b.op, sizes=[1, 1, 1, 16], issue_token=True)
        dma_start_task(send, receive)
        dma_await_task(receive)

    rt = Runtime(sequence, [chunk, chunk])
    rt.add_flow(Flow(shim, place, shim_symbol="send"))
    rt.add_flow(Flow(place, shim, shim_symbol="receive"))
    rt.add_lock(free)
    rt.add_lock(full)
    rt.add_lock(done)
    rt.add_tile_dma(program)
    return Program(iron.get_current_device(), rt, workers=[worker]).resolve_program()


bounce(iron.arange(16, dtype=np.int32), iron.zeros(16, dtype=np.int32))
