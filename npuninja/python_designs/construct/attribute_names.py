"""The attribute classes of `aie.ir`: each with `get`, as in MLIR's bindings, giving attributes of `npuninja.ir`."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Sequence

import numpy as np

from npuninja.ir import attributes as ir
from npuninja.python_designs.construct.attributes import (
    any_attribute,
    dense_elements,
    number_attribute,
    packet_info,
)
from npuninja.python_designs.construct.types import RankedTensorType, Type, mlir_type


class Attribute:
    """Any attribute."""

    @staticmethod
    def parse(text: str, context: Any = None) -> Any:
        """The attribute with this text."""
        from npuninja.ir.parser import parse_module

        module = parse_module(f"module attributes {{npuninja.parsed = {text}}} {{}}", "<attribute>")
        return module.attributes["npuninja.parsed"]


class IntegerAttr:
    """A whole number of a type."""

    @staticmethod
    def get(type: Any, value: int) -> Any:
        """`value : type`."""
        return number_attribute(int(value), mlir_type(type))


class FloatAttr:
    """A number of a float type."""

    @staticmethod
    def get(type: Any, value: float) -> Any:
        """`value : type`."""
        return number_attribute(float(value), mlir_type(type))


class StringAttr:
    """A string."""

    @staticmethod
    def get(value: str, context: Any = None) -> Any:
        """`"value"`."""
        return ir.StringAttr(value)


class BoolAttr:
    """`true` or `false`."""

    @staticmethod
    def get(value: bool, context: Any = None) -> Any:
        """The attribute."""
        return ir.BoolAttr(bool(value))


class TypeAttr:
    """A type."""

    @staticmethod
    def get(type: Any, context: Any = None) -> Any:
        """The type as attribute."""
        return ir.TypeAttr(mlir_type(type).text)


class UnitAttr:
    """What is only present."""

    @staticmethod
    def get(context: Any = None) -> Any:
        """The attribute."""
        return ir.UnitAttr()


class ArrayAttr:
    """A list."""

    @staticmethod
    def get(values: Sequence[Any], context: Any = None) -> Any:
        """`[values]`."""
        return ir.ArrayAttr(tuple(any_attribute(v) for v in values))


class DictAttr:
    """Names with attributes."""

    @staticmethod
    def get(values: dict[str, Any], context: Any = None) -> Any:
        """`{values}`."""
        return ir.DictAttr(tuple((k, any_attribute(v)) for k, v in values.items()))


class FlatSymbolRefAttr:
    """A symbol."""

    @staticmethod
    def get(value: str, context: Any = None) -> Any:
        """`@value`."""
        return ir.SymbolRefAttr((value,))


class SymbolRefAttr:
    """A path of symbols."""

    @staticmethod
    def get(symbols: Sequence[str], context: Any = None) -> Any:
        """`@a::@b`."""
        return ir.SymbolRefAttr(tuple(symbols))


class DenseElementsAttr:
    """An array's elements."""

    @staticmethod
    def get(
        array: Any, signless: bool = True, type: Any = None, shape: Any = None, context: Any = None
    ) -> Any:
        """`dense<…>` of the array's shape."""
        given = np.asarray(array)
        found = mlir_type(given.dtype.type if type is None else type)
        if not hasattr(found, "shape"):
            found = RankedTensorType.get(given.shape, found)
        return dense_elements(given, found)

    @staticmethod
    def get_splat(type: Type, value: Any) -> Any:
        """One value for all elements."""
        return ir.DenseElementsAttr((str(getattr(value, "value", value)),), type.text, True)


def _dense_array(element: str) -> type:
    def get(values: Sequence[int], context: Any = None) -> Any:
        return ir.DenseArrayAttr(element, tuple(int(v) for v in values))

    return type(
        f"Dense{element.upper()}ArrayAttr", (), {"get": staticmethod(get), "__doc__": f"array<{element}>"}
    )


DenseI64ArrayAttr = _dense_array("i64")
DenseI32ArrayAttr = _dense_array("i32")


class AttrBuilder:
    """Makers of attributes by the name of their kind."""

    @staticmethod
    def get(kind: str) -> Callable[..., Any]:
        """The function that makes an attribute of this kind of a Python value."""
        found = _BUILDERS.get(kind)
        if found is None:
            raise RuntimeError(f"attribute builder for '{kind}' is not registered")
        return lambda value, context=None: found(value)


_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "PacketInfoAttr": packet_info,
    "StrAttr": ir.StringAttr,
    "BoolAttr": lambda value: ir.BoolAttr(bool(value)),
    "UnitAttr": lambda value: ir.UnitAttr(),
    "FlatSymbolRefAttr": lambda value: ir.SymbolRefAttr((str(value),)),
    "DenseI32ArrayAttr": DenseI32ArrayAttr.get,  # type: ignore[attr-defined]
    "DenseI64ArrayAttr": DenseI64ArrayAttr.get,  # type: ignore[attr-defined]
    **{f"I{bits}Attr": partial(ir.IntegerAttr, type=f"i{bits}") for bits in (8, 16, 32, 64)},
}

NAMES: dict[str, Any] = {
    name: value for name, value in globals().items() if name.endswith("Attr") or name == "Attribute"
}
