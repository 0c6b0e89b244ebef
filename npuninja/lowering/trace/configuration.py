"""The body of an `aie.trace` as fields of registers, one write for each register (`aie.trace.config`)."""

from __future__ import annotations

from npuninja.arch.event_registers import Register, trace_registers
from npuninja.arch.events import broadcast_event, events_of, module_of
from npuninja.arch.switch import master_index, slave_index
from npuninja.errors import UserError
from npuninja.ir.attributes import Attribute, IntegerAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Block, Operation, Region
from npuninja.ir.custom_trace import event_name, event_text
from npuninja.ir.enums import ENUMS
from npuninja.lowering.lookup import sequences
from npuninja.lowering.op_builders import i32
from npuninja.lowering.tiles import kind_at, ops_of
from npuninja.lowering.trace.inline import config_module
from npuninja.records import NamedTuple

_EVENTS_OF_A_UNIT = 8
#: Modules by the start of the name of the enum that an event may be written with, e.g. CoreEventAIE2.
_ENUM_MODULES = (
    ("Core", "core"),
    ("MemTile", "memtile"),
    ("Mem", "memory"),
    ("Shim", "shim"),
    ("PL", "shim"),
)


class _FieldWrite(NamedTuple):
    register: str
    field: str
    value: int
    comment: str


def configure_traces(device: Operation) -> None:
    """Replaces each `aie.trace` by the `aie.trace.config` of its registers; joins the fields of written ones.

    Raises:
        UserError: an unknown event, port, register or field.
    """
    names = {}
    for trace in list(ops_of(device, "aie.trace")):
        config = _config(trace)
        names[trace.string("sym_name")] = config.string("sym_name")
        trace.insert_after(config)
        trace.erase()
    for config in ops_of(device, "aie.trace.config"):
        _join(config)
    for sequence in sequences(device):
        for op in sequence.walk():
            if op.name == "aie.trace.start_config" and op.symbol("trace_config") in names:
                op.attributes["trace_config"] = SymbolRefAttr((names[op.symbol("trace_config")],))


def _config(trace: Operation) -> Operation:
    packet = next(op for op in trace.body.ops if op.name == "aie.trace.packet")
    tile_kind = kind_at(trace.tile).name
    module = module_of(tile_kind, packet.enum("type") == "mem")
    body = Block()
    for op, write in _writes(trace, module, tile_kind):
        attributes: dict[str, Attribute] = {
            "reg_name": StringAttr(write.register),
            "field": StringAttr(write.field),
            "value": i32(write.value),
            "comment": StringAttr(write.comment),
        }
        body.append(Operation("aie.trace.reg", attributes=attributes, loc=op.loc))
    return Operation(
        "aie.trace.config",
        [trace.tile],
        {
            "sym_name": StringAttr(trace.string("sym_name") + "_config"),
            "packet_type": packet.attributes["type"],
        },
        regions=[Region([body])],
        loc=trace.loc,
    )


def _writes(trace: Operation, module: str, kind: str) -> list[tuple[Operation, _FieldWrite]]:
    ops = trace.body.ops
    found: list[tuple[Operation, _FieldWrite]] = []
    for name, rule in (("combo_event", _combo), ("edge_event", _edge)):
        found += [(op, w) for op in ops if op.name == f"aie.trace.{name}" for w in rule(op, module)]
    for op in ops:
        found += [(op, w) for w in _control(op, module)]
    for op in ops:
        if op.name == "aie.trace.port":
            found += [(op, w) for w in _port(op, kind)]
    events = [op for op in ops if op.name == "aie.trace.event"]
    if len(events) > _EVENTS_OF_A_UNIT:
        raise UserError(
            f"trace '@{trace.string('sym_name')}' records {len(events)} events, a unit has room for "
            f"{_EVENTS_OF_A_UNIT}",
            events[_EVENTS_OF_A_UNIT].loc,
        )
    for i, op in enumerate(events):
        event = op.attributes["event"]
        number = _event(event, module, op)
        found.append((op, _FieldWrite(f"Trace_Event{i // 4}", f"Trace_Event{i}", number, event_name(event))))
    return found


def _combo(op: Operation, module: str) -> list[_FieldWrite]:
    slot = op.integer("slot")
    first, second = ("eventC", "eventD") if slot == 1 else ("eventA", "eventB")
    writes = [
        _FieldWrite("Combo_event_inputs", field, _event(op.attributes[key], module, op), f"combo{slot} {key}")
        for field, key in ((first, "eventA"), (second, "eventB"))
    ]
    logic = _case_number(op, "logic", "ComboLogic")
    return [*writes, _FieldWrite("Combo_event_control", f"combo{slot}", logic, f"combo{slot} logic")]


