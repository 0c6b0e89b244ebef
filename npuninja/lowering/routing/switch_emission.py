"""Writes routes into the IR: `aie.switchbox`, `aie.shim_mux`, missing tiles, and the wires between them.

The places and the order of the operations are the reference's (MLIR-AIE, AIECreatePathFindFlows.cpp), because
the order of switches and connections is the order of the configuration's register writes.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.arch.switch import (
    SHIM_MM2S_SOUTH,
    SHIM_NOC_DEST_SOUTH,
    SHIM_NOC_SOURCE_SOUTH,
    SHIM_S2MM_SOUTH,
    SwitchPort,
)
from npuninja.errors import Location, UserError
from npuninja.ir.attributes import Attribute, BoolAttr, EnumAttr, IntegerAttr, UnitAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.lowering.op_builders import i32, tile
from npuninja.lowering.routing.packet_routing import PacketSwitch
from npuninja.lowering.routing.pathfinder import Connection
from npuninja.lowering.routing.routing_graph import Occupied
from npuninja.lowering.tiles import append, model_of, ops_of, place_of

# Behind the shim's multiplexer: the South channel for each channel of a bundle. PLIO keeps its number.
_INTO_SWITCH = {"DMA": SHIM_MM2S_SOUTH, "NOC": SHIM_NOC_SOURCE_SOUTH, "PLIO": tuple(range(8))}
_OUT_OF_SWITCH = {"DMA": SHIM_S2MM_SOUTH, "NOC": SHIM_NOC_DEST_SOUTH, "PLIO": tuple(range(6))}


class Fabric:
    """The switches of one `aie.device` while routes are written into it.

    Attributes:
        tiles, switchboxes, muxes: the operations by place; those made on the way included.
        occupied: the ports in use by connections that the design had before.
    """

    def __init__(self, device: Operation) -> None:
        self.device = device
        self.model = model_of(device)
        self.tiles: dict[TilePlace, Operation] = {}
        for op in ops_of(device, "aie.tile"):
            self.tiles.setdefault(place_of(op.result), op)
        self.switchboxes = {place_of(op.tile): op for op in ops_of(device, "aie.switchbox")}
        self.muxes = {place_of(op.tile): op for op in ops_of(device, "aie.shim_mux")}
        self.occupied: Occupied = {}
        # For messages: what drives each master of a switchbox or multiplexer, what circuit each slave feeds.
        self._drivers: dict[tuple[TilePlace, str, SwitchPort], Operation] = {}
        self._circuit_slaves: dict[tuple[TilePlace, SwitchPort], Operation] = {}
        for place, box in [*self.switchboxes.items(), *self.muxes.items()]:
            self._note_connections(place, box)

    def _note_connections(self, place: TilePlace, box: Operation) -> None:
        """Notes what a switchbox or multiplexer of the design connects already."""
        slaves, masters = self.occupied.setdefault(place, (set(), set()))
        for op in box.body.ops:
            if op.name in ("aie.connect", "aie.masterset"):
                self._drivers[place, box.name, port_of(op, "dest_")] = op
            if box.name != "aie.switchbox":
                continue
            if op.name in ("aie.connect", "aie.masterset"):
                masters.add(port_of(op, "dest_"))
            if op.name in ("aie.connect", "aie.packet_rules"):
                slaves.add(port_of(op, "source_"))
            if op.name == "aie.connect":
                self._circuit_slaves[place, port_of(op, "source_")] = op

    def kind(self, place: TilePlace) -> str:
        """`shim`, `mem` or `core`: the kind of the tile at a place."""
        return self.model.tile_kind(place[1])

    def tile(self, place: TilePlace) -> Operation:
        """The tile at a place, made at the end of the device if there is none."""
        found = self.tiles.get(place)
        if found is None:
            found = self.tiles[place] = append(self.device, tile(*place, self.model))
        return found

    def switchbox(self, place: TilePlace, after: Operation | None = None) -> Operation:
        """The switchbox of a tile, made after `after`, or at the end of the device, if there is none."""
        return self._interconnect(self.switchboxes, "switchbox", place, after)

    def mux(self, place: TilePlace, after: Operation | None = None) -> Operation:
        """The shim multiplexer of a tile, made after `after`, or at the device's end, if there is none."""
        return self._interconnect(self.muxes, "shim_mux", place, after)

    def _interconnect(
        self, made: dict[TilePlace, Operation], kind: str, place: TilePlace, after: Operation | None
    ) -> Operation:
        found = made.get(place)
        if found is None:
            owner = self.tile(place)
            name = f"{kind}_{place[0]}_{place[1]}"
            found = Operation(
                f"aie.{kind}",
                [owner.result],
                {},
                ("index",),
                regions=[Region([Block()])],
                result_names=(name,),
            )
            made[place] = found
            if after is not None:
                after.insert_after(found)
            else:
                append(self.device, found)
        return found

    # -------------------------------------------------------------- circuits

    def add_circuit(self, connections: list[Connection], flow: Operation) -> None:
        """Writes the connections of one circuit net: tiles in order, each tile's connections as given.

        Raises:
            UserError: something else leads into one of the ports already.
        """
        for place in sorted({connection.place for connection in connections}):
            box = self.switchbox(place)
            here = [connection for connection in connections if connection.place == place]
            for source in dict.fromkeys(connection.source for connection in here):
                entry = _entry(self.kind(place), source)
                if entry != source:
                    self._connect(self.mux(place), source, ("North", entry[1]), flow)
            for connection in here:
                exit = _exit(self.kind(place), connection.dest)
                if exit != connection.dest:
                    self._connect(self.mux(place), ("North", exit[1]), connection.dest, flow)
                self._connect(box, _entry(self.kind(place), connection.source), exit, flow)

    def _connect(self, box: Operation, source: SwitchPort, dest: SwitchPort, flow: Operation) -> None:
        self._drive(box, dest, flow)
        box.body.append(_connect(source, dest, flow.loc))
        if box.name == "aie.switchbox":
            self._circuit_slaves[place_of(box.tile), source] = flow

    def _drive(self, box: Operation, dest: SwitchPort, flow: Operation) -> None:
        """Notes that `flow` drives a master; UserError when something else does already."""
        place = place_of(box.tile)
        other = self._drivers.setdefault((place, box.name, dest), flow)
        if other is flow:
            return
        raise UserError(
            f"two flows lead into {dest[0]} : {dest[1]} of tile {place}",
            flow.loc,
            notes=(("the other one is here", other.loc),),
            hint="give each flow a destination of its own, or use packet flows, which can share one",
        )

    # -------------------------------------------------------------- packets

    def add_packets(
        self,
        switches: dict[TilePlace, PacketSwitch],
        users: dict[tuple[TilePlace, SwitchPort], Operation],
        *,
        marks_overlay: bool,
    ) -> None:
        """Writes the packet switching of all tiles. Every tile of the device gets a switchbox, maybe empty.

        Args:
            switches: see `packet_routing.packet_switches`.
            users: for each port that packets pass, a packet flow that uses it, for error messages.
            marks_overlay: what control flows use is marked so.

        Raises:
            UserError: a circuit uses one of the ports already.
        """
        # Tiles without an op get one as their streams come up: those of control flows first.
        for place in sorted(switches, key=lambda p: (not any(m.control for m in switches[p].master_sets), p)):
            self.tile(place)
        for place in sorted(self.tiles):
            box = self.switchbox(place, after=self.tiles[place])
            if place in switches:
                self._add_packet_switch(box, place, switches[place], users, marks_overlay)

    def _add_packet_switch(
        self,
        box: Operation,
        place: TilePlace,
        switch: PacketSwitch,
        users: dict[tuple[TilePlace, SwitchPort], Operation],
        marks_overlay: bool,
    ) -> None:
        amsels: dict[tuple[int, int], Value] = {}
        behind_mux: list[tuple[SwitchPort, SwitchPort, Operation]] = []
        for arbiter, msel in switch.amsels:
            attributes: dict[str, Attribute] = {
                "arbiterID": IntegerAttr(arbiter, "i8"),
                "msel": IntegerAttr(msel, "i8"),
            }
            amsels[arbiter, msel] = box.body.append(Operation("aie.amsel", [], attributes, ("index",))).result
        for master in switch.master_sets:
            flow, port = users[place, master.port], _exit(self.kind(place), master.port)
            self._drive(box, port, flow)
            if port != master.port:
                behind_mux.append((("North", port[1]), master.port, flow))
            attributes = {"dest_bundle": _bundle(port), "dest_channel": i32(port[1])}
            if master.keep_header is not None:
                attributes["keep_pkt_header"] = BoolAttr(master.keep_header)
            if marks_overlay and master.control:
                attributes["is_ctrl_pkt_overlay"] = UnitAttr()
            operands = [amsels[amsel] for amsel in master.amsels]
            box.body.append(Operation("aie.masterset", operands, attributes, ("index",)))
        for slave, rules in switch.rules:
            flow, port = users[place, slave], _entry(self.kind(place), slave)
            self._refuse_circuit(place, port, flow)
            if port != slave:
                behind_mux.append((slave, ("North", port[1]), flow))
            body = Block()
            for rule in rules:
                attributes = {"mask": IntegerAttr(rule.mask, "i8"), "value": IntegerAttr(rule.value, "i8")}
                body.append(Operation("aie.rule", [amsels[rule.amsel]], attributes))
            attributes = {"source_bundle": _bundle(port), "source_channel": i32(port[1])}
            if marks_overlay and slave in switch.control_slaves:
                attributes["is_ctrl_pkt_overlay"] = UnitAttr()
            box.body.append(Operation("aie.packet_rules", [], attributes, regions=[Region([body])]))
        for source, dest, flow in behind_mux:
            mux = self.mux(place, after=self.tiles[place])
            self._drive(mux, dest, flow)
            mux.body.insert(0, _connect(source, dest, flow.loc))

    def _refuse_circuit(self, place: TilePlace, slave: SwitchPort, flow: Operation) -> None:
        circuit = self._circuit_slaves.get((place, slave))
        if circuit is not None:
            raise UserError(
                f"{slave[0]} : {slave[1]} of tile {place} is the source of a circuit and of packets",
                flow.loc,
                notes=(("the circuit is here", circuit.loc),),
                hint="use aie.packet_flow for all flows from one source, or aie.flow for all",
            )

    # -------------------------------------------------------------- wires

    def add_wires(self) -> None:
        """Writes the wires between switches, and between switches and tiles. They are for display only."""
        for place in sorted(set(self.tiles) & set(self.switchboxes)):
            column, row = place
            owner, box = self.tiles[place].result, self.switchboxes[place].result
            west, south = self.switchboxes.get((column - 1, row)), self.switchboxes.get((column, row - 1))
            if west is not None:
                self._wire(west.result, "East", box, "West")
            if self.kind(place) == "shim":
                mux = self.muxes.get(place)
                if mux is not None:
                    self._wire(mux.result, "North", box, "South")
                    self._wire(owner, "DMA", mux.result, "DMA")
                continue
            self._wire(owner, "Core", box, "Core")
            self._wire(owner, "DMA", box, "DMA")
            if south is not None:
                self._wire(south.result, "North", box, "South")

    def _wire(self, source: Value, source_bundle: str, dest: Value, dest_bundle: str) -> None:
        attributes: dict[str, Attribute] = {
            "source_bundle": EnumAttr("WireBundle", source_bundle),
            "dest_bundle": EnumAttr("WireBundle", dest_bundle),
        }
        append(self.device, Operation("aie.wire", [source, dest], attributes))


