"""Attributes of operations: immutable values, one class per kind.

They are named tuples, because a lowering process makes thousands of them and imports nothing heavier. Two
attributes are the same when class and fields are the same; use `same` where the class matters.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterable


class IntegerAttr(NamedTuple):
    """`5 : i32`. The type is its MLIR text: i1..i64, ui32, index."""

    value: int
    type: str = "i64"


class BoolAttr(NamedTuple):
    """`true` or `false`."""

    value: bool


class FloatAttr(NamedTuple):
    """`1.5 : f32`. `text` is the literal as written (decimal or 0x bits), to print back unchanged."""

    text: str
    type: str


class StringAttr(NamedTuple):
    """An attribute `"text"`, unescaped."""

    value: str


class UnitAttr(NamedTuple):
    """An attribute that is only present: `{via_marker}`."""

    unit: None = None


class TypeAttr(NamedTuple):
    """A type used as an attribute."""

    type: str


class SymbolRefAttr(NamedTuple):
    """`@a` or `@a::@b`, as a path of names."""

    path: tuple[str, ...]


class ArrayAttr(NamedTuple):
    """An attribute `[a, b]`."""

    items: tuple[Attribute, ...]


class DenseArrayAttr(NamedTuple):
    """An attribute `array<i64: 1, 2>`."""

    type: str
    values: tuple[int, ...]


class DictAttr(NamedTuple):
    """`{a = 1, b}` as ordered pairs."""

    items: tuple[tuple[str, Attribute], ...]


class EnumAttr(NamedTuple):
    """A case of a dialect enum, by name: `EnumAttr("LockAction", "AcquireGreaterEqual")`.

    `kind` is the enum's name in AIEAttrs.td; the numbers for the generic form are in `npuninja.ir.enums`.
    """

    kind: str
    case: str


class DenseElementsAttr(NamedTuple):
    """`dense<…> : type`. `values` is flat, row-major, as literals' text; a splat has exactly one value."""

    values: tuple[str, ...]
    type: str
    splat: bool


class PacketInfoAttr(NamedTuple):
    """An attribute `#aie.packet_info<pkt_type = 0, pkt_id = 15>`."""

    pkt_type: int
    pkt_id: int


class BDDimLayout(NamedTuple):
    """One dimension of a buffer descriptor, `<size = 4, stride = 16>`, in elements."""

    size: int
    stride: int


class BDDimLayoutArrayAttr(NamedTuple):
    """An attribute `#aie<bd_dim_layout_array[<size = 4, stride = 16>, …]>`, outermost first."""

    dims: tuple[BDDimLayout, ...]


class BDDimLayoutArrayArrayAttr(NamedTuple):
    """`#aie<bd_dim_layout_array_array[[<…>], []]>`: one list for each consumer."""

    arrays: tuple[tuple[BDDimLayout, ...], ...]


class BDPadLayout(NamedTuple):
    """`<const_pad_before = 2, const_pad_after = 1>`, in elements."""

    before: int
    after: int


class BDPadLayoutArrayAttr(NamedTuple):
    """An attribute `#aie<bd_pad_layout_array[…]>`, outermost first."""

    pads: tuple[BDPadLayout, ...]


class OpaqueAttr(NamedTuple):
    """Any other dialect attribute, kept as its canonical text."""

    text: str


Attribute = (
    IntegerAttr
    | BoolAttr
    | FloatAttr
    | StringAttr
    | UnitAttr
    | TypeAttr
    | SymbolRefAttr
    | ArrayAttr
    | DenseArrayAttr
    | DictAttr
    | EnumAttr
    | DenseElementsAttr
    | PacketInfoAttr
    | BDDimLayoutArrayAttr
    | BDDimLayoutArrayArrayAttr
    | BDPadLayoutArrayAttr
    | OpaqueAttr
)


def same(a: Attribute, b: Attribute) -> bool:
    """Whether two attributes are of one class and equal (named tuples alone compare by fields only)."""
    return type(a) is type(b) and a == b


def is_contiguous(dims: Iterable[tuple[int, int]], *, counts_single_steps: bool = True) -> bool:
    """Whether dimensions, (size, stride) each and innermost first, walk through memory without a gap.

    `counts_single_steps`: the innermost step has to be 1 even where that dimension has one element.
    """
    step = 1
    for i, (size, stride) in enumerate(dims):
        if stride != step and (size > 1 or (i == 0 and counts_single_steps)):
            return False
        step *= size
    return True
