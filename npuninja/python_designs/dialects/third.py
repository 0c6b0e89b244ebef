"""Numbers as operands: the third generation (summer 2026) has them where the older ones have attributes."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

import numpy as np

from npuninja.ir.attributes import DenseArrayAttr, IntegerAttr
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct.operations import OpView
from npuninja.python_designs.construct.types import type_of
from npuninja.python_designs.construct.values import Value, constant, index_cast, value_type


def is_value(given: Any) -> bool:
    """Whether `given` is a value of the design, not a number."""
    return isinstance(given, (Value, OpView))


def words(numbers: Iterable[Any]) -> list[Any]:
    """Each number as a constant of its own, of type i32; values as they are."""
    return [n if is_value(n) else constant(int(n), type=type_of("i32")) for n in numbers]


def repeat_operand(size: Any) -> Any:
    """The repeat count of a task whose outermost size is a value: one less, as i32."""
    return _as_type(size, "i32") - 1


def padded(sizes: Sequence[Any], strides: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Four sizes and strides, padded in front with 1 and 0. Raises ValueError for more than four."""
    if len(sizes) > 4:
        raise ValueError(
            f"a shim's descriptor has 4 dimensions, not {len(sizes)}; join some of them, "
            "or make more transfers"
        )
    missing = 4 - len(sizes)
    return [1] * missing + list(sizes), [0] * missing + list(strides)


def product(sizes: Sequence[Any]) -> Any:
    """The product of sizes, some of which may be values."""
    number = int(np.prod([int(s) for s in sizes if not is_value(s)]))
    found: Any = None
    for size in sizes:
        if is_value(size):
            found = size if found is None else found * size
    return number if found is None else found if number == 1 else found * number


def integer(given: Any) -> int:
    """A number that must be known."""
    return attrs.integer(given, "a number of a descriptor")


def dma_bd_parts(
    buffer: Any, offset: Any, length: Any, sizes: Sequence[Any] | None, strides: Sequence[Any] | None
) -> tuple[list[Any], tuple[int, ...], dict[str, Any]]:
    """Operands, group sizes and attributes of an `aie.dma_bd`; each number may be a value instead."""
    operands: list[Any] = [buffer]
    segments = [1]
    static: dict[str, Any] = {}
    for name, number in (("offset", offset), ("len", length)):
        if is_value(number):
            operands.append(_as_type(number, "i32"))
        elif number is not None:
            static["static_" + name] = IntegerAttr(integer(number), "i32")
        segments.append(int(is_value(number)))
    for name, numbers in (("sizes", sizes), ("strides", strides)):
        values = [n for n in numbers or () if is_value(n)]
        operands += [_as_type(v, "i64") for v in values]
        segments.append(len(values))
        if numbers:
            entries = (DYNAMIC_INDEX if is_value(n) else integer(n) for n in numbers)
            static["static_" + name] = DenseArrayAttr("i64", tuple(entries))
    return operands, tuple(segments), static


def _as_type(value: Any, type: str) -> Any:
    """A value as the type that a descriptor's number has."""
    have = value_type(value).text
    if have == type:
        return value
    if have == "index":
        return index_cast(value, type_of(type))
    from npuninja.python_designs.dialects.standard import ARITH

    wider = int(have[1:]) < int(type[1:])
    return ARITH["extsi" if wider else "trunci"](value, type_of(type))
