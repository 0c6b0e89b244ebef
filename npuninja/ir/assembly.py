"""The language in which `syntax.py` writes the custom form of operations, compiled to directives.

One row describes an operation; parser and printer both run its directives.

    aie.flow  ( $source:index , .source_bundle:WireBundle : .source_channel:i32 , … ) {}

| written | means |
|---|---|
| `$x:index` | one operand of that type; `$x` has its type from `type(x)`; `$x*` any number, comma-separated |
| `.a:kind` | an attribute: integer type, enum's name, `str`, `sym`, `symname` (`@x` as string), `any`, … |
| `type(x,y)` | one type for those operands and results; `types(x)` one for each of a variadic group |
| `functype(x)` | `(types of x) -> result types` |
| `^x` | a successor; `^x()` one with arguments |
| `mixed(offsets)` | `[0, %x]`: constants go to `static_offsets`, values to operands `offsets` (`$offsets*`) |
| `region`, `region(aie.end)` | a region; its terminator is implicit if one is named |
| `operands(…)`, `attributes(…)`, `regions(n)`, `terminator(…)` | what `custom` needs; `!`: is required |
| `{}`, `attributes{}` | the attribute dictionary, the second with its keyword in front |
| `(? … )?` | optional: read if its first element is next, printed if its first attribute or operand is set |
| `custom(f)` | read and printed by the two functions under that name in `custom.py` |
| `_`, `~` | a space where the printer would put none; none where it would put one |
| anything else | itself |

After `=>` are the types of the results: a type's text, `x` (a result named in `type(…)`), `x*` (several),
`same(x)`, `element(x)`, `i1(x)`, `named(x)` (as `same`, if the text names the result). After `|` are
attributes that are in the dictionary, `name:kind` (`name!:kind` if it must be there) or `name=default`; an
attribute equal to its default is never stored, with `name+=default` it always is. Operands are kept in the
order in which the row names them. A row has a name once, and once more after `|` for its default.
"""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError
from npuninja.ir.attribute_directives import (
    FLAG_ATTRIBUTES,
    INTEGER_KIND,
    AttributeDictionary,
    AttributeField,
)
from npuninja.ir.attributes import (
    ArrayAttr,
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
from npuninja.ir.directives import (
    Custom,
    Directive,
    FunctionType,
    Literal,
    MixedList,
    OperandDirective,
    Operands,
    Optional,
    RegionField,
    Spacing,
    Successor,
    TypeOf,
    TypesOf,
)
from npuninja.ir.enums import ENUMS
from npuninja.ir.types import element_of, with_element
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Callable, Collection

    from npuninja.ir.op_state import OpState


class OperandGroup(NamedTuple):
    """An operand of a definition: its name, whether it may be any number of values, its type if fixed."""

    name: str
    variadic: bool
    type: str = ""


class OpDefinition:
    """What a row of the table says about an operation."""

    __slots__ = (
        "assumed",
        "defaults",
        "directives",
        "first_variadic",
        "group_numbers",
        "groups",
        "in_format",
        "kinds",
        "mixed",
        "name",
        "region_count",
        "required",
        "results",
        "successor_count",
        "terminator",
        "variadic",
    )

    def __init__(self, name: str, row: str) -> None:
        self.name = name
        self.groups: list[OperandGroup] = []
        self.kinds: dict[str, str] = {}
        self.mixed: list[str] = []
        self.defaults: dict[str, Attribute] = {}
        self.assumed: dict[str, Attribute] = {}
        self.in_format: set[str] = set()
        self.required: set[str] = set()
        self.terminator: str | None = None
        self.region_count = 0  # at least so many
        self.successor_count = 0
        head, _, declared = row.partition(" | ")
        form, _, results = head.partition("=>")
        self.results = tuple(results.split())
        self.directives = _compile(self, form.split())
        listed: list[str] = []
        for item in declared.split():
            listed.append(self._once(self._declare(item), listed))
        self.variadic = sum(g.variadic for g in self.groups)
        self.group_numbers = {g.name: number for number, g in enumerate(self.groups)}
        self.first_variadic = next(
            (number for number, g in enumerate(self.groups) if g.variadic), len(self.groups)
        )

    def add_operands(self, name: str, variadic: bool, type: str = "") -> None:
        """Notes an operand of the form, or a group of them."""
        self._once(name, [group.name for group in self.groups])
        self.groups.append(OperandGroup(name, variadic, type))

    def add_attribute(self, name: str, kind: str) -> None:
        """Notes an attribute of the form."""
        self.in_format.add(self._once(name, self.in_format))
        self.kinds[name] = kind

    def _once(self, name: str, known: Collection[str]) -> str:
        """The name, if the row has it only once: a second value would take the place of the first."""
        if name in known:
            raise InternalError(f"the row of '{self.name}' has '{name}' twice")
        return name

    def _declare(self, item: str) -> str:
        """Notes an attribute of the dictionary; its name."""
        if "=" not in item:
            attribute, _, kind = item.partition(":")
            if attribute[-1] == "!":
                attribute = attribute[:-1]
                self.required.add(attribute)
            self.kinds[attribute] = kind
            return attribute
        attribute, _, text = item.partition("=")
        known = self.assumed if attribute[-1] == "+" else self.defaults
        attribute = attribute.rstrip("+")
        literal, _, kind = text.partition(":")
        self.kinds[attribute] = kind or ("bool" if literal in ("true", "false") else "str")
        if literal in ("true", "false"):
            known[attribute] = BoolAttr(literal == "true")
        elif kind in FLAG_ATTRIBUTES:
            known[attribute] = OpaqueAttr(f"{FLAG_ATTRIBUTES[kind]}<{literal}>")
        else:
            known[attribute] = IntegerAttr(int(literal), kind) if kind else StringAttr(literal)
        return attribute

    def group_sizes(self, op: Operation) -> tuple[int, ...]:
        """How many operands of `op` each group has. Raises ValueError when the operation leaves that open."""
        if not self.variadic:
            sizes = (1,) * len(self.groups)
        elif self.variadic == 1:
            rest = len(op.operands) - len(self.groups) + 1
            sizes = tuple(rest if g.variadic else 1 for g in self.groups)
        elif op.segments is not None and len(op.segments) == len(self.groups):
            sizes = op.segments
        elif op.segments is None and len(op.operands) == len(self.groups) - self.variadic:
            sizes = tuple(0 if g.variadic else 1 for g in self.groups)
        else:
            raise ValueError(f"'{self.name}' needs {len(self.groups)} operand segments, got {op.segments}")
        if sum(sizes) != len(op.operands) or min(sizes, default=0) < 0:
            raise ValueError(
                f"'{self.name}' has {len(op.operands)} operands, which do not fit {self.describe_groups()}"
            )
        return sizes

    def describe_groups(self) -> str:
        """The operands in words, for messages."""
        return "(" + ", ".join(g.name + ("…" if g.variadic else "") for g in self.groups) + ")"

    def group(self, op: Operation, name: str) -> list[Value]:
        """The operands of `op` in group `name`. KeyError, and ValueError as `group_sizes`."""
        place = self.group_numbers[name]
        more = len(op.operands) - len(self.groups)  # than one for each group
        if (self.variadic == 1 and more >= -1) or (not self.variadic and not more):
            # As nearly all, and asked for each printed operand.
            start = place + more if place > self.first_variadic else place
            return op.operands[start : start + 1 + (more if place == self.first_variadic else 0)]
        sizes = self.group_sizes(op)
        start = sum(sizes[:place])
        return op.operands[start : start + sizes[place]]

    def matches(self, attribute: Attribute, kind: str) -> bool:
        """Whether an attribute is of a declared kind."""
        if kind in ENUMS:
            return isinstance(attribute, EnumAttr) and attribute.kind == kind
        if INTEGER_KIND.fullmatch(kind):
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
    "array": ArrayAttr,
    "integers": DenseArrayAttr,
}

