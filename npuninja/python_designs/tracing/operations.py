"""Traces as `aie.trace` operations: designs since spring 2026."""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.ir.attributes import EnumAttr, OpaqueAttr
from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.operations import build, region_op
from npuninja.python_designs.tracing.events import (
    BasePortEvent,
    CoreEvent,
    GenericEvent,
    MemEvent,
    MemTileEvent,
    MemTilePortEvent,
    PortEvent,
    ShimTileEvent,
    checked,
)
from npuninja.python_designs.tracing.registers import MEM_EVENTS, SHIM_EVENTS


def _cases(kind: str, **names: str) -> type:
    """The cases of one of the dialect's enums, as attributes under the names that the bindings give them."""
    return type(kind, (), {name: EnumAttr(kind, case) for name, case in names.items()})


TraceMode = _cases("TraceMode", EventTime="Event-Time", EventPC="Event-PC", Execution="Execution")
TracePacketType = _cases("TracePacketType", Core="core", Mem="mem", ShimTile="shimtile", MemTile="memtile")
ComboLogic = _cases("ComboLogic", AND="AND", AND_NOT="AND_NOT", OR="OR", OR_NOT="OR_NOT")
EdgeTrigger = _cases("EdgeTrigger", RISING="RISING", FALLING="FALLING", BOTH="BOTH")
TraceShimRouting = _cases("TraceShimRouting", Single="single")

#: Names of the traces configured last, which `start_trace` starts.
_configured: list[str] = []


def event_attribute(event: Any) -> OpaqueAttr:
    """The attribute `#aie.trace_event<"NAME">`."""
    if isinstance(event, str):
        return OpaqueAttr(f'#aie.trace_event<"{event}">')
    code = getattr(event, "code", event)
    return OpaqueAttr(f'#aie.trace_event<"{code.name}">')


trace = region_op(lambda tile, sym_name, **_: build("aie.trace", [tile], {"sym_name": sym_name}, regions=1))


def trace_mode(mode: Any, **_: Any) -> Any:
    """Makes `aie.trace.mode`."""
    return build("aie.trace.mode", [], {"mode": mode})


def trace_event(event: Any, *, label: str | None = None, **_: Any) -> Any:
    """Makes `aie.trace.event`."""
    return build("aie.trace.event", [], {"event": event_attribute(event), "label": label})


def trace_packet(id: int | None = None, type: Any = None, **_: Any) -> Any:
    """Makes `aie.trace.packet`."""
    return build("aie.trace.packet", [], {"id": id, "type": type})


def trace_port(slot: int, port: Any, channel: int, direction: Any, **_: Any) -> Any:
    """Makes `aie.trace.port`."""
    return build(
        "aie.trace.port", [], {"slot": slot, "port": port, "channel": channel, "direction": direction}
    )


def trace_start(*, broadcast: int | None = None, event: Any = None, **_: Any) -> Any:
    """Makes `aie.trace.start`."""
    given = None if event is None else event_attribute(event)
    return build("aie.trace.start", [], {"broadcast": broadcast, "event": given})


def trace_stop(*, broadcast: int | None = None, event: Any = None, **_: Any) -> Any:
    """Makes `aie.trace.stop`."""
    given = None if event is None else event_attribute(event)
    return build("aie.trace.stop", [], {"broadcast": broadcast, "event": given})


def trace_combo_event(slot: int, eventA: Any, logic: Any, eventB: Any, **_: Any) -> Any:
    """Makes `aie.trace.combo_event`."""
    attributes = {
        "slot": slot,
        "eventA": event_attribute(eventA),
        "logic": logic,
        "eventB": event_attribute(eventB),
    }
    return build("aie.trace.combo_event", [], attributes)


def trace_edge_event(slot: int, event: Any, trigger: Any, **_: Any) -> Any:
    """Makes `aie.trace.edge_event`."""
    return build(
        "aie.trace.edge_event", [], {"slot": slot, "event": event_attribute(event), "trigger": trigger}
    )


def trace_start_config(name: str, **_: Any) -> Any:
    """Makes `aie.trace.start_config`."""
    return build("aie.trace.start_config", [], {"trace_config": name})


def trace_host_config(
    buffer_size: int,
    *,
    arg_idx: int = 4,
    routing: Any = None,
    reuse_output_buffer: bool = False,
    egress_shim_col: int = 0,
    **_: Any,
) -> Any:
    """`aie.trace.host_config`: where the host finds the trace."""
    if isinstance(routing, str):
        if routing != "single":
            raise ValueError(f"routing is 'single'; there is no {routing!r}")
        routing = None
    attributes: dict[str, Any] = {"buffer_size": buffer_size, "routing": routing}
    if generation.is_third():
        attributes["reuse_output_buffer"] = reuse_output_buffer
        attributes["egress_shim_col"] = egress_shim_col
    else:
        attributes["arg_idx"] = arg_idx
    return build("aie.trace.host_config", [], attributes)


