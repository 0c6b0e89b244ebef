"""Transfers that one descriptor cannot hold become other shapes of the same order, or several transfers.

A dimension of N elements becomes two, or the outermost is cut into pieces; the same elements move in the
same order. Rules: MLIR-AIE, AIEDecomposeLargeDmaBd.cpp, DmaDecomposition.cpp. Tuples have four entries,
innermost first.
"""

from __future__ import annotations

from math import prod

from npuninja.arch.devices import MAX_ITERATIONS, WORD_BITS, TileKind
from npuninja.ir.attributes import (
    BDDimLayout,
    BDDimLayoutArrayAttr,
    DenseArrayAttr,
    IntegerAttr,
    is_contiguous,
)
from npuninja.ir.core import Block, Operation
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import bits, element_of
from npuninja.lowering.lookup import allocation, numbers_of
from npuninja.lowering.op_builders import i32, next_bd
from npuninja.lowering.sequence.task_ids import descriptors
from npuninja.lowering.sequence_bd import four_dimensions, shape_error
from npuninja.lowering.tiles import kind_at, model_of
from npuninja.records import NamedTuple

_MEMCPY, _TASK = "aiex.npu.dma_memcpy_nd", "aiex.dma_configure_task"


class Pattern(NamedTuple):
    """Offsets, sizes and strides of a transfer in elements."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def start(self) -> int:
        """The number of the first element that the transfer touches."""
        return sum(offset * stride for offset, stride in zip(self.offsets, self.strides))


def decompose(pattern: Pattern, element_bits: int, kind: TileKind) -> list[Pattern] | None:
    """What takes the place of a pattern on a tile of this kind; None when nothing does."""
    if shape_error(pattern.sizes, pattern.strides, element_bits, kind) is None:
        return [pattern]
    outermost = max((d for d in range(4) if pattern.sizes[d] > 1), default=-1)
    if outermost < 0:
        return None
    if pattern.sizes[3] == 1:
        for dimension in range(3):
            for inner in _inner_factors(
                pattern.sizes[dimension], element_bits if dimension == 0 else WORD_BITS
            ):
                found = decompose(_factored(pattern, dimension, inner), element_bits, kind)
                if found is not None:
                    return found
    return _sliced(pattern, outermost, element_bits, kind)


def _inner_factors(count: int, unit_bits: int) -> list[int]:
    """Divisors of `count` without 1 and itself, largest first, that are whole words of `unit_bits` each."""
    small = [b for b in range(2, int(count**0.5) + 1) if count % b == 0]
    divisors = sorted({*small, *(count // b for b in small)}, reverse=True)
    return [b for b in divisors if b * unit_bits % WORD_BITS == 0]


def _factored(pattern: Pattern, dimension: int, inner: int) -> Pattern:
    offsets, sizes, strides = pattern
    split = dimension + 1
    outer = sizes[dimension] // inner
    return Pattern(
        (*offsets[:split], 0, *offsets[split:3]),
        (*sizes[:dimension], inner, outer, *sizes[split:3]),
        (*strides[:split], inner * strides[dimension], *strides[split:3]),
    )


def _sliced(pattern: Pattern, dimension: int, element_bits: int, kind: TileKind) -> list[Pattern] | None:
    limit = kind.max_wrap
    if dimension == 3:
        limit = MAX_ITERATIONS
    elif dimension == 0:
        limit = limit * WORD_BITS // element_bits
        if element_bits < WORD_BITS:
            limit -= limit % (WORD_BITS // element_bits)
    count = pattern.sizes[dimension]
    if not 0 < limit < count:
        return None
    result: list[Pattern] = []
    for first in range(0, count, limit):
        offsets, sizes = list(pattern.offsets), list(pattern.sizes)
        offsets[dimension] += first
        sizes[dimension] = min(limit, count - first)
        found = decompose(Pattern(tuple(offsets), tuple(sizes), pattern.strides), element_bits, kind)
        if found is None:
            return None
        result += found
    return result


def split_large_transfers(device: Operation, sequence: Operation) -> None:
    """Replaces a sequence's too large transfers and tasks in place; later passes refuse those that stay."""
    for op in list(sequence.body.ops):
        if op.name == _MEMCPY:
            _split_memcpy(device, sequence, op)
        elif op.name == _TASK:
            _split_task(op)


