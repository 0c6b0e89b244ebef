"""Traces as register writes in the runtime sequence: designs of autumn 2025."""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from typing import Any, Callable, Sequence

from npuninja.arch.event_registers import (
    EVENT_BROADCAST,
    EVENT_GENERATE,
    TIMER_CONTROL,
    TIMER_RESET_EVENT_SHIFT,
    block_register,
    trace_registers,
)
from npuninja.arch.events import broadcast_event
from npuninja.python_designs.tracing import shim_transfers
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
from npuninja.python_designs.tracing.shim_transfers import configure_shimtile_dma_tracing_aie2, write
from npuninja.records import NamedTuple

#: Event bits that the bindings of autumn 2025 write: one too few for a memory tile's events, which have 8.
_EVENT_BITS = 0x7F
_MASTER_PORT = 1 << 5

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
# A master's port and seven slaves'.
_MEM_TILE_PORTS = ((0, True), *((port, False) for port in (14, 0, 1, 2, 3, 4, 5)))
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


class TraceableUnit(NamedTuple):
    """A trace unit: its module's name, its events, and those that are traced where a design names none."""

    module: str
    packet_type: PacketType
    events: type[IntEnum]
    usual: list[Any]


CORE = TraceableUnit("core", PacketType.CORE, CoreEvent, CORE_EVENTS)
MEM = TraceableUnit("memory", PacketType.MEM, MemEvent, MEM_EVENTS)
MEM_TILE = TraceableUnit("memtile", PacketType.MEMTILE, MemTileEvent, MEM_TILE_EVENTS)
SHIM = TraceableUnit("shim", PacketType.SHIMTILE, ShimTileEvent, SHIM_EVENTS)


def _packed(events: Sequence[GenericEvent]) -> int:
    return sum((int(e.code) & 0xFF) << (8 * i) for i, e in enumerate(events))


def _number(event: Any) -> int:
    return int(getattr(event, "code", event))


def configure_unit(
    unit: TraceableUnit,
    tile: Any,
    start: Any,
    stop: Any,
    events: Any,
    enable_packet: int = 0,
    packet_id: int = 0,
    packet_type: Any = None,
) -> None:
    """Writes a trace unit's registers: when it records, what, and the header of its packets."""
    listed = checked(events or unit.usual, unit.events["NONE"])
    for event in listed:
        if event.code.name.startswith("PORT_") and not isinstance(event, BasePortEvent):
            raise RuntimeError(
                f"{event.code.name} is an event of a port, which it does not name: give PortEvent(CoreEvent."
                f"{event.code.name}, N, master=True) for master port N, with master=False for slave port N"
            )
    kind = unit.packet_type if packet_type is None else packet_type
    words = {
        "Trace_Control0": _number(stop) << 24 | _number(start) << 16,
        "Trace_Control1": (int(kind) & 7) << 12 | packet_id & 0x1F if enable_packet else 0,
        "Trace_Event0": _packed(listed[:4]),
        "Trace_Event1": _packed(listed[4:]),
    }
    registers = trace_registers(unit.module)
    for name, value in words.items():
        write(tile, registers[name].offset, value)
    for address, value in _port_words(unit, listed).items():
        write(tile, address, value)


def _port_words(unit: TraceableUnit, events: list[GenericEvent]) -> dict[int, int]:
    """Register -> word that selects the ports; both registers as soon as one event is of a port."""
    # A memory unit has no ports: its events of ports select those of its core.
    registers = trace_registers("core" if unit is MEM else unit.module)
    first, second = (registers[f"Stream_Switch_Event_Port_Selection_{half}"].offset for half in range(2))
    words: dict[int, int] = {}
    for event in events:
        if isinstance(event, BasePortEvent):
            words = words or {first: 0, second: 0}
            port = event.port_number | (_MASTER_PORT if event.master else 0)
            words[first if event.slot < 4 else second] |= port << (8 * (event.slot % 4))
    return words


def _start_timer(unit: TraceableUnit, tile: Any, event: Any) -> None:
    """`configure_timer_ctrl_…_aie2`: the event that sets a unit's timer to 0."""
    write(
        tile,
        block_register(unit.module, TIMER_CONTROL),
        (_number(event) & _EVENT_BITS) << TIMER_RESET_EVENT_SHIFT,
    )


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
    configure_unit(CORE, tile, start, stop, events, enable_packet, packet_id, packet_type)


