"""What is to be routed: flows gathered into nets, a net for each source.

The order of the nets, and which packet flows may share channels, are the reference's (MLIR-AIE,
AIEPathFinder.cpp: addFlow, sortFlows).
"""

from __future__ import annotations

from npuninja.arch.switch import BUNDLE_ORDER
from npuninja.lowering.routing.routing_graph import Endpoint
from npuninja.records import NamedTuple

#: Circuit nets have no group.
CIRCUIT = -1


class Net(NamedTuple):
    """A source with all its destinations. `group` is CIRCUIT, or the number of the packet group."""

    source: Endpoint
    dests: list[Endpoint]
    group: int
    priority: bool
    #: The packet id of the flow that made the net; None for circuits.
    identifier: int | None = None


class NetList:
    """Collects flows into nets, in the order and with the groups of the reference (addFlow, sortFlows)."""

    def __init__(self) -> None:
        self.nets: list[Net] = []

    def add(
        self, source: Endpoint, dest: Endpoint, *, identifier: int | None = None, priority: bool = False
    ) -> None:
        """Adds one flow, of packets if it has an id.

        Packet flows are added before circuits; `sort_priority` comes in between, or `sort_all` at the end.
        """
        for i, net in enumerate(self.nets):
            if net.source == source:
                if priority:
                    net.dests.insert(0, dest)
                    self.nets[i] = net._replace(priority=True)
                else:
                    net.dests.append(dest)
                return
        group = CIRCUIT if identifier is None else self._group(dest)
        self.nets.append(Net(source, [dest], group, priority, identifier))

    def _group(self, dest: Endpoint) -> int:
        """The group of a new packet net: that of the nets before it with this destination, raised by every
        net of a higher group after them; so a flow in between moves it on into that later group.
        """
        group, found = CIRCUIT, False
        for net in self.nets:
            if dest in net.dests:
                group, found = net.group, True
            group = max(group, net.group)
        return group if found else group + 1

    def sort_priority(self) -> None:
        """Puts the priority nets first, ordered by source."""
        first = [net for net in self.nets if net.priority]
        first.sort(key=lambda net: _endpoint_order(net.source))
        self.nets = first + [net for net in self.nets if not net.priority]

    def sort_all(self) -> None:
        """The order of 2026-08, whatever the design's: priority nets, packets, circuits, each by source.

        The destinations of each net are sorted too.
        """
        for net in self.nets:
            net.dests.sort(key=_endpoint_order)
        self.nets.sort(key=lambda net: (not net.priority, net.group == CIRCUIT, *_endpoint_order(net.source)))


def _endpoint_order(end: Endpoint) -> tuple[int, int, int, int]:
    place, (bundle, channel) = end
    return (*place, BUNDLE_ORDER[bundle], channel)


class Unroutable(Exception):
    """No legal routing exists or none was found.

    `nets` are positions of nets that compete for too few channels, `reason` a phrase that names the place.
    """

    def __init__(self, reason: str, nets: list[int]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.nets = nets
