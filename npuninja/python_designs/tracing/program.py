"""What the high level's `enable_trace` makes: the device's operations at once, the sequence's on demand."""

from __future__ import annotations

from typing import Any, Callable

from npuninja.python_designs.construct import generation
from npuninja.python_designs.tracing import operations, registers, shim_transfers

BuildStep = Callable[[], Any]


def traced(
    trace: dict[str, Any], workers: list[Any], runtime: Any
) -> tuple[BuildStep | None, BuildStep | None]:
    """Makes the device's operations; gives those that the sequence begins and ends with."""
    options = dict(trace)
    size = options.pop("trace_size")
    chosen = options.pop("workers", None)
    tiles = [
        w.tile.op for w in (chosen if chosen is not None else [w for w in workers if w.trace is not None])
    ]
    if generation.is_first():
        if size is None:  # 0 is traced too, as it was then
            return None, None
        return _by_registers(tiles, size, options, runtime)
    if not size or size <= 0:
        return None, None
    sequence = {k: options.pop(k) for k in ("reuse_output_buffer", "egress_shim_col") if k in options}
    ddr_id = options.pop("ddr_id", 4)
    operations.configure_trace(tiles, **{k: v for k, v in options.items() if v is not None})
    return (lambda: operations.start_trace(size, 4 if ddr_id is None else ddr_id, **sequence)), None


def _by_registers(
    tiles: list[Any], size: int, options: dict[str, Any], runtime: Any
) -> tuple[BuildStep, BuildStep]:
    shim = next(
        (
            handle._object_fifo._cons[0].endpoint.tile.op
            for handle in runtime.fifos
            if not handle._is_prod and handle._object_fifo._cons[0].endpoint.tile.row == 0
        ),
        None,
    )
    if shim is None:
        raise ValueError("enable_trace() needs an objectFifo that is drained through a shim tile")
    shim_transfers.configure_packet_tracing_flow(tiles, shim)
    events: dict[str, Any] = {
        k: options.get(k) for k in ("coretile_events", "memtile_events", "shimtile_events")
    }

    def before() -> None:
        offset, ddr_id = options.get("trace_offset"), options.get("ddr_id")
        registers.configure_packet_tracing_aie2(
            tiles_to_trace=tiles,
            shim=shim,
            trace_size=size,
            trace_offset=0 if offset is None else offset,
            ddr_id=4 if ddr_id is None else ddr_id,
            **events,
        )

    return before, lambda: registers.gen_trace_done_aie2(shim)
