"""Packet switching inside each tile: arbiters, msels, master sets and rules from the routes of packet flows.

Every switch has six arbiters with four msels each. A packet that enters at a slave is compared with that
slave's rules; the first that matches names an (arbiter, msel) pair, here an *amsel*, and the packet leaves by
every master that has the arbiter and the msel. A master belongs to one arbiter.

The choices and their order are the reference's (MLIR-AIE, AIECreatePathFindFlows.cpp, runOnPacketFlow). It
gives an amsel to the flows one after the other, and can then neither move a port to another arbiter nor serve
two arbiters by one port. Where that would lose packets, the tile is done again with one arbiter for all
masters that some flow uses together.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.arch.switch import ARBITERS, BUNDLE_ORDER, MSELS, PACKET_ID_BITS, SLOTS, SwitchPort
from npuninja.lowering.routing.packet_cover import cover, tight_cube
from npuninja.lowering.routing.pathfinder import Connection
from npuninja.lowering.routing.routing_graph import Endpoint
from npuninja.records import NamedTuple

#: (arbiter, msel).
Amsel = tuple[int, int]
#: A stream as a switch sees it: the slave it enters by, and its packet id.
Stream = tuple[SwitchPort, int]


class PacketFlow(NamedTuple):
    """One packet flow and how it runs.

    Attributes:
        identifier: the packet id, 0 to 31.
        paths: the connections to each destination, from the destination back to the source.
        keep_header: whether the destinations keep the header; None leaves the default.
        priority: a control flow, served by amsels of its own.
    """

    identifier: int
    paths: list[tuple[Endpoint, list[Connection]]]
    keep_header: bool | None
    priority: bool


class PacketRule(NamedTuple):
    """Packets with `id & mask == value` go to `amsel`. `identifiers` are those the rule is made for."""

    mask: int
    value: int
    amsel: Amsel
    identifiers: tuple[int, ...]


class MasterSet(NamedTuple):
    """Master `port` serves `amsels`."""

    port: SwitchPort
    amsels: list[Amsel]
    keep_header: bool | None
    #: Whether a control flow leaves here.
    control: bool


class PacketSwitch(NamedTuple):
    """The packet switching of one tile, everything in the order in which it is emitted."""

    amsels: list[Amsel]
    master_sets: list[MasterSet]
    rules: list[tuple[SwitchPort, list[PacketRule]]]
    #: The slaves whose first rule is for control flows.
    control_slaves: set[SwitchPort]


class PacketConflict(Exception):
    """The packet flows at `flows` (positions) cannot all be switched by the tile at `place`."""

    def __init__(self, reason: str, place: TilePlace, flows: list[int], hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.flows = flows
        self.hint = hint


class _TileStreams:
    """The streams through one tile."""

    def __init__(self, place: TilePlace) -> None:
        self.place = place
        #: The masters each stream leaves by.
        self.dests: dict[Stream, list[SwitchPort]] = {}
        #: Streams of priority flows.
        self.priority: set[Stream] = set()
        #: Every stream, once for each master, in the order of the flows.
        self.arrivals: list[Stream] = []
        #: Positions of the flows of a stream.
        self.flows: dict[Stream, list[int]] = {}

    def add(self, position: int, flow: PacketFlow, connection: Connection) -> None:
        """Adds a connection of a flow."""
        stream = (connection.source, flow.identifier)
        dests = self.dests.setdefault(stream, [])
        if connection.dest not in dests:
            dests.append(connection.dest)
            self.arrivals.append(stream)
        if flow.priority:
            self.priority.add(stream)
        if position not in self.flows.setdefault(stream, []):
            self.flows[stream].append(position)

    def ordered(self) -> list[Stream]:
        """The streams in the order in which they get their amsels: control first, then by port, then id."""
        return sorted(
            self.dests, key=lambda s: (s not in self.priority, BUNDLE_ORDER[s[0][0]], s[0][1], s[1])
        )

    def conflict(self, reason: str, streams: list[Stream], hint: str) -> PacketConflict:
        """An error at the flows of some streams."""
        flows = sorted({position for stream in streams for position in self.flows[stream]})
        return PacketConflict(reason, self.place, flows, hint)


def packet_switches(flows: list[PacketFlow], *, fewest_rules: bool = False) -> dict[TilePlace, PacketSwitch]:
    """The packet switching of every tile that packets pass, in no particular order of tiles.

    Args:
        flows: all packet flows, in the order of the design.
        fewest_rules: streams with the same way get as few rules as never match another id of their slave,
            instead of always one.

    Raises:
        PacketConflict: a tile runs out of arbiters, msels or rules.
    """
    tiles: dict[TilePlace, _TileStreams] = {}
    keep: dict[Endpoint, bool | None] = {}
    for position, flow in enumerate(flows):
        for dest, path in flow.paths:
            keep[dest] = flow.keep_header  # the last flow into a port decides
            for connection in reversed(path):
                tile = tiles.get(connection.place)
                if tile is None:
                    tile = tiles[connection.place] = _TileStreams(connection.place)
                tile.add(position, flow, connection)
    return {place: _switch(tile, keep, fewest_rules) for place, tile in tiles.items()}


def _switch(tile: _TileStreams, keep: dict[Endpoint, bool | None], fewest_rules: bool) -> PacketSwitch:
    chosen = _amsels_in_turn(tile)
    if chosen is None:
        chosen = _amsels_by_component(tile)
    amsels = sorted(set(chosen.values()), key=_amsel_number)
    masters: dict[SwitchPort, set[Amsel]] = {}
    for stream, amsel in chosen.items():
        for port in tile.dests[stream]:
            masters.setdefault(port, set()).add(amsel)
    control = {port for stream in tile.priority for port in tile.dests[stream]}
    master_sets = [
        MasterSet(
            port, sorted(masters[port], key=_amsel_number), keep.get((tile.place, port)), port in control
        )
        for port in sorted(masters, key=lambda port: (BUNDLE_ORDER[port[0]], port[1]))
    ]
    rules, control_slaves = _rules(tile, chosen, fewest_rules)
    return PacketSwitch(amsels, master_sets, rules, control_slaves)


def _amsel_number(amsel: Amsel) -> int:
    """The order of amsels: by msel, then by arbiter."""
    return amsel[0] + ARBITERS * amsel[1]


def _amsels_in_turn(tile: _TileStreams) -> dict[Stream, Amsel] | None:
    """The reference's choice, or None where it would tie a port to two arbiters or runs out of msels.

    Control streams take amsels from the highest down, others from the lowest up, arbiters varying fastest. A
    stream is compared with the amsels in their order: the first that shares a master with it is reused if the
    masters are the same; otherwise the stream gets the next msel of that arbiter.
    """
    ports_of: dict[Amsel, list[SwitchPort]] = {}
    arbiter_of: dict[SwitchPort, int] = {}
    chosen: dict[Stream, Amsel] = {}
    for stream in tile.ordered():
        dests = tile.dests[stream]
        arbiters: list[int] = list(range(ARBITERS))
        for amsel in sorted(ports_of, key=_amsel_number):
            if any(port in ports_of[amsel] for port in dests):
                if set(ports_of[amsel]) == set(dests):
                    chosen[stream] = amsel
                arbiters = [amsel[0]]
                break
        if stream in chosen:
            continue
        free = [
            (arbiter, msel)
            for msel in range(MSELS)
            for arbiter in arbiters
            if (arbiter, msel) not in ports_of
        ]
        if not free:
            return None
        amsel = free[-1] if stream in tile.priority else free[0]
        if any(arbiter_of.setdefault(port, amsel[0]) != amsel[0] for port in dests):
            return None
        ports_of[amsel] = dests
        chosen[stream] = amsel
    return chosen


def _amsels_by_component(tile: _TileStreams) -> dict[Stream, Amsel]:
    """One arbiter for all masters that streams use together, one of its msels for each set of masters."""
    components: list[tuple[set[SwitchPort], list[Stream]]] = []
    for stream in tile.ordered():
        ports, streams = set(tile.dests[stream]), [stream]
        for component in [c for c in components if c[0] & ports]:
            components.remove(component)
            ports |= component[0]
            streams = component[1] + streams
        components.append((ports, streams))
    chosen: dict[Stream, Amsel] = {}
    used_msels = [0] * ARBITERS
    for _, streams in components:
        sets: list[set[SwitchPort]] = []
        for stream in streams:
            if set(tile.dests[stream]) not in sets:
                sets.append(set(tile.dests[stream]))
        arbiter = min(range(ARBITERS), key=lambda a: used_msels[a])
        if used_msels[arbiter] + len(sets) > MSELS:
            raise tile.conflict(
                f"the packet flows through tile {tile.place} need {used_msels[arbiter] + len(sets)} sets of "
                f"outputs on one arbiter, which has {MSELS}",
                streams,
                "let flows that share outputs have the same destinations",
            )
        for stream in streams:
            chosen[stream] = (arbiter, used_msels[arbiter] + sets.index(set(tile.dests[stream])))
        used_msels[arbiter] += len(sets)
    return chosen


def _rules(
    tile: _TileStreams, chosen: dict[Stream, Amsel], fewest: bool
) -> tuple[list[tuple[SwitchPort, list[PacketRule]]], set[SwitchPort]]:
    """The rules for all streams of a slave that leave by the same masters, one or with `fewest` as many as it
    takes; streams and slaves from the last to the first. And the slaves whose first rules are for control.
    """
    groups: list[list[Stream]] = []
    for stream in reversed(tile.arrivals):
        for group in groups:
            if stream in group:
                break
            if stream[0] == group[0][0] and set(tile.dests[stream]) == set(tile.dests[group[0]]):
                group.append(stream)
                break
        else:
            groups.append([stream])
    rules: dict[SwitchPort, list[PacketRule]] = {}
    control_slaves: set[SwitchPort] = set()
    for group in groups:
        slave, identifiers = group[0][0], [identifier for _, identifier in group]
        if slave not in rules and group[0] in tile.priority:
            control_slaves.add(slave)
        others = {i for each in groups for port, i in each if port == slave} - set(identifiers)
        parts = (
            cover(identifiers, others, PACKET_ID_BITS)
            if fewest
            else [tight_cube(identifiers, PACKET_ID_BITS)]
        )
        for cube in parts:
            caught = tuple(sorted(i for i in identifiers if i & cube.mask == cube.value))
            rules.setdefault(slave, []).append(PacketRule(cube.mask, cube.value, chosen[group[0]], caught))
    for port, found in rules.items():
        if len(found) > SLOTS:
            raise tile.conflict(
                f"{port[0]} : {port[1]} of tile {tile.place} needs {len(found)} packet rules, "
                f"there are {SLOTS}",
                [stream for stream in tile.dests if stream[0] == port],
                "send the packets from more sources, "
                "or give ids that differ in one bit to flows with the same destination",
            )
    return list(rules.items()), control_slaves


class FalseMatch(NamedTuple):
    """The rule `earlier` of `slave` comes first and catches `identifier`, for which `later` is.

    When `later` is not made for `identifier`, no packet goes astray; the reference complains as well.
    """

    slave: SwitchPort
    identifier: int
    earlier: PacketRule
    later: PacketRule


def false_matches(switch: PacketSwitch) -> list[FalseMatch]:
    """The ids that a rule catches though a later one of the same slave stands for them."""
    found = []
    for slave, rules in switch.rules:
        for i, earlier in enumerate(rules):
            for later in rules[i + 1 :]:
                identifiers = sorted({later.value, *later.identifiers})
                caught = [
                    identifier for identifier in identifiers if identifier & earlier.mask == earlier.value
                ]
                meant = [identifier for identifier in caught if identifier in later.identifiers]
                found += [FalseMatch(slave, identifier, earlier, later) for identifier in meant or caught]
    return found
