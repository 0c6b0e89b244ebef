"""Step 2 of the lowering: flows become switch settings.

`route` reads the `aie.flow` and `aie.packet_flow` operations of each device, lets `pathfinder` and
`packet_routing` decide, and has `switch_emission` write the result. The first flow of each source disappears,
packet flows stay, as with the reference's `aie-create-pathfinder-flows`.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.arch.switch import MASTER_COUNTS, MAX_PACKET_ID, SHIM_MM2S_SOUTH, SLAVE_COUNTS
from npuninja.errors import Location, UserError, Warnings
from npuninja.ir.attributes import BoolAttr
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.generation import rules_of
from npuninja.lowering.routing.nets import NetList, Unroutable
from npuninja.lowering.routing.packet_routing import (
    FalseMatch,
    PacketConflict,
    PacketFlow,
    PacketSwitch,
    false_matches,
    packet_switches,
)
from npuninja.lowering.routing.pathfinder import Route, find_routes
from npuninja.lowering.routing.routing_graph import Endpoint, port_counts
from npuninja.lowering.routing.switch_emission import Fabric, port_of
from npuninja.lowering.tiles import model_of, ops_of, place_of

_MOST_NOTES = 8


def route(module: Operation, *, generation: str, warnings: Warnings) -> None:
    """Routes all devices of a module in place.

    Args:
        module: the result of step 1.
        generation: as `pipeline.generation_of` gives it.
        warnings: receives what is suspicious but accepted.

    Raises:
        UserError: the flows cannot be routed; located at the flows that cause it.
    """
    for op in module.body.ops:
        if op.name == "aie.device":
            _DeviceRouting(op, generation, warnings).run()


class _PacketSource:
    """One source of an `aie.packet_flow` with the destinations."""

    def __init__(self, op: Operation, source: Endpoint, dests: list[Endpoint]) -> None:
        self.op = op
        self.source = source
        self.dests = dests
        self.identifier = op.integer("ID")
        keep, priority = op.attributes.get("keep_pkt_header"), op.attributes.get("priority_route")
        self.keep_header = keep.value if isinstance(keep, BoolAttr) else None
        self.priority = isinstance(priority, BoolAttr) and priority.value


def _routed_ids(device: Operation) -> dict[Endpoint, list[tuple[int, int]]]:
    """The (mask, value) pairs of the packet rules that a device has, by the port that packets come from."""
    found: dict[Endpoint, list[tuple[int, int]]] = {}
    for switch in ops_of(device, "aie.switchbox"):
        for rules in switch.body.ops:
            if rules.name != "aie.packet_rules":
                continue
            pairs = [
                (rule.integer("mask"), rule.integer("value"))
                for rule in rules.body.ops
                if rule.name == "aie.rule"
            ]
            place, port = place_of(switch.tile), port_of(rules, "source_")
            found.setdefault((place, port), []).extend(pairs)
            if port[0] == "South" and port[1] in SHIM_MM2S_SOUTH:  # behind the mux of a shim tile
                found.setdefault((place, ("DMA", SHIM_MM2S_SOUTH.index(port[1]))), []).extend(pairs)
    return found


class _DeviceRouting:
    """Routes the circuits and packet flows of one device."""

    def __init__(self, op: Operation, generation: str, warnings: Warnings) -> None:
        self.op = op
        self.model = model_of(op)
        self.rules = rules_of(generation)
        self.warnings = warnings
        self.flows = list(ops_of(op, "aie.flow"))
        packets = (packet for flow in ops_of(op, "aie.packet_flow") for packet in self._packets(flow))
        # Packet flows stay in a routed module: those that a switch knows already are done.
        routed = _routed_ids(op)
        self.packets = [
            packet
            for packet in packets
            if not any(packet.identifier & mask == value for mask, value in routed.get(packet.source, ()))
        ]

    def run(self) -> None:
        """Routes and writes the result."""
        fabric = Fabric(self.op)
        routes = self._find_routes(fabric)
        written: set[Endpoint] = set()
        for flow in self.flows:
            source = _end(flow, "source", "source_")
            if source not in written:
                written.add(source)
                fabric.add_circuit(routes[source].connections, flow)
                flow.erase()  # further flows from the same source stay, as in the reference
        switches, users = self._switch_packets(routes)
        fabric.add_packets(switches, users, marks_overlay=self.rules.marks_overlay)
        fabric.add_wires()

    # -------------------------------------------------------------- reading

    def _packets(self, flow: Operation) -> list[_PacketSource]:
        if not 0 <= flow.integer("ID") <= MAX_PACKET_ID:
            raise UserError(
                f"packet id {flow.integer('ID')} is not between 0 and {MAX_PACKET_ID}",
                flow.loc,
                hint="a packet's header has five bits for it",
            )
        ends: dict[str, list[Endpoint]] = {"aie.packet_source": [], "aie.packet_dest": []}
        for op in flow.body.ops:
            if op.name in ends:
                end = _end(op, "tile")
                self._check_port(end, op.loc or flow.loc, is_source=op.name == "aie.packet_source")
                ends[op.name].append(end)
        for name, found in ends.items():
            if not found:
                raise UserError(
                    f"the packet flow has no {name}", flow.loc, hint=f"add {name}<%tile, DMA : 0>"
                )
        return [
            _PacketSource(flow, source, list(dict.fromkeys(ends["aie.packet_dest"])))
            for source in ends["aie.packet_source"]
        ]

    def _check_port(self, end: Endpoint, loc: Location | None, *, is_source: bool) -> None:
        """UserError when the tile has no such port."""
        (column, row), (bundle, channel) = end
        if not self.model.contains(column, row):
            raise UserError(
                f"{self.model.name} has no tile ({column}, {row})",
                loc,
                hint=f"columns are 0 to {self.model.columns - 1}, rows 0 to {self.model.rows - 1}",
            )
        counts = port_counts(self.model, end[0], SLAVE_COUNTS if is_source else MASTER_COUNTS)
        if channel not in range(counts.get(bundle, 0)):
            role = "source" if is_source else "destination"
            known = ", ".join(f"{name} : {_channels(count)}" for name, count in counts.items())
            raise UserError(
                f"tile ({column}, {row}) has no stream {role} {bundle} : {channel}",
                loc,
                hint=f"{role}s of this {self.model.tile_kind(row)} tile: {known}",
            )

    # -------------------------------------------------------------- deciding

    def _find_routes(self, fabric: Fabric) -> dict[Endpoint, Route]:
        nets = NetList()
        origins: dict[Endpoint, list[Operation]] = {}
        for packet in self.packets:
            origins.setdefault(packet.source, []).append(packet.op)
            for dest in packet.dests:
                nets.add(packet.source, dest, identifier=packet.identifier, priority=packet.priority)
        if not self.rules.sorts_flows:
            nets.sort_priority()
        packet_sources = set(origins)
        for flow in self.flows:
            source, dest = _end(flow, "source", "source_"), _end(flow, "dest", "dest_")
            self._check_port(source, flow.loc, is_source=True)
            self._check_port(dest, flow.loc, is_source=False)
            if source in packet_sources:
                raise UserError(
                    f"{_text(source)} is the source of a circuit and of packets",
                    flow.loc,
                    notes=(("the packet flow is here", origins[source][0].loc),),
                    hint="use aie.packet_flow for all flows from one source, or aie.flow for all",
                )
            origins.setdefault(source, []).append(flow)
            nets.add(source, dest)
        if self.rules.sorts_flows:
            nets.sort_all()
        try:
            routes = find_routes(self.model, nets.nets, fabric.occupied, distinct_ids=self.rules.sorts_flows)
        except Unroutable as failure:
            involved = [flow for i in failure.nets for flow in origins[nets.nets[i].source]]
            raise UserError(
                f"no legal routing: {failure.reason}",
                involved[0].loc,
                notes=tuple(("this flow takes part", flow.loc) for flow in involved[1 : _MOST_NOTES + 1]),
                hint="use fewer flows, place their ends in other columns, "
                "or let several share channels as aie.packet_flow",
            ) from None
        return {net.source: found for net, found in zip(nets.nets, routes)}

    def _switch_packets(
        self, routes: dict[Endpoint, Route]
    ) -> tuple[dict[TilePlace, PacketSwitch], dict[Endpoint, Operation]]:
        """The packet switching of all tiles, and a packet flow for each port that packets pass."""
        flows = []
        users: dict[Endpoint, Operation] = {}
        keeping: dict[Endpoint, _PacketSource] = {}
        for packet in self.packets:
            paths = [(dest, routes[packet.source].paths[dest]) for dest in packet.dests]
            flows.append(PacketFlow(packet.identifier, paths, packet.keep_header, packet.priority))
            for dest, path in paths:
                before = keeping.setdefault(dest, packet)
                if bool(before.keep_header) != bool(packet.keep_header):
                    self.warnings.add(
                        f"packet flows into {_text(dest)} differ in keep_pkt_header; "
                        "the last one decides for all",
                        packet.op.loc,
                    )
                for connection in path:
                    users[connection.place, connection.source] = packet.op
                    users[connection.place, connection.dest] = packet.op
        try:
            switches = packet_switches(flows, fewest_rules=self.rules.sorts_flows)
        except PacketConflict as failure:
            involved = [self.packets[i].op for i in failure.flows]
            raise UserError(
                failure.reason,
                involved[0].loc,
                notes=tuple(("this packet flow takes part", op.loc) for op in involved[1 : _MOST_NOTES + 1]),
                hint=failure.hint,
            ) from None
        for place, switch in switches.items():
            for match in false_matches(switch):
                self._report_false_match(place, match)
        return switches, users

    def _report_false_match(self, place: TilePlace, match: FalseMatch) -> None:
        slave, identifier, others = (
            _text((place, match.slave)),
            match.identifier,
            _numbers(match.earlier.identifiers),
        )
        if identifier in match.later.identifiers:
            message = (
                f"packets with id {identifier} go astray at {slave}: "
                f"the rule for id {others} matches them too"
            )
        else:
            meant = _numbers(match.later.identifiers)
            message = f"at {slave} the rules for id {others} and for id {meant} both match id {identifier}"
        message += f" (mask {match.earlier.mask}, value {match.earlier.value})"
        hint = (
            "number the packets so that flows with the same way differ from all others in a bit in which "
            "they agree"
        )
        loc = next(packet.op.loc for packet in self.packets if packet.identifier in match.later.identifiers)
        if self.rules.false_match_is_error:
            raise UserError(message, loc, hint=hint)
        self.warnings.add(f"{message}; {hint}", loc)


def _end(op: Operation, tile: str, prefix: str = "") -> Endpoint:
    """The port of a tile that an end of a flow stands for."""
    return place_of(operand(op, tile)), port_of(op, prefix)


def _text(end: Endpoint) -> str:
    (column, row), (bundle, channel) = end
    return f"{bundle} : {channel} of tile ({column}, {row})"


def _numbers(identifiers: tuple[int, ...]) -> str:
    return ", ".join(map(str, identifiers))


def _channels(count: int) -> str:
    return "0" if count == 1 else f"0-{count - 1}"
