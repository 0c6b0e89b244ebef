"""Branches as MLIR's canonicalizer leaves them (2026-02 runs it in step 3, over cores too).

Until nothing changes: a jump to a block that only jumps on goes to its end at once; a block with one
predecessor that jumps to it unconditionally becomes part of it; conditions on constants and switches between
equal targets become plain jumps. Then blocks that nothing reaches and block arguments that nothing uses are
gone.

Source: MLIR ControlFlowOps.cpp (canonicalization patterns), RegionUtils.cpp.
"""

from __future__ import annotations

from typing import Callable

from npuninja.ir.attributes import Attribute, DenseElementsAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.control_flow.block_merging import BRANCHES
from npuninja.lowering.op_builders import constant_value

Target = tuple[Block, list[Value]]


def simplify_branches(device: Operation) -> None:
    """Simplifies the branches in the cores and functions of a device."""
    for op in device.body.ops:
        if op.name in ("aie.core", "func.func") and op.regions and len(op.regions[0].blocks) > 1:
            _gather_constants(op)
            _Simplifier(op.regions[0]).run()


def _gather_constants(holder: Operation) -> None:
    """Constants stand at the top, each number once: a block with nothing else but a jump is then one to pass
    through.
    """
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
    def __init__(self, region: Region) -> None:
        self.region = region

    def run(self) -> None:
        changed = True
        while changed:
            changed = False
            for block in list(self.region.blocks):
                # A block merged into another on the way is no longer there.
                if block.parent is self.region and block.ops and block.ops[-1].name in BRANCHES:
                    changed |= self._simplify(block)
            changed |= self._drop_unreachable()
            changed |= self._drop_unused_arguments()

    def _simplify(self, block: Block) -> bool:
        branch = block.ops[-1]
        passed = [_passed_through(target, self.region, block) for target in branch.successors]
        new = [after or before for after, before in zip(passed, branch.successors)]
        changed = any(after is not None for after in passed)
        branch.successors = new
        if branch.name == "cf.br":
            return self._merge(block) or changed
        only = _only_target(branch) or self._selected(block)
        if only is not None:
            _replace(branch, Operation("cf.br", successors=[only], loc=branch.loc))
            return True
        return changed

    def _predecessors(self, block: Block) -> list[Block]:
        """The block each edge to `block` comes from."""
        return [
            b
            for b in self.region.blocks
            for op in b.ops[-1:]  # only the last one has targets
            for target, _ in op.successors
            if target is block
        ]

    def _merge(self, block: Block) -> bool:
        """Takes in the block that only `block` jumps to."""
        target, values = block.ops[-1].successors[0]
        if target is block or target is self.region.entry or self._predecessors(target) != [block]:
            return False
        block.ops.pop()
        for op in target.ops:
            block.append(op)
        target.ops = []
        self._remove(target)
        self._replace(dict(zip(target.args, values)))
        return True

    def _selected(self, block: Block) -> Target | None:
        """One target for a condition whose two targets are one block that nothing else jumps to."""
        branch = block.ops[-1]
        if branch.name != "cf.cond_br":
            return None
        (target, yes), (other, no) = branch.successors
        if target is not other or any(b is not block for b in self._predecessors(target)):
            return None
        values = []
        for a, b in zip(yes, no):
            if not _equal(a, b):
                select = Operation(
                    "arith.select",
                    [operand(branch, "condition"), a, b],
                    result_types=(a.type,),
                    loc=branch.loc,
                )
                a = branch.insert_before(select).result
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
            self._remove(block)
        return bool(gone)

    def _drop_unused_arguments(self) -> bool:
        owner = self.region.parent
        assert owner is not None
        used = {value for op in owner.walk() for value in op.operands}
        used |= {value for op in owner.walk() for _, values in op.successors for value in values}
        changed = False
        for block in self.region.blocks[1:]:
            kept = [i for i, argument in enumerate(block.args) if argument in used]
            if len(kept) < len(block.args):
                changed = True
                block.args = [block.args[i] for i in kept]
                for source in self.region.blocks:
                    for op in source.ops:
                        op.successors = [
                            (target, [values[i] for i in kept] if target is block else values)
                            for target, values in op.successors
                        ]
        return changed

    def _remove(self, block: Block) -> None:
        self.region.blocks.remove(block)
        block.parent = None

    def _replace(self, values: dict[Value, Value]) -> None:
        owner = self.region.parent
        assert owner is not None
        if values:
            owner.replace_uses(values)


def _replace(old: Operation, new: Operation) -> None:
    old.insert_before(new)
    old.erase()


def _passed_through(target: Target, region: Region, source: Block) -> Target | None:
    """Where a jump ends that goes to a block with nothing but a jump in it; None when it goes anywhere else."""
    block, values = target
    if block is source or len(block.ops) != 1 or block.ops[0].name != "cf.br":
        return None
    onward, passed = block.ops[0].successors[0]
    if onward is block:
        return None
    # The arguments must not be used behind the jump.
    arguments = set(block.args)
    for other in region.blocks if arguments else ():
        for op in other.ops:
            if op is not block.ops[0] and arguments.intersection(
                [*op.operands, *(v for _, p in op.successors for v in p)]
            ):
                return None
    mapping = dict(zip(block.args, values))
    return onward, [mapping.get(value, value) for value in passed]


def _only_target(branch: Operation) -> Target | None:
    """Where a conditional branch always goes; None when it depends. Drops cases of a switch that equal its
    default.
    """
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


_SIMPLER: dict[str, Callable[[Operation], Target | None]] = {"cf.cond_br": _condition, "cf.switch": _switch}
