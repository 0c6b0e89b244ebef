"""What is to be routed: flows gathered into nets, a net for each source.

The order of the nets, and which packet flows may share channels, are the reference's (MLIR-AIE,
AIEPathFinder.cpp: addFlow, sortFlows).
"""

from __future__ import annotations

from typing import NamedTuple

from npuninja.arch.switch import BUNDLE_ORDER
from npuninja.lowering.routing.routing_graph import Endpoint

#: Circuit nets have no group.
CIRCUIT = -1


class Net(NamedTuple):
    """A source with all its destinations. `group` is CIRCUIT, or the number of the packet group."""

    source: Endpoint
    dests: list[Endpoint]
    group: int
    priority: bool


class NetList:
    """Collects flows into nets, in the order and with the groups of the reference (addFlow, sortFlows)."""

    def __init__(self) -> None:
        self.nets: list[Net] = []

    def add(self, source: Endpoint, dest: Endpoint, *, packet: bool, priority: bool = False) -> None:
        """Adds one flow. Packet flows come before circuit flows, `sort_priority` between the two."""
        for i, net in enumerate(self.nets):
            if net.source == source:
                if priority:
                    net.dests.insert(0, dest)
                    self.nets[i] = net._replace(priority=True)
                else:
                    net.dests.append(dest)
                return
        self.nets.append(Net(source, [dest], self._group(dest) if packet else CIRCUIT, priority))

    def _group(self, dest: Endpoint) -> int:
        highest = CIRCUIT
        for net in self.nets:
            if dest in net.dests:
                return net.group
            highest = max(highest, net.group)
        return highest + 1

    def sort_priority(self) -> None:
        """Puts the priority nets first, ordered by source."""
        first = [net for net in self.nets if net.priority]
        first.sort(key=lambda net: (net.source[0], BUNDLE_ORDER[net.source[1][0]], net.source[1][1]))
        self.nets = first + [net for net in self.nets if not net.priority]


class Unroutable(Exception):
    """No legal routing exists or none was found.

    `nets` are the positions of the nets that compete for too few channels, `reason` a phrase that names the
    place.
    """

    def __init__(self, reason: str, nets: list[int]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.nets = nets
