"""Equal blocks become one, and arguments that always get one value go: MLIR's region simplification.

Rewriting with patterns (step 3 begins with that) merges blocks that hold equal operations and go on to the same
blocks; operands that differ become arguments of the merged block.

Source: MLIR RegionUtils.cpp (mergeIdenticalBlocks, dropRedundantArguments, runRegionDCE).
"""

from __future__ import annotations

from npuninja.ir.attributes import same
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.lowering.tiles import ops_of

#: Branches that can pass more values to their targets.
BRANCHES = ("cf.br", "cf.cond_br", "cf.switch")
#: Where an operand stands in a block: number of the operation, number of the operand.
_Place = tuple[int, int]


def merge_blocks(device: Operation) -> None:
    """Merges equal blocks in the cores of a device until nothing changes."""
    for core in ops_of(device, "aie.core"):
        region = core.regions[0]
        while len(region.blocks) > 1 and (_merge_once(region) or _drop_redundant_arguments(region)):
            pass


def _operands(op: Operation) -> list[Value]:
    return op.operands + [value for _, passed in op.successors for value in passed]


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


def _merge_once(region: Region) -> bool:
    clusters: list[tuple[Block, list[tuple[Block, list[_Place]]]]] = []
    alike: dict[tuple[object, ...], list[tuple[Block, list[tuple[Block, list[_Place]]]]]] = {}
    for block in region.blocks[1:]:
        if any(op.regions for op in block.ops):
            continue
        candidates = alike.setdefault(_shape(block), [])
        for leader, others in candidates:
            places = _differing_operands(leader, block)
            if places is not None:
                others.append((block, places))
                break
        else:
            candidates.append((block, []))
            clusters.append(candidates[-1])
    changed = False
    for leader, others in clusters:
        if others:
            changed |= _merge(
                region, leader, [block for block, _ in others], {p for _, ps in others for p in ps}
            )
    return changed


def _shape(block: Block) -> tuple[object, ...]:
    """What blocks that are equal have in common and is quickly compared: names of operations and targets."""
    return (
        len(block.args),
        *((op.name, len(op.operands), *(id(t) for t, _ in op.successors)) for op in block.ops),
    )


def _differing_operands(a: Block, b: Block) -> list[_Place] | None:
    """Where two equal blocks use different values from outside; None when the blocks are not equal."""
    if len(a.ops) != len(b.ops) or [v.type for v in a.args] != [v.type for v in b.args]:
        return None
    inside: dict[Value, Value] = dict(zip(a.args, b.args))
    inside_b = set(b.args)
    places = []
    for i, (x, y) in enumerate(zip(a.ops, b.ops)):
        if (
            x.name != y.name
            or x.attributes.keys() != y.attributes.keys()
            or not all(same(value, y.attributes[key]) for key, value in x.attributes.items())
            or [r.type for r in x.results] != [r.type for r in y.results]
            or [(t, len(p)) for t, p in x.successors] != [(t, len(p)) for t, p in y.successors]
        ):
            return None
        left, right = _operands(x), _operands(y)
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


def _merge(region: Region, leader: Block, others: list[Block], places: set[_Place]) -> bool:
    owner = region.parent
    assert owner is not None
    merged = [leader, *others]
    made = {v: block for block in merged for v in (*block.args, *(r for op in block.ops for r in op.results))}
    if any(made.get(v, b) is not b for b in region.blocks for op in b.ops for v in _operands(op)):
        return False
    edges = [
        (op, i)
        for b in region.blocks
        for op in b.ops
        for i, (t, _) in enumerate(op.successors)
        if t in merged
    ]
    if places and any(op.name not in BRANCHES for op, _ in edges):
        return False
    ordered = sorted(places)
    # Places that differ in the same way share one argument.
    columns = {
        place: tuple(_operands(block.ops[place[0]])[place[1]] for block in merged) for place in ordered
    }
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
    return True


def _drop_redundant_arguments(region: Region) -> bool:
    """Arguments that get the same value from everywhere are that value; those that nothing uses go."""
    owner = region.parent
    assert owner is not None
    arriving: dict[Block, list[tuple[Operation, int]]] = {}
    in_use: set[Value] = set()
    for each in region.blocks:
        for op in each.ops:
            in_use.update(_operands(op))
            for i, (target, _) in enumerate(op.successors):
                arriving.setdefault(target, []).append((op, i))
    for block in region.blocks[1:]:
        edges = arriving.get(block, [])
        for k, argument in enumerate(block.args):
            values = {op.successors[i][1][k] for op, i in edges} - {argument}
            used = argument in in_use
            if len(values) == 1 or not used:
                for op, i in edges:
                    del op.successors[i][1][k]
                del block.args[k]
                if used:
                    owner.replace_uses({argument: values.pop()})
                return True
    return False
