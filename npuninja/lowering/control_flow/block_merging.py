"""Equal blocks become one, and arguments that always get one value go: MLIR's region simplification.

Rewriting with patterns, with which step 3 begins, merges blocks that hold equal operations and go on to the
same blocks; operands that differ become arguments of the merged block.

Source: MLIR RegionUtils.cpp (mergeIdenticalBlocks, dropRedundantArguments, runRegionDCE).
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import same
from npuninja.ir.core import Block, Operation, Region, Value, final
from npuninja.lowering.control_flow.effects import read_by
from npuninja.lowering.tiles import ops_of

if TYPE_CHECKING:
    from typing import Iterable

#: Branches that can pass more values to their targets.
BRANCHES = ("cf.br", "cf.cond_br", "cf.switch")
#: Where an operand is in a block: number of the operation, number of the operand.
_OperandPosition = tuple[int, int]
#: A block, and those equal to it but for operands in some places.
_Cluster = tuple[Block, list[tuple[Block, list[_OperandPosition]]]]


def merge_blocks(device: Operation) -> None:
    """Merges equal blocks in the cores of a device until nothing changes."""
    for core in ops_of(device, "aie.core"):
        region = core.regions[0]
        while len(region.blocks) > 1 and (_merge_once(region) or _drop_redundant_arguments(region)):
            pass


def _set_operand(op: Operation, number: int, value: Value) -> None:
    if number < len(op.operands):
        op.operands[number] = value
        return
    number -= len(op.operands)
    for _, passed in op.successors:
        if number < len(passed):
            passed[number] = value
            return
        number -= len(passed)


class _Links:
    """What the blocks of a region have to do with each other, kept up to date while blocks merge.

    Attributes:
        leading_to: the branches that lead to each block: the operation and the number of its successor.
    """

    def __init__(self, region: Region) -> None:
        self.leading_to = _edges(region)
        self._home = {value: block for block in region.blocks for value in block.args}
        self._home.update((v, block) for block in region.blocks for op in block.ops for v in op.results)
        #: How often a value is used outside the block that makes it.
        self._outside: dict[Value, int] = {}
        self.count(region.blocks, 1)

    def count(self, blocks: Iterable[Block], step: int) -> None:
        """Adds (1) or takes away (-1) what the operations of some blocks use."""
        for block in blocks:
            for op in block.ops:
                for value in read_by(op):
                    if self._home.get(value, block) is not block:
                        self._outside[value] = self._outside.get(value, 0) + step

    def used_elsewhere(self, block: Block) -> bool:
        """Whether another block uses an argument or a result of this one."""
        get = self._outside.get
        return any(get(v) for v in block.args) or any(get(v) for op in block.ops for v in op.results)

    def merged(self, leader: Block, others: list[Block], arguments: Iterable[Value]) -> None:
        """`others` are gone, and what led to them leads to `leader`, which has new arguments."""
        self._home.update((value, leader) for value in arguments)
        for block in others:
            self.leading_to.setdefault(leader, []).extend(self.leading_to.pop(block, ()))
        gone = {op for block in others for op in block.ops[-1:]}
        for target in {target for op in gone for target, _ in op.successors}:
            self.leading_to[target] = [edge for edge in self.leading_to[target] if edge[0] not in gone]


def _merge_once(region: Region) -> bool:
    clusters: list[_Cluster] = []
    alike: dict[tuple[object, ...], list[_Cluster]] = {}
    for block in region.blocks[1:]:
        if any(op.regions for op in block.ops):
            continue
        same_form = alike.setdefault(_form(block), [])
        for leader, others in same_form:
            places = _differing_operands(leader, block)
            if places is not None:
                others.append((block, places))
                break
        else:
            cluster: _Cluster = (block, [])
            clusters.append(cluster)
            same_form.append(cluster)
    if not any(others for _, others in clusters):
        return False
    links = _Links(region)
    merged = [_merge(region, leader, others, links) for leader, others in clusters if others]
    return any(merged)


def _form(block: Block) -> tuple[object, ...]:
    """What equal blocks have in common: it keeps those apart that cannot be equal, without comparing them."""
    return (
        tuple(value.type for value in block.args),
        tuple((op.name, len(op.operands)) for op in block.ops),
        tuple(target for op in block.ops[-1:] for target, _ in op.successors),
    )


def _edges(region: Region) -> dict[Block, list[tuple[Operation, int]]]:
    """For each block the branches that lead to it: the operation and the number of its successor."""
    edges: dict[Block, list[tuple[Operation, int]]] = {}
    for block in region.blocks:
        for op in block.ops[-1:]:
            for i, (target, _) in enumerate(op.successors):
                edges.setdefault(target, []).append((op, i))
    return edges


def _differing_operands(a: Block, b: Block) -> list[_OperandPosition] | None:
    """Where two equal blocks use different values from outside; None when the blocks are not equal."""
    if len(a.ops) != len(b.ops) or [v.type for v in a.args] != [v.type for v in b.args]:
        return None
    inside: dict[Value, Value] = dict(zip(a.args, b.args))
    inside_b = set(b.args)
    places = []
    for i, (x, y) in enumerate(zip(a.ops, b.ops)):
        if not _same_operation(x, y):
            return None
        left, right = read_by(x), read_by(y)
        if len(left) != len(right):
            return None
        for k, (v, w) in enumerate(zip(left, right)):
            if v in inside or w in inside_b:
                if inside.get(v) is not w:
                    return None
            elif v is not w:
                if v.type != w.type:
                    return None
                places.append((i, k))
        inside.update(zip(x.results, y.results))
        inside_b.update(y.results)
    return places


def _same_operation(x: Operation, y: Operation) -> bool:
    """Whether two operations differ in nothing but their operands."""
    return (
        x.name == y.name
        and x.attributes.keys() == y.attributes.keys()
        and all(same(value, y.attributes[key]) for key, value in x.attributes.items())
        and [r.type for r in x.results] == [r.type for r in y.results]
        and [(t, len(p)) for t, p in x.successors] == [(t, len(p)) for t, p in y.successors]
    )


def _merge(
    region: Region, leader: Block, found: list[tuple[Block, list[_OperandPosition]]], links: _Links
) -> bool:
    others, places = [block for block, _ in found], {place for _, each in found for place in each}
    merged = [leader, *others]
    if any(map(links.used_elsewhere, merged)):
        return False
    edges = [edge for block in merged for edge in links.leading_to.get(block, ())]
    if places and any(op.name not in BRANCHES for op, _ in edges):
        return False
    touched = dict.fromkeys([*merged, *(block for op, _ in edges if (block := op.parent) is not None)])
    links.count(touched, -1)
    ordered = sorted(places)
    # Places that differ in the same way share one argument.
    columns = {place: tuple(read_by(block.ops[place[0]])[place[1]] for block in merged) for place in ordered}
    arguments: dict[tuple[Value, ...], Value] = {}
    for column in columns.values():
        if column not in arguments:
            arguments[column] = Value(column[0].type, "", leader)
    passed = {block: [column[i] for column in arguments] for i, block in enumerate(merged)}
    for op, i in edges:
        target, values = op.successors[i]
        op.successors[i] = (leader, [*values, *passed[target]])
    for place, column in columns.items():
        _set_operand(leader.ops[place[0]], place[1], arguments[column])
    leader.args += arguments.values()
    for block in others:
        region.blocks.remove(block)
        block.parent = None
    links.merged(leader, others, arguments.values())
    links.count((block for block in touched if block.parent is region), 1)
    return True


def _drop_redundant_arguments(region: Region) -> bool:
    """Arguments that get the same value from everywhere are that value; those that nothing uses go."""
    owner = region.parent
    assert owner is not None
    leading_to = _edges(region)
    operands = {value for each in region.blocks for op in each.ops for value in read_by(op)}
    replaced: dict[Value, Value] = {}

    changed = False
    for block in region.blocks[1:]:
        edges = leading_to.get(block, [])
        kept = []
        for k, argument in enumerate(block.args):
            values = {final(op.successors[i][1][k], replaced) for op, i in edges} - {argument}
            if len(values) == 1:
                replaced[argument] = values.pop()
            elif argument in operands:
                kept.append(k)
        if len(kept) < len(block.args):
            changed = True
            block.args = [block.args[k] for k in kept]
            for op, i in edges:
                target, passed = op.successors[i]
                op.successors[i] = (target, [passed[k] for k in kept])
    if replaced:
        owner.replace_uses({value: final(value, replaced) for value in replaced})
    return changed
