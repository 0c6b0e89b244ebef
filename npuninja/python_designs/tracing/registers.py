"""Traces as register writes in the runtime sequence: designs of autumn 2025.

Register addresses within a tile: AMD's AIE-ML register reference (AM025).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Sequence

from npuninja.arch.registers import COLUMN_SHIFT
from npuninja.python_designs.construct.operations import build
from npuninja.python_designs.dialects.aie_streams import packetflow
from npuninja.python_designs.dialects.aiex import npu_address_patch, npu_maskwrite32, npu_sync, npu_write32
from npuninja.python_designs.tracing.events import (
    BasePortEvent,
    CoreEvent,
    GenericEvent,
    MemEvent,
    MemTileEvent,
    MemTilePortEvent,
    PacketType,
    PortEvent,
    ShimTileEvent,
    checked,
)
from npuninja.records import NamedTuple

_BD_ADDRESS, _BD_BYTES = 0x1D004, 0x20
_QUEUES = {0: 0x1D204, 1: 0x1D20C}
_BROADCAST, _MEM_TILE_BROADCAST, _GENERATE = 0x34010, 0x94010, 0x34008
#: The bits of an event that the bindings of autumn 2025 write: one too few for a memory tile's events, which have 8.
_EVENT_BITS = 0x7F
_MASTER_PORT = 1 << 5


class Unit(NamedTuple):
    """A trace unit: its registers, and its events."""

    control: int
    ports: int | None
    timer: int
    packet_type: PacketType
    events: type[IntEnum]
    broadcast: int  # the event BROADCAST_0


CORE = Unit(0x340D0, 0x3FF00, 0x34000, PacketType.CORE, CoreEvent, 107)
MEM = Unit(0x140D0, 0x3FF00, 0x14000, PacketType.MEM, MemEvent, 107)
MEM_TILE = Unit(0x940D0, 0xB0F00, 0x94000, PacketType.MEMTILE, MemTileEvent, 142)
SHIM = Unit(0x340D0, 0x3FF00, 0x34000, PacketType.SHIMTILE, ShimTileEvent, 110)

CORE_EVENTS = [
    CoreEvent["INSTR_EVENT_0"],
    CoreEvent["INSTR_EVENT_1"],
    CoreEvent["INSTR_VECTOR"],
    PortEvent(CoreEvent["PORT_RUNNING_0"], 1, True),
    PortEvent(CoreEvent["PORT_RUNNING_1"], 1, False),
    CoreEvent["INSTR_LOCK_ACQUIRE_REQ"],
    CoreEvent["INSTR_LOCK_RELEASE_REQ"],
    CoreEvent["LOCK_STALL"],
]
_MEM_TILE_PORTS = (
    (0, True),
    (14, False),
    (0, False),
    (1, False),
    (2, False),
    (3, False),
    (4, False),
    (5, False),
)
MEM_TILE_EVENTS = [
    MemTilePortEvent(MemTileEvent[f"PORT_RUNNING_{i}"], port, master)
    for i, (port, master) in enumerate(_MEM_TILE_PORTS)
]
SHIM_EVENTS = [
    ShimTileEvent[name]
    for name in (
        "DMA_S2MM_0_START_TASK", "DMA_S2MM_1_START_TASK", "DMA_MM2S_0_START_TASK", "DMA_S2MM_0_FINISHED_TASK",
        "DMA_S2MM_1_FINISHED_TASK", "DMA_MM2S_0_FINISHED_TASK", "DMA_S2MM_0_STREAM_STARVATION",
        "DMA_S2MM_1_STREAM_STARVATION",
    )
]  # fmt: skip
MEM_EVENTS = [
    MemEvent[name]
    for name in (
        "DMA_S2MM_0_START_TASK", "DMA_MM2S_0_START_TASK", "CONFLICT_DM_BANK_0", "CONFLICT_DM_BANK_1",
        "CONFLICT_DM_BANK_2", "CONFLICT_DM_BANK_3", "EDGE_DETECTION_EVENT_0", "EDGE_DETECTION_EVENT_1",
    )
]  # fmt: skip


def _write(tile: Any, address: int, value: int) -> None:
    npu_write32(column=int(tile.col), row=int(tile.row), address=address, value=value)


def _packed(events: Sequence[GenericEvent]) -> int:
    return sum((int(e.code) & 0xFF) << (8 * i) for i, e in enumerate(events))


def _number(event: Any) -> int:
    return int(getattr(event, "code", event))


def configure_unit(
    unit: Unit,
    tile: Any,
    start: Any,
    stop: Any,
    events: Any,
    enable_packet: int = 0,
    packet_id: int = 0,
    packet_type: Any = None,
) -> None:
    """Writes a trace unit's registers: when it records, what, and the header of its packets."""
    listed = checked(events, unit.events["NONE"])
    for event in listed:
        if event.code.name.startswith("PORT_") and not isinstance(event, BasePortEvent):
            raise RuntimeError(
                f"Tracing: {event.code.name} is a PortEvent and requires a port to be specified alongside it. \n"
                f"To select master port N, specify the event as follows: PortEvent(CoreEvent.{event.code.name}, N, "
                "master=True), and analogously with master=False for slave ports."
            )
    kind = unit.packet_type if packet_type is None else packet_type
    _write(tile, unit.control, _number(stop) << 24 | _number(start) << 16)
    _write(tile, unit.control + 4, (int(kind) & 7) << 12 | packet_id & 0x1F if enable_packet else 0)
    _write(tile, unit.control + 0x10, _packed(listed[:4]))
    _write(tile, unit.control + 0x14, _packed(listed[4:]))
    for address, value in _port_words(unit, listed).items():
        _write(tile, address, value)


