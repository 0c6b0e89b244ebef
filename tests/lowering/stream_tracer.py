"""Follows streams through a routed device's switch settings, as the hardware would, and checks these.

Independent of the router: it reads the IR only. Used by the tests of routing.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace
from npuninja.arch.devices import device as device_model
from npuninja.arch.families import SHARED_ROWS
from npuninja.arch.switch import MASTERS, OPPOSITE, SLAVES, STEP, legal_connection
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value

Port = tuple[str, int]
End = tuple[TilePlace, Port]


class Lost(Exception):
    """A stream enters a switch that has no setting for it."""


def place(value: Value) -> TilePlace:
    assert isinstance(value.owner, Operation)
    return value.owner.integer("col"), value.owner.integer("row")


def port(op: Operation, prefix: str = "") -> Port:
    bundle = op.attributes[prefix + "bundle"]
    assert isinstance(bundle, EnumAttr)
    return bundle.case, op.integer(prefix + "channel")


class Fabric:
    """The settings of one device, checked while they are read."""

    def __init__(self, device: Operation) -> None:
        name = device.attributes["device"]
        assert isinstance(name, EnumAttr)
        self.model = device_model(name.case)
        self.circuits: dict[End, list[Port]] = {}
        self.rules: dict[End, list[tuple[int, int, Value]]] = {}
        self.masters: dict[Value, list[tuple[TilePlace, Port]]] = {}
        self.into: dict[End, Port] = {}
        self.out: dict[End, Port] = {}
        driven: set[tuple[str, TilePlace, Port]] = set()
        for op in device.body.ops:
            if op.name not in ("aie.switchbox", "aie.shim_mux"):
                continue
            here = place(op.operands[0])
            for inner in op.body.ops:
                if inner.name in ("aie.connect", "aie.masterset"):
                    key = (op.name, here, port(inner, "dest_"))
                    assert key not in driven, f"{key} is driven twice"
                    driven.add(key)
                self._read(op.name, here, inner)
        assert not set(self.circuits) & set(self.rules), "a slave carries a circuit and packets"

    def _read(self, box: str, here: TilePlace, op: Operation) -> None:
        kind = SHARED_ROWS.kind(here[1])
        if box == "aie.shim_mux":
            source, dest = port(op, "source_"), port(op, "dest_")
            if dest[0] == "North":
                assert (here, source) not in self.into
                self.into[here, source] = ("South", dest[1])
            else:
                assert source[0] == "North"
                self.out[here, ("South", source[1])] = dest
        elif op.name == "aie.connect":
            source, dest = port(op, "source_"), port(op, "dest_")
            assert source in SLAVES[kind]
            assert dest in MASTERS[kind]
            assert legal_connection(kind, source, dest), (here, source, dest)
            self.circuits.setdefault((here, source), []).append(dest)
        elif op.name == "aie.masterset":
            dest = port(op, "dest_")
            assert dest in MASTERS[kind]
            arbiters = set()
            for amsel in op.operands:
                assert isinstance(amsel.owner, Operation)
                arbiters.add(amsel.owner.integer("arbiterID"))
                self.masters.setdefault(amsel, []).append((here, dest))
            assert len(arbiters) == 1, f"{dest} of {here} is tied to arbiters {arbiters}"
        elif op.name == "aie.packet_rules":
            source = port(op, "source_")
            assert source in SLAVES[kind]
            assert (here, source) not in self.rules
            rules = [(r.integer("mask"), r.integer("value"), r.operands[0]) for r in op.body.ops]
            assert 0 < len(rules) <= 4
            self.rules[here, source] = rules

    def reached(self, source: End, packet: int | None) -> set[End]:
        """Where a stream from `source` ends: a circuit, or the packets of one id. Lost when it gets stuck."""
        here, slave = source
        if SHARED_ROWS.kind(here[1]) == "shim" and slave[0] in ("DMA", "NOC", "PLIO"):
            slave = self.into[here, slave]
        found: set[End] = set()
        passed: set[End] = set()
        work = [(here, slave)]
        while work:
            here, slave = work.pop()
            assert (here, slave) not in passed, f"the stream meets itself at {slave} of {here}"
            passed.add((here, slave))
            for master in self._leaves(here, slave, packet):
                step = STEP.get(master[0])
                there = (here[0] + step[0], here[1] + step[1]) if step else here
                if master[0] == "FIFO":
                    work.append((here, master))
                elif step and self.model.contains(*there):
                    work.append((there, (OPPOSITE[master[0]], master[1])))
                else:
                    found.add((here, self.out.get((here, master), master)))
        return found

    def _leaves(self, here: TilePlace, slave: Port, packet: int | None) -> list[Port]:
        if packet is None:
            if (here, slave) not in self.circuits:
                raise Lost(f"no circuit at {slave} of {here}")
            return self.circuits[here, slave]
        for mask, value, amsel in self.rules.get((here, slave), []):
            if packet & mask == value:
                return [master for _, master in self.masters[amsel]]
        raise Lost(f"no rule for packet {packet} at {slave} of {here}")
