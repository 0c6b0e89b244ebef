"""Numbers that may be SSA values: which ones an operation has, in operand order, and lists of both.

Attributes in MLIR-AIE up to 2026-06, operands in later releases (AIEOps.td, AIEX.td). The names are those of
the attributes; all operands are i32.
"""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import DenseArrayAttr, OpaqueAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.syntax import group
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterable

NUMBERS: dict[str, tuple[tuple[str, str], ...]] = {
    "aie.use_lock": (("value", "i32"),),
    "aiex.npu.write32": (("address", "ui32"), ("value", "ui32")),
    "aiex.npu.maskwrite32": (("address", "ui32"), ("value", "ui32"), ("mask", "ui32")),
    "aiex.npu.sync": tuple(
        (name, "i32") for name in ("column", "row", "direction", "channel", "column_num", "row_num")
    ),
    "aiex.npu.rtp_write": (("value", "i32"),),
    "aiex.npu.push_queue": (("repeat_count", "i32"), ("bd_id", "i32")),
    "aiex.npu.address_patch": (("arg_plus", "i32"),),
}


class Iteration(NamedTuple):
    """`iteration = #aie.bd_iteration<size = 4, stride = 16, current = 0>` of a descriptor: each use moves its
    address on by `stride` elements; after `size` uses it is back.
    """

    size: int
    stride: int
    current: int


def iteration_of(op: Operation) -> Iteration | None:
    """The iteration of an `aie.dma_bd`, or None when it has none. ValueError for one that cannot be read."""
    attribute = op.attributes.get("iteration")
    if attribute is None:
        return None
    text = attribute.text if isinstance(attribute, OpaqueAttr) else ""
    fields = dict(re.findall(r"(\w+) = (-?\d+)", text))
    if set(fields) != set(Iteration._fields):
        raise ValueError(
            f"expected #aie.bd_iteration<size = …, stride = …, current = …>, got {text or attribute}"
        )
    return Iteration(**{name: int(number) for name, number in fields.items()})


def entries(op: Operation, name: str) -> list[int | Value]:
    """The entries of a list such as `offsets` of a transfer: its numbers, and the values among them."""
    values = iter(group(op, name))
    return [next(values) if number == DYNAMIC_INDEX else number for number in op.numbers(f"static_{name}")]


def static_entries(found: Iterable[int | Value]) -> DenseArrayAttr:
    """What `static_NAME` holds of such a list: numbers, and a mark in the places of values."""
    return DenseArrayAttr("i64", tuple(e if isinstance(e, int) else DYNAMIC_INDEX for e in found))