def _edge(op: Operation, module: str) -> list[_FieldWrite]:
    slot, register = op.integer("slot"), "Edge_Detection_event_control"
    trigger = op.enum("trigger")
    event = _event(op.attributes["event"], module, op)
    writes = [_FieldWrite(register, f"Edge_Detection_Event_{slot}", event, f"edge{slot} source")]
    for edge in ("Rising", "Falling"):
        on = int(trigger in (edge.upper(), "BOTH"))
        field = f"Edge_Detection_{slot}_Trigger_{edge}"
        writes.append(_FieldWrite(register, field, on, f"edge{slot} {edge.lower()}"))
    return writes


def _control(op: Operation, module: str) -> list[_FieldWrite]:
    if op.name in ("aie.trace.start", "aie.trace.stop"):
        what = op.name.rpartition(".")[2]
        number = 0
        if "broadcast" in op.attributes:
            number = broadcast_event(module, op.integer("broadcast"))
        elif "event" in op.attributes:
            number = _event(op.attributes["event"], module, op)
        return [_FieldWrite("Trace_Control0", f"Trace_{what.title()}_Event", number, f"{what} event")]
    if op.name == "aie.trace.mode" and module == "core":  # other modules record times only
        return [_FieldWrite("Trace_Control0", "Mode", _case_number(op, "mode", "TraceMode"), "trace mode")]
    if op.name == "aie.trace.packet":
        return [
            _FieldWrite("Trace_Control1", "ID", op.integer("id"), "packet ID"),
            _FieldWrite(
                "Trace_Control1", "Packet_Type", _case_number(op, "type", "TracePacketType"), "packet type"
            ),
        ]
    return []


def _port(op: Operation, kind: str) -> list[_FieldWrite]:
    slot, channel = op.integer("slot"), op.integer("channel")
    bundle, direction = op.enum("port"), op.enum("direction")
    master = direction == "S2MM"
    try:
        index = (master_index if master else slave_index)(kind, bundle, channel)
    except KeyError:
        raise UserError(
            f"the stream switch of a {kind} tile has no {'master' if master else 'slave'} port "
            f"{bundle} : {channel}",
            op.loc,
        ) from None
    register = f"Stream_Switch_Event_Port_Selection_{slot // 4}"
    return [
        _FieldWrite(register, f"Port_{slot}_ID", index, f"port {slot} ID"),
        _FieldWrite(register, f"Port_{slot}_Master_Slave", int(master), f"port {slot} master/slave"),
    ]


def _case_number(op: Operation, key: str, kind: str) -> int:
    return ENUMS[kind][op.enum(key)]


def _event(event: Attribute, module: str, op: Operation) -> int:
    enum = event_text(event).strip('"').rpartition("::")[0]
    module = next((m for start, m in _ENUM_MODULES if enum.startswith(start)), module) if enum else module
    events = events_of(module)
    number = events.get(event_name(event).upper())
    if number is None:
        raise UserError(
            f"the {module} module has no trace event '{event_name(event)}'",
            op.loc,
            hint=f"it has {', '.join(events)}",
        )
    return number


def _join(config: Operation) -> None:
    """Gives each register of a configuration one write, where its first field stood."""
    module = config_module(config)
    registers = trace_registers(module)
    first: dict[str, Operation] = {}
    kept: list[Operation] = []
    for op in config.body.ops:
        if op.name != "aie.trace.reg":
            kept.append(op)
            continue
        if "field" in op.attributes:
            _place_field(op, registers, module)
        name = op.string("reg_name")
        if "mask" in op.attributes and name in first:
            _merge(first[name], op)
            continue
        if "mask" in op.attributes:
            first[name] = op
        kept.append(op)
    config.body.ops = kept


def _place_field(op: Operation, registers: dict[str, Register], module: str) -> None:
    name, field_name = op.string("reg_name"), op.string("field")
    field = registers[name].fields.get(field_name) if name in registers else None
    if field is None:
        what = f"the register '{name}'" if name not in registers else f"a field '{field_name}' in '{name}'"
        raise UserError(f"the {module} module has not {what}", op.loc)
    value = op.attributes["value"]
    number = value.value if isinstance(value, IntegerAttr) else _event(value, module, op)
    if number << field.low & ~field.mask:
        raise UserError(
            f"{number} does not fit into the {field.width} bits of '{field_name}' in '{name}'", op.loc
        )
    del op.attributes["field"]
    op.attributes["value"] = _signed(number << field.low)
    op.attributes["mask"] = _signed(field.mask)


def _merge(op: Operation, other: Operation) -> None:
    """Puts the bits of `other` into `op`, which writes the same register."""
    if op.integer("mask") & other.integer("mask"):
        raise UserError(
            f"two operations of the trace write the same bits of '{op.string('reg_name')}'",
            other.loc,
            notes=(("the other is here", op.loc),),
        )
    for key in ("value", "mask"):
        op.attributes[key] = _signed(op.integer(key) | other.integer(key))
    comments = [o.string("comment") for o in (op, other) if "comment" in o.attributes]
    if comments:
        op.attributes["comment"] = StringAttr(" + ".join(comments))


def _signed(number: int) -> IntegerAttr:
    number &= 0xFFFFFFFF
    return i32(number - (1 << 32) if number >> 31 else number)
