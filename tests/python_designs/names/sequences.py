"""Names of `aie.dialects.aiex`: what a runtime sequence is made of."""

# generations: 2025-10 2026-02 2026-08

import numpy as np
from _sections import print_sections, section
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.helpers.taplib import TensorAccessPattern

LINE = np.ndarray[(16,), np.dtype[np.int32]]
DATA = np.ndarray[(64,), np.dtype[np.int32]]


def fifos(core_tile, shim):
    object_fifo("given", shim, core_tile, 2, LINE)
    return object_fifo("taken", core_tile, shim, 2, LINE)


@section("runtime_sequence")
def _():
    @runtime_sequence(DATA, DATA, np.ndarray[(2, 4), np.dtype[np.int8]])
    def sequence(a, b, c):
        pass


@section("npu_dma_memcpy_nd", "dma_wait", "npu_dma_wait")
def _(core_tile, shim):
    taken = fifos(core_tile, shim)

    @runtime_sequence(DATA, DATA)
    def sequence(a, b):
        npu_dma_memcpy_nd(metadata="given", bd_id=1, mem=a, sizes=[1, 1, 1, 64], issue_token=True)
        npu_dma_memcpy_nd(
            metadata=taken, bd_id=0, mem=b, offsets=[0, 0, 0, 8], sizes=[1, 2, 4, 8], strides=[0, 8, 16, 1]
        )
        tap = TensorAccessPattern((4, 16), 16, [1, 1, 2, 16], [0, 0, 16, 1])
        npu_dma_memcpy_nd("given", bd_id=2, mem=a, tap=tap, burst_length=64)
        dma_wait("given", taken)
        npu_dma_wait("taken")


@section("shim_dma_single_bd_task", "dma_start_task", "dma_await_task", "dma_free_task")
def _(core_tile, shim):
    taken = fifos(core_tile, shim)

    @runtime_sequence(DATA, DATA)
    def sequence(a, b):
        first = shim_dma_single_bd_task("given", a, sizes=[1, 1, 1, 64])
        second = shim_dma_single_bd_task(
            taken, b, offset=8, sizes=[3, 1, 2, 8], strides=[16, 0, 8, 1], issue_token=True
        )
        dma_start_task(first, second)
        dma_await_task(second)
        dma_free_task(first)
        tap = TensorAccessPattern((4, 16), 0, [1, 2, 2, 8], [0, 16, 8, 1])
        dma_start_task(shim_dma_single_bd_task("given", a, tap=tap))


@section("dma_configure_task", "dma_configure_task_for", "shim_dma_bd", "bds")
def _(core_tile, shim):
    fifos(core_tile, shim)

    @runtime_sequence(DATA)
    def sequence(a):
        task = dma_configure_task_for("given", issue_token=True, repeat_count=2)
        with bds(task) as bd, bd[0]:
            shim_dma_bd(a, sizes=[1, 1, 4, 8], strides=[0, 0, 16, 1])
            EndOp()
        other = dma_configure_task(shim, DMAChannelDir.MM2S, 1)
        with bds(other) as bd:
            with bd[0]:
                dma_bd(a, offset=0, len=8)
                next_bd(bd[1])
            with bd[1]:
                dma_bd(a, offset=8, len=8)
                EndOp()
        dma_start_task(task, other)


@section("dma_start_bd_chain", "dma_start_bd_chain_for")
def _(core_tile, shim):
    fifos(core_tile, shim)

    @bd_chain(DATA)
    def chain(bd, given):
        with bd[0]:
            dma_bd(given, len=8)
            EndOp()

    @runtime_sequence(DATA)
    def sequence(a):
        dma_await_task(dma_start_bd_chain("chain", [a], shim, DMAChannelDir.MM2S, 0, issue_token=True))
        dma_await_task(dma_start_bd_chain_for("chain", [a], "given", issue_token=True))


@section("npu_write32", "npu_maskwrite32", "npu_sync", "npu_address_patch", "npu_push_queue")
def _():
    @runtime_sequence(DATA)
    def sequence(a):
        npu_write32(column=0, row=2, address=0x32000, value=1)
        npu_maskwrite32(column=0, row=2, address=0x32000, value=2, mask=3)
        npu_address_patch(addr=0x1D004, arg_idx=0, arg_plus=4)
        npu_push_queue(0, 0, DMAChannelDir.MM2S, 0, True, 0, 1)
        npu_sync(column=0, row=0, direction=0, channel=0)
        npu_sync(0, 0, 1, 1, 1, 1)


@section("npu_writebd", "npu_rtp_write", "NpuWriteRTPOp", "set_lock")
def _(core_tile):
    buffer(core_tile, LINE, "parameters")
    gate = lock(core_tile, sym_name="gate")

    @runtime_sequence(DATA)
    def sequence(a):
        npu_rtp_write("parameters", 2, 17)
        NpuWriteRTPOp("parameters", index=0, value=-1)
        set_lock(gate, 1)
        npu_writebd(
            bd_id=3, buffer_length=64, buffer_offset=0, column=0, row=0, d0_size=0, d0_stride=0, d0_zero_after=0,
            d0_zero_before=0, d1_size=0, d1_stride=0, d1_zero_after=0, d1_zero_before=0, d2_size=0, d2_stride=0,
            d2_zero_after=0, d2_zero_before=0, enable_packet=0, iteration_current=0, iteration_size=0,
            iteration_stride=0, lock_acq_enable=0, lock_acq_id=0, lock_acq_val=0, lock_rel_id=0, lock_rel_val=0,
            next_bd=0, out_of_order_id=0, packet_id=0, packet_type=0, use_next_bd=0, valid_bd=1, burst_length=64,
        )  # fmt: skip


print_sections()