def _entry(kind: str, source: SwitchPort) -> SwitchPort:
    """The slave by which a stream enters the switch: on a shim tile, where it comes out of the mux."""
    if kind == "shim" and source[0] in _INTO_SWITCH:
        return "South", _INTO_SWITCH[source[0]][source[1]]
    return source


def _exit(kind: str, dest: SwitchPort) -> SwitchPort:
    """The master by which a stream leaves the switch: on a shim tile, where it goes to the multiplexer."""
    if kind == "shim" and dest[0] in _OUT_OF_SWITCH:
        return "South", _OUT_OF_SWITCH[dest[0]][dest[1]]
    return dest


def _bundle(port: SwitchPort) -> EnumAttr:
    return EnumAttr("WireBundle", port[0])


def _connect(source: SwitchPort, dest: SwitchPort, loc: Location | None) -> Operation:
    attributes: dict[str, Attribute] = {
        "source_bundle": _bundle(source),
        "source_channel": i32(source[1]),
        "dest_bundle": _bundle(dest),
        "dest_channel": i32(dest[1]),
    }
    return Operation("aie.connect", [], attributes, loc=loc)


def port_of(op: Operation, prefix: str = "") -> SwitchPort:
    """The port that an operation names by `bundle` and `channel`, or by `source_bundle`, … with a prefix."""
    return op.enum(prefix + "bundle"), op.integer(prefix + "channel")
