"""Structural equality of operations: same operations, attributes, types and uses, whatever the text."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import Attribute, DenseElementsAttr, same
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.dense_bytes import initial_value_bytes
from npuninja.ir.syntax import definition


def difference(a: Operation, b: Operation, names: bool = True) -> str | None:
    """The first difference between two operations in words, or None when they are equal.

    With `names`, a value that has a name in `a` must have it in `b` too. Block labels and locations do not
    count, nor operand segments that follow from the operand count.
    """
    return _PairedOperations(names).operation(a, b, a.name)


class _PairedOperations:
    """Pairs the values and blocks of two operations while walking them side by side."""

    def __init__(self, names: bool) -> None:
        self._names = names
        self._values: dict[Value, Value] = {}
        self._blocks: dict[Block, Block] = {}

    def operation(self, a: Operation, b: Operation, path: str) -> str | None:
        if a.name != b.name:
            return f"{path}: {a.name} and {b.name}"
        if (
            len(a.results) != len(b.results)
            or len(a.operands) != len(b.operands)
            or len(a.regions) != len(b.regions)
        ):
            return f"{path}: different numbers of operands, results or regions"
        if len(a.successors) != len(b.successors):
            return f"{path}: {len(a.successors)} and {len(b.successors)} successors"
        if _segments(a) != _segments(b):
            return f"{path}: operand segments {_segments(a)} and {_segments(b)}"
        return (
            self._attributes(a, b, path)
            or self._pairs(a.operands, b.operands, f"{path} operand", names=False)
            or self._pairs(a.results, b.results, f"{path} result", names=self._names)
            or self._successors(a, b, path)
            or self._regions(a, b, path)
        )

    @staticmethod
    def _attributes(a: Operation, b: Operation, path: str) -> str | None:
        for key in {**a.attributes, **b.attributes}:
            if key not in a.attributes or key not in b.attributes:
                return f"{path}: attribute {key} is only in one"
            if not _same(a.attributes[key], b.attributes[key]):
                return f"{path}: {key} is {a.attributes[key]} and {b.attributes[key]}"
        return None

    def _pairs(self, left: list[Value], right: list[Value], path: str, names: bool) -> str | None:
        """Takes values as counterparts, which they stay everywhere (also before their definition)."""
        for i, (a, b) in enumerate(zip(left, right)):
            if a.type != b.type:
                return f"{path} {i}: type {a.type} and {b.type}"
            if self._values.setdefault(a, b) is not b:
                return f"{path} {i}: different values, {a} and {b}"
            if names and a.name and a.name != b.name:
                return f"{path} {i}: name %{a.name} and %{b.name}"
        return None

    def _successors(self, a: Operation, b: Operation, path: str) -> str | None:
        for i, ((block_a, passed_a), (block_b, passed_b)) in enumerate(zip(a.successors, b.successors)):
            if self._blocks.setdefault(block_a, block_b) is not block_b or len(passed_a) != len(passed_b):
                return f"{path}: successor {i} differs"
            found = self._pairs(passed_a, passed_b, f"{path} successor {i} value", names=False)
            if found:
                return found
        return None

    def _regions(self, a: Operation, b: Operation, path: str) -> str | None:
        for region_a, region_b in zip(a.regions, b.regions):
            found = self._region(region_a, region_b, path)
            if found:
                return found
        return None

    def _region(self, a: Region, b: Region, path: str) -> str | None:
        if len(a.blocks) != len(b.blocks):
            return f"{path}: {len(a.blocks)} and {len(b.blocks)} blocks"
        for block_a, block_b in zip(a.blocks, b.blocks):
            if self._blocks.setdefault(block_a, block_b) is not block_b:
                return f"{path}: the blocks are in different order"
        for i, (block_a, block_b) in enumerate(zip(a.blocks, b.blocks)):
            where = f"{path} block {i}"
            if len(block_a.args) != len(block_b.args) or len(block_a.ops) != len(block_b.ops):
                return f"{where}: different numbers of arguments or operations"
            found = self._pairs(block_a.args, block_b.args, f"{where} argument", names=self._names)
            for j, (op_a, op_b) in enumerate(zip(block_a.ops, block_b.ops)):
                found = found or self.operation(op_a, op_b, f"{where} / {j} {op_a.name}")
            if found:
                return found
        return None


def _segments(op: Operation) -> tuple[int, ...] | None:
    found = definition(op.name)
    return found.group_sizes(op) if found is not None else op.segments


def _same(a: Attribute, b: Attribute) -> bool:
    """Whether two attributes mean the same: tables of numbers may be spelt as lists or as bytes."""
    if isinstance(a, DenseElementsAttr) and isinstance(b, DenseElementsAttr) and a != b:
        try:
            return a.type == b.type and initial_value_bytes(a, None) == initial_value_bytes(b, None)
        except UserError:
            return False
    return same(a, b)
