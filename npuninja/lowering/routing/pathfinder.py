"""Circuit and packet routes through the array by negotiated congestion (Pathfinder).

The result equals the reference's (MLIR-AIE, AIEPathFinder.cpp) connection by connection; see `routing_graph`
for what decides between paths of the same length.

The reference has one node for a port's way in and way out. A path may then use a port as output and go on
from it as if it were an input of the same switch, which no hardware can do. Such a result is thrown away and
the nets are routed again over a graph with separate nodes.

All is plain data: ports are `(bundle, channel)`, places `(column, row)`. `routing` reads and writes the IR.
"""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel, TilePlace
from npuninja.arch.switch import PACKETS_PER_CHANNEL, SwitchPort, legal_connection
from npuninja.lowering.routing.nets import CIRCUIT, Net, Unroutable
from npuninja.lowering.routing.routing_capacity import check_lines, check_rectangles
from npuninja.lowering.routing.routing_graph import Endpoint, Occupied, RoutingGraph, shortest_paths
from npuninja.records import NamedTuple

#: A channel carries one circuit, or the packets of one group.
_CAPACITY = 1
# AIEPathFinder.h: DEMAND_COEFF; a channel that a priority net uses is practically closed to the others.
_BUMP = 1.1
_PRIORITY_BUMP = 2147483647.0
#: Rounds after which the reference gives up.
MAX_ROUNDS = 1000
#: Searches for the paths of one net after which we give up: some 20 seconds, where the reference's rounds
#: would be minutes for a full array. Designs that route at all need a few hundred.
MAX_SEARCHES = 16_000
# Rounds after which it is worth to look for a proof that there is no routing.
_ROUNDS_BEFORE_PROOF = 10


class Connection(NamedTuple):
    """Inside the switch at `place`, slave `source` feeds master `dest`."""

    place: TilePlace
    source: SwitchPort
    dest: SwitchPort


class Route(NamedTuple):
    """How a net runs.

    Attributes:
        connections: all, each once, in the order in which tracing back from the destinations finds them.
        paths: for each destination, its connections from the destination back to the source.
    """

    connections: list[Connection]
    paths: dict[Endpoint, list[Connection]]


class _Round:
    """One attempt to route all nets: what each edge carries, and the predecessors along each net's tree."""

    def __init__(self, graph: RoutingGraph, distinct_ids: bool, priority: set[tuple[int, int]]) -> None:
        self.graph = graph
        #: The edges whose last net has priority, through all rounds.
        self._priority = priority
        self._distinct_ids = distinct_ids
        #: Circuits, and groups of packets, on each edge (node, position among its successors).
        self.used: dict[tuple[int, int], int] = {}
        #: Packet streams of the group that is being routed.
        self._packets: dict[tuple[int, int], int] = {}
        # The group that last claimed a switch's port as source or as destination of a connection, and when.
        self._source_claims: dict[tuple[int, TilePlace], tuple[int, int]] = {}
        self._dest_claims: dict[tuple[int, TilePlace], tuple[int, int]] = {}
        # The packet ids that claimed a port; only where equal ids may not share a channel.
        self._source_ids: dict[tuple[int, TilePlace], set[int]] = {}
        self._dest_ids: dict[tuple[int, TilePlace], set[int]] = {}
        self._clock = 0

    def route(self, position: int, net: Net) -> dict[int, int]:
        """Routes the net at `position` and counts its edges.

        Returns node -> predecessor, in back-trace order.
        """
        graph = self.graph
        source = graph.node(net.source, master=False)
        dests = [graph.node(dest, master=True) for dest in net.dests]
        before = shortest_paths(graph, source, {dest for dest in dests if dest != source})
        tree: dict[int, int] = {}
        for dest in dests:
            node = dest
            while node != source and node not in tree:
                previous = before[node]
                if previous < 0:
                    place, (bundle, channel) = graph.endpoint(dest)
                    raise Unroutable(f"no path leads to {bundle} : {channel} of tile {place}", [position])
                self._use(previous, node, net)
                tree[node] = previous
                node = previous
        return tree

    def _use(self, node: int, next_node: int, net: Net) -> None:
        following = self.graph.successors[node]
        assert following is not None
        edge = (node, following.index(next_node))
        if net.priority:
            self._priority.add(edge)
        else:
            self._priority.discard(edge)
        if net.group != CIRCUIT and self._claim(node, next_node, net):
            self._packets[edge] = self._packets.get(edge, 0) + 1
            if self._packets[edge] >= PACKETS_PER_CHANNEL:
                self._packets[edge] = 0
                self.used[edge] = self.used.get(edge, 0) + 1
        else:
            self.used[edge] = self.used.get(edge, 0) + 1
        self._bump(edge)

    def _claim(self, node: int, next_node: int, net: Net) -> bool:
        """Claims an edge's ports for a packet net.

        Returns False if another group has one of them, or a packet of the same id passes.
        """
        group = net.group
        here, there = self.graph.place(node), self.graph.place(next_node)
        source, dest = (node, there), (next_node, here)
        claims = [self._source_claims.get(source), self._dest_claims.get(dest)]
        latest = max((claim for claim in claims if claim), default=None)
        if latest and latest[1] != group:
            return False
        if self._distinct_ids and net.identifier is not None:
            ids = (self._source_ids.setdefault(source, set()), self._dest_ids.setdefault(dest, set()))
            if net.identifier in ids[0] or net.identifier in ids[1]:
                return False
            for claimed in ids:
                claimed.add(net.identifier)
        self._clock += 1
        self._source_claims[source] = self._dest_claims[dest] = (self._clock, group)
        return True

    def _bump(self, edge: tuple[int, int]) -> None:
        if self.used.get(edge, 0) >= _CAPACITY:
            self.graph.costs[edge[0]][edge[1]] *= _PRIORITY_BUMP if edge in self._priority else _BUMP

    def end_group(self) -> None:
        """Packets of the group become usage; every edge in use becomes dearer for the groups to come."""
        for edge, packets in self._packets.items():
            if packets:
                self.used[edge] = self.used.get(edge, 0) + 1
        self._packets.clear()
        for edge in self.used:
            self._bump(edge)

    def overused(self) -> list[tuple[int, int]]:
        """The edges with more than one user."""
        return [edge for edge, users in self.used.items() if users > _CAPACITY]


