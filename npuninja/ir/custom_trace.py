"""Reading and writing of what the table cannot say of trace operations (`aie.trace.*`)."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attribute_printer import dictionary_text
from npuninja.ir.attributes import Attribute, IntegerAttr, OpaqueAttr
from npuninja.ir.core import Operation
from npuninja.ir.custom import CustomForm

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter

_EVENT = "#aie.trace_event"


def event_text(attribute: Attribute) -> str:
    """The event of a `#aie.trace_event<…>` as written: `"NAME"`, or `CoreEventAIE2::NAME` without quotes."""
    assert isinstance(attribute, OpaqueAttr), attribute
    return attribute.text[len(_EVENT) + 1 : -1]


def event_name(attribute: Attribute) -> str:
    """The bare name of an event, without its enum."""
    return event_text(attribute).strip('"').rpartition("::")[2]


# aie.trace.start broadcast=15, aie.trace.stop event=<"NAME">


def _parse_trigger(p: Parser, s: OpState) -> None:
    if p.accept("broadcast"):
        p.expect("=")
        s.attributes["broadcast"] = p.typed_integer("i32")
    if p.accept("event"):
        p.expect("=")
        s.attributes["event"] = p.trace_event()


def _print_trigger(w: OpWriter, op: Operation) -> None:
    if "broadcast" in op.attributes:
        w.glued(f" broadcast = {op.integer('broadcast')}")
    if "event" in op.attributes:
        w.glued(f" event = <{event_text(op.attributes['event'])}>")


# aie.trace.edge_event<0> event=<"NAME"> trigger=RISING


def _parse_edge_event(p: Parser, s: OpState) -> None:
    p.expect("event")
    p.expect("=")
    s.attributes["event"] = p.trace_event()
    p.expect("trigger")
    p.expect("=")
    s.attributes["trigger"] = p.enum_case("EdgeTrigger")


def _print_edge_event(w: OpWriter, op: Operation) -> None:
    trigger = w.attribute(op.attributes["trigger"], typed=False)
    w.glued(f" event = <{event_text(op.attributes['event'])}> trigger = {trigger}")


# aie.trace.host_config buffer_size = 65536 arg_idx = 4 routing = single; later {buffer_size = 65536 : i32}


def _parse_host_config(p: Parser, s: OpState) -> None:
    while p.tokens[p.i] in ("buffer_size", "arg_idx", "routing"):
        name = p.word("an option")
        p.expect("=")
        s.attributes[name] = p.enum_case("TraceShimRouting") if name == "routing" else p.typed_integer("i32")
    # The form with keywords is older; the dictionary has neither of these as an attribute of its own.
    if s.attributes:
        s.attributes.setdefault("arg_idx", IntegerAttr(4, "i32"))
        return
    if p.tokens[p.i] != "{":
        p.expected("buffer_size = …, or a dictionary {buffer_size = … : i32}")
    p.attributes_of(s)


def _print_host_config(w: OpWriter, op: Operation) -> None:
    if "arg_idx" in op.attributes:
        w.glued(f" buffer_size = {op.integer('buffer_size')}")
        if op.integer("arg_idx") != 4:
            w.glued(f" arg_idx = {op.integer('arg_idx')}")
        if "routing" in op.attributes:
            w.glued(f" routing = {w.attribute(op.attributes['routing'], typed=False)}")
        return
    w.glued(" " + dictionary_text(op.attributes))


# aie.trace.reg register="Trace_Event0" field="…" value=… mask=… comment="…"


def _parse_value(p: Parser, s: OpState) -> None:
    token = p.tokens[p.i]
    if token[:1].isdigit() or token[:1] == "-":
        s.attributes["value"] = p.typed_integer("i32")
    else:
        s.attributes["value"] = OpaqueAttr(f"{_EVENT}<{p.trace_event_text()}>")


def _print_value(w: OpWriter, op: Operation) -> None:
    value = op.attributes["value"]
    w.parameter(str(value.value) if isinstance(value, IntegerAttr) else event_text(value))


CUSTOM_TRACE: dict[str, CustomForm] = {
    "trace_trigger": CustomForm(_parse_trigger, _print_trigger),
    "edge_event": CustomForm(_parse_edge_event, _print_edge_event),
    "host_config": CustomForm(_parse_host_config, _print_host_config),
    "trace_value": CustomForm(_parse_value, _print_value),
}