def _tracing(unit: TraceableUnit) -> Callable[..., None]:
    """`configure_…_tracing_aie2` of a unit that records from the start, unless told otherwise."""

    def configure(
        tile: Any,
        start: Any = unit.events["TRUE"],
        stop: Any = unit.events["NONE"],
        events: Any = None,
        enable_packet: int = 0,
        packet_id: int = 0,
        packet_type: Any = unit.packet_type,
    ) -> None:
        configure_unit(unit, tile, start, stop, events, enable_packet, packet_id, packet_type)

    return configure


configure_coremem_tracing_aie2 = _tracing(MEM)
configure_memtile_tracing_aie2 = _tracing(MEM_TILE)
configure_shimtile_tracing_aie2 = _tracing(SHIM)


configure_timer_ctrl_coretile_aie2 = partial(_start_timer, CORE)
configure_timer_ctrl_coremem_aie2 = partial(_start_timer, MEM)
configure_timer_ctrl_memtile_aie2 = partial(_start_timer, MEM_TILE)
configure_timer_ctrl_shimtile_aie2 = partial(_start_timer, SHIM)


def configure_broadcast_core_aie2(tile: Any, num: int, event: Any) -> None:
    """Sends an event to all tiles as broadcast `num`."""
    module = "memtile" if tile.is_mem_tile() else "core"
    write(tile, block_register(module, EVENT_BROADCAST) + num * 4, _number(event))


def configure_event_gen_core_aie2(tile: Any, event: Any) -> None:
    """Makes an event happen."""
    write(tile, block_register("core", EVENT_GENERATE), _number(event) & _EVENT_BITS)


def configure_shim_trace_start_aie2(
    shim: Any, brdcst_num: int = 15, user_event: Any = ShimTileEvent["USER_EVENT_1"]
) -> None:
    """Starts the trace: an event of the shim, sent to all."""
    _start_timer(CORE, shim, user_event)
    _send_to_all(shim, brdcst_num, user_event)


def gen_trace_done_aie2(
    shim: Any, brdcst_num: int = 14, user_event: Any = ShimTileEvent["USER_EVENT_0"]
) -> None:
    """Ends the trace: an event of the shim, sent to all."""
    _send_to_all(shim, brdcst_num, user_event)


def _send_to_all(shim: Any, broadcast: int, event: Any) -> None:
    """Makes an event of the shim happen, which all tiles see as a broadcast."""
    configure_broadcast_core_aie2(shim, broadcast, event)
    configure_event_gen_core_aie2(shim, event)


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
        if tile.is_shim_tile():
            unit, events = SHIM, shimtile_events
        elif tile.is_mem_tile():
            unit, events = MEM_TILE, memtile_events
        elif tile not in seen:
            unit, events = CORE, coretile_events
            seen.append(tile)
        else:
            unit, events = MEM, coremem_events
        start: Any = broadcast_event(unit.module, start_broadcast_num)
        stop: Any = broadcast_event(unit.module, stop_broadcast_num)
        if unit is SHIM and tile == shim:
            start, stop = start_user_event, stop_user_event
        configure_unit(unit, tile, start, stop, events, 1, i + 1)
        _start_timer(unit, tile, start)
    configure_shimtile_dma_tracing_aie2(
        shim, 1, 15, ddr_id, trace_size, trace_offset, enable_token, 1, shim_burst_length=shim_burst_length
    )
    configure_shim_trace_start_aie2(shim, start_broadcast_num, start_user_event)


def _with_dma(unit: TraceableUnit) -> Callable[..., None]:
    """`configure_…_packet_tracing_aie2`: a tile's trace unit, its timer, and the shim's descriptor for it."""

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
        if start is None:
            start = unit.events["USER_EVENT_1"] if unit is SHIM else broadcast_event(unit.module, 15)
        if stop is None:
            stop = unit.events["USER_EVENT_0"] if unit is SHIM else broadcast_event(unit.module, 14)
        configure_unit(unit, tile, start, stop, events, 1, flow_id)
        _start_timer(unit, tile, start)
        configure_shimtile_dma_tracing_aie2(
            shim, channel, bd_id, ddr_id, size, offset, enable_token, 1, flow_id, unit.packet_type,
            shim_burst_length
        )  # fmt: skip

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
    configure_unit(CORE, tile, start, stop, events)
    configure_shimtile_dma_tracing_aie2(shim, channel, bd_id, ddr_id, size, offset)


NAMES: dict[str, Any] = {
    name: value
    for name, value in {**vars(shim_transfers), **globals()}.items()
    if name.startswith(("configure_", "config_", "gen_trace")) and name != "configure_unit"
}
