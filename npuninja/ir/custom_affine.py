"""Reading and writing of the affine operations: subscripts and bounds are affine maps applied to values."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.affine import AffineMap, Expression, ExpressionReader, expression_text, parse_map
from npuninja.ir.attributes import Attribute, IntegerAttr, OpaqueAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.custom import CustomForm
from npuninja.ir.custom_scf import iteration_arguments, parse_if_regions, print_if_regions

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter


def map_of(attribute: Attribute) -> AffineMap:
    """The affine map that an attribute holds. Raises ValueError when it is something else."""
    if not isinstance(attribute, OpaqueAttr):
        raise ValueError(f"{attribute} is not an affine map")
    return parse_map(attribute.text)


# affine.load %m[%i + 1, symbol(%n)]


def _parse_subscript(p: Parser, s: OpState) -> None:
    start = p.i
    p.skip_balanced("[", "]")
    end = p.i
    dims: dict[str, int] = {}
    symbols: dict[str, int] = {}
    values: dict[str, Value] = {}

    def leaf(token: str) -> Expression:
        is_symbol = token.startswith("symbol ")
        name = token[7:] if is_symbol else token
        if name[:1] != "%":
            raise ValueError(f"expected a value such as '%x' in an affine expression, got '{name}'")
        if name not in values:
            p.i = p.tokens.index(name, start)
            values[name] = p.use("index")
        numbers = symbols if is_symbol else dims
        return ("s" if is_symbol else "d", numbers.setdefault(name, len(numbers)))

    try:
        results = ExpressionReader([*p.tokens[start:end], ""], leaf).list("[", "]")
    except ValueError as problem:
        p.error(str(problem), start)
    p.i = end
    s.operands["indices"] = [values[n] for n in (*dims, *symbols)]
    s.attributes["map"] = OpaqueAttr(str(AffineMap(len(dims), len(symbols), tuple(results))))


def _print_subscript(w: OpWriter, op: Operation) -> None:
    map = map_of(op.attributes["map"])
    values = w.group(op, "indices")

    def name(e: Expression) -> str:
        return w.value(values[e[1]]) if e[0] == "d" else f"symbol({w.value(values[map.dimensions + e[1]])})"

    w.glued(f"[{', '.join(expression_text(e, name) for e in map.results)}]")


# affine.apply map(%dims)[%symbols]


def _applied_map(p: Parser) -> tuple[OpaqueAttr, list[Value]]:
    place = p.i
    attribute = p.parse_attribute()
    try:
        map = map_of(attribute)
    except ValueError as problem:
        p.error(str(problem), place)
    dims, symbols = _dims_and_symbols(p)
    if (len(dims), len(symbols)) != (map.dimensions, map.symbols):
        takes = f"{map.dimensions} dimensions and {map.symbols} symbols"
        p.error(f"the map takes {takes}, got {len(dims)} and {len(symbols)}", place)
    return OpaqueAttr(str(map)), dims + symbols


def _dims_and_symbols(p: Parser) -> tuple[list[Value], list[Value]]:
    """Reads `(%a, …)[%n, …]`, each of which may be left out."""
    dims: list[Value] = p.comma_separated(lambda: p.use("index"), ")") if p.accept("(") else []
    symbols: list[Value] = p.comma_separated(lambda: p.use("index"), "]") if p.accept("[") else []
    return dims, symbols


def _applied_text(w: OpWriter, map: AffineMap, values: list[Value]) -> str:
    return f"{map}{_dims_and_symbols_text(w, values, map.dimensions)}"


def _dims_and_symbols_text(w: OpWriter, values: list[Value], dimensions: int) -> str:
    symbols = ", ".join(map(w.value, values[dimensions:]))
    return f"({', '.join(map(w.value, values[:dimensions]))})" + (f"[{symbols}]" if symbols else "")


def _parse_apply(p: Parser, s: OpState) -> None:
    s.attributes["map"], s.operands["mapOperands"] = _applied_map(p)


def _print_apply(w: OpWriter, op: Operation) -> None:
    w.parameter(_applied_text(w, map_of(op.attributes["map"]), op.operands))


# affine.for %i = 0 to %n step 2 iter_args(%a = %init) -> (type)


def _parse_bound(p: Parser, keyword: str) -> tuple[OpaqueAttr, list[Value]]:
    token = p.tokens[p.i]
    if token[:1] == "%":
        return OpaqueAttr(str(AffineMap(0, 1, (("s", 0),)))), [p.use("index")]
    if token.lstrip("-").isdecimal():
        return OpaqueAttr(str(AffineMap(0, 0, (("c", p.integer()),)))), []
    p.accept(keyword)
    return _applied_map(p)


def _bound_text(w: OpWriter, attribute: Attribute, values: list[Value], keyword: str) -> str:
    map = map_of(attribute)
    if map.constant is not None:
        return str(map.constant)
    if map == AffineMap(0, 1, (("s", 0),)):
        return w.value(values[0])
    return (f"{keyword} " if len(map.results) > 1 else "") + _applied_text(w, map, values)


def _parse_for(p: Parser, s: OpState) -> None:
    names = [p.i]
    if p.tokens[p.i][:1] != "%":
        p.expected("the name of the induction variable such as '%i'")
    p.i += 1
    p.expect("=")
    s.attributes["lowerBoundMap"], s.operands["lowerBoundOperands"] = _parse_bound(p, "max")
    p.expect("to")
    s.attributes["upperBoundMap"], s.operands["upperBoundOperands"] = _parse_bound(p, "min")
    s.attributes["step"] = p.typed_integer("index") if p.accept("step") else IntegerAttr(1, "index")
    types: tuple[str, ...] = ()
    s.operands["inits"] = []
    if p.accept("iter_args"):
        more, s.operands["inits"], s.positions["inits"] = iteration_arguments(p)
        names += more
        p.expect("->")
        types = p.result_types()
        s.set_types(p, "inits", types)
        s.types["results"] = types
    s.regions.append(p.region("affine.yield", [Value(t) for t in ("index", *types)], names))


def _print_for(w: OpWriter, op: Operation) -> None:
    induction, *carried = op.body.args
    inits = w.group(op, "inits")
    lower = _bound_text(w, op.attributes["lowerBoundMap"], w.group(op, "lowerBoundOperands"), "max")
    upper = _bound_text(w, op.attributes["upperBoundMap"], w.group(op, "upperBoundOperands"), "min")
    text = f"{w.value(induction)} = {lower} to {upper}"
    if op.integer("step", 1) != 1:
        text += f" step {op.integer('step')}"
    if inits:
        text += f" iter_args({w.named_values(carried, inits)}) -> ({', '.join(r.type for r in op.results)})"
    w.parameter(text)
    w.region(op.regions[0], arguments_shown=True)


# affine.if set(%dims)[%symbols] -> types { … } else { … }


def _parse_if(p: Parser, s: OpState) -> None:
    place = p.i
    condition = p.parse_attribute()
    if not isinstance(condition, OpaqueAttr) or not condition.text.startswith("affine_set<"):
        p.error("expected an affine set", place)
    s.attributes["condition"] = condition
    dims, symbols = _dims_and_symbols(p)
    s.operands["operands"] = dims + symbols
    if p.accept("->"):
        s.types["results"] = p.result_types()
    parse_if_regions(p, s)


def _print_if(w: OpWriter, op: Operation) -> None:
    condition = op.attributes["condition"]
    assert isinstance(condition, OpaqueAttr), op
    inside = condition.text[len("affine_set<(") :].partition(")")[0]
    dimensions = len(inside.split(",")) if inside.strip() else 0
    w.parameter(condition.text + _dims_and_symbols_text(w, op.operands, dimensions))
    if op.results:
        w.parameter(
            f"-> ({', '.join(r.type for r in op.results)})"
            if len(op.results) > 1
            else f"-> {op.results[0].type}"
        )
    print_if_regions(w, op)


CUSTOM_AFFINE: dict[str, CustomForm] = {
    "affine_subscript": CustomForm(_parse_subscript, _print_subscript),
    "affine_apply": CustomForm(_parse_apply, _print_apply),
    "affine_for": CustomForm(_parse_for, _print_for),
    "affine_if": CustomForm(_parse_if, _print_if),
}
