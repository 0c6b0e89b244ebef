"""Structured control flow to branches (MLIR: convert-scf-to-cf)."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import DenseElementsAttr, EnumAttr
from npuninja.ir.core import Block, Operation, Region, Value, final
from npuninja.ir.symbols import CODE_HOLDERS
from npuninja.ir.syntax import group, operand

_STRUCTURED = ("scf.for", "scf.if", "scf.while", "scf.index_switch", "scf.execute_region")


def lower_scf(module: Operation, *, case_type: str = "i32") -> None:
    """Replaces every scf operation of a module by blocks and branches.

    `case_type`: of the numbers that a `cf.switch` compares.

    Raises:
        UserError: there is an scf operation that has no lowering.
    """
    for holder in list(module.walk()):
        if holder.name in CODE_HOLDERS and any(op.name in _STRUCTURED for op in holder.walk()):
            replaced: dict[Value, Value] = {}
            for region in holder.regions:
                _lower_region(region, replaced, case_type)
            # A value may have been replaced by the result of an operation that was replaced later.
            holder.replace_uses({value: final(value, replaced) for value in replaced})


def _lower_region(region: Region, replaced: dict[Value, Value], case_type: str) -> None:
    """Lowers a region's operations, outer ones first; the blocks of each follow the block it stood in."""
    at = 0
    while at < len(region.blocks):
        block = region.blocks[at]
        for i, op in enumerate(block.ops):
            if op.name in _STRUCTURED:
                rest = _split(block, i + 1)
                block.ops.pop()
                region.blocks.insert(at + 1, rest)
                rest.parent = region
                if op.name == "scf.index_switch":
                    new = _lower_index_switch(op, block, rest, replaced, case_type)
                else:
                    new = _LOWERINGS[op.name](op, block, rest, replaced)
                for k, inner in enumerate(new):
                    inner.parent = region
                    region.blocks.insert(at + 1 + k, inner)
                break
            if op.name.startswith("scf.") and op.name not in ("scf.yield", "scf.condition"):
                raise UserError(f"{op.name} cannot be lowered to branches", op.loc)
            for inner_region in op.regions:
                _lower_region(inner_region, replaced, case_type)
        at += 1


def _split(block: Block, index: int) -> Block:
    rest = Block()
    for op in block.ops[index:]:
        rest.append(op)
    del block.ops[index:]
    return rest


def _branch(target: Block, values: list[Value], loc: Operation) -> Operation:
    return Operation("cf.br", successors=[(target, list(values))], loc=loc.loc)


def _result_args(op: Operation, rest: Block, replaced: dict[Value, Value]) -> None:
    """Makes the results of an operation arguments of the block after it."""
    for result in op.results:
        arg = Value(result.type, result.name, rest)
        rest.args.append(arg)
        replaced[result] = arg


def _take_blocks(region: Region, rest: Block) -> list[Block]:
    """The blocks of a region, their `scf.yield` (or the omitted one) turned into a branch to `rest`."""
    blocks = list(region.blocks)
    for block in blocks:
        last = block.last
        if last is not None and last.name == "scf.yield":
            block.ops.pop()
            block.append(_branch(rest, last.operands, last))
        elif last is None or not last.successors:
            block.append(
                Operation("cf.br", successors=[(rest, [])], loc=region.parent.loc if region.parent else None)
            )
    return blocks


def _lower_for(op: Operation, block: Block, rest: Block, replaced: dict[Value, Value]) -> list[Block]:
    low, high, step = (operand(op, name) for name in ("lowerBound", "upperBound", "step"))
    body = op.body
    header = Block([Value(arg.type, arg.name) for arg in body.args])
    replaced.update(zip(body.args, header.args))
    replaced.update(zip(op.results, header.args[1:]))
    block.append(_branch(header, [low, *group(op, "initArgs")], op))
    predicate = EnumAttr("CmpIPredicate", "slt")
    test = header.append(
        Operation("arith.cmpi", [header.args[0], high], {"predicate": predicate}, ("i1",), loc=op.loc)
    )
    header.append(Operation("cf.cond_br", [test.result], successors=[(body, []), (rest, [])], loc=op.loc))
    blocks = list(op.regions[0].blocks)
    last = blocks[-1]
    yielded: list[Value] = []
    if last.ops and last.ops[-1].name == "scf.yield":
        yielded = last.ops.pop().operands
    body.args = []
    following = last.append(Operation("arith.addi", [header.args[0], step], {}, (low.type,), loc=op.loc))
    last.append(_branch(header, [following.result, *yielded], op))
    return [header, *blocks]


def _lower_if(op: Operation, block: Block, rest: Block, replaced: dict[Value, Value]) -> list[Block]:
    _result_args(op, rest, replaced)
    then = _take_blocks(op.regions[0], rest)
    otherwise = _take_blocks(op.regions[1], rest) if len(op.regions) > 1 and op.regions[1].blocks else []
    targets = [(then[0], []), (otherwise[0] if otherwise else rest, list[Value]())]
    block.append(Operation("cf.cond_br", [operand(op, "condition")], successors=targets, loc=op.loc))
    return then + otherwise


def _lower_while(op: Operation, block: Block, rest: Block, replaced: dict[Value, Value]) -> list[Block]:
    before, after = list(op.regions[0].blocks), list(op.regions[1].blocks)
    block.append(_branch(before[0], op.operands, op))
    condition = before[-1].ops.pop()
    flag, passed = operand(condition, "condition"), group(condition, "args")
    replaced.update(zip(op.results, passed))
    if (
        len(after) == 1
        and [o.name for o in after[0].ops] == ["scf.yield"]
        and after[0].ops[0].operands == after[0].args
    ):
        # A do-while: nothing is left to do after the condition.
        targets = [(before[0], list(passed)), (rest, list[Value]())]
        before[-1].append(Operation("cf.cond_br", [flag], successors=targets, loc=op.loc))
        return before
    targets = [(after[0], list(passed)), (rest, list[Value]())]
    before[-1].append(Operation("cf.cond_br", [flag], successors=targets, loc=op.loc))
    last = after[-1]
    yielded = last.ops.pop().operands if last.ops and last.ops[-1].name == "scf.yield" else []
    last.append(_branch(before[0], yielded, op))
    return before + after


def _lower_index_switch(
    op: Operation, block: Block, rest: Block, replaced: dict[Value, Value], case_type: str
) -> list[Block]:
    _result_args(op, rest, replaced)
    cases = op.numbers("cases")
    default, *chosen = [_take_blocks(region, rest) for region in op.regions]
    flag = block.append(Operation("arith.index_cast", [operand(op, "arg")], {}, (case_type,), loc=op.loc))
    type = f"vector<{len(cases)}x{case_type}>"
    values = DenseElementsAttr(tuple(map(str, cases)), type, len(cases) == 1)
    targets = [(blocks[0], list[Value]()) for blocks in [default, *chosen]]
    block.append(
        Operation("cf.switch", [flag.result], {"case_values": values}, successors=targets, loc=op.loc)
    )
    return [inner for blocks in [*chosen, default] for inner in blocks]


def _lower_execute_region(
    op: Operation, block: Block, rest: Block, replaced: dict[Value, Value]
) -> list[Block]:
    _result_args(op, rest, replaced)
    blocks = _take_blocks(op.regions[0], rest)
    block.append(_branch(blocks[0], [], op))
    return blocks


_LOWERINGS = {
    "scf.for": _lower_for,
    "scf.if": _lower_if,
    "scf.while": _lower_while,
    "scf.execute_region": _lower_execute_region,
}
