"""The small language in which `syntax.py` writes down the custom form of each operation, compiled to directives.

One row describes an operation; parser and printer both run the directives it compiles to.

    aie.flow  ( $source:index , .source_bundle:WireBundle : .source_channel:i32 , … ) {}

| written | means |
|---|---|
| `$x:index` | one operand of that type; `$x` has its type from `type(x)`; `$x*` any number, comma-separated |
| `.a:kind` | an attribute: an integer type, an enum's name, `str`, `sym`, `symname` (`@x` kept as a string), `any`, … |
| `type(x,y)` | one type for those operands and results; `types(x)` one for each of a variadic group |
| `functype(x)` | `(types of x) -> result types` |
| `^x` | a successor; `^x()` one with arguments |
| `mixed(offsets)` | `[0, %x]`: constants go to `static_offsets`, values to the operands `offsets` (see `$offsets*`) |
| `region`, `region(aie.end)` | a region; its terminator is implicit if one is named |
| `operands(…)`, `attributes(…)`, `terminator(…)` | what the custom directives of the row read |
| `{}`, `attributes{}` | the attribute dictionary, the second with its keyword in front |
| `(? … )?` | optional: read when its first literal, symbol or value is next; printed when its first attribute or operand is there |
| `custom(f)` | read and printed by the two functions under that name in `custom.py` |
| `_` | a space where the printer would put none |
| anything else | itself |

Behind `=>` are the types of the results: a type's text, `x` (a result named in `type(…)`), `x*` (several),
`same(x)`, `element(x)`, `i1(x)`, `named(x)` (as `same`, if the text names the result). Behind `|` are attributes that stand in the dictionary, `name:kind` or `name=default`; an attribute
equal to its default is never stored. Operands are kept in the order in which the row (or `operands(…)`) names them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from npuninja.ir.attributes import (
    Attribute,
    BoolAttr,
    DenseArrayAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
    OpaqueAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.enums import ENUMS
from npuninja.ir.types import element_of, with_element

if TYPE_CHECKING:
    from npuninja.ir.parser import OpState, Parser
    from npuninja.ir.printer import OpWriter

# The static value that marks a dynamic entry of a mixed list: MLIR's ShapedType::kDynamic.
DYNAMIC_INDEX = -(1 << 63)

_INTEGER_KIND = re.compile(r"(?:i|ui|si)\d+|index")


class Directive:
    """One element of a row. `parse` reads it into the state; `print` writes it; `starts` tells if it is next."""

    __slots__ = ()

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the element."""
        raise NotImplementedError

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the element."""
        raise NotImplementedError

    def starts(self, p: Parser) -> bool:
        """Whether the next token begins this element (for optional groups)."""
        raise NotImplementedError

    def present(self, w: OpWriter, op: Operation) -> bool | None:
        """Whether `op` has what this element shows; None when it shows nothing of its own."""
        return None


class Literal(Directive):
    """A keyword or punctuation."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the literal."""
        if p.tokens[p.i] != self.text:
            p.expected(f"'{self.text}'")
        p.i += 1

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the literal."""
        w.literal(self.text)

    def starts(self, p: Parser) -> bool:
        """Whether the literal is next."""
        return p.tokens[p.i] == self.text


class Space(Directive):
    """A space that the printer's rules would leave out."""

    __slots__ = ()

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads nothing."""

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes a space."""
        w.space()


class Operand(Directive):
    """One operand."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        self.name = name
        self.type = type

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads a value."""
        s.operands[self.name] = [p.use(self.type)]
        s.places[self.name] = [p.i - 1]

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the value."""
        w.parameter(w.value(w.group(op, self.name)[0]))

    def starts(self, p: Parser) -> bool:
        """Whether a value is next."""
        return p.tokens[p.i][:1] == "%"

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether the op has the operand."""
        return bool(w.group(op, self.name))


class Operands(Operand):
    """Any number of operands, comma-separated."""

    __slots__ = ()

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads values up to something else."""
        values: list[Value] = []
        places: list[int] = []
        while p.tokens[p.i][:1] == "%":
            values.append(p.use(self.type))
            places.append(p.i - 1)
            if p.tokens[p.i] != ",":
                break
            p.i += 1
        if values and p.tokens[p.i - 1] == ",":
            p.expected("a value such as '%x'")
        s.operands[self.name] = values
        s.places[self.name] = places

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the values."""
        values = w.group(op, self.name)
        if values:
            w.parameter(", ".join(map(w.value, values)))


