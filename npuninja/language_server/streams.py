"""The way of an objectFifo's data through the switches, for a hover."""

from __future__ import annotations

import re

from npuninja.arch.devices import TilePlace
from npuninja.errors import Error, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.pipeline import route
from npuninja.report.routes import DrawnRoute, RoutePort, routes_of


def ways_of(module: Operation, name: str, generation: str) -> list[str]:
    """A line for each end of each stream of an objectFifo: its channels, and the tiles on the way.

    Args:
        module: with its resources given; it is routed in place.
        name: of the objectFifo.
        generation: of the module's syntax.
    """
    ports = {port for op in module.walk() for port in _ports(op, name)}
    try:
        route(module, generation=generation, warnings=Warnings())
    except Error:  # what the router cannot do is said where it is built
        return []
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    routes = [r for device in devices for r in routes_of(device) if ports & {r.source, *r.ends}]
    return list(dict.fromkeys(line for r in routes for line in _lines(r)))


def _lines(found: DrawnRoute) -> list[str]:
    kind = "packets" if found.packet else "stream"
    return [
        f"{kind}: {found.source} → {''.join(f'({c}, {r}) → ' for c, r in way[1:-1])}{end}"
        for end, way in zip(found.ends, found.ways)
    ]


def _ports(op: Operation, name: str) -> list[RoutePort]:
    """The DMA channels of an operation that move the fifo's data."""
    if op.name == "aie.shim_dma_allocation":
        if op.string("sym_name", "") not in (name, f"{name}_shim_alloc"):
            return []
        place = _place(op) if op.operands else (op.integer("col", 0), 0)
        return [RoutePort(place, "DMA", op.integer("channel_index", 0))] if place else []
    if op.name not in ("aie.mem", "aie.memtile_dma"):
        return []
    place, mine = _place(op), re.compile(rf"{re.escape(name)}(_\d+)?(_cons)?_buff_\d+")
    found = []
    for start in op.walk():
        if start.name != "aie.dma_start" or place is None:
            continue
        block = start.successors[0][0]
        buffers = (operand(inner, "buffer").owner for inner in block.ops if inner.name == "aie.dma_bd")
        if any(isinstance(b, Operation) and mine.fullmatch(b.string("sym_name", "")) for b in buffers):
            found.append(RoutePort(place, "DMA", start.integer("channel_index", 0)))
    return found


def _place(op: Operation) -> TilePlace | None:
    tile = op.tile.made_by("aie.tile")
    return None if tile is None else (tile.integer("col"), tile.integer("row"))
