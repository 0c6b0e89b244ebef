"""Reading and writing of what the table cannot say of func, arith, cf, scf, memref and vector operations."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BoolAttr,
    DenseElementsAttr,
    DictAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.core import Operation, Region, Value
from npuninja.ir.custom import CustomForm
from npuninja.ir.types import element_of, function_parts, function_text, memref

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter


# func.func private @f(%a: type {attributes}, …) -> types attributes {…} { … }


def _parse_function(p: Parser, s: OpState) -> None:
    if p.tokens[p.i] in ("private", "public", "nested"):
        s.attributes["sym_visibility"] = StringAttr(p.word("a visibility"))
    s.attributes["sym_name"] = StringAttr(p.symbol_name())
    p.expect("(")
    places: list[int] = []
    argument_attributes: list[Attribute] = []

    def argument() -> Value:
        value = p.typed_name(places) if p.tokens[p.i][:1] == "%" else Value(p.parse_type())
        has = p.tokens[p.i] == "{"
        argument_attributes.append(p.dictionary() if has else DictAttr(()))
        return value

    arguments: list[Value] = p.comma_separated(argument, ")")
    results: tuple[str, ...] = ()
    result_attributes: list[Attribute] = []
    if p.accept("->"):
        results = _function_results(p, result_attributes)
    s.attributes["function_type"] = TypeAttr(function_text(tuple(a.type for a in arguments), results))
    for name, each in (("arg_attrs", argument_attributes), ("res_attrs", result_attributes)):
        if any(isinstance(a, DictAttr) and a.items for a in each):
            s.attributes[name] = ArrayAttr(tuple(each))
    if p.accept("attributes"):
        p.attributes_of(s)
    if p.tokens[p.i] == "{":
        if len(places) != len(arguments):
            p.error("the arguments of a function with a body need names such as '%a'")
        s.regions.append(p.region(None, arguments, places))
    else:
        s.regions.append(Region())


def _function_results(p: Parser, attributes: list[Attribute]) -> tuple[str, ...]:
    if p.tokens[p.i] != "(":
        return (p.parse_type(),)
    p.i += 1

    def result() -> str:
        type = p.parse_type()
        has = p.tokens[p.i] == "{"
        attributes.append(p.dictionary() if has else DictAttr(()))
        return type

    return tuple(p.comma_separated(result, ")"))


def _print_function(w: OpWriter, op: Operation) -> None:
    if "sym_visibility" in op.attributes:
        w.literal(op.string("sym_visibility"))
    w.parameter(w.symbol(op.string("sym_name")))
    type = op.type_of("function_type")
    arguments, results = function_parts(type)
    has_body = bool(op.regions and op.regions[0].blocks)
    names = [f"{w.value(a)}: {a.type}" for a in op.body.args] if has_body else list(arguments)
    text = f"({', '.join(_with_attributes(w, op.attributes.get('arg_attrs'), names))})"
    if results:
        shown = _with_attributes(w, op.attributes.get("res_attrs"), list(results))
        single = len(shown) == 1 and not shown[0].startswith("(") and not shown[0].endswith("}")
        text += f" -> {shown[0]}" if single else f" -> ({', '.join(shown)})"
    w.glued(text)
    w.attribute_dictionary(op, "attributes")
    if has_body:
        w.region(op.regions[0], arguments_shown=True)


def _with_attributes(w: OpWriter, attributes: Attribute | None, texts: list[str]) -> list[str]:
    if not isinstance(attributes, ArrayAttr):
        return texts
    shown = (f" {w.attribute(a)}" if isinstance(a, DictAttr) and a.items else "" for a in attributes.items)
    return [text + more for text, more in zip(texts, shown)]


# arith.constant


def _parse_constant(p: Parser, s: OpState) -> None:
    if p.tokens[p.i] == "{":
        p.attributes_of(s)
    place = p.i
    value = p.parse_attribute()
    if isinstance(value, BoolAttr):
        type = "i1"
    elif isinstance(value, (IntegerAttr, FloatAttr, DenseElementsAttr)):
        type = value.type
    else:
        p.error("expected a number, true, false or dense<…>", place)
    s.attributes["value"] = value
    s.types["value"] = (type,)


def _print_constant(w: OpWriter, op: Operation) -> None:
    w.attribute_dictionary(op, "")
    w.parameter(w.attribute(op.attributes["value"]))


# Types that follow from others


def _parse_callee_type(p: Parser, s: OpState) -> None:
    place = p.i
    type = p.parse_type()
    if not type.startswith("("):
        p.error(f"expected a function type, got {type}", place)
    arguments, results = function_parts(type)
    s.set_types(p, "callee", (type,))
    s.set_types(p, "args", arguments)
    s.types["results"] = results


def _print_callee_type(w: OpWriter, op: Operation) -> None:
    w.parameter(w.types(op, "callee")[0])


def _parse_store_types(p: Parser, s: OpState) -> None:
    type = p.parse_type()
    if not type.startswith("memref<"):
        p.error(f"expected a memref type, got {type}", p.i - 1)
    s.set_types(p, "memref", (type,))
    s.set_types(p, "value", (memref(type).element,))


def _print_store_types(w: OpWriter, op: Operation) -> None:
    w.parameter(w.types(op, "memref")[0])


def _parse_select_types(p: Parser, s: OpState) -> None:
    type = p.parse_type()
    condition = "i1"
    if p.accept(","):
        condition, type = type, p.parse_type()
    s.set_types(p, "condition", (condition,))
    s.set_types(p, "true_value", (type,))
    s.set_types(p, "false_value", (type,))


def _print_select_types(w: OpWriter, op: Operation) -> None:
    (condition,), (value,) = w.types(op, "condition"), w.types(op, "true_value")
    w.parameter(value if condition == "i1" else f"{condition}, {value}")


def _parse_transfer_read_types(p: Parser, s: OpState) -> None:
    source = p.parse_type()
    p.expect(",")
    s.types["result"] = (p.parse_type(),)
    s.set_types(p, "source", (source,))
    s.set_types(p, "padding", (element_of(source),))


def _print_transfer_read_types(w: OpWriter, op: Operation) -> None:
    w.parameter(f"{w.types(op, 'source')[0]}, {op.result.type}")


def _parse_splat_types(p: Parser, s: OpState) -> None:
    type = p.parse_type()
    s.types["aggregate"] = (type,)
    s.set_types(p, "input", (element_of(type),))


def _print_splat_types(w: OpWriter, op: Operation) -> None:
    w.parameter(op.result.type)


# cf.switch %flag : i32, [ default: ^bb1, 42: ^bb2(%a : i32) ]


def _parse_switch(p: Parser, s: OpState) -> None:
    type = s.operands["flag"][0].type
    values: list[str] = []
    p.expect("default")
    p.expect(":")
    s.successors.append(p.successor(True))
    while p.accept(","):
        values.append(str(p.integer()))
        p.expect(":")
        s.successors.append(p.successor(True))
    if values:
        s.attributes["case_values"] = DenseElementsAttr(tuple(values), f"tensor<{len(values)}x{type}>", False)


def _print_switch(w: OpWriter, op: Operation) -> None:
    cases = op.attributes.get("case_values")
    labels = ["default", *(_all_values(cases) if isinstance(cases, DenseElementsAttr) else ())]
    w.indented([f"{label}: {w.successor(s)}" for label, s in zip(labels, op.successors)])


def _all_values(cases: DenseElementsAttr) -> tuple[str, ...]:
    count = int(cases.type.partition("<")[2].partition("x")[0])
    return cases.values * count if cases.splat else cases.values


# memref


def _parse_alloc(p: Parser, s: OpState) -> None:
    for group, opening, closing in (("dynamicSizes", "(", ")"), ("symbolOperands", "[", "]")):
        if group == "symbolOperands" and p.tokens[p.i] != "[":
            continue
        p.expect(opening)
        s.operands[group] = p.comma_separated(lambda: p.use("index"), closing)


def _print_alloc(w: OpWriter, op: Operation) -> None:
    symbols = w.group(op, "symbolOperands")
    w.glued(f"({', '.join(map(w.value, w.group(op, 'dynamicSizes')))})")
    if symbols:
        w.glued(f"[{', '.join(map(w.value, symbols))}]")


def _parse_global(p: Parser, s: OpState) -> None:
    if p.tokens[p.i][:1] == '"':
        s.attributes["sym_visibility"] = StringAttr(p.string())
    if p.accept("constant"):
        s.attributes["constant"] = UnitAttr()
    s.attributes["sym_name"] = StringAttr(p.symbol_name())
    p.expect(":")
    type = p.parse_type()
    s.attributes["type"] = TypeAttr(type)
    if p.accept("="):
        if p.accept("uninitialized"):
            s.attributes["initial_value"] = UnitAttr()
        else:
            s.attributes["initial_value"] = p.dense_elements(type)


def _print_global(w: OpWriter, op: Operation) -> None:
    if "sym_visibility" in op.attributes:
        w.parameter(w.attribute(op.attributes["sym_visibility"]))
    if "constant" in op.attributes:
        w.literal("constant")
    w.parameter(f"{w.symbol(op.string('sym_name'))} : {w.attribute(op.attributes['type'])}")
    value = op.attributes.get("initial_value")
    if value is not None:
        w.parameter(
            f"= {'uninitialized' if isinstance(value, UnitAttr) else w.attribute(value, typed=False)}"
        )


CUSTOM_STANDARD: dict[str, CustomForm] = {
    "function": CustomForm(_parse_function, _print_function),
    "callee_type": CustomForm(_parse_callee_type, _print_callee_type),
    "constant": CustomForm(_parse_constant, _print_constant),
    "store_types": CustomForm(_parse_store_types, _print_store_types),
    "select_types": CustomForm(_parse_select_types, _print_select_types),
    "transfer_read_types": CustomForm(_parse_transfer_read_types, _print_transfer_read_types),
    "splat_types": CustomForm(_parse_splat_types, _print_splat_types),
    "switch": CustomForm(_parse_switch, _print_switch),
    "alloc": CustomForm(_parse_alloc, _print_alloc),
    "global": CustomForm(_parse_global, _print_global),
}
