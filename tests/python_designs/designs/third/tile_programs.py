"""DMA programs of tiles, locks, flows with and without packets, given by objects."""

# generations: 2026-08
import aie.iron as iron
import numpy as np
from aie.dialects._aie_enum_gen import AIETileType, DMAChannelDir
from aie.iron import *
from aie.iron.controlflow import range_
from aie.iron.device import NPU2Col1, Tile

ty = np.ndarray[(64,), np.dtype[np.int32]]


@iron.jit
def d(a: In, b: Out):
    shim = Tile(0, 0, tile_type=AIETileType.ShimNOCTile)
    mt = Tile(0, 1, tile_type=AIETileType.MemTile)
    ct = Tile(0, 2, tile_type=AIETileType.CoreTile)
    b0 = Buffer(ty, name="ping", tile=ct)
    b1 = Buffer(ty, name="pong", tile=ct)
    mb = Buffer(ty, name="stage", tile=mt)
    free = Lock(ct, init=2, name="free")
    full = Lock(ct, init=0, name="full")
    mfree = Lock(mt, lock_id=3, init=1)
    mfull = Lock(mt, lock_id=4)

    def body(x, y, fr, fu):
        for _ in range_(4):
            fu.acquire(1)
            for i in range_(64):
                x[i] = x[i] + 1
            fr.release(1)
            fu.acquire_exact(1)
            fr.release()

    w = Worker(body, [b0, b1, free, full], tile=ct, while_true=False)
    d1 = TileDma(
        ct,
        [
            DmaChannel(
                DMAChannelDir.S2MM,
                0,
                [
                    Bd(b0, acquires=[Acquire(free)], releases=[Release(full)], next=1),
                    Bd(b1, acquires=[Acquire(free)], releases=[Release(full)], next=0),
                ],
            ),
            DmaChannel(
                DMAChannelDir.MM2S,
                1,
                [Bd(b0, offset=0, length=32, sizes=[4, 8], strides=[8, 1], packet=(0, 5))],
            ),
        ],
    )
    d2 = TileDma(
        mt,
        [
            DmaChannel(
                DMAChannelDir.S2MM, 0, [Bd(mb, acquires=[Acquire(mfree, 1)], releases=[Release(mfull, 1)])]
            ),
            DmaChannel(
                DMAChannelDir.MM2S,
                0,
                [Bd(mb, acquires=[Acquire(mfull)], releases=[Release(mfree)], iteration=BdIteration(4, 16))],
            ),
        ],
    )

    def seq(A, B):
        pass

    rt = Runtime(seq, [ty, ty])
    rt.add_flow(Flow(shim, mt, shim_symbol="inA"))
    rt.add_flow(Flow(mt, ct, dst_channel=0))
    rt.add_flow(
        PacketFlow(
            5,
            ct,
            shim,
            src_channel=1,
            shim_symbol="outA",
            extra_dsts=[PacketDest(mt, channel=1)],
            keep_pkt_header=True,
        )
    )
    for each in (free, full, mfree, mfull):
        rt.add_lock(each)
    rt.add_tile_dma(d1)
    rt.add_tile_dma(d2)
    return Program(NPU2Col1(), rt, workers=[w]).resolve_program()


print(d.as_mlir())
