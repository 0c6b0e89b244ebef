"""Branches as MLIR's canonicalizer leaves them (2026-02 runs it in step 3, over cores too).

Until nothing changes: a jump to a block that only jumps on goes to its end at once; a block with one
predecessor that jumps to it unconditionally becomes part of it; conditions on constants and switches between
equal targets become plain jumps. Then unreached blocks and unused block arguments are removed.

Source: MLIR ControlFlowOps.cpp (canonicalization patterns), RegionUtils.cpp.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import Attribute, DenseElementsAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.symbols import CODE_HOLDERS
from npuninja.ir.syntax import operand
from npuninja.lowering.control_flow.block_merging import BRANCHES
from npuninja.lowering.control_flow.effects import read_by
from npuninja.lowering.op_builders import constant_value

if TYPE_CHECKING:
    from typing import Callable

Target = tuple[Block, list[Value]]


def simplify_branches(device: Operation) -> None:
    """Simplifies the branches in the cores and functions of a device."""
    for op in device.body.ops:
        if op.name in CODE_HOLDERS and op.regions and len(op.regions[0].blocks) > 1:
            _gather_constants(op)
            _Simplifier(op.regions[0]).run()


def _gather_constants(holder: Operation) -> None:
    """Constants are at the top, each number once: a block with only a jump is then one to pass through."""
    known: dict[tuple[Attribute, str], Value] = {}
    kept: list[Operation] = []
    replaced: dict[Value, Value] = {}
    for block in holder.regions[0].blocks:
        others = []
        for op in block.ops:
            if op.name != "arith.constant":
                others.append(op)
                continue
            key = (op.attributes["value"], op.result.type)
            if key in known:
                replaced[op.result] = known[key]
            else:
                known[key] = op.result
                kept.append(op)
        block.ops = others
    for op in reversed(kept):
        holder.body.insert(0, op)
    if replaced:
        holder.replace_uses(replaced)


class _Simplifier:
    """Simplifies one region, and keeps the readers of each value and the branches to each block.

    A round costs as much as the region is long: nothing searches the whole region for a single branch.
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self._readers: dict[Value, dict[Operation, None]] = {}
        self._branches: dict[Block, dict[Operation, None]] = {block: {} for block in region.blocks}
        for each in (inner for block in region.blocks for op in block.ops for inner in op.walk()):
            self._note(each)

    def _note(self, op: Operation) -> None:
        for value in read_by(op):
            self._readers.setdefault(value, {})[op] = None
        for target, _ in op.successors:
            if target in self._branches:
                self._branches[target][op] = None

    def _forget(self, op: Operation) -> None:
        for value in read_by(op):
            self._readers[value].pop(op, None)
        for target, _ in op.successors:
            if target in self._branches:
                self._branches[target].pop(op, None)

    def run(self) -> None:
        changed = True
        while changed:
            changed = False
            for block in list(self.region.blocks):
                # A block merged into another on the way is no longer there.
                if block.parent is self.region and block.ops and block.ops[-1].name in BRANCHES:
                    changed |= self._simplify(block)
            self.region.blocks = [block for block in self.region.blocks if block.parent is self.region]
            changed |= self._drop_unreachable()
            changed |= self._drop_unused_arguments()

    def _simplify(self, block: Block) -> bool:
        branch = block.ops[-1]
        passed = [self._passed_through(target, block) for target in branch.successors]
        changed = any(after is not None for after in passed)
        self._forget(branch)
        branch.successors = [after or before for after, before in zip(passed, branch.successors)]
        only = _only_target(branch)
        self._note(branch)
        if branch.name == "cf.br":
            return self._merge(block) or changed
        only = only or self._selected(block)
        if only is None:
            return changed
        self._forget(branch)
        block.ops[-1] = jump = Operation("cf.br", successors=[only], loc=branch.loc)
        jump.parent, branch.parent = block, None
        self._note(jump)
        return True

    def _passed_through(self, target: Target, source: Block) -> Target | None:
        """Where a jump ends that goes to a block with only a jump in it; None when it goes anywhere else."""
        block, values = target
        if block is source or len(block.ops) != 1 or block.ops[0].name != "cf.br":
            return None
        ((onward, passed),) = block.ops[0].successors
        if onward is block:
            return None
        # The arguments must not be used after the jump.
        if any(self._readers.get(argument, {}).keys() - block.ops for argument in block.args):
            return None
        mapping = dict(zip(block.args, values))
        return onward, [mapping.get(value, value) for value in passed]

    def _merge(self, block: Block) -> bool:
        """Takes in the block that only `block` jumps to."""
        jump = block.ops[-1]
        ((target, values),) = jump.successors
        if target is block or target is self.region.entry or list(self._branches[target]) != [jump]:
            return False
        self._forget(jump)
        block.ops.pop()
        for op in target.ops:
            block.append(op)
        target.ops, target.parent = [], None
        for argument, value in zip(target.args, values):
            for op in self._readers.pop(argument, ()):
                op.replace_uses({argument: value})
                self._readers.setdefault(value, {})[op] = None
        return True

    def _selected(self, block: Block) -> Target | None:
        """One target for a condition whose two targets are one block that nothing else jumps to."""
        branch = block.ops[-1]
        if branch.name != "cf.cond_br":
            return None
        (target, yes), (other, no) = branch.successors
        if target is not other or list(self._branches[target]) != [branch]:
            return None
        values = []
        for a, b in zip(yes, no):
            if not _equal(a, b):
                condition = operand(branch, "condition")
                select = Operation("arith.select", [condition, a, b], result_types=(a.type,), loc=branch.loc)
                a = block.insert(len(block.ops) - 1, select).result
                self._note(select)
            values.append(a)
        return target, values

    def _drop_unreachable(self) -> bool:
        reached = {self.region.entry}
        pending = [self.region.entry]
        while pending:
            for op in pending.pop().ops:
                for target, _ in op.successors:
                    if target not in reached:
                        reached.add(target)
                        pending.append(target)
        gone = [block for block in self.region.blocks if block not in reached]
        for block in gone:
            block.parent = None
            for each in (inner for op in block.ops for inner in op.walk()):
                self._forget(each)
        if gone:
            self.region.blocks = [block for block in self.region.blocks if block in reached]
        return bool(gone)

    def _drop_unused_arguments(self) -> bool:
        kept_of = {
            block: [i for i, argument in enumerate(block.args) if self._readers.get(argument)]
            for block in self.region.blocks[1:]
        }
        changed = False
        for block, kept in kept_of.items():
            if len(kept) < len(block.args):
                changed = True
                block.args = [block.args[i] for i in kept]
                for branch in list(self._branches[block]):
                    self._forget(branch)
                    branch.successors = [
                        (target, [values[i] for i in kept] if target is block else values)
                        for target, values in branch.successors
                    ]
                    self._note(branch)
        return changed


