"""Parts of memrefs: what indices and slices leave, as `memref.subview`; other shapes of the same elements.

A part has as many dimensions as the whole: an index leaves one element of its dimension; `rank_reduce` among
the indices drops those. Where elements lie one after the other from the start on, the type has no layout, so
that a function can take the part as it is.
"""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.ir.attributes import ArrayAttr, DenseArrayAttr, IntegerAttr
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.syntax import operand
from npuninja.ir.types import DYNAMIC, bits, memref, strides_and_offset
from npuninja.python_designs.construct.operations import OpView, ir_value, make
from npuninja.python_designs.construct.types import MemRefType, mlir_type, type_of
from npuninja.python_designs.construct.values import ScalarValue, Value, constant, value_of

#: Among the indices of a memref: dimensions of one element are dropped.
rank_reduce = object()


def part_of(whole: Any, indices: Sequence[Any]) -> Any:
    """What indices and slices leave of a memref.

    Raises:
        IndexError: there are more of them than dimensions.
    """
    is_reduced = any(part is rank_reduce for part in indices)
    kept: list[Any] = [
        constant(part, index=True) if isinstance(part, int) else part
        for part in indices
        if part is not rank_reduce
    ]
    shape = memref(ir_value(whole).type).shape
    missing = len(shape) - sum(part is not Ellipsis for part in kept)
    if missing < 0:
        raise IndexError(f"too many indices: {len(kept)} indices for a memref of {len(shape)} dimensions")
    place = next((i for i, part in enumerate(kept) if part is Ellipsis), len(kept))
    kept[place : place + 1] = [slice(None)] * missing
    offsets, sizes, strides = [], [], []
    for part, extent in zip(kept, shape):
        start, size, step = _range_of(part, extent)
        offsets.append(start)
        sizes.append(size)
        strides.append(step)
    return subview(whole, offsets, sizes, strides, rank_reduce=is_reduced)