def _default_events(kind: str) -> list[Any]:
    from npuninja.python_designs.dialects.aie_enums import WireBundle

    dma = WireBundle["DMA"]
    if kind == "mem":
        return list(MEM_EVENTS)
    if kind == "shim":
        return list(SHIM_EVENTS)
    if kind == "memtile":
        return [MemTilePortEvent(MemTileEvent[f"PORT_RUNNING_{i}"], dma, i % 4, i < 4) for i in range(8)]
    names = ("INSTR_EVENT_0", "INSTR_EVENT_1", "INSTR_VECTOR", "MEMORY_STALL", "STREAM_STALL", "LOCK_STALL")
    return [
        *(CoreEvent[name] for name in names),
        PortEvent(CoreEvent["PORT_RUNNING_0"], dma, 0, True),
        PortEvent(CoreEvent["PORT_RUNNING_1"], dma, 0, False),
    ]


_PADDING = {"core": CoreEvent, "mem": MemEvent, "memtile": MemTileEvent, "shim": ShimTileEvent}
_PACKETS = {"core": "core", "mem": "mem", "memtile": "memtile", "shim": "shimtile"}


def configure_trace(
    tiles_to_trace: Sequence[Any],
    start_broadcast: int = 15,
    stop_broadcast: int = 14,
    coretile_events: Any = None,
    coremem_events: Any = None,
    memtile_events: Any = None,
    shimtile_events: Any = None,
    core_trace_mode: Any = None,
) -> None:
    """`aie.trace @trace_KIND_k(%tile)` for each tile, k from 1; a core named again is its memory's unit."""
    given = {
        "core": coretile_events,
        "mem": coremem_events,
        "memtile": memtile_events,
        "shim": shimtile_events,
    }
    kinds: list[tuple[Any, str]] = []
    seen: list[Any] = []
    for tile in tiles_to_trace:
        if tile.is_core_tile():
            kinds.append((tile, "mem" if tile in seen else "core"))
            seen.append(tile)
        elif tile.is_mem_tile():
            kinds.append((tile, "memtile"))
        elif tile.is_shim_tile():
            kinds.append((tile, "shim"))
        else:
            raise ValueError(f"{tile} has no trace unit")
    if generation.is_third() and coremem_events is not None:
        named = [tile for tile, kind in kinds if kind == "mem"]
        kinds += [(tile, "mem") for tile, kind in list(kinds) if kind == "core" and tile not in named]
    _configured.clear()
    for number, (tile, kind) in enumerate(kinds, 1):
        name = f"trace_{kind}_{number}"
        _configured.append(name)
        events = given[kind]
        listed = checked(_default_events(kind) if events is None else events, _PADDING[kind]["NONE"])
        mode = core_trace_mode if core_trace_mode is not None else EnumAttr("TraceMode", "Event-Time")
        _trace(tile, name, kind, number, listed, mode, start_broadcast, stop_broadcast)


def _trace(
    tile: Any, name: str, kind: str, number: int, events: list[GenericEvent], mode: Any, start: int, stop: int
) -> None:
    ports: dict[int, tuple[Any, int, str]] = {}
    for event in events:
        if isinstance(event, BasePortEvent):
            config = (event.port, int(event.channel), "S2MM" if event.master else "MM2S")
            if ports.setdefault(event.slot, config) != config:
                raise ValueError(
                    f"slot {event.slot} watches one port, and here are {ports[event.slot]} and {config}; "
                    "give each its slot"
                )

    @trace(tile, name)
    def body() -> None:
        if kind == "core":
            trace_mode(mode)
        packet = EnumAttr("TracePacketType", _PACKETS[kind])
        trace_packet(None if generation.is_third() else number, packet)
        for event in events:
            trace_event(event)
        for slot, (port, channel, direction) in ports.items():
            trace_port(slot, port, channel, direction)
        trace_start(broadcast=start)
        trace_stop(broadcast=stop)


def start_trace(
    trace_size: int = 8192,
    ddr_id: int = 4,
    routing: Any = "single",
    reuse_output_buffer: bool = False,
    egress_shim_col: int = 0,
) -> None:
    """In the runtime sequence: where the trace goes, and the start of each configured one.

    In summer 2026 the second and third arguments are `reuse_output_buffer` and `egress_shim_col`.
    """
    if isinstance(ddr_id, bool):
        reuse_output_buffer, ddr_id = ddr_id, 4
        if isinstance(routing, int):
            egress_shim_col, routing = routing, "single"
    trace_host_config(
        trace_size,
        arg_idx=ddr_id,
        routing=routing,
        reuse_output_buffer=reuse_output_buffer,
        egress_shim_col=egress_shim_col,
    )
    for name in _configured:
        trace_start_config(name)