_SPACINGS = {"_": " ", "~": ""}
_OPERAND = re.compile(r"\$(\w+)([*]?)(?::(.+))?")
_ATTRIBUTE = re.compile(r"\.(\w+):(\w+)")
_CALL = re.compile(
    r"(type|types|functype|mixed|custom|operands|region|regions|attributes|terminator)\(([^)]*)\)(?::(\w+))?"
)


def _compile(definition: OpDefinition, words: list[str]) -> list[Directive]:
    """The directives of a row; notes operands and attributes in the definition on the way."""
    stack: list[list[Directive]] = [[]]
    for word in words:
        directives = stack[-1]
        if word == "(?":
            stack.append([])
        elif word == ")?":
            group = stack.pop()
            stack[-1].append(Optional(group))
        elif word in _SPACINGS:
            directives.append(Spacing(_SPACINGS[word]))
        elif word == "{}" or word == "attributes{}":
            directives.append(AttributeDictionary(word[:-2]))
        elif word == "region":
            directives.append(RegionField(definition.region_count, None))
            definition.region_count += 1
        elif word[0] == "^" and len(word) > 1:
            directives.append(Successor(definition.successor_count, word.endswith("()")))
            definition.successor_count += 1
        elif found := _OPERAND.fullmatch(word):
            name, variadic, type = found.groups()
            definition.add_operands(name, bool(variadic) or len(stack) > 1, type or "")
            directives.append((Operands if variadic else OperandDirective)(name, type or ""))
        elif found := _ATTRIBUTE.fullmatch(word):
            name, kind = found.groups()
            definition.add_attribute(name, kind)
            if len(stack) == 1:
                definition.required.add(name)
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
    if function == "regions":
        definition.region_count += int(argument)
        return None
    if function == "mixed":
        definition.add_operands(argument, True, type or "index")
        definition.mixed.append(argument)
        definition.add_attribute("static_" + argument, "integers")
        return MixedList(argument, type or "index")
    # operands(a,b*) and attributes(a,b): what a custom directive reads.
    for name in argument.split(","):
        if function == "operands":
            definition.add_operands(name.rstrip("*"), name.endswith("*"))
        else:
            attribute, _, kind = name.partition(":")
            if attribute[-1] == "!":
                attribute = attribute[:-1]
                definition.required.add(attribute)
            definition.add_attribute(attribute, kind or "any")
    return None


def result_types(definition: OpDefinition, s: OpState) -> tuple[str, ...]:
    """The types of the results, by the rules after `=>`."""
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


_RESULT_RULES: dict[str, Callable[[str], str]] = {
    "same": lambda type: type,
    "element": element_of,
    "i1": lambda type: with_element(type, "i1"),
    "named": lambda type: type,
}
