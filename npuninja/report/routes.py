"""The ways of streams through the switches of a routed design."""

from __future__ import annotations

from typing import Iterator

from npuninja.arch.devices import TilePlace
from npuninja.ir.core import Operation, Value
from npuninja.lowering.tiles import model_of, place_of
from npuninja.records import NamedTuple

#: Where the neighbour lies whose port is on the other side of one of ours, and what it calls that port.
_STEPS = {
    "North": (0, 1, "South"),
    "South": (0, -1, "North"),
    "East": (1, 0, "West"),
    "West": (-1, 0, "East"),
}


class RoutePort(NamedTuple):
    """A port of a tile's switch, or of a shim tile's multiplexer: `inside` is that on the DMA's side."""

    tile: TilePlace
    bundle: str
    channel: int
    mux: bool = False

    def __str__(self) -> str:
        return f"({self.tile[0]}, {self.tile[1]}) {self.bundle} {self.channel}"


class DrawnRoute(NamedTuple):
    """One stream: where it starts, where it ends, the tiles on the way to each end."""

    source: RoutePort
    ends: tuple[RoutePort, ...]
    ways: tuple[tuple[TilePlace, ...], ...]
    packet: bool


def routes_of(device: Operation) -> list[DrawnRoute]:
    """Every stream that starts at a DMA, a core or a tile's control port, in the order of the switches."""
    links, packets = _links(device)
    starts = [port for port in links if port.bundle not in _STEPS and not port.mux]
    starts += [port for port in links if port.mux and port.bundle == "DMA"]
    found = []
    for start in sorted(starts):
        ends = list(_follow(start, links, ((start.tile),), model_of(device).shim_row))
        if ends:
            source = start._replace(mux=False)
            packet = start in packets
            found.append(
                DrawnRoute(source, tuple(end for end, _ in ends), tuple(way for _, way in ends), packet)
            )
    return found


def _links(device: Operation) -> tuple[dict[RoutePort, list[RoutePort]], set[RoutePort]]:
    """Incoming port -> outgoing ports, for all switches; and the incoming ports of packet streams."""
    links: dict[RoutePort, list[RoutePort]] = {}
    packets: set[RoutePort] = set()
    for op in device.body.ops:
        is_switch = op.name in ("aie.switchbox", "aie.shim_mux") and op.regions and op.regions[0].blocks
        if is_switch and op.tile.made_by("aie.tile"):
            _links_of(op, links, packets)
    return links, packets


def _links_of(switch: Operation, links: dict[RoutePort, list[RoutePort]], packets: set[RoutePort]) -> None:
    tile, mux = place_of(switch.tile), switch.name == "aie.shim_mux"

    def port(op: Operation, side: str) -> RoutePort:
        return RoutePort(tile, op.enum(f"{side}_bundle"), op.integer(f"{side}_channel", 0), mux)

    masters: dict[Value, list[RoutePort]] = {}
    for part in switch.body.ops:
        if part.name == "aie.connect":
            links.setdefault(port(part, "source"), []).append(port(part, "dest"))
        elif part.name == "aie.masterset":
            for amsel in part.operands:
                masters.setdefault(amsel, []).append(port(part, "dest"))
    for part in switch.body.ops:
        if part.name != "aie.packet_rules" or not part.regions or not part.regions[0].blocks:
            continue
        source = port(part, "source")
        packets.add(source)
        for rule in part.body.ops:
            targets = [target for amsel in rule.operands for target in masters.get(amsel, ())]
            known = links.setdefault(source, []) if targets else []
            known += [target for target in dict.fromkeys(targets) if target not in known]


def _follow(
    port: RoutePort, links: dict[RoutePort, list[RoutePort]], way: tuple[TilePlace, ...], shim_row: int
) -> Iterator[tuple[RoutePort, tuple[TilePlace, ...]]]:
    """The ends of a stream that comes in at a port."""
    if len(way) > 100:  # packets can run in circles
        return
    for out in links.get(port, ()):
        if out.mux:  # from the DMA into the array, or out of it
            if out.bundle in _STEPS:
                yield from _follow(RoutePort(out.tile, "South", out.channel), links, way, shim_row)
            else:
                yield out._replace(mux=False), way
        elif out.bundle not in _STEPS:
            yield out, way
        else:
            columns, rows, other = _STEPS[out.bundle]
            tile = (out.tile[0] + columns, out.tile[1] + rows)
            if out.bundle == "South" and out.tile[1] == shim_row:
                yield from _follow(RoutePort(out.tile, "North", out.channel, True), links, way, shim_row)
            else:
                yield from _follow(RoutePort(tile, other, out.channel), links, (*way, tile), shim_row)
