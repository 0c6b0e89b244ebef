"""What a shim does for traces and control packets: flows to it, its buffer descriptors, and their start."""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.arch.registers import (
    CHANNEL_CONTROLLER_ID_MASK,
    CHANNEL_CONTROLLER_ID_SHIFT,
    DIRECTIONS,
    DMA,
    QUEUE_TOKEN_SHIFT,
    bd_offset,
    channel_control,
    channel_queue,
    tile_address,
)
from npuninja.python_designs.construct.operations import build
from npuninja.python_designs.dialects.aie_streams import packetflow
from npuninja.python_designs.dialects.aiex import npu_address_patch, npu_maskwrite32, npu_sync, npu_write32
from npuninja.python_designs.tracing.events import PacketType

S2MM, MM2S = 0, 1
_BY_NUMBER = tuple(DIRECTIONS)  # the names
#: The controller id that the bindings give a channel, for its tokens.
_CONTROLLER_ID = 15


def write(tile: Any, address: int, value: int) -> None:
    """A word into a register of a tile."""
    npu_write32(column=int(tile.col), row=int(tile.row), address=address, value=value)


def _write_descriptor(
    shim: Any, bd_id: int, ddr_id: int, size: int, offset: int, enable_packet: int, packet_id: int,
    packet_type: Any, shim_burst_length: int,
) -> None:  # fmt: skip
    """A shim's linear descriptor (size in words) over an argument (offset in bytes)."""
    zeros = (
        "out_of_order_id d0_size d0_stride d0_zero_after d0_zero_before d1_size d1_stride "
        "d1_zero_after d1_zero_before d2_size d2_stride d2_zero_after d2_zero_before iteration_current "
        "iteration_size iteration_stride lock_acq_enable lock_acq_id lock_acq_val lock_rel_id "
        "lock_rel_val next_bd row use_next_bd"
    )
    fields = dict.fromkeys(zeros.split(), 0)
    fields.update(
        column=int(shim.col), bd_id=bd_id, buffer_length=size, buffer_offset=offset,
        enable_packet=enable_packet, packet_id=packet_id, packet_type=int(packet_type),
        burst_length=shim_burst_length, valid_bd=1,
    )  # fmt: skip
    build("aiex.npu.writebd", [], fields)
    address = bd_offset("shim", bd_id) + 4 * DMA["shim"].address_word
    npu_address_patch(addr=tile_address(int(shim.col), 0, address), arg_idx=ddr_id, arg_plus=offset)


def configure_shimtile_dma_tracing_aie2(
    shim: Any,
    channel: int = 1,
    bd_id: int = 13,
    ddr_id: int = 4,
    size: int = 8192,
    offset: int = 0,
    enable_token: int = 0,
    enable_packet: int = 0,
    packet_id: int = 0,
    packet_type: Any = PacketType.CORE,
    shim_burst_length: int = 64,
) -> None:
    """The shim's descriptor that writes the trace into an argument, and its start."""
    _write_descriptor(
        shim, bd_id, ddr_id, size, offset, enable_packet, packet_id, packet_type, shim_burst_length
    )
    _start_channel(shim, S2MM, channel, bd_id, enable_token)


def _start_channel(shim: Any, direction: int, channel: int, bd_id: int, enable_token: int) -> None:
    queue = channel_queue("shim", _BY_NUMBER[direction], channel)
    write(shim, queue, (enable_token & 1) << QUEUE_TOKEN_SHIFT | bd_id)


def configure_packet_tracing_flow(tiles_to_trace: Sequence[Any], shim: Any) -> None:
    """A packet flow from each tile's trace unit to shim channel 1; named again, a core means its memory."""
    seen: list[Any] = []
    for i, tile in enumerate(tiles_to_trace):
        dest = {"dest": shim, "port": "DMA", "channel": 1}
        packetflow(i + 1, tile, "Trace", int(tile in seen), dests=dest, keep_pkt_header=True)
        seen.append(tile)


def configure_packet_ctrl_flow(
    tiles_to_trace: Sequence[Any], shim: Any, tile2shim_pkt_id: int = 28, shim2tile_pkt_id: int = 29
) -> None:
    """Packet flows for control packets, to each tile and back."""
    seen: list[Any] = []
    for tile in tiles_to_trace:
        if tile in seen:
            continue
        seen.append(tile)
        back = {"dest": shim, "port": "DMA", "channel": 0}
        packetflow(tile2shim_pkt_id, tile, "TileControl", 0, dests=back, keep_pkt_header=True)
        to = {"dest": tile, "port": "TileControl", "channel": 0}
        packetflow(shim2tile_pkt_id, shim, "DMA", 0, dests=to)


def configure_shimtile_dma_aie2(
    shim: Any,
    channel: int = 1,
    direction: int = S2MM,
    bd_id: int = 13,
    ddr_id: int = 4,
    size: int = 8192,
    offset: int = 0,
    enable_token: int = 0,
    enable_packet: int = 1,
    packet_id: int = 0,
    packet_type: Any = PacketType.CORE,
    shim_burst_length: int = 64,
) -> None:
    """A shim's descriptor in either direction, the id of its channel's tokens, and its start."""
    _write_descriptor(
        shim, bd_id, ddr_id, size, offset, enable_packet, packet_id, packet_type, shim_burst_length
    )
    npu_maskwrite32(
        column=int(shim.col), row=int(shim.row),
        address=channel_control("shim", _BY_NUMBER[direction], channel),
        value=_CONTROLLER_ID << CHANNEL_CONTROLLER_ID_SHIFT, mask=CHANNEL_CONTROLLER_ID_MASK,
    )  # fmt: skip
    _start_channel(shim, direction, channel, bd_id, enable_token)


def config_ctrl_pkts_aie(
    tiles_to_trace: Sequence[Any],
    shim: Any,
    shim2tile_pkt_id: int = 29,
    output_offset: int = 0,
    num_pkts: int = 1,
    channel: int = 0,
    mm2s_bd_id: int = 14,
    s2mm_bd_id: int = 15,
) -> None:
    """Sends control packets from argument 3 and writes the answers after the trace in argument 4."""
    for i in range(num_pkts):
        configure_shimtile_dma_aie2(
            shim, channel, MM2S, mm2s_bd_id, 3, 1, i * 4, 1, packet_id=shim2tile_pkt_id, packet_type=0
        )
        npu_sync(column=int(shim.col), row=0, direction=MM2S, channel=channel)
        configure_shimtile_dma_aie2(
            shim, channel, S2MM, s2mm_bd_id, 4, 2, output_offset + i * 8, 1, packet_type=0
        )
        npu_sync(column=int(shim.col), row=0, direction=S2MM, channel=channel)