def _only_target(branch: Operation) -> Target | None:
    """Where a conditional branch always goes; None if it depends. Drops switch cases equal to the default."""
    return _SIMPLER[branch.name](branch)


def _same(a: Target, b: Target) -> bool:
    return a[0] is b[0] and len(a[1]) == len(b[1]) and all(map(_equal, a[1], b[1]))


def _equal(a: Value, b: Value) -> bool:
    """Whether two values are one, or constants of one number: the canonicalizer makes those one."""
    number = constant_value(a)
    return a is b or (number is not None and number == constant_value(b) and a.type == b.type)


def _condition(branch: Operation) -> Target | None:
    yes, no = branch.successors
    value = constant_value(operand(branch, "condition"))
    if value is not None:
        return yes if value else no
    return yes if _same(yes, no) else None


def _switch(branch: Operation) -> Target | None:
    default, *cases = branch.successors
    numbers = branch.attributes.get("case_values")
    texts = numbers.values if isinstance(numbers, DenseElementsAttr) else ()
    if isinstance(numbers, DenseElementsAttr) and numbers.splat:
        texts *= len(cases)
    value = constant_value(operand(branch, "flag"))
    if value is not None:
        return next((case for text, case in zip(texts, cases) if int(text, 0) == value), default)
    kept = [(text, case) for text, case in zip(texts, cases) if not _same(case, default)]
    if not kept:
        return default
    if len(kept) < len(cases):
        branch.successors = [default, *(case for _, case in kept)]
        element = operand(branch, "flag").type
        values = tuple(text for text, _ in kept)
        branch.attributes["case_values"] = DenseElementsAttr(values, f"tensor<{len(kept)}x{element}>", False)
    return None


_SIMPLER: dict[str, Callable[[Operation], Target | None]] = {
    "cf.br": lambda branch: None,
    "cf.cond_br": _condition,
    "cf.switch": _switch,
}
