"""The bytes of a `dense<…>` attribute, as a buffer in data memory holds them: row-major, little-endian.

Floats round to nearest even from the decimal literal, like MLIR's parser; `0x…` gives the bits of a float.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.ir.attributes import DenseElementsAttr
from npuninja.ir.types import bits, element_count, element_of, shape_of

if TYPE_CHECKING:
    from typing import Iterable

_FLOAT_FORMATS = {"f16": "<e", "f32": "<f", "f64": "<d"}


def initial_value_bytes(value: DenseElementsAttr, loc: Location | None) -> bytes:
    """All elements one after the other. Raises UserError for an element type without a form in memory."""
    element = element_of(value.type)
    try:
        raw = elements_bytes(value.values, element)
    except (ValueError, OverflowError) as error:
        raise UserError(f"cannot store the initial value as {element}: {error}", loc) from None
    return raw * element_count(shape_of(value.type)) if value.splat else raw


def elements_bytes(texts: Iterable[str], element: str) -> bytes:
    """The bytes of literals one after the other. Raises what `element_bytes` raises.

    Tables of weights have millions of elements and some hundred different ones, so each literal is read once.
    """
    known: dict[str, bytes] = {}
    raw = []
    for text in texts:
        found = known.get(text)
        if found is None:
            found = known[text] = element_bytes(text, element)
        raw.append(found)
    return b"".join(raw)


def element_bytes(text: str, element: str) -> bytes:
    """The bytes of one literal.

    Raises:
        ValueError: the number does not fit, or the type has no form in memory.
        OverflowError: the bits of a float do not fit.
    """
    width = bits(element)
    size = (width + 7) // 8
    if element in _FLOAT_FORMATS or element == "bf16":
        if text.startswith("0x"):
            return int(text, 16).to_bytes(size, "little")
        number = float(text)
        return _bf16(number) if element == "bf16" else _packed(_FLOAT_FORMATS[element], number)
    if element[0] == "f":
        raise ValueError("there is no such type in memory; use f16, bf16, f32 or f64")
    if text in ("true", "false"):
        return int(text == "true").to_bytes(size, "little")
    number = int(text, 0)
    if not -(1 << width - 1) <= number < 1 << width:
        raise ValueError(f"{number} does not fit {width} bits")
    return (number & (1 << width) - 1).to_bytes(size, "little")


def _packed(format: str, number: float) -> bytes:
    """`struct.pack`, with what is too large becoming infinite."""
    try:
        return struct.pack(format, number)
    except OverflowError:
        return struct.pack(format, float("inf") if number > 0 else float("-inf"))


def _bf16(number: float) -> bytes:
    """The upper half of a float, rounded to nearest even.

    The float in between is rounded towards zero and marked inexact in its last bit, so that rounding twice
    cannot differ from rounding once.
    """
    raw = int.from_bytes(_packed("<f", number), "little")
    if number != number:
        return (raw >> 16 | 0x40).to_bytes(2, "little")
    back = struct.unpack("<f", raw.to_bytes(4, "little"))[0]
    if abs(back) > abs(number):
        raw -= 1
    if back != number:
        raw |= 1
    return (raw + 0x7FFF + (raw >> 16 & 1) >> 16).to_bytes(2, "little")
