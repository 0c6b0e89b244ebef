"""Reading and writing of those parts of scf operations that the table cannot say."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.custom import CustomForm
from npuninja.ir.types import function_text

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter


def iteration_arguments(p: Parser) -> tuple[list[int], list[Value], list[int]]:
    """Reads `(%a = %init, …)`: tokens of the names, initial values, tokens of these."""
    p.expect("(")
    names: list[int] = []
    values: list[Value] = []
    positions: list[int] = []
    while not p.accept(")"):
        if names:
            p.expect(",")
        if p.tokens[p.i][:1] != "%":
            p.expected("a value name such as '%x'")
        names.append(p.i)
        p.i += 1
        p.expect("=")
        positions.append(p.i)
        values.append(p.use(""))
    return names, values, positions


def _parse_scf_for(p: Parser, s: OpState) -> None:
    names = [p.i]
    if p.tokens[p.i][:1] != "%":
        p.expected("the name of the induction variable such as '%i'")
    p.i += 1
    for literal, group in (("=", "lowerBound"), ("to", "upperBound"), ("step", "step")):
        p.expect(literal)
        s.operands[group] = [p.use("")]
        s.positions[group] = [p.i - 1]
    inits: list[Value] = []
    types: list[str] = []
    if p.accept("iter_args"):
        more, inits, positions = iteration_arguments(p)
        names += more
        p.expect("->")
        s.operands["initArgs"], s.positions["initArgs"] = inits, positions
        types = list(p.result_types())
        s.set_types(p, "initArgs", tuple(types))
        s.types["results"] = tuple(types)
    index = "index"
    if p.accept(":"):
        index = p.parse_type()
    for group in ("lowerBound", "upperBound", "step"):
        s.set_types(p, group, (index,))
    s.operands["initArgs"] = inits
    arguments = [Value(type) for type in (index, *types)]
    s.regions.append(p.region("scf.yield", arguments, names))


def _print_scf_for(w: OpWriter, op: Operation) -> None:
    lower, upper, step = (w.group(op, name)[0] for name in ("lowerBound", "upperBound", "step"))
    inits = w.group(op, "initArgs")
    induction, *carried = op.body.args
    w.parameter(f"{w.value(induction)} = {w.value(lower)} to {w.value(upper)} step {w.value(step)}")
    if inits:
        w.parameter(f"iter_args({w.named_values(carried, inits)})")
        w.parameter(f"-> ({', '.join(r.type for r in op.results)})")
    if induction.type != "index":
        w.parameter(f" : {induction.type}")
    w.region(op.regions[0], arguments_shown=True)


def _parse_result_list(p: Parser, s: OpState) -> None:
    if p.accept("->"):
        s.types["results"] = p.result_types()


def _print_result_list(w: OpWriter, op: Operation) -> None:
    if op.results:
        types = [r.type for r in op.results]
        bare = len(types) == 1 and op.name == "scf.index_switch"
        w.parameter(f"-> {types[0]}" if bare else f"-> ({', '.join(types)})")


def parse_if_regions(p: Parser, s: OpState) -> None:
    """Reads the branches of scf.if or affine.if; an empty `else` is left out."""
    terminator = s.definition.terminator
    s.regions.append(p.region(terminator))
    if p.accept("else"):
        other = p.region(terminator)
        if other.entry.ops:
            s.regions.append(other)


def print_if_regions(w: OpWriter, op: Operation) -> None:
    """Writes the branches of scf.if or affine.if."""
    w.region(op.regions[0])
    if len(op.regions) > 1:
        w.literal("else")
        w.region(op.regions[1])


def _parse_scf_while(p: Parser, s: OpState) -> None:
    names: list[int] = []
    if p.tokens[p.i] == "(":
        names, s.operands["inits"], s.positions["inits"] = iteration_arguments(p)
    p.expect(":")
    types = p.type_list()
    p.expect("->")
    s.types["results"] = p.result_types()
    s.set_types(p, "inits", types)
    s.regions.append(p.region(None, [Value(type) for type in types], names))
    p.expect("do")
    s.regions.append(p.region())


def _print_scf_while(w: OpWriter, op: Operation) -> None:
    before = op.regions[0].entry
    if op.operands:
        w.parameter(f"({w.named_values(before.args, op.operands)})")
    types = tuple(v.type for v in op.operands), tuple(r.type for r in op.results)
    w.parameter(f": {function_text(*types)}")
    w.region(op.regions[0], arguments_shown=True)
    w.literal("do")
    w.region(op.regions[1])


def _yielding(region: Region) -> Region:
    """The region with the `scf.yield` that may be left out where it yields nothing."""
    block = region.blocks[-1] if region.blocks else region.append(Block())
    if not block.ops or block.ops[-1].name != "scf.yield":
        block.append(Operation("scf.yield", loc=block.ops[-1].loc if block.ops else None))
    return region


def _parse_index_switch(p: Parser, s: OpState) -> None:
    cases: list[int] = []
    regions: list[Region] = []
    while p.accept("case"):
        cases.append(p.integer())
        regions.append(_yielding(p.region()))
    p.expect("default")
    s.regions = [_yielding(p.region()), *regions]  # MLIR keeps the default region first
    s.attributes["cases"] = DenseArrayAttr("i64", tuple(cases))


def _print_index_switch(w: OpWriter, op: Operation) -> None:
    cases = op.numbers("cases")
    for case, region in zip(cases, op.regions[1:]):
        w.line_break()
        w.parameter(f"case {case}")
        w.region(region)
    w.line_break()
    w.parameter("default")
    w.region(op.regions[0])


CUSTOM_SCF: dict[str, CustomForm] = {
    "scf_for": CustomForm(_parse_scf_for, _print_scf_for),
    "result_list": CustomForm(_parse_result_list, _print_result_list),
    "if_regions": CustomForm(parse_if_regions, print_if_regions),
    "scf_while": CustomForm(_parse_scf_while, _print_scf_while),
    "index_switch": CustomForm(_parse_index_switch, _print_index_switch),
}
