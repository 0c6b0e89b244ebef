"""Cascades, run-time parameters, loops with steps, and a trace written as registers."""

# generations: 2025-10
import argparse
import sys

import aie.utils.trace as trace_utils
import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.extras.dialects.ext import memref
from aie.extras.dialects.ext.arith import constant
from aie.helpers.dialects.ext.scf import _for as range_
from aie.helpers.dialects.ext.scf import else_, if_
from aie.utils.trace import PortEvent
from aie.utils.trace_events_enum import CoreEvent
from ml_dtypes import bfloat16


def my(dev, size, trace_size):
    @device(dev)
    def dd():
        ty = np.ndarray[(size,), np.dtype[bfloat16]]
        sub = np.ndarray[(size // 4,), np.dtype[bfloat16]]
        k = external_func("k", inputs=[sub, sub, np.int32, np.float32])
        s0, s1, m, c0, c1 = tile(0, 0), tile(1, 0), tile(0, 1), tile(0, 2), tile(1, 3)
        a = object_fifo("a", s0, m, 2, ty)
        a0 = object_fifo("a0", m, c0, 2, sub)
        a1 = object_fifo("a1", m, c1, [2, 1], sub)
        object_fifo_link(a, [a0, a1], [], [0, size // 4])
        b0 = object_fifo("b0", c0, m, 2, sub)
        b1 = object_fifo("b1", c1, m, 2, sub)
        b = object_fifo("b", m, s1, 2, ty, dimensionsToStream=[(2, 2), (2, 1)])
        object_fifo_link([b0, b1], b, [0, size // 4], [])
        cascade_flow(c0, c1)
        tiles = [c0, c1, m, s0]
        rtp = buffer(c0, T.memref(16, T.i32()), "rtp", use_write_rtp=True)
        trace_utils.configure_packet_tracing_flow(tiles, s1)

        @core(c0, "k.o", stack_size=0xD00)
        def q():
            for _ in range_(0xFFFFFFFF):
                n = memref.load(rtp, [0])
                n2 = rtp[1]
                e = a0.acquire(ObjectFifoPort.Consume, 1)
                o = b0.acquire(ObjectFifoPort.Produce, 1)
                call(k, [e, o, 5, 1.5])
                with if_(n == n2) as op:
                    call(k, [o, e, n, 2.5])
                with else_(op):
                    call(k, [o, e, n2, 3])
                a0.release(ObjectFifoPort.Consume, 1)
                b0.release(ObjectFifoPort.Produce, 1)

        @core(c1, "k.o")
        def q1():
            cc = constant(3)
            for _ in range_(10):
                for _t in range_(2, 8, 3):
                    e = a1.acquire(ObjectFifoPort.Consume, 1)
                    o = b1.acquire(ObjectFifoPort.Produce, 1)
                    call(k, [e, o, cc, 0.0])
                    a1.release(ObjectFifoPort.Consume, 1)
                    b1.release(ObjectFifoPort.Produce, 1)

        @runtime_sequence(ty, ty)
        def sequence(A, B):
            if trace_size > 0:
                trace_utils.configure_packet_tracing_aie2(
                    tiles,
                    s1,
                    trace_size,
                    size * 2,
                    coretile_events=[
                        CoreEvent.INSTR_EVENT_0,
                        PortEvent(CoreEvent.PORT_RUNNING_0, 1, True),
                        PortEvent(CoreEvent.PORT_RUNNING_1, port_number=2, master=False),
                        CoreEvent.LOCK_STALL,
                    ],
                )
            NpuWriteRTPOp("rtp", 0, 5)
            npu_dma_memcpy_nd(metadata=b, bd_id=0, mem=B, sizes=[1, 1, 1, size])
            npu_dma_memcpy_nd(metadata=a, bd_id=1, mem=A, sizes=[1, 1, 1, size], issue_token=True)
            dma_wait(a, b)
            trace_utils.gen_trace_done_aie2(s1)


p = argparse.ArgumentParser()
p.add_argument("-t", "--trace_size", type=int, default=8192)
p.add_argument("-d", "--dev", choices=["npu", "npu2"], default="npu")
o = p.parse_args(sys.argv[1:])
with mlir_mod_ctx() as ctx:
    my(AIEDevice.npu1 if o.dev == "npu" else AIEDevice.npu2, 1024, o.trace_size)
    res = ctx.module.operation.verify()
    if res:
        print(ctx.module)
    else:
        print(res)
