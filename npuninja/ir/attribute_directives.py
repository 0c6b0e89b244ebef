"""The elements of a custom form that are attributes: one in its place, and the dictionary of the others."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import Attribute, EnumAttr, IntegerAttr, OpaqueAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.ir.directives import Directive
from npuninja.ir.enums import ENUMS

if TYPE_CHECKING:
    from typing import Callable

    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter

# Attribute kinds that are an integer type, and those that are flags in angle brackets.
INTEGER_KIND = re.compile(r"(?:i|ui|si)\d+|index")
FLAG_ATTRIBUTES = {
    "fastmath": "#arith.fastmath",
    "overflow": "#arith.overflow",
    "combining": "#vector.kind",
}


class AttributeField(Directive):
    """An attribute with a place of its own in the text."""

    __slots__ = ("_read", "kind", "name")

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self._read = _reader(kind)

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the attribute's value."""
        s.attributes[self.name] = self._read(p)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the attribute's value."""
        value = op.attributes[self.name]
        if isinstance(value, IntegerAttr):
            w.parameter(str(value.value))
        elif isinstance(value, EnumAttr):
            w.parameter(value.case if value.case.isidentifier() else f'"{value.case}"')
        elif isinstance(value, OpaqueAttr) and self.kind == "trace_event":
            w.parameter(value.text.replace("#aie.trace_event", "", 1))
        elif isinstance(value, StringAttr) and self.kind == "symname":
            w.parameter(w.symbol(value.value))
        elif isinstance(value, OpaqueAttr) and self.kind in FLAG_ATTRIBUTES:
            w.parameter(value.text[value.text.index("<") + 1 : -1])
        elif self.kind == "packet":
            w.parameter(w.attribute(value).replace("#aie.packet_info", "", 1))
        else:
            w.parameter(w.attribute(value, typed=False))

    def starts(self, p: Parser) -> bool:
        """Whether a value of the attribute's kind is next."""
        token = p.tokens[p.i]
        if self.kind in ENUMS:
            return token in ENUMS[self.kind]
        if self.kind in ("symname", "sym"):
            return token[:1] == "@"
        return token[:1] == "<" if self.kind == "packet" else token[:1] == '"'

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether the op has the attribute."""
        return self.name in op.attributes


def _reader(kind: str) -> Callable[[Parser], Attribute]:
    """The function that reads an attribute of this kind."""
    if kind in ENUMS:
        return lambda p: p.enum_case(kind)
    if INTEGER_KIND.fullmatch(kind):
        return lambda p: p.typed_integer(kind)
    if kind in FLAG_ATTRIBUTES:
        return lambda p: _read_flags(p, FLAG_ATTRIBUTES[kind])
    return _READERS.get(kind, lambda p: p.parse_attribute())


def _read_flags(p: Parser, attribute: str) -> Attribute:
    flags = p.comma_separated(lambda: p.word("a flag"), ">")
    p.i -= 1  # the bracket is a literal of the row
    return OpaqueAttr(f"{attribute}<{','.join(flags)}>")


_READERS: dict[str, Callable[[Parser], Attribute]] = {
    "symname": lambda p: StringAttr(p.symbol_name()),
    "sym": lambda p: p.symbol_reference(),
    "str": lambda p: StringAttr(p.string()),
    "packet": lambda p: p.packet_info() if p.tokens[p.i] == "<" else p.parse_attribute(),
    "trace_event": lambda p: p.trace_event(),
}


class AttributeDictionary(Directive):
    """The attributes without a place of their own."""

    __slots__ = ("keyword",)

    def __init__(self, keyword: str) -> None:
        self.keyword = keyword

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the dictionary if there is one."""
        if self.keyword:
            if p.tokens[p.i] != self.keyword:
                return
            p.i += 1
        if p.tokens[p.i] == "{":
            p.attributes_of(s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the dictionary unless it is empty."""
        w.attribute_dictionary(op, self.keyword)