def _range_of(part: Any, extent: int) -> tuple[Any, Any, Any]:
    """Start, number of elements and step of an index or a slice; each a number or a value."""
    if not isinstance(part, slice):
        return part, 1, 1
    if not any(isinstance(bound, Value) for bound in (part.start, part.stop, part.step)):
        start, stop, step = part.indices(extent)
        return start, max(0, -(-(stop - start) // step)), step
    start = 0 if part.start is None else part.start
    stop = extent if part.stop is None else part.stop
    step = 1 if part.step is None else part.step
    return start, _size(start, stop, step), step


def _size(start: Any, stop: Any, step: Any) -> Any:
    """The number of elements between two bounds, at least one of them a value: by the forms that MLIR's
    Python extras know (`k : k + 8`, `k * 8 : (k + 1) * 8`), else the difference, computed in the design.
    """
    first, last = _operands(start), _operands(stop)
    if isinstance(start, Value) and last and last[0] is start.ir and _literal(last[1]) is not None:
        return _literal(last[1])
    if (
        isinstance(step, int)
        and first
        and last
        and start.ir.owner.name == stop.ir.owner.name == "arith.muli"
        and _name_of(last[0]) == "arith.addi"
        and operand(last[0].owner, "lhs") is first[0]
        and _literal(last[1]) is not None
    ):
        return _literal(last[1])
    return stop - start


def _operands(value: Any) -> Any:
    owner = value.ir.owner if isinstance(value, Value) else None
    operands = getattr(owner, "operands", ())
    return operands if len(operands) == 2 else ()


def _name_of(value: Any) -> str:
    return str(getattr(value.owner, "name", ""))


def _literal(value: Any) -> int | None:
    """The number of a constant, or of what is a number already."""
    if isinstance(value, int):
        return value
    scalar = value if isinstance(value, ScalarValue) else ScalarValue(value)
    return int(scalar.literal_value) if scalar.is_constant() else None


def _static(given: Any) -> Any:
    """A constant's number in place of the constant; other values stay."""
    number = _literal(given) if isinstance(given, ScalarValue) else int(given)
    return given if number is None else number


def subview(
    source: Any, offsets: Any, sizes: Any = None, strides: Any = None, *, rank_reduce: bool = False, **_: Any
) -> Any:
    """`memref.subview` of offsets, sizes and strides, one of each for a dimension; numbers or values."""
    whole = memref(ir_value(source).type)
    rank = len(whole.shape)
    offsets = [_static(o) for o in offsets]
    sizes = [_static(s) for s in (whole.shape if sizes is None else sizes)]
    strides = [_static(s) for s in (strides or [1] * rank)]
    if _values(strides):
        raise ValueError("a step that is a value of the design is not supported")
    kept = [d for d in range(rank) if not (rank_reduce and sizes[d] == 1)]
    shape = [DYNAMIC if isinstance(sizes[d], Value) else sizes[d] for d in kept]
    result = MemRefType.get(shape, type_of(whole.element), _layout(whole, offsets, sizes, strides, kept))
    attributes = {
        name: DenseArrayAttr("i64", tuple(DYNAMIC_INDEX if isinstance(n, Value) else n for n in numbers))
        for name, numbers in (
            ("static_offsets", offsets),
            ("static_sizes", sizes),
            ("static_strides", strides),
        )
    }
    places, counts = _values(offsets), _values(sizes)
    segments = (1, len(places), len(counts), 0)
    return value_of(
        make("memref.subview", [source, *places, *counts], attributes, (result,), segments=segments).result
    )


def _values(given: Sequence[Any]) -> list[Value]:
    return [each for each in given if isinstance(each, Value)]


def _layout(
    whole: Any, offsets: Sequence[Any], sizes: Sequence[Any], strides: Sequence[Any], kept: list[int]
) -> str | None:
    """The layout of a part's kept dimensions; None where its elements lie one after the other."""
    base_strides, base_offset = strides_and_offset(whole)
    steps = [stride * base for stride, base in zip(strides, base_strides)]
    offset: Any = "?"
    if not _values(offsets) and base_offset >= 0:
        offset = base_offset + sum(o * s for o, s in zip(offsets, base_strides))
    if offset == 0 and steps == _dense_strides(sizes):
        return None
    start = f", offset: {offset}" if offset != 0 else ""
    return f"strided<[{', '.join(str(steps[d]) for d in kept)}]{start}>"


def _dense_strides(sizes: Sequence[Any]) -> list[int] | None:
    """The strides of elements that lie one after the other; None for a number of them that is a value."""
    if _values(sizes):
        return None
    strides = [1]
    for size in reversed(sizes[1:]):
        strides.insert(0, strides[0] * size)
    return strides


def collapse_shape(result: Any, src: Any, reassociation: Sequence[Sequence[int]], **_: Any) -> Any:
    """`memref.collapse_shape`: each group of dimensions becomes one."""
    groups = ArrayAttr(tuple(ArrayAttr(tuple(IntegerAttr(int(i), "i64") for i in g)) for g in reassociation))
    op = make("memref.collapse_shape", [src], {"reassociation": groups}, [mlir_type(result)])
    return value_of(op.result)


def view(source: Any, shape: Sequence[int], dtype: Any = None, shift: Any = 0, **_: Any) -> Any:
    """`memref.view`: another shape of the same bytes, `shift` elements after the start."""
    element = memref(ir_value(source).type).element if dtype is None else mlir_type(dtype).text
    bytes_each = bits(element) // 8
    place = shift if isinstance(shift, (Value, OpView)) else constant(shift * bytes_each, index=True)
    sizes = [s for s in shape if isinstance(s, Value)]
    result = MemRefType.get([-1 if isinstance(s, Value) else s for s in shape], type_of(element))
    return value_of(make("memref.view", [source, place, *sizes], None, (result,)).result)