class AttributeField(Directive):
    """An attribute with a place of its own in the text."""

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the attribute's value."""
        kind = self.kind
        value: Attribute
        if kind in ENUMS:
            value = p.enum_case(kind)
        elif kind == "symname":
            value = StringAttr(p.symbol_name())
        elif kind == "sym":
            value = p.symbol_reference()
        elif kind == "str":
            value = StringAttr(p.string())
        elif kind == "bool":
            value = BoolAttr(p.word("'true' or 'false'") == "true")
        elif kind in _FLAG_ATTRIBUTES:
            value = OpaqueAttr(f"{_FLAG_ATTRIBUTES[kind]}<{','.join(p.comma_separated(_flag(p), '>'))}>")
            p.i -= 1
        elif _INTEGER_KIND.fullmatch(kind):
            value = p.typed_integer(kind)
        elif kind == "packet":
            value = p.packet_info() if p.tokens[p.i] == "<" else p.parse_attribute()
        else:
            value = p.parse_attribute()
        s.attributes[self.name] = value

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the attribute's value."""
        value = op.attributes[self.name]
        if isinstance(value, IntegerAttr):
            w.parameter(str(value.value))
        elif isinstance(value, EnumAttr):
            w.parameter(value.case)
        elif isinstance(value, StringAttr) and self.kind == "symname":
            w.parameter(w.symbol(value.value))
        elif isinstance(value, OpaqueAttr) and self.kind in _FLAG_ATTRIBUTES:
            w.parameter(value.text[value.text.index("<") + 1 : -1])
        elif self.kind == "packet":
            w.parameter(w.attribute(value).replace("#aie.packet_info", "", 1))
        else:
            w.parameter(w.attribute(value, typed=False))

    def starts(self, p: Parser) -> bool:
        """Whether a value of the attribute's kind is next."""
        token = p.tokens[p.i]
        if self.kind in ENUMS:
            return token in ENUMS[self.kind]
        return token[:1] == "@" if self.kind in ("symname", "sym") else token[:1] == '"'

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether the op has the attribute."""
        return self.name in op.attributes


_FLAG_ATTRIBUTES = {"fastmath": "#arith.fastmath", "overflow": "#arith.overflow"}


def _flag(p: Parser):  # type: ignore[no-untyped-def]
    return lambda: p.word("a flag")


class TypeOf(Directive):
    """The type that some operands and results share."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the type and gives it to the operands and results."""
        type = p.parse_type()
        for name in self.names:
            s.set_types(p, name, (type,))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the type."""
        w.parameter(w.types(op, self.names[0])[0])

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether there is a value to show the type of."""
        return bool(w.types(op, self.names[0]))


class TypesOf(Directive):
    """The types of a variadic group, comma-separated."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the types."""
        types = []
        if p.tokens[p.i] != ")":
            types.append(p.parse_type())
            while p.accept(","):
                types.append(p.parse_type())
        s.set_types(p, self.name, tuple(types))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the types."""
        types = w.types(op, self.name)
        if types:
            w.parameter(", ".join(types))


class FunctionType(Directive):
    """`(types of the operands) -> types of the results`."""

    __slots__ = ("operands", "results")

    def __init__(self, operands: str, results: str) -> None:
        self.operands = operands
        self.results = results

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the function type."""
        s.set_types(p, self.operands, p.type_list())
        p.expect("->")
        s.set_types(p, self.results, p.result_types())

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the function type."""
        results = w.types(op, self.results)
        right = results[0] if len(results) == 1 else f"({', '.join(results)})"
        w.parameter(f"({', '.join(w.types(op, self.operands))}) -> {right}")


class Successor(Directive):
    """A block to go to, with the values for its arguments if `arguments`."""

    __slots__ = ("arguments", "position")

    def __init__(self, position: int, arguments: bool) -> None:
        self.position = position
        self.arguments = arguments

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the block's name and its arguments."""
        s.successors.append(p.successor(self.arguments))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the block's name and its arguments."""
        w.parameter(w.successor(op.successors[self.position]))


class RegionField(Directive):
    """A region in braces."""

    __slots__ = ("position", "terminator")

    def __init__(self, position: int, terminator: str | None) -> None:
        self.position = position
        self.terminator = terminator

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the region."""
        s.regions.append(p.region(self.terminator))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the region."""
        w.region(op.regions[self.position])


class AttributeDictionary(Directive):
    """The attributes without a place of their own."""

    __slots__ = ("keyword",)

    def __init__(self, keyword: str) -> None:
        self.keyword = keyword

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the dictionary if there is one."""
        if self.keyword:
            if p.tokens[p.i] != self.keyword:
                return
            p.i += 1
        if p.tokens[p.i] == "{":
            p.attributes_of(s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the dictionary unless it is empty."""
        w.attribute_dictionary(op, self.keyword)


