"""Reads attributes as the table of operations declares them: enums by their number, numbers by their type."""

from __future__ import annotations

from npuninja.ir.assembly import OpDefinition
from npuninja.ir.attribute_directives import INTEGER_KIND
from npuninja.ir.attributes import Attribute, EnumAttr, IntegerAttr, TypeAttr
from npuninja.ir.enums import ENUMS, case_of
from npuninja.ir.op_state import OpState
from npuninja.ir.scope_parser import ScopeParser
from npuninja.ir.types import object_fifo_memref

_KIND_WORDS = {
    "bool": "true or false",
    "str": "a string",
    "symname": "a string",
    "sym": "a symbol such as @name",
    "unit": "given without a value",
    "array": "a list such as [1, 2]",
    "integers": "a list of integers such as array<i64: 1, 2>",
}


class DeclaredParser(ScopeParser):
    """The part of the parser that knows what attributes an operation has."""

    def attributes_of(self, s: OpState) -> None:
        """Reads an attribute dictionary into the state of an operation and checks the declared attributes."""
        start = self.i
        for name, value in self.attribute_dictionary().items():
            declared = self._declared(s.definition, name, value, start)
            if s.attributes.setdefault(name, declared) != declared:
                self.error(f"attribute '{name}' is given twice", self._place_in_dictionary(start, name))

    def _declared(self, found: OpDefinition, name: str, value: Attribute, start: int) -> Attribute:
        """The attribute as the table declares it, an enum from its number. An error when its kind differs."""
        kind = found.kinds.get(name)
        if kind is None:
            return value
        if kind in ENUMS and isinstance(value, IntegerAttr):
            case = case_of(kind, value.value)
            if case is None:
                numbers = ", ".join(f"{n} ({c})" for c, n in ENUMS[kind].items())
                self.error(
                    f"{value.value} is not a {kind}: {numbers}", self._place_in_dictionary(start, name)
                )
            return EnumAttr(kind, case)
        if not found.matches(value, kind):
            got = (
                value.type
                if isinstance(value, IntegerAttr)
                else type(value).__name__.removesuffix("Attr").lower()
            )
            self.error(
                f"attribute '{name}' of '{found.name}' must be {_KIND_WORDS.get(kind, kind)}, got {got}",
                self._place_in_dictionary(start, name),
            )
        return value

    def _place_in_dictionary(self, start: int, name: str) -> int:
        """The token of an attribute's name in the dictionary that begins at token `start`."""
        for i in range(start, self.i):
            if self.tokens[i].strip('"') == name and self.tokens[i + 1] in ("=", ",", "}"):
                return i
        return start

    def element_memref(self, s: OpState) -> str:
        """The memref in the objectFifo type `elemType` of the operation that is being read."""
        type = s.attributes["elemType"]
        assert isinstance(type, TypeAttr)
        try:
            return object_fifo_memref(type.type)
        except ValueError as problem:
            self.error(str(problem))

    def typed_integer(self, type: str) -> IntegerAttr:
        """Reads an integer literal that has `type` in the table (a written `: type` must agree)."""
        place = self.i
        token = self.tokens[place]
        if token.isdecimal() and len(token) < 3 and self.tokens[place + 1] != ":":
            self.i += 1  # most are channels and columns, and fit into every type
            return IntegerAttr(int(token), type)
        value = self.integer()
        if self.tokens[self.i] == ":" and INTEGER_KIND.fullmatch(self.tokens[self.i + 1]):
            if self.tokens[self.i + 1] != type:
                self.error(f"expected an integer of type {type}, got {self.tokens[self.i + 1]}", place)
            self.i += 2
        return IntegerAttr(self.in_range(value, type, place), type)
