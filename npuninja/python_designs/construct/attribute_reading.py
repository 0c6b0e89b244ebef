"""Attributes of operations read back, as Python values with the parts that MLIR's bindings give them."""

from __future__ import annotations

from typing import Any, Iterator

from npuninja.ir import core
from npuninja.ir.attributes import (
    Attribute,
    BoolAttr,
    EnumAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
)
from npuninja.ir.enums import ENUMS
from npuninja.ir.syntax import definition
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct.types import Type, type_of


class Integer(int):
    """An integer attribute read back: a number with `.value` and `.type`."""

    type: Type

    @property
    def value(self) -> int:
        """The number."""
        return int(self)


class Text(str):
    """A string attribute read back."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """The string."""
        return str(self)


class TypeValue:
    """A type attribute read back."""

    def __init__(self, type: Type) -> None:
        self.value = type

    def __str__(self) -> str:
        return str(self.value)


def read(attribute: Attribute) -> Any:
    """An attribute as Python value."""
    if isinstance(attribute, (IntegerAttr, BoolAttr)):
        number = Integer(int(attribute.value))
        number.type = type_of(attribute.type if isinstance(attribute, IntegerAttr) else "i1")
        return number
    if isinstance(attribute, EnumAttr):
        number = Integer(ENUMS[attribute.kind][attribute.case])
        number.type = type_of("i32")
        return number
    if isinstance(attribute, StringAttr):
        return Text(attribute.value)
    if isinstance(attribute, SymbolRefAttr):
        return Text(attribute.path[-1])
    if isinstance(attribute, TypeAttr):
        return TypeValue(type_of(attribute.type))
    return attribute


class AttributeMap:
    """The attributes of an operation, by name."""

    def __init__(self, op: core.Operation) -> None:
        self._op = op

    def __getitem__(self, name: str) -> Any:
        return read(self._op.attributes[name])

    def __setitem__(self, name: str, value: Any) -> None:
        found = definition(self._op.name)
        kind = found.kinds.get(name, "any") if found else "any"
        self._op.attributes[name] = attrs.attribute(value, kind)

    def __delitem__(self, name: str) -> None:
        del self._op.attributes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._op.attributes

    def __len__(self) -> int:
        return len(self._op.attributes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._op.attributes)
