"""The ways of streams through the switches of a routed design."""

from __future__ import annotations

from typing import Iterator

from npuninja.arch.devices import Place
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value
from npuninja.lowering.tiles import model_of
from npuninja.records import NamedTuple

#: Where the neighbour lies whose port is on the other side of one of ours, and what it calls that port.
_STEPS = {
    "North": (0, 1, "South"),
    "South": (0, -1, "North"),
    "East": (1, 0, "West"),
    "West": (-1, 0, "East"),
}


class Port(NamedTuple):
    """A port of a tile's switch, or of the multiplexer of a shim tile: `inside` is that on the side of the DMA."""

    tile: Place
    bundle: str
    channel: int
    mux: bool = False

    def __str__(self) -> str:
        return f"({self.tile[0]}, {self.tile[1]}) {self.bundle} {self.channel}"


class DrawnRoute(NamedTuple):
    """One stream: where it starts, where it ends, the tiles on the way to each end."""

    source: Port
    ends: tuple[Port, ...]
    ways: tuple[tuple[Place, ...], ...]
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


def _links(device: Operation) -> tuple[dict[Port, list[Port]], set[Port]]:
    """Incoming port -> outgoing ports, for all switches; and the incoming ports of packet streams."""
    links: dict[Port, list[Port]] = {}
    packets: set[Port] = set()
    for op in device.body.ops:
        if op.name not in ("aie.switchbox", "aie.shim_mux") or not op.regions:
            continue
        tile, mux = _place(op.operands[0]), op.name == "aie.shim_mux"
        if tile is None or not op.regions[0].blocks:
            continue
        masters: dict[Value, list[Port]] = {}
        inner = op.regions[0].entry.ops
        for part in inner:
            if part.name == "aie.connect":
                source = Port(tile, _case(part, "source_bundle"), part.integer("source_channel", 0), mux)
                target = Port(tile, _case(part, "dest_bundle"), part.integer("dest_channel", 0), mux)
                links.setdefault(source, []).append(target)
            elif part.name == "aie.masterset":
                target = Port(tile, _case(part, "dest_bundle"), part.integer("dest_channel", 0), mux)
                for amsel in part.operands:
                    masters.setdefault(amsel, []).append(target)
        for part in inner:
            if part.name == "aie.packet_rules" and part.regions and part.regions[0].blocks:
                source = Port(tile, _case(part, "source_bundle"), part.integer("source_channel", 0), mux)
                packets.add(source)
                for rule in part.regions[0].entry.ops:
                    for amsel in rule.operands:
                        for target in masters.get(amsel, []):
                            if target not in links.setdefault(source, []):
                                links[source].append(target)
    return links, packets


def _follow(
    port: Port, links: dict[Port, list[Port]], way: tuple[Place, ...], shim_row: int
) -> Iterator[tuple[Port, tuple[Place, ...]]]:
    """The ends of a stream that comes in at a port."""
    if len(way) > 100:  # packets can run in circles
        return
    for out in links.get(port, ()):
        if out.mux:  # from the DMA into the array, or out of it
            if out.bundle in _STEPS:
                yield from _follow(Port(out.tile, "South", out.channel), links, way, shim_row)
            else:
                yield out._replace(mux=False), way
        elif out.bundle not in _STEPS:
            yield out, way
        else:
            columns, rows, other = _STEPS[out.bundle]
            tile = (out.tile[0] + columns, out.tile[1] + rows)
            if out.bundle == "South" and out.tile[1] == shim_row:
                yield from _follow(Port(out.tile, "North", out.channel, True), links, way, shim_row)
            else:
                yield from _follow(Port(tile, other, out.channel), links, (*way, tile), shim_row)


def _place(value: Value) -> Place | None:
    owner = value.owner
    if isinstance(owner, Operation) and owner.name == "aie.tile":
        return owner.integer("col"), owner.integer("row")
    return None


def _case(op: Operation, name: str) -> str:
    attribute = op.attributes.get(name)
    return attribute.case if isinstance(attribute, EnumAttr) else str(attribute)