def _pieces(pattern: Pattern, element_bits: int, kind: TileKind) -> list[Pattern]:
    """The pieces of a pattern, none when it stays as it is."""
    if is_contiguous(zip(pattern.sizes[:3], pattern.strides)):
        return []
    if shape_error(pattern.sizes, pattern.strides, element_bits, kind) is None:
        return []
    pieces = decompose(pattern, element_bits, kind) or []
    return pieces if len(pieces) <= kind.bds else []


def _split_memcpy(device: Operation, sequence: Operation, op: Operation) -> None:
    lists = [numbers_of(op, what) for what in ("offsets", "sizes", "strides")]
    numbers = [each[::-1] for each in lists if each is not None and len(each) == 4]
    if len(numbers) < 3:
        return
    kind = model_of(device).kind_of(allocation(device, op.symbol("metadata"), op).row)
    pieces = _pieces(Pattern(*numbers), bits(element_of(operand(op, "memref").type)), kind)
    taken = {
        other.integer("id")
        for other in sequence.walk()
        if other.name == _MEMCPY
        and other is not op
        and other.attributes["metadata"] == op.attributes["metadata"]
    }
    number = op.integer("id")
    for i, piece in enumerate(pieces):
        while number in taken and len(pieces) > 1:
            number += 1
        new = Operation(op.name, group(op, "memref"), dict(op.attributes), segments=(1, 0, 0, 0), loc=op.loc)
        new.attributes["id"] = IntegerAttr(number, "i64")
        number += 1
        for what, values in zip(("offsets", "sizes", "strides"), piece):
            new.attributes[f"static_{what}"] = DenseArrayAttr("i64", values[::-1])
        if i + 1 < len(pieces):
            new.attributes.pop("issue_token", None)
        op.insert_before(new)
    if pieces:
        op.erase()


def _split_task(task: Operation) -> None:
    bds = descriptors(task)
    if len(bds) != 1 or "pad_dimensions" in bds[0].attributes:
        return
    bd = bds[0]
    dims = bd.attributes.get("dimensions")
    if not isinstance(dims, BDDimLayoutArrayAttr) or not dims.dims or len(dims.dims) > 4:
        return
    pattern = Pattern((0,) * 4, *four_dimensions(dims.dims))
    pieces = _pieces(pattern, bits(element_of(operand(bd, "buffer").type)), kind_at(task.tile))
    if not pieces:
        return
    start = bd.integer("offset", 0)
    block = bd.parent
    assert block is not None
    end = block.ops[-1]
    copies = [dict(bd.attributes) for _ in pieces[1:]]
    for i, piece in enumerate(pieces):
        if i:
            # What a further descriptor takes over from the first.
            attributes = {k: v for k, v in copies[i - 1].items() if k not in ("bd_id", "next_bd_id")}
            bd = Operation("aie.dma_bd", group(bd, "buffer"), attributes, loc=bd.loc)
            following = Block()
            end.insert_before(next_bd(following, bd.loc))
            end.erase()
            task.regions[0].append(following)
            following.append(bd)
            following.append(end)
        bd.attributes["offset"] = i32(start + piece.start)
        bd.attributes["dimensions"] = BDDimLayoutArrayAttr(
            tuple(BDDimLayout(s, t) for s, t in zip(piece.sizes[::-1], piece.strides[::-1]))
        )
        if len(pieces) > 1:
            bd.attributes["len"] = i32(prod(piece.sizes[:3]))
