"""`arith`, `memref`, `vector`, `math`, `cf`, `affine`, `builtin`: what designs use of MLIR's own dialects."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from npuninja.ir.attributes import DenseArrayAttr, StringAttr, TypeAttr, UnitAttr
from npuninja.ir.enums import ENUMS
from npuninja.python_designs.construct import memory_parts, values
from npuninja.python_designs.construct.attributes import dense_elements, enum_attribute, enum_class
from npuninja.python_designs.construct.operations import OpView, make
from npuninja.python_designs.construct.types import MemRefType, Type, mlir_type
from npuninja.python_designs.construct.values import ScalarValue, Value, constant, index_cast, value_of
from npuninja.python_designs.dialects.generic import names_of


def _cast(operation: str) -> Any:
    def cast(value: Any, to: Any = None, *more: Any, **options: Any) -> Any:
        given = options.get("out", options.get("in_"))
        if isinstance(value, Type) or (to is not None and not isinstance(to, Type) and hasattr(to, "ir")):
            value, to = to, value  # the plain dialect's order: type, value
        target = to if to is not None else given
        return value_of(make(f"arith.{operation}", [value], None, [mlir_type(target)]).result)

    cast.__name__ = operation
    cast.__doc__ = f"`arith.{operation}` of a value to a type, in either order."
    return cast


def _binary(operation: str) -> Any:
    def binary(lhs: Any, rhs: Any, *more: Any, **_: Any) -> Any:
        if not isinstance(lhs, (Value, OpView)):
            lhs = constant(lhs, type=values.value_type(rhs))
        elif not isinstance(rhs, (Value, OpView)):
            rhs = constant(rhs, type=values.value_type(lhs))
        return value_of(make(f"arith.{operation}", [lhs, rhs], None, [values.value_type(lhs)]).result)

    binary.__name__ = operation
    binary.__doc__ = f"`arith.{operation}` of two values."
    return binary


def _compare(operation: str, kind: str) -> Any:
    def compare(predicate: Any, lhs: Any, rhs: Any, **_: Any) -> Any:
        attribute = enum_attribute(predicate, kind)
        return value_of(make(f"arith.{operation}", [lhs, rhs], {"predicate": attribute}, ["i1"]).result)

    compare.__name__ = operation
    compare.__doc__ = f"`arith.{operation}` with a predicate's name or number."
    return compare


def select(condition: Any, true_value: Any, false_value: Any, **_: Any) -> Any:
    """Makes `arith.select`."""
    if not isinstance(true_value, (Value, OpView)):
        true_value = constant(true_value, type=values.value_type(false_value))
    if not isinstance(false_value, (Value, OpView)):
        false_value = constant(false_value, type=values.value_type(true_value))
    made = make("arith.select", [condition, true_value, false_value], None, [values.value_type(true_value)])
    return value_of(made.result)


def plain_constant(*given: Any, **options: Any) -> Any:
    """`constant(value, type, index)` of the extras, or `constant(result, value)` of the plain dialect."""
    if "result" in options or (given and isinstance(given[0], Type)):
        names: tuple[str, ...] = ("result", "value")
    else:
        names = ("value", "type", "index")
    if len(given) > len(names):
        raise TypeError(f"constant() takes {len(names)} positional arguments but {len(given)} were given")
    options.update(zip(names, given))
    if "value" not in options:
        raise TypeError("constant() missing 1 required positional argument: 'value'")
    if "result" in options:
        return constant(options["value"], type=options["result"])
    return constant(options.pop("value"), **options)


_CASTS = "extsi extui trunci truncf extf sitofp uitofp fptosi fptoui bitcast index_castui"
_BINARIES = (
    "addi subi muli divsi divui remsi remui andi ori xori shli shrsi shrui addf subf mulf divf remf maxsi "
    "minsi maxui minui maximumf minimumf maxnumf minnumf floordivsi ceildivsi"
)


def reinterpret_cast(
    result: Any, source: Any, offsets: Any, sizes: Any, strides: Any, static_offsets: Any, static_sizes: Any,
    static_strides: Any, **_: Any,
) -> Any:  # fmt: skip
    """`memref.reinterpret_cast`: values for what the static lists leave open."""
    values_of = [list(part) for part in (offsets, sizes, strides)]
    attributes = {
        f"static_{name}": DenseArrayAttr("i64", tuple(int(number) for number in numbers))
        for name, numbers in (
            ("offsets", static_offsets),
            ("sizes", static_sizes),
            ("strides", static_strides),
        )
    }
    operands = [source, *(value for part in values_of for value in part)]
    segments = (1, *(len(part) for part in values_of))
    made = make("memref.reinterpret_cast", operands, attributes, [mlir_type(result)], segments=segments)
    return value_of(made.result)


#: `CmpFPredicate` as in MLIR's bindings: members in upper case, by their text too.
_FLOAT_PREDICATES = {
    {"false": "AlwaysFalse", "true": "AlwaysTrue"}.get(name, name.upper()): number
    for name, number in ENUMS["CmpFPredicate"].items()
}

ARITH: dict[str, Any] = {
    "CmpIPredicate": enum_class("CmpIPredicate"),
    "CmpFPredicate": IntEnum("CmpFPredicate", {**_FLOAT_PREDICATES, **ENUMS["CmpFPredicate"]}),
    **names_of("arith"),
    **{name: _cast(name) for name in _CASTS.split()},
    **{name: _binary(name) for name in _BINARIES.split()},
    "cmpi": _compare("cmpi", "CmpIPredicate"),
    "cmpf": _compare("cmpf", "CmpFPredicate"),
    "index_cast": index_cast,
    "select": select,
    "constant": plain_constant,
    "ConstantOp": plain_constant,
    "Scalar": ScalarValue,
    "ScalarValue": ScalarValue,
}


def alloc(*shape: Any, element_type: Any = None, **_: Any) -> Any:
    """`memref.alloc` of a shape and an element type, or of a memref type."""
    return _allocate("memref.alloc", shape, element_type)


def alloca(*shape: Any, element_type: Any = None, **_: Any) -> Any:
    """Makes `memref.alloca`."""
    return _allocate("memref.alloca", shape, element_type)


def _allocate(operation: str, shape: tuple[Any, ...], element_type: Any) -> Any:
    first = mlir_type(shape[0]) if not isinstance(shape[0], (int, tuple, list, Value)) else None
    if isinstance(first, MemRefType):
        type: Type = first
        sizes: list[Any] = [
            d for given in shape[1:] for d in (given if isinstance(given, (list, tuple)) else [given])
        ]
    else:
        if element_type is None:
            shape, element_type = shape[:-1], shape[-1]
        dims = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else list(shape)
        sizes = [d for d in dims if isinstance(d, Value)]
        type = MemRefType.get([-1 if isinstance(d, Value) else d for d in dims], element_type)
    return value_of(make(operation, sizes, None, [type], segments=(len(sizes), 0)).result)


def global_(initial_value: Any = None, sym_name: str | None = None, type: Any = None, **options: Any) -> Any:
    """`memref.global` with an array as value."""
    given = None if initial_value is None else np.asarray(initial_value)
    if type is None:
        assert given is not None, "memref.global needs a type or a value"
        type = MemRefType.get(given.shape, given.dtype.type)
    attributes: dict[str, Any] = {"sym_name": sym_name, "type": TypeAttr(mlir_type(type).text)}
    if options.get("sym_visibility"):
        attributes["sym_visibility"] = StringAttr(options["sym_visibility"])
    if options.get("constant"):
        attributes["constant"] = UnitAttr()
    attributes["initial_value"] = UnitAttr() if given is None else dense_elements(given, mlir_type(type))
    return OpView(make("memref.global", [], attributes))


MEMREF: dict[str, Any] = {
    **names_of("memref"),
    "load": values.load,
    "store": values.store,
    "alloc": alloc,
    "alloca": alloca,
    "view": memory_parts.view,
    "subview": memory_parts.subview,
    "rank_reduce": memory_parts.rank_reduce,
    "global_": global_,
    "collapse_shape": memory_parts.collapse_shape,
    "reinterpret_cast": reinterpret_cast,
    "MemRef": values.MemRefValue,
    "MemRefValue": values.MemRefValue,
    "LoadOp": values.load,
    "StoreOp": values.store,
    "S": -(1 << 63),
}

#: How `vector.reduction` puts elements together, by its names and numbers in MLIR's bindings.
_COMBINING = "ADD MUL MINUI MINSI MINNUMF MAXUI MAXSI MAXNUMF AND OR XOR MINIMUMF MAXIMUMF"

VECTOR: dict[str, Any] = {
    "CombiningKind": IntEnum("CombiningKind", _COMBINING.split(), start=0),
    **names_of("vector"),
    "Vector": values.VectorValue,
    "VectorValue": values.VectorValue,
}
MATH: dict[str, Any] = names_of("math")
CF: dict[str, Any] = names_of("cf")
AFFINE: dict[str, Any] = names_of("affine")
BUILTIN: dict[str, Any] = names_of("builtin")
INDEX: dict[str, Any] = names_of("index")
