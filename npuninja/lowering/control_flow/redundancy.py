"""Equal operations become one, and what does not change in a loop comes before it.

The reference's first pass runs MLIR's `cse` and `loop-invariant-code-motion` over the whole module, between
two runs of the canonicalizer; scalar code of cores and runtime sequences goes through it too.

Sources: MLIR CSE.cpp, LoopInvariantCodeMotionUtils.cpp.
"""

from __future__ import annotations

from collections.abc import Hashable

from npuninja import TYPE_CHECKING
from npuninja.ir.core import Block, Operation, Region, Value, erase_all
from npuninja.lowering.control_flow.constant_folding import COMMUTATIVE
from npuninja.lowering.control_flow.effects import (
    NONE,
    READS,
    STRUCTURED,
    TERMINATORS,
    WRITES,
    effect_of,
    may_run_early,
)

if TYPE_CHECKING:
    from typing import Iterator

_LOOPS = ("scf.for", "scf.while", "affine.for")
_SeenOperations = dict[Hashable, Operation]


def join_equal_operations(holder: Operation) -> None:
    """Replaces, in a core, function or sequence, each operation by an equal one that ran before it."""
    replaced: dict[Value, Value] = {}
    gone: set[Operation] = set()
    for region in holder.regions:
        _join_in_region(region, {}, replaced, gone)
    if replaced:
        holder.replace_uses(replaced)
        erase_all(gone)


def _join_in_region(
    region: Region, known: _SeenOperations, replaced: dict[Value, Value], gone: set[Operation]
) -> None:
    # Of several blocks only the first is sure to run before the others.
    for i, block in enumerate(region.blocks):
        table = known if i == 0 else dict(known)
        _join_in_block(block, table, replaced, gone)


def _join_in_block(
    block: Block, known: _SeenOperations, replaced: dict[Value, Value], gone: set[Operation]
) -> None:
    writes = 0  # operations so far that may have written memory
    written_at: dict[Operation, int] = {}
    for op in block.ops:
        for i, value in enumerate(op.operands):
            op.operands[i] = replaced.get(value, value)
        effect = effect_of(op)
        if op.regions:
            for region in op.regions:
                _join_in_region(region, dict(known), replaced, gone)
        elif effect <= READS and op.results and op.name not in TERMINATORS:
            key = _identity(op)
            earlier = known.get(key)
            if earlier is not None and (
                effect == NONE or (earlier.parent is block and written_at.get(earlier) == writes)
            ):
                replaced.update(zip(op.results, earlier.results))
                gone.add(op)
                continue
            known[key] = op
            written_at[op] = writes
        if effect >= WRITES:
            writes += 1


def _identity(op: Operation) -> Hashable:
    operands: tuple[Value | int, ...] = tuple(op.operands)
    if op.name in COMMUTATIVE:
        operands = tuple(sorted(id(value) for value in op.operands))
    attributes = tuple(sorted((key, type(value), value) for key, value in op.attributes.items()))
    return op.name, operands, attributes, tuple(result.type for result in op.results)


def hoist_invariants(holder: Operation) -> None:
    """Moves operations whose operands do not change in a loop in front of it, inner loops first."""
    for region in holder.regions:
        for block in region.blocks:
            for op in list(block.ops):
                hoist_invariants(op)
                if op.name in _LOOPS:
                    _hoist_out_of(op)


def _hoist_out_of(loop: Operation) -> None:
    for region in loop.regions:
        inside = {value for block in region.blocks for value in block.args}
        for block in region.blocks:
            for op in block.ops:
                inside.update(_made_by(op))
        for block in region.blocks:
            kept = []
            for op in block.ops:
                if op.name in TERMINATORS or not may_run_early(op) or _uses_any(op, inside):
                    kept.append(op)
                    continue
                loop.insert_before(op)
                inside.difference_update(_made_by(op))
            block.ops = kept


def _made_by(op: Operation) -> Iterator[Value]:
    """The results of an operation and of all inside it, and the arguments of the blocks there."""
    for each in op.walk():
        yield from each.results
        for region in each.regions:
            for block in region.blocks:
                yield from block.args


def _uses_any(op: Operation, values: set[Value]) -> bool:
    if op.name not in STRUCTURED:
        return any(value in values for value in op.operands)
    own = set(_made_by(op))
    return any(value in values and value not in own for each in op.walk() for value in each.operands)