class MixedList(Directive):
    """`[0, %x, 4]`: constants and values in one list."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        self.name = name
        self.type = type

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the list into operands and the static attribute."""
        values: list[Value] = []
        places: list[int] = []
        statics: list[int] = []
        p.expect("[")
        while not p.accept("]"):
            if statics:
                p.expect(",")
            if p.tokens[p.i][:1] == "%":
                places.append(p.i)
                values.append(p.use(self.type))
                statics.append(DYNAMIC_INDEX)
            else:
                statics.append(p.integer())
        s.operands[self.name] = values
        s.places[self.name] = places
        s.attributes["static_" + self.name] = DenseArrayAttr("i64", tuple(statics))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the list."""
        values = iter(w.group(op, self.name))
        statics = op.attributes["static_" + self.name]
        assert isinstance(statics, DenseArrayAttr)
        w.glued(f"[{', '.join(w.value(next(values)) if n == DYNAMIC_INDEX else str(n) for n in statics.values)}]")


class Optional(Directive):
    """Elements that are there all or not at all."""

    __slots__ = ("elements",)

    def __init__(self, elements: list[Directive]) -> None:
        self.elements = elements

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the elements if the first is next."""
        if self.elements[0].starts(p):
            for element in self.elements:
                element.parse(p, s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the elements if `op` has what they show."""
        for element in self.elements:
            present = element.present(w, op)
            if present is not None:
                if present:
                    for each in self.elements:
                        each.print(w, op)
                return


class Custom(Directive):
    """An element with functions of its own in `custom.py`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, p: Parser, s: OpState) -> None:
        """Calls the reading function."""
        p.custom[self.name].parse(p, s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Calls the writing function."""
        w.custom[self.name].print(w, op)


class OperandGroup(NamedTuple):
    """An operand of a definition: its name and whether it may be any number of values."""

    name: str
    variadic: bool


class OpDefinition:
    """What a row of the table says about an operation."""

    __slots__ = (
        "defaults",
        "directives",
        "groups",
        "in_format",
        "kinds",
        "name",
        "region_count",
        "results",
        "terminator",
        "variadic",
    )

    def __init__(self, name: str, row: str) -> None:
        self.name = name
        self.groups: list[OperandGroup] = []
        self.kinds: dict[str, str] = {}
        self.defaults: dict[str, Attribute] = {}
        self.in_format: set[str] = set()
        self.terminator: str | None = None
        self.region_count = 0
        head, _, declared = row.partition(" | ")
        form, _, results = head.partition("=>")
        self.results = tuple(results.split())
        self.directives = _compile(self, form.split())
        for item in declared.split():
            self._declare(item)
        self.variadic = sum(g.variadic for g in self.groups)

    def _declare(self, item: str) -> None:
        if "=" not in item:
            attribute, _, kind = item.partition(":")
            self.kinds[attribute] = kind
            return
        attribute, _, text = item.partition("=")
        literal, _, kind = text.partition(":")
        self.kinds[attribute] = kind or ("bool" if literal in ("true", "false") else "str")
        if literal in ("true", "false"):
            self.defaults[attribute] = BoolAttr(literal == "true")
        elif kind in ENUMS:
            self.defaults[attribute] = EnumAttr(kind, literal)
        elif kind in _FLAG_ATTRIBUTES:
            self.defaults[attribute] = OpaqueAttr(f"{_FLAG_ATTRIBUTES[kind]}<{literal}>")
        else:
            self.defaults[attribute] = IntegerAttr(int(literal), kind) if kind else StringAttr(literal)

    def group_sizes(self, op: Operation) -> tuple[int, ...]:
        """How many operands of `op` each group has. Raises ValueError when that cannot be told."""
        if not self.variadic:
            sizes = (1,) * len(self.groups)
        elif self.variadic == 1:
            rest = len(op.operands) - len(self.groups) + 1
            sizes = tuple(rest if g.variadic else 1 for g in self.groups)
        elif op.segments is not None and len(op.segments) == len(self.groups):
            sizes = op.segments
        else:
            raise ValueError(f"'{self.name}' needs {len(self.groups)} operand segments, got {op.segments}")
        if sum(sizes) != len(op.operands) or min(sizes, default=0) < 0:
            raise ValueError(f"'{self.name}' has {len(op.operands)} operands, which do not fit {self.describe_groups()}")
        return sizes

    def describe_groups(self) -> str:
        """The operands in words, for messages."""
        return "(" + ", ".join(g.name + ("…" if g.variadic else "") for g in self.groups) + ")"

    def group(self, op: Operation, name: str) -> list[Value]:
        """The operands of `op` in group `name`."""
        start = 0
        for group, size in zip(self.groups, self.group_sizes(op)):
            if group.name == name:
                return op.operands[start : start + size]
            start += size
        raise KeyError(name)

    def matches(self, attribute: Attribute, kind: str) -> bool:
        """Whether an attribute is of a declared kind."""
        if kind in ENUMS:
            return isinstance(attribute, EnumAttr) and attribute.kind == kind
        if _INTEGER_KIND.fullmatch(kind):
            return isinstance(attribute, IntegerAttr) and attribute.type == kind
        expected = _KIND_CLASSES.get(kind)
        return expected is None or isinstance(attribute, expected)


_KIND_CLASSES: dict[str, type] = {
    "bool": BoolAttr,
    "str": StringAttr,
    "symname": StringAttr,
    "sym": SymbolRefAttr,
    "unit": UnitAttr,
    "float": FloatAttr,
}

_OPERAND = re.compile(r"\$(\w+)([*]?)(?::(.+))?")
_ATTRIBUTE = re.compile(r"\.(\w+):(\w+)")
_CALL = re.compile(r"(type|types|functype|mixed|custom|operands|region|attributes|terminator)\(([^)]*)\)(?::(\w+))?")


def _compile(definition: OpDefinition, words: list[str]) -> list[Directive]:
    """The directives of a row; notes operands and attributes in the definition on the way."""
    stack: list[list[Directive]] = [[]]
    successors = 0
    for word in words:
        directives = stack[-1]
        if word == "(?":
            stack.append([])
        elif word == ")?":
            group = stack.pop()
            stack[-1].append(Optional(group))
        elif word == "_":
            directives.append(Space())
        elif word == "{}" or word == "attributes{}":
            directives.append(AttributeDictionary(word[:-2]))
        elif word == "region":
            directives.append(RegionField(definition.region_count, None))
            definition.region_count += 1
        elif word[0] == "^" and len(word) > 1:
            directives.append(Successor(successors, word.endswith("()")))
            successors += 1
        elif found := _OPERAND.fullmatch(word):
            name, variadic, type = found.groups()
            definition.groups.append(OperandGroup(name, bool(variadic) or len(stack) > 1))
            directives.append((Operands if variadic else Operand)(name, type or ""))
        elif found := _ATTRIBUTE.fullmatch(word):
            name, kind = found.groups()
            definition.kinds[name] = kind
            definition.in_format.add(name)
            directives.append(AttributeField(name, kind))
        elif found := _CALL.fullmatch(word):
            directive = _call(definition, found[1], found[2], found[3] or "")
            if directive is not None:
                directives.append(directive)
        else:
            directives.append(Literal(word))
    assert len(stack) == 1, definition.name
    return stack[0]


def _call(definition: OpDefinition, function: str, argument: str, type: str) -> Directive | None:
    if function == "type":
        return TypeOf(tuple(argument.split(",")))
    if function == "types":
        return TypesOf(argument)
    if function == "functype":
        operands, _, results = argument.partition(",")
        return FunctionType(operands, results or "results")
    if function == "custom":
        return Custom(argument)
    if function == "region":
        definition.terminator = argument
        definition.region_count += 1
        return RegionField(definition.region_count - 1, argument)
    if function == "terminator":
        definition.terminator = argument
        return None
    if function == "mixed":
        definition.groups.append(OperandGroup(argument, True))
        definition.kinds["static_" + argument] = "any"
        definition.in_format.add("static_" + argument)
        return MixedList(argument, type or "index")
    # operands(a,b*) and attributes(a,b): what a custom directive reads.
    for name in argument.split(","):
        if function == "operands":
            definition.groups.append(OperandGroup(name.rstrip("*"), name.endswith("*")))
        else:
            attribute, _, kind = name.partition(":")
            definition.in_format.add(attribute)
            definition.kinds[attribute] = kind or "any"
    return None


def result_types(definition: OpDefinition, s: OpState) -> tuple[str, ...]:
    """The types of the results, by the rules behind `=>`."""
    types: list[str] = []
    for rule in definition.results:
        known = s.types.get(rule.rstrip("*"))
        if known is not None:
            types += known
        elif rule[-1] == ")":
            function, _, name = rule[:-1].partition("(")
            if function != "named" or s.result_count:
                types.append(_RESULT_RULES[function](s.operands[name][0].type))
        elif rule[-1] != "*":
            types.append(rule)
    return tuple(types)


_RESULT_RULES = {
    "same": lambda type: type,
    "element": element_of,
    "i1": lambda type: with_element(type, "i1"),
    "named": lambda type: type,
}