def _port_words(unit: Unit, events: list[GenericEvent]) -> dict[int, int]:
    """Register -> word that selects the ports; both registers as soon as one event is of a port."""
    assert unit.ports is not None
    words: dict[int, int] = {}
    for event in events:
        if isinstance(event, BasePortEvent):
            words.setdefault(unit.ports, 0)
            words.setdefault(unit.ports + 4, 0)
            port = event.port_number | (_MASTER_PORT if event.master else 0)
            words[unit.ports + event.slot // 4 * 4] |= port << (8 * (event.slot % 4))
    return words


def _start_timer(unit: Unit, tile: Any, event: Any) -> None:
    _write(tile, unit.timer, (_number(event) & _EVENT_BITS) << 8)


def configure_coretile_tracing_aie2(
    tile: Any,
    start: Any,
    stop: Any,
    events: Any = None,
    enable_packet: int = 0,
    packet_id: int = 0,
    packet_type: Any = PacketType.CORE,
) -> None:
    """The trace unit of a core."""
    configure_unit(CORE, tile, start, stop, events or CORE_EVENTS, enable_packet, packet_id, packet_type)


def configure_coremem_tracing_aie2(
    tile: Any, start: Any = MemEvent["TRUE"], stop: Any = MemEvent["NONE"], events: Any = None, enable_packet: int = 0,
    packet_id: int = 0, packet_type: Any = PacketType.MEM,
) -> None:  # fmt: skip
    """The trace unit of a core's memory."""
    configure_unit(MEM, tile, start, stop, events or MEM_EVENTS, enable_packet, packet_id, packet_type)


def configure_memtile_tracing_aie2(
    tile: Any, start: Any = MemTileEvent["TRUE"], stop: Any = MemTileEvent["NONE"], events: Any = None, enable_packet: int = 0,
    packet_id: int = 0, packet_type: Any = PacketType.MEMTILE,
) -> None:  # fmt: skip
    """The trace unit of a memory tile."""
    configure_unit(
        MEM_TILE, tile, start, stop, events or MEM_TILE_EVENTS, enable_packet, packet_id, packet_type
    )


def configure_shimtile_tracing_aie2(
    tile: Any, start: Any = ShimTileEvent["TRUE"], stop: Any = ShimTileEvent["NONE"], events: Any = None,
    enable_packet: int = 0, packet_id: int = 0, packet_type: Any = PacketType.SHIMTILE,
) -> None:  # fmt: skip
    """The trace unit of a shim tile."""
    configure_unit(SHIM, tile, start, stop, events or SHIM_EVENTS, enable_packet, packet_id, packet_type)


def configure_timer_ctrl_coretile_aie2(tile: Any, event: Any) -> None:
    """The event that sets a core's timer to 0."""
    _start_timer(CORE, tile, event)


def configure_timer_ctrl_coremem_aie2(tile: Any, event: Any) -> None:
    """The event that sets a memory's timer to 0."""
    _start_timer(MEM, tile, event)


def configure_timer_ctrl_memtile_aie2(tile: Any, event: Any) -> None:
    """The event that sets a memory tile's timer to 0."""
    _start_timer(MEM_TILE, tile, event)


def configure_timer_ctrl_shimtile_aie2(tile: Any, event: Any) -> None:
    """The event that sets a shim tile's timer to 0."""
    _start_timer(SHIM, tile, event)


def configure_broadcast_core_aie2(tile: Any, num: int, event: Any) -> None:
    """Sends an event to all tiles as broadcast `num`."""
    base = _MEM_TILE_BROADCAST if int(tile.row) == 1 else _BROADCAST
    _write(tile, base + num * 4, _number(event))


def configure_event_gen_core_aie2(tile: Any, event: Any) -> None:
    """Makes an event happen."""
    _write(tile, _GENERATE, _number(event) & _EVENT_BITS)


def _write_descriptor(
    shim: Any,
    bd_id: int,
    ddr_id: int,
    size: int,
    offset: int,
    enable_packet: int,
    packet_id: int,
    packet_type: Any,
    shim_burst_length: int,
) -> None:
    """A shim's linear descriptor (size in words) over an argument (offset in bytes)."""
    zeros = (
        "out_of_order_id d0_size d0_stride d0_zero_after d0_zero_before d1_size d1_stride d1_zero_after d1_zero_before "
        "d2_size d2_stride d2_zero_after d2_zero_before iteration_current iteration_size iteration_stride "
        "lock_acq_enable lock_acq_id lock_acq_val lock_rel_id lock_rel_val next_bd row use_next_bd"
    )
    fields = dict.fromkeys(zeros.split(), 0)
    fields.update(
        column=int(shim.col), bd_id=bd_id, buffer_length=size, buffer_offset=offset, enable_packet=enable_packet,
        packet_id=packet_id, packet_type=int(packet_type), burst_length=shim_burst_length, valid_bd=1,
    )  # fmt: skip
    build("aiex.npu.writebd", [], fields)
    address = int(shim.col) << COLUMN_SHIFT | _BD_ADDRESS + bd_id * _BD_BYTES
    npu_address_patch(addr=address, arg_idx=ddr_id, arg_plus=offset)


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
    _write(shim, _QUEUES[channel], (enable_token & 1) << 31 | bd_id)


def configure_packet_tracing_flow(tiles_to_trace: Sequence[Any], shim: Any) -> None:
    """A packet flow from each tile's trace unit to the shim's channel 1; a core named again is its memory's unit."""
    seen: list[Any] = []
    for i, tile in enumerate(tiles_to_trace):
        dest = {"dest": shim, "port": "DMA", "channel": 1}
        packetflow(i + 1, tile, "Trace", int(tile in seen), dests=dest, keep_pkt_header=True)
        seen.append(tile)


def configure_shim_trace_start_aie2(
    shim: Any, brdcst_num: int = 15, user_event: Any = ShimTileEvent["USER_EVENT_1"]
) -> None:
    """Starts the trace: an event of the shim, sent to all."""
    configure_timer_ctrl_coretile_aie2(shim, user_event)
    configure_broadcast_core_aie2(shim, brdcst_num, user_event)
    configure_event_gen_core_aie2(shim, user_event)


def gen_trace_done_aie2(
    shim: Any, brdcst_num: int = 14, user_event: Any = ShimTileEvent["USER_EVENT_0"]
) -> None:
    """Ends the trace."""
    configure_broadcast_core_aie2(shim, brdcst_num, user_event)
    configure_event_gen_core_aie2(shim, user_event)


def configure_packet_tracing_aie2(
    tiles_to_trace: Sequence[Any],
    shim: Any,
    trace_size: int,
    trace_offset: int = 0,
    enable_token: int = 0,
    ddr_id: int = 4,
    start_user_event: Any = ShimTileEvent["USER_EVENT_1"],
    stop_user_event: Any = ShimTileEvent["USER_EVENT_0"],
    start_broadcast_num: int = 15,
    stop_broadcast_num: int = 14,
    coretile_events: Any = None,
    memtile_events: Any = None,
    shimtile_events: Any = None,
    coremem_events: Any = None,
    shim_burst_length: int = 64,
) -> None:
    """The trace units of all tiles, the shim's descriptor, and the start."""
    seen: list[Any] = []
    for i, tile in enumerate(tiles_to_trace):
        row = int(tile.row)
        if row == 0:
            unit, events = SHIM, shimtile_events or SHIM_EVENTS
        elif row == 1:
            unit, events = MEM_TILE, memtile_events or MEM_TILE_EVENTS
        elif tile not in seen:
            unit, events = CORE, coretile_events or CORE_EVENTS
            seen.append(tile)
        else:
            unit, events = MEM, coremem_events or MEM_EVENTS
        start: Any = unit.broadcast + start_broadcast_num
        stop: Any = unit.broadcast + stop_broadcast_num
        if row == 0 and tile == shim:
            start, stop = start_user_event, stop_user_event
        configure_unit(unit, tile, start, stop, events, 1, i + 1)
        _start_timer(unit, tile, start)
    configure_shimtile_dma_tracing_aie2(
        shim, 1, 15, ddr_id, trace_size, trace_offset, enable_token, 1, shim_burst_length=shim_burst_length
    )
    configure_shim_trace_start_aie2(shim, start_broadcast_num, start_user_event)


def _with_dma(unit: Unit) -> Any:
    def configure(
        tile: Any,
        shim: Any,
        flow_id: int = 0,
        bd_id: int = 15,
        size: int = 8192,
        offset: int = 0,
        enable_token: int = 0,
        channel: int = 1,
        ddr_id: int = 4,
        start: Any = None,
        stop: Any = None,
        events: Any = None,
        shim_burst_length: int = 64,
    ) -> None:
        first = unit.events["USER_EVENT_1"] if unit is SHIM else unit.broadcast + 15
        last = unit.events["USER_EVENT_0"] if unit is SHIM else unit.broadcast + 14
        start, stop = first if start is None else start, last if stop is None else stop
        default = {PacketType.CORE: CORE_EVENTS, PacketType.MEM: MEM_EVENTS, PacketType.MEMTILE: MEM_TILE_EVENTS,
                   PacketType.SHIMTILE: SHIM_EVENTS}[unit.packet_type]  # fmt: skip
        configure_unit(unit, tile, start, stop, events or default, 1, flow_id)
        _start_timer(unit, tile, start)
        configure_shimtile_dma_tracing_aie2(
            shim,
            channel,
            bd_id,
            ddr_id,
            size,
            offset,
            enable_token,
            1,
            flow_id,
            unit.packet_type,
            shim_burst_length,
        )

    configure.__doc__ = "A tile's trace unit, its timer, and the shim's descriptor for it."
    return configure


configure_coretile_packet_tracing_aie2 = _with_dma(CORE)
configure_coremem_packet_tracing_aie2 = _with_dma(MEM)
configure_memtile_packet_tracing_aie2 = _with_dma(MEM_TILE)
configure_shimtile_packet_tracing_aie2 = _with_dma(SHIM)


def configure_simple_tracing_aie2(
    tile: Any,
    shim: Any,
    channel: int = 1,
    bd_id: int = 13,
    ddr_id: int = 4,
    size: int = 8192,
    offset: int = 0,
    start: Any = CoreEvent["TRUE"],
    stop: Any = CoreEvent["NONE"],
    events: Any = None,
) -> None:
    """A core's trace over a circuit."""
    configure_coretile_tracing_aie2(tile, start, stop, events)
    configure_shimtile_dma_tracing_aie2(shim, channel, bd_id, ddr_id, size, offset)


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


S2MM, MM2S = 0, 1
_CONTROLS = {(S2MM, 0): 0x1D200, (S2MM, 1): 0x1D208, (MM2S, 0): 0x1D210, (MM2S, 1): 0x1D218}


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
    control = _CONTROLS[direction, channel]
    npu_maskwrite32(column=int(shim.col), row=int(shim.row), address=control, value=0xF00, mask=0x1F00)
    _write(shim, control + 4, (enable_token & 1) << 31 | bd_id)


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
    """Sends control packets from argument 3 and writes the answers behind the trace in argument 4."""
    for i in range(num_pkts):
        configure_shimtile_dma_aie2(
            shim, channel, MM2S, mm2s_bd_id, 3, 1, i * 4, 1, packet_id=shim2tile_pkt_id, packet_type=0
        )
        npu_sync(column=int(shim.col), row=0, direction=MM2S, channel=channel)
        configure_shimtile_dma_aie2(
            shim, channel, S2MM, s2mm_bd_id, 4, 2, output_offset + i * 8, 1, packet_type=0
        )
        npu_sync(column=int(shim.col), row=0, direction=S2MM, channel=channel)


NAMES: dict[str, Any] = {
    k: v for k, v in globals().items() if k.startswith(("configure_", "config_", "gen_trace")) and callable(v)
}
NAMES.pop("configure_unit")
