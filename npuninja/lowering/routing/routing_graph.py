"""The array as a graph of ports, and the shortest paths through it as the reference finds them.

Many paths have the same length, so the habits of the reference (MLIR-AIE, AIEPathFinder.cpp, d_ary_heap.h)
decide which one is taken: the order of successors, the 4-ary heap, and that a node whose distance falls while
it is in the heap is not moved. They are followed to the letter.

Three things are left out of the search because they change nothing: a node that has left the heap is not
looked at again, since no way to it is shorter; connections of which none can be shorter are not looked at one
by one (distances only fall, so the largest in a tile, once known, is a bound for all nodes of it that are
known by then); and the search ends when nothing that is left can shorten the way to a destination, since
every edge costs `_LEAST_COST` or more.
"""

from __future__ import annotations

from operator import itemgetter

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DeviceModel, TilePlace
from npuninja.arch.switch import (
    BUNDLES,
    MASTER_COUNTS,
    OPPOSITE,
    SLAVE_COUNTS,
    STEP,
    SwitchPort,
    legal_connection,
)

if TYPE_CHECKING:
    from typing import Any, Callable

#: A port of a tile.
Endpoint = tuple[TilePlace, SwitchPort]
#: For each tile: the slave and the master ports in use.
Occupied = dict[TilePlace, tuple[set[SwitchPort], set[SwitchPort]]]
_NOTHING: tuple[set[SwitchPort], set[SwitchPort]] = (set(), set())

#: What the cheapest edge costs: DEMAND_BASE of AIEPathFinder.h. All that changes a cost makes it higher.
_LEAST_COST = 1.0
# Weights of AIEPathFinder.h: OVER_CAPACITY_COEFF, USED_CAPACITY_COEFF.
_OVER_WEIGHT = 0.1
_USED_WEIGHT = 0.02