def find_routes(
    device: DeviceModel, nets: list[Net], occupied: Occupied | None = None, *, distinct_ids: bool = False
) -> list[Route]:
    """Routes for all nets, in their order.

    Args:
        device: the device; all ports of the nets must exist in it.
        nets: see `NetList`.
        occupied: ports used by connections that the design has already.
        distinct_ids: whether packet flows share a channel only if their ids differ.

    Raises:
        Unroutable: there is no legal routing, or none was found.
    """
    check_lines(device, nets)
    graph = RoutingGraph(device, occupied or {})
    trees = _negotiate(graph, nets, distinct_ids)
    if not all(_physical(graph, net, tree) for net, tree in zip(nets, trees)):
        graph = RoutingGraph(device, occupied or {}, separate=True)
        trees = _negotiate(graph, nets, distinct_ids)
    return [_route(graph, net, tree) for net, tree in zip(nets, trees)]


def _negotiate(graph: RoutingGraph, nets: list[Net], distinct_ids: bool) -> list[dict[int, int]]:
    groups: dict[int, list[int]] = {}
    for i, net in enumerate(nets):
        groups.setdefault(net.group, []).append(i)
    trees: list[dict[int, int]] = [{} for _ in nets]
    overused: list[tuple[int, int]] = []
    used: dict[tuple[int, int], int] = {}
    priority: set[tuple[int, int]] = set()
    for number in range(min(MAX_ROUNDS, MAX_SEARCHES // max(len(nets), 1)) + 1):
        if number == _ROUNDS_BEFORE_PROOF:
            check_rectangles(graph.device, nets)
        graph.start_round(used)
        attempt = _Round(graph, distinct_ids, priority)
        for members in groups.values():
            for i in members:
                trees[i] = attempt.route(i, nets[i])
            attempt.end_group()
        overused = attempt.overused()
        if not overused:
            return trees
        used = attempt.used
        for edge in overused:
            graph.count_overuse(edge)
    raise _congestion(graph, nets, trees, overused)


def _congestion(
    graph: RoutingGraph, nets: list[Net], trees: list[dict[int, int]], overused: list[tuple[int, int]]
) -> Unroutable:
    edges = set()
    for node, position in overused:
        following = graph.successors[node]
        assert following is not None
        edges.add((following[position], node))
    involved = [i for i in range(len(nets)) if any(edge in edges for edge in trees[i].items())]
    (column, row), (bundle, channel) = graph.endpoint(overused[0][0])
    return Unroutable(
        f"{len(involved)} flows compete for too few channels, first for {bundle} : "
        f"{channel} of tile ({column}, {row})",
        involved,
    )


def _physical(graph: RoutingGraph, net: Net, tree: dict[int, int]) -> bool:
    """Whether connections alternate with wires or FIFOs on every branch from the source to a destination."""
    source = graph.node(net.source, master=False)
    dests = {graph.node(dest, master=True) for dest in net.dests}
    place, port = net.source
    if source in dests and not legal_connection(graph.device.tile_kind(place[1]), port, port):
        return False
    for node, previous in tree.items():
        connection = graph.is_connection(previous, node)
        enters = (
            previous == source
            or not graph.is_connection(tree[previous], previous)
            or graph.endpoint(previous)[1][0]
            == "FIFO"  # the same node stands for both ends of the stream FIFO
        )
        if connection != enters or (node in dests and not connection):
            return False
    return True


def _route(graph: RoutingGraph, net: Net, tree: dict[int, int]) -> Route:
    source = graph.node(net.source, master=False)
    connections: list[Connection] = []
    paths: dict[Endpoint, list[Connection]] = {}
    written: set[int] = set()
    for endpoint in net.dests:
        node = graph.node(endpoint, master=True)
        path: list[Connection] = []
        if node == source:  # a port connected to itself, as DMA : 0 to DMA : 0
            path.append(Connection(endpoint[0], net.source[1], endpoint[1]))
            connections += path
        while node != source:
            previous = tree[node]
            if graph.is_connection(previous, node):
                place, dest = graph.endpoint(node)
                path.append(Connection(place, graph.endpoint(previous)[1], dest))
                if node not in written:
                    connections.append(path[-1])
            written.add(node)
            node = previous
        paths[endpoint] = path
    return Route(connections, paths)
