"""Stream switches, shim multiplexers and cascades as register writes.

Source: MLIR-AIE AIERT.cpp; aie-rt xaie_ss_aieml.c, xaie_plif_aieml.c (fields: npuninja/arch/registers.py).
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch import registers, switch
from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError
from npuninja.formats.cdo import Command, MaskWrite, Write
from npuninja.ir.attributes import BoolAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.tiles import kind_at, place_of

if TYPE_CHECKING:
    from typing import Iterator


def switchbox(box: Operation) -> Iterator[Command]:
    """All writes of one switch: circuits, packet masters, then packet rules. Raises UserError, located."""
    place, kind = place_of(box.tile), kind_at(box.tile).name
    ops = box.body.ops
    yield from _circuits(box, place, kind)
    for op in ops:
        if op.name == "aie.masterset":
            yield _packet_master(op, place, kind)
    for op in ops:
        if op.name == "aie.packet_rules":
            yield from _packet_rules(op, place, kind)


def shim_switchbox(box: Operation) -> Iterator[Command]:
    """The circuits of `aie.shim_switchbox`, which names a shim tile's column. Raises UserError, located."""
    yield from _circuits(box, (box.integer("col"), 0), "shim")


def _circuits(box: Operation, place: TilePlace, kind: str) -> Iterator[Command]:
    for op in box.body.ops:
        if op.name == "aie.connect":
            source = _slave(op, place, kind, "source")
            dest = _master(op, place, kind, "dest")
            yield _write(place, registers.switch_master(kind, dest), registers.SWITCH_ENABLE | source)
            yield _write(place, registers.switch_slave(kind, source), registers.SWITCH_ENABLE)


def _write(place: TilePlace, offset: int, value: int) -> Write:
    return Write(registers.tile_address(*place, offset), value)


def _packet_master(op: Operation, place: TilePlace, kind: str) -> Write:
    """A master port that takes packets from some (arbiter, msel) pairs of one arbiter."""
    arbiter = mask = 0
    for i, amsel in enumerate(op.operands):
        chosen, msel = _amsel(amsel, op)
        if i and chosen != arbiter:
            raise UserError(f"a master port cannot listen to arbiters {arbiter} and {chosen}", op.loc)
        arbiter = chosen
        mask |= 1 << msel
    bundle = op.enum("dest_bundle")
    # A DMA does not want the header; a port south of a shim tile leads to the shim's DMA.
    keep = op.attributes.get("keep_pkt_header")
    drop = (
        not keep.value
        if isinstance(keep, BoolAttr)
        else bundle == "DMA" or (bundle == "South" and kind == "shim")
    )
    value = registers.SWITCH_ENABLE | registers.SWITCH_PACKET | mask << registers.SWITCH_MSEL_SHIFT | arbiter
    if drop:
        value |= registers.SWITCH_DROP_HEADER
    return _write(place, registers.switch_master(kind, _master(op, place, kind, "dest")), value)


def _packet_rules(op: Operation, place: TilePlace, kind: str) -> Iterator[Command]:
    """The slots of a slave port; the port is enabled again before each, as the reference does."""
    slave = _slave(op, place, kind, "source")
    rules = [rule for rule in op.body.ops if rule.name == "aie.rule"]
    if len(rules) > switch.SLOTS:
        raise UserError(f"{len(rules)} packet rules on one port, a port has {switch.SLOTS} slots", op.loc)
    for slot, rule in enumerate(rules):
        arbiter, msel = _amsel(operand(rule, "amsel"), rule)
        value = (
            (rule.integer("value") & switch.MAX_PACKET_ID) << registers.SLOT_ID_SHIFT
            | (rule.integer("mask") & switch.MAX_PACKET_ID) << registers.SLOT_MASK_SHIFT
            | registers.SLOT_ENABLE
            | msel << registers.SLOT_MSEL_SHIFT
            | arbiter
        )
        yield _write(
            place, registers.switch_slave(kind, slave), registers.SWITCH_ENABLE | registers.SWITCH_PACKET
        )
        yield _write(place, registers.switch_slot(kind, slave, slot), value)


def _amsel(value: Value, user: Operation) -> tuple[int, int]:
    """Arbiter and msel of an `aie.amsel`."""
    op = value.owner
    if not isinstance(op, Operation) or op.name != "aie.amsel":
        raise UserError(f"'%{value.name}' is not an aie.amsel", user.loc)
    return op.integer("arbiterID"), op.integer("msel")


def _master(op: Operation, place: TilePlace, kind: str, end: str) -> int:
    """The number of the master port that an operation names as its `end`."""
    bundle, channel = op.enum(f"{end}_bundle"), op.integer(f"{end}_channel")
    try:
        return switch.master_index(kind, bundle, channel)
    except KeyError:
        raise UserError(f"the switch of tile {place} has no output {bundle} : {channel}", op.loc) from None


def _slave(op: Operation, place: TilePlace, kind: str, end: str) -> int:
    """The number of the slave port that an operation names as its `end`."""
    bundle, channel = op.enum(f"{end}_bundle"), op.integer(f"{end}_channel")
    try:
        return switch.slave_index(kind, bundle, channel)
    except KeyError:
        raise UserError(f"the switch of tile {place} has no input {bundle} : {channel}", op.loc) from None


def shim_mux(mux: Operation) -> Iterator[Command]:
    """Connects the shim's DMA with ports of its switch; each has two bits in a register of its direction."""
    place = place_of(mux.tile)
    for op in mux.body.ops:
        if op.name != "aie.connect":
            continue
        if op.enum("source_bundle") == "North":
            yield _mux_bits(
                op, place, registers.SHIM_DEMUX, registers.SHIM_DEMUX_SHIFTS, op.integer("source_channel")
            )
        if op.enum("dest_bundle") == "North":
            yield _mux_bits(
                op, place, registers.SHIM_MUX, registers.SHIM_MUX_SHIFTS, op.integer("dest_channel")
            )


def _mux_bits(
    op: Operation, place: TilePlace, register: int, shifts: dict[int, int], channel: int
) -> MaskWrite:
    if channel not in shifts:
        ports = ", ".join(map(str, shifts))
        raise UserError(
            f"the shim's multiplexer has no port North : {channel}, expected one of {ports}", op.loc
        )
    shift = shifts[channel]
    return MaskWrite(registers.tile_address(*place, register), 3 << shift, registers.SHIM_MUX_DMA << shift)


def cascade(op: Operation) -> Write:
    """Where a core's cascade comes from (north or west) and goes to (south or east)."""
    source, dest = op.enum("inputDir"), op.enum("outputDir")
    if source not in ("North", "West") or dest not in ("South", "East"):
        raise UserError(
            f"a cascade goes from north or west to south or east, not from {source} to {dest}", op.loc
        )
    value = int(source == "West") | int(dest == "East") << 1
    return _write(place_of(op.tile), registers.ACCUMULATOR_CONTROL, value)