def port_counts(device: DeviceModel, place: TilePlace, counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """The ports of a tile by bundle; none lead out of the array but those of the shim row to the south."""
    column, row = place
    ports = dict(counts[device.tile_kind(row)])
    if column == 0:
        ports.pop("West", None)
    if column == device.columns - 1:
        ports.pop("East", None)
    if row == device.rows - 1:
        ports.pop("North", None)
    return ports


# Ports of all bundles and channels, sorted as the reference sorts them; the position is the port's number.
_CHANNELS = {
    bundle: max(counts.get(bundle, 0) for table in (MASTER_COUNTS, SLAVE_COUNTS) for counts in table.values())
    for bundle in BUNDLES
}
_PORTS: list[SwitchPort] = [(bundle, channel) for bundle in BUNDLES for channel in range(_CHANNELS[bundle])]
_PORT_NUMBER = {port: number for number, port in enumerate(_PORTS)}
_WIDTH = len(_PORTS)
_LEGAL_MASTERS: dict[tuple[str, int], list[int]] = {}


def _legal_masters(kind: str, slave: int) -> list[int]:
    """The numbers of the masters that a slave may be connected to in the switch of a tile kind, in order."""
    found = _LEGAL_MASTERS.get((kind, slave))
    if found is None:
        counts = MASTER_COUNTS[kind]
        found = [
            number
            for number, port in enumerate(_PORTS)
            if port[1] < counts.get(port[0], 0) and legal_connection(kind, _PORTS[slave], port)
        ]
        _LEGAL_MASTERS[kind, slave] = found
    return found


class RoutingGraph:
    """Ports as nodes, connections and wires as edges with costs. Successors are worked out when first needed.

    A wire leads from a master to a slave of the next tile; the stream FIFO from a tile's master FIFO : 0 to
    its slave FIFO : 0. Node numbers sort like (column, row, bundle, channel). With `separate`, a port's way
    out is the node of the same number plus `masters`, so that connections have to alternate with wires or
    FIFOs.

    Args:
        device: gives the array's size; routes may use all of it.
        occupied: the ports that are in use already, and may not be used by any new connection.
    """

    def __init__(self, device: DeviceModel, occupied: Occupied, *, separate: bool = False) -> None:
        self.device = device
        self.occupied = occupied
        self._rows = device.rows
        self._ports = device.columns * self._rows * _WIDTH
        self.masters = self._ports if separate else 0
        self.size = self._ports + self.masters
        self.successors: list[list[int] | None] = [None] * self.size
        self.costs: list[list[float]] = [[]] * self.size
        #: For nodes with several connections: what takes their distances out of a list, which successor is
        #: not among them, because a wire leads to it (-1 for none), and the number of the tile.
        self.connected: list[tuple[Callable[[list[float]], Any], int, int] | None] = [None] * self.size
        #: By number of the tile: what takes the distances of all its nodes are connected to out of a list.
        self.tiles: dict[int, Callable[[list[float]], Any]] = {}
        self._masters: dict[int, set[int]] = {}
        #: How often each edge was used too much, over all rounds.
        self._over: dict[tuple[int, int], int] = {}

    def node(self, endpoint: Endpoint, *, master: bool) -> int:
        """The node of a port, as destination (`master`) or source."""
        (column, row), port = endpoint
        return (column * self._rows + row) * _WIDTH + _PORT_NUMBER[port] + (self.masters if master else 0)

    def endpoint(self, node: int) -> Endpoint:
        """The port of a node."""
        tile, number = divmod(node % self._ports, _WIDTH)
        return divmod(tile, self._rows), _PORTS[number]

    def place(self, node: int) -> TilePlace:
        """The tile of a node."""
        return divmod(node % self._ports // _WIDTH, self._rows)

    def is_connection(self, node: int, next_node: int) -> bool:
        """Whether an edge is a connection in a switch, not a wire between two or the stream FIFO of one."""
        return self.place(node) == self.place(next_node) and next_node >= self.masters

    def expand(self, node: int) -> list[int]:
        """Works out the successors of a node, in order, with cost 1."""
        place, port = self.endpoint(node)
        base = (place[0] * self._rows + place[1]) * _WIDTH
        leaves = node >= self.masters
        found = self._connections(place, port, base) if not (leaves and self.masters) else []
        if leaves:
            behind = self._behind(place, port, node)
            if behind is not None:
                found.append(behind)
                found.sort()
        self.successors[node] = found
        self.costs[node] = [_LEAST_COST] * len(found)
        inside = [
            each for each in found if base <= each - self.masters * (each >= self.masters > 0) < base + _WIDTH
        ]
        if len(inside) > 1 and len(found) - len(inside) < 2:
            wire = next((i for i, each in enumerate(found) if each not in inside), -1)
            self.connected[node] = itemgetter(*inside), wire, base
            of_tile = self._masters.setdefault(base, set())
            if not of_tile.issuperset(inside):
                of_tile.update(inside)
                self.tiles[base] = itemgetter(*of_tile)
        return found

    def _connections(self, place: TilePlace, port: SwitchPort, base: int) -> list[int]:
        """The masters that a slave may still be connected to in its switch; `base`: the tile's first port."""
        slaves, masters = self.occupied.get(place, _NOTHING)
        bundle, channel = port
        if port in slaves or channel >= port_counts(self.device, place, SLAVE_COUNTS).get(bundle, 0):
            return []
        counts = port_counts(self.device, place, MASTER_COUNTS)
        return [
            base + self.masters + number
            for number in _legal_masters(self.device.tile_kind(place[1]), _PORT_NUMBER[port])
            if _PORTS[number][0] in counts and _PORTS[number] not in masters
        ]

    def _behind(self, place: TilePlace, port: SwitchPort, node: int) -> int | None:
        """The slave that a master leads to: by a wire in the next tile, or by the stream FIFO in its own."""
        (column, row), (bundle, channel) = place, port
        if bundle == "FIFO" and self.masters:
            return node - self.masters
        if bundle not in STEP:
            return None
        x, y = column + STEP[bundle][0], row + STEP[bundle][1]
        is_there = channel < MASTER_COUNTS[self.device.tile_kind(row)].get(bundle, 0)
        if not is_there or not self.device.contains(x, y):
            return None
        return (x * self._rows + y) * _WIDTH + _PORT_NUMBER[OPPOSITE[bundle], channel]

    def start_round(self, used: dict[tuple[int, int], int]) -> None:
        """Sets the costs again from the history and from the usage of the round before."""
        for node, costs in enumerate(self.costs):
            if costs:
                self.costs[node] = [_LEAST_COST] * len(costs)
        for edge in {**used, **self._over}:
            history = 1 + _OVER_WEIGHT * self._over.get(edge, 0)
            congestion = 1 + _USED_WEIGHT * used.get(edge, 0)
            self.costs[edge[0]][edge[1]] = history * congestion

    def count_overuse(self, edge: tuple[int, int]) -> None:
        """Makes an edge dearer for all later rounds."""
        self._over[edge] = self._over.get(edge, 0) + 1


def shortest_paths(graph: RoutingGraph, source: int, dests: set[int]) -> list[int]:
    """Dijkstra's algorithm as the reference runs it: the predecessor of each node reached, -1 elsewhere.

    A node whose distance falls in the heap stays where it is. The source counts as unseen while it is
    expanded: where its port may be connected to itself it is pushed again.
    """
    infinity = float("inf")
    distance = [infinity] * graph.size
    before = [-1] * graph.size
    seen = bytearray(graph.size)  # whether it has been in the heap
    distance[source] = 0.0
    heap = [source]
    waiting = set(dests)
    missing = len(waiting)  # those that have not been in the heap
    successors, all_costs, connected, tiles = graph.successors, graph.costs, graph.connected, graph.tiles
    largest: dict[int, float] = {}  # by tile: none of what its nodes are connected to is farther
    while heap:
        node = _pop_nearest(heap, distance)
        if node in waiting:
            waiting.remove(node)
            if not waiting:
                break
        reached = distance[node]
        following = successors[node]
        if following is None:
            following = graph.expand(node)
            largest.clear()
        costs = all_costs[node]
        inside = connected[node]
        if inside is not None:
            take, wire, tile = inside
            limit = reached + _LEAST_COST
            farthest = largest.get(tile, infinity)
            if farthest > limit:
                farthest = max(take(distance))
                if farthest <= limit:
                    largest[tile] = max(tiles[tile](distance))
            if farthest <= limit:
                if wire < 0:
                    continue
                following, costs = following[wire : wire + 1], costs[wire : wire + 1]
        for next_node, cost in zip(following, costs):
            length = reached + cost
            if length < distance[next_node]:
                distance[next_node] = length
                before[next_node] = node
                if seen[next_node]:
                    continue
            elif seen[next_node] or next_node != source:
                continue
            seen[next_node] = 1
            missing -= next_node in waiting
            _push(heap, distance, next_node)
        seen[node] = 1  # the source, which was not in the heap for its own connection
        if not missing and heap and _are_settled(waiting, distance, heap):
            break
    return before


def _are_settled(dests: set[int], distance: list[float], heap: list[int]) -> bool:
    limit = min(map(distance.__getitem__, heap)) + _LEAST_COST
    return all(distance[dest] <= limit for dest in dests)


def _push(heap: list[int], distance: list[float], node: int) -> None:
    """Adds a node to a 4-ary heap, which rises while it is strictly nearer."""
    length = distance[node]
    at = len(heap)
    heap.append(node)
    while at:
        parent = (at - 1) >> 2
        if not length < distance[heap[parent]]:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = node


def _pop_nearest(heap: list[int], distance: list[float]) -> int:
    """Takes the root out of a 4-ary heap; the last node sinks from there while a child is strictly nearer."""
    root = heap[0]
    last = heap.pop()
    size = len(heap)
    if not size:
        return root
    own = distance[last]
    at = 0
    child = 1
    while child + 4 <= size:
        # The nearest of the four children, the first of several, without calls: routing spends its time here.
        best = child
        first, second, third, fourth = heap[child : child + 4]
        nearest = distance[first]
        value = distance[second]
        if value < nearest:
            nearest, first, best = value, second, child + 1
        value = distance[third]
        if value < nearest:
            nearest, first, best = value, third, child + 2
        value = distance[fourth]
        if value < nearest:
            nearest, first, best = value, fourth, child + 3
        if not nearest < own:
            break
        heap[at] = first
        at = best
        child = 4 * at + 1
    else:
        if child < size:
            best = min(range(child, size), key=lambda i: distance[heap[i]])
            if distance[heap[best]] < own:
                heap[at] = heap[best]
                at = best
    heap[at] = last
    return root
