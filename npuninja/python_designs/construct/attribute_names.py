"""The attribute classes of `aie.ir`: each has MLIR's `get`, which gives attributes of `npuninja.ir`."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

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


class AttrBuilder:
    """Makers of attributes by the name of their kind."""

    @staticmethod
    def get(kind: str) -> Callable[..., Any]:
        """The function that makes an attribute of this kind of a Python value."""
        found = _BUILDERS.get(kind)
        if found is None:
            raise RuntimeError(f"attribute builder for '{kind}' is not registered")
        return lambda value, context=None: found(value)


def _numbers(element: str) -> Callable[..., Any]:
    return lambda values, context=None: ir.DenseArrayAttr(element, tuple(int(v) for v in values))


#: The `get` of the other classes, each of which has nothing else.
_GETTERS: dict[str, Callable[..., Any]] = {
    "IntegerAttr": lambda type, value: number_attribute(int(value), mlir_type(type)),
    "FloatAttr": lambda type, value: number_attribute(float(value), mlir_type(type)),
    "StringAttr": lambda value, context=None: ir.StringAttr(value),
    "BoolAttr": lambda value, context=None: ir.BoolAttr(bool(value)),
    "TypeAttr": lambda type, context=None: ir.TypeAttr(mlir_type(type).text),
    "UnitAttr": lambda context=None: ir.UnitAttr(),
    "ArrayAttr": lambda values, context=None: ir.ArrayAttr(tuple(any_attribute(v) for v in values)),
    "DictAttr": lambda values, context=None: ir.DictAttr(
        tuple((k, any_attribute(v)) for k, v in values.items())
    ),
    "FlatSymbolRefAttr": lambda value, context=None: ir.SymbolRefAttr((value,)),
    "SymbolRefAttr": lambda symbols, context=None: ir.SymbolRefAttr(tuple(symbols)),
    "DenseI64ArrayAttr": _numbers("i64"),
    "DenseI32ArrayAttr": _numbers("i32"),
}

_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "PacketInfoAttr": packet_info,
    "StrAttr": ir.StringAttr,
    "FlatSymbolRefAttr": lambda value: ir.SymbolRefAttr((str(value),)),
    "UnitAttr": lambda value: ir.UnitAttr(),
    **{kind: _GETTERS[kind] for kind in ("BoolAttr", "DenseI32ArrayAttr", "DenseI64ArrayAttr")},
    **{f"I{bits}Attr": partial(ir.IntegerAttr, type=f"i{bits}") for bits in (8, 16, 32, 64)},
}

NAMES: dict[str, Any] = {
    "Attribute": Attribute,
    "DenseElementsAttr": DenseElementsAttr,
    **{name: type(name, (), {"get": staticmethod(get)}) for name, get in _GETTERS.items()},
}
