"""Writes attributes as MLIR does."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
    BoolAttr,
    DenseArrayAttr,
    DenseElementsAttr,
    DictAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
    OpaqueAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
)
from npuninja.ir.dense_bytes import elements_bytes
from npuninja.ir.enums import ENUMS, STORAGE
from npuninja.ir.types import element_of, shape_of

if TYPE_CHECKING:
    from typing import Any, Callable

#: MLIR lists the elements of no more than this many; more are a string of bytes.
_MOST_LISTED = 100
_IDENTIFIER = re.compile(r"[A-Za-z_][\w$.]*")


def attribute_text(attribute: Attribute, typed: bool = True) -> str:
    """The text of an attribute; without its type, and an enum as its case, when not `typed`."""
    kind = type(attribute)
    if isinstance(attribute, (IntegerAttr, FloatAttr, DenseElementsAttr)):
        text = _TEXTS[kind](attribute)
        return f"{text} : {attribute.type}" if typed else text
    if isinstance(attribute, EnumAttr):
        if not typed:
            return attribute.case
        return f"{ENUMS[attribute.kind][attribute.case]} : {STORAGE.get(attribute.kind, 'i32')}"
    return _TEXTS[kind](attribute) if kind in _TEXTS else "unit"


def _pads(attribute: BDPadLayoutArrayAttr) -> str:
    pads = (f"<const_pad_before = {p.before}, const_pad_after = {p.after}>" for p in attribute.pads)
    return f"#aie<bd_pad_layout_array[{', '.join(pads)}]>"


def dictionary_text(attributes: dict[str, Attribute]) -> str:
    """`{a = 1 : i32, b}`, sorted by name as MLIR keeps dictionaries."""
    items = []
    for name in sorted(attributes):
        key = name if _IDENTIFIER.fullmatch(name) else f'"{escape(name)}"'
        text = attribute_text(attributes[name])
        items.append(key if text == "unit" else f"{key} = {text}")
    return "{" + ", ".join(items) + "}"


def dimensions_text(dims: tuple[BDDimLayout, ...]) -> str:
    """`[<size = 4, stride = 16>, …]`."""
    return "[" + ", ".join(f"<size = {d.size}, stride = {d.stride}>" for d in dims) + "]"


def symbol_text(name: str) -> str:
    """`@name`, quoted when the name is no identifier."""
    return f"@{name}" if _IDENTIFIER.fullmatch(name) else f'@"{escape(name)}"'


def escape(text: str) -> str:
    """The inside of a string literal: backslash, quote, and bytes outside printable ASCII are escaped."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    out = []
    for byte in text.encode("utf-8"):
        c = chr(byte)
        out.append("\\\\" if c == "\\" else f"\\{byte:02X}" if c == '"' or not 32 <= byte < 127 else c)
    return "".join(out)


def _array_item(item: Attribute) -> str:
    return attribute_text(item, typed=not (isinstance(item, IntegerAttr) and item.type == "i64"))


def _dense_array(attribute: DenseArrayAttr) -> str:
    if not attribute.values:
        return f"array<{attribute.type}>"
    is_bool = attribute.type == "i1"
    values = (str(bool(v)).lower() if is_bool else str(v) for v in attribute.values)
    return f"array<{attribute.type}: {', '.join(values)}>"


def _dense_values(attribute: DenseElementsAttr) -> str:
    if attribute.splat or not attribute.values:
        return "".join(attribute.values)
    type = attribute.type
    element = element_of(type)
    if len(attribute.values) > _MOST_LISTED and element != "i1":
        try:
            return f'"0x{elements_bytes(attribute.values, element).hex().upper()}"'
        except (ValueError, OverflowError):
            pass  # the list says what cannot be stored
    rows = list(attribute.values)
    for dim in reversed(shape_of(type)):
        if dim == 0:
            return "[]"
        rows = [f"[{', '.join(rows[i : i + dim])}]" for i in range(0, len(rows), dim)]
    return rows[0]


#: The text of an attribute without its type, of all kinds but enums and unit.
_TEXTS: dict[type, Callable[[Any], str]] = {
    IntegerAttr: lambda a: str(a.value),
    FloatAttr: lambda a: str(a.text),
    DenseElementsAttr: lambda a: f"dense<{_dense_values(a)}>",
    BoolAttr: lambda a: "true" if a.value else "false",
    SymbolRefAttr: lambda a: "::".join(map(symbol_text, a.path)),
    StringAttr: lambda a: f'"{escape(a.value)}"',
    PacketInfoAttr: lambda a: f"#aie.packet_info<pkt_type = {a.pkt_type}, pkt_id = {a.pkt_id}>",
    TypeAttr: lambda a: str(a.type),
    ArrayAttr: lambda a: f"[{', '.join(_array_item(item) for item in a.items)}]",
    DenseArrayAttr: _dense_array,
    DictAttr: lambda a: dictionary_text(dict(a.items)),
    BDDimLayoutArrayAttr: lambda a: f"#aie<bd_dim_layout_array{dimensions_text(a.dims)}>",
    BDDimLayoutArrayArrayAttr: lambda a: (
        f"#aie<bd_dim_layout_array_array[{', '.join(map(dimensions_text, a.arrays))}]>"
    ),
    BDPadLayoutArrayAttr: _pads,
    OpaqueAttr: lambda a: str(a.text),
}
