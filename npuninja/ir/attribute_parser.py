"""Reads attributes."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    BDPadLayout,
    BDPadLayoutArrayAttr,
    BoolAttr,
    DenseArrayAttr,
    DictAttr,
    EnumAttr,
    OpaqueAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.enums import ENUMS, FORMER_NAMES
from npuninja.ir.number_parser import NumberParser
from npuninja.ir.type_parser import PARAMETRIC_TYPES
from npuninja.ir.types import is_scalar
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Callable

#: What aliases may stand for all together: each doubles what it names twice.
MAX_EXPANDED_TOKENS = 1_000_000


class AttributeParser(NumberParser):
    """The part of the parser that knows attributes, with their aliases."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text, file)
        self.attribute_aliases: dict[str, Attribute] = {}
        self._alias_tokens: dict[str, int] = {}
        self._expanded_tokens = 0

    def keep_attribute_alias(self, name: str, start: int, before: int) -> None:
        """Reads the attribute that alias `name` stands for.

        Args:
            name: with its `#`.
            start: the number of its first token.
            before: `expanded_tokens` then.
        """
        self.attribute_aliases[name] = self.parse_attribute()
        self._alias_tokens[name] = self.i - start + self._expanded_tokens - before

    @property
    def expanded_tokens(self) -> int:
        """Tokens that aliases stood for so far, theirs included."""
        return self._expanded_tokens

    def parse_attribute(self, type: str | None = None) -> Attribute:
        """Reads an attribute. `type` is the type of a literal that is written without one."""
        token = self.tokens[self.i]
        first = token[:1]
        if first.isdigit() or (first == "-" and token not in ("->", "-")):
            return self.number(type)
        begun = _BY_BEGINNING.get(first) or _BY_WORD.get(token)
        if begun is not None:
            return begun(self)
        if token == "dense":
            return self.dense_elements(type)
        if first == "<" and self.tokens[self.i + 1] in ("pkt_id", "pkt_type"):
            return self.packet_info()
        if token.startswith(("affine_map<", "affine_set<")):
            self.i += 1
            return OpaqueAttr(self._canonical(token, self.i - 1))
        if token in ("dense_resource", "sparse", "opaque", "distinct"):
            self.error(f"'{token}' attributes are not supported", hint="write the values with dense<…>")
        if first in ("!", "(") or token.endswith(">") or token in PARAMETRIC_TYPES or is_scalar(token):
            return TypeAttr(self.parse_type())
        self.expected("an attribute value")

    def _string(self) -> StringAttr:
        value = StringAttr(self.string())
        if self.tokens[self.i] == ":" and self.tokens[self.i + 1][:1] == "!":
            self.error("typed strings are not supported")
        return value

    def _array(self) -> ArrayAttr:
        self.i += 1
        return ArrayAttr(tuple(self.comma_separated(self.parse_attribute, "]")))

    def dictionary(self) -> DictAttr:
        """Reads `{name = value, flag, …}` as one attribute."""
        return DictAttr(tuple(self.attribute_dictionary().items()))

    def _truth(self) -> BoolAttr:
        self.i += 1
        value = BoolAttr(self.tokens[self.i - 1] == "true")
        if self.tokens[self.i] == ":" and self.tokens[self.i + 1] == "i1":
            self.i += 2
        return value

    def _unit(self) -> UnitAttr:
        self.i += 1
        return UnitAttr()

    def symbol_reference(self) -> SymbolRefAttr:
        """Reads `@a` or `@a::@b`."""
        path = [self.symbol_name()]
        while self.tokens[self.i] == "::":
            self.i += 1
            path.append(self.symbol_name())
        return SymbolRefAttr(tuple(path))

    def attribute_dictionary(self) -> dict[str, Attribute]:
        """Reads `{name = value, flag, …}`; a repeated name is an error."""
        self.expect("{")
        attributes: dict[str, Attribute] = {}
        if self.accept("}"):
            return attributes
        while True:
            index = self.i
            name = self.string() if self.tokens[index][:1] == '"' else self.word("an attribute name")
            if name in attributes:
                self.error(f"attribute '{name}' is given twice", index)
            if self.tokens[self.i] == "=":
                self.i += 1
                attributes[name] = self.parse_attribute()
            else:
                attributes[name] = UnitAttr()
            token = self.tokens[self.i]
            self.i += 1
            if token == "}":
                return attributes
            if token != ",":
                self.i -= 1
                self.expected("',' or '}'")

    def enum_case(self, kind: str) -> EnumAttr:
        """Reads a case of enum `kind`, as keyword or string."""
        token = self.tokens[self.i]
        case = token[1:-1] if token[:1] == '"' else token
        if case not in ENUMS[kind]:
            allowed = list(ENUMS[kind])
            hint = did_you_mean(case, allowed)
            if case in FORMER_NAMES:
                hint = f"'{case}' is what older releases called '{FORMER_NAMES[case]}'"
            self.error(f"unknown {kind} '{case}', expected one of {', '.join(allowed)}", hint=hint)
        self.i += 1
        return EnumAttr(kind, case)

    def _dense_array(self) -> Attribute:
        self.i += 1
        self.expect("<")
        type = self.parse_type()
        values: list[int] = []
        if not self.accept(">"):
            self.expect(":")
            values = self.comma_separated(self._array_element, ">")
        return DenseArrayAttr(type, tuple(values))

    def _array_element(self) -> int:
        if self.tokens[self.i] in ("true", "false"):
            self.i += 1
            return int(self.tokens[self.i - 1] == "true")
        return self.integer()

    # Attributes of the AIE dialects

    def _dialect_attribute(self) -> Attribute:
        start = self.i
        token = self.tokens[start]
        alias = self.attribute_aliases.get(token)
        if alias is not None:
            self._expanded_tokens += self._alias_tokens.get(token, 1)
            if self._expanded_tokens > MAX_EXPANDED_TOKENS:
                self.error(f"aliases stand for more than {MAX_EXPANDED_TOKENS} tokens here")
            self.i += 1
            return alias
        if token in ("#aie.packet_info", "#aie"):
            self.i += 1
            if token == "#aie.packet_info":
                return self.packet_info()
            self.expect("<")
            value = self._aie_attribute(self.word("the name of an AIE attribute"))
            self.expect(">")
            return value
        if token in _AIE_ATTRIBUTES:
            self.i += 1
            return self._aie_attribute(token[5:])
        if "." not in token and self.tokens[start + 1] != "<":
            self.error(f"undefined attribute alias '{token}'")
        self.i += 1
        if self.tokens[self.i] == "<":
            self.skip_balanced("<", ">")
        return OpaqueAttr(" ".join(self.text[self.offset(start) : self._ends[self.i - 1]].split()))

    def _aie_attribute(self, name: str) -> Attribute:
        if name == "packet_info":
            return self.packet_info()
        # `#aie.bd_dim_layout_array<[…]>` and `#aie<bd_dim_layout_array[…]>`
        angled = self.tokens[self.i] == "<"
        self.i += angled
        value: Attribute
        if name == "bd_dim_layout_array":
            value = self.dimensions()
        elif name == "bd_dim_layout_array_array":
            self.expect("[")
            value = BDDimLayoutArrayArrayAttr(
                tuple(d.dims for d in self.comma_separated(self.dimensions, "]"))
            )
        elif name == "bd_pad_layout_array":
            value = self.pads()
        else:
            self.error(f"unknown AIE attribute '{name}'", self.i - 1 - angled)
        if angled:
            self.expect(">")
        return value

    def packet_info(self) -> PacketInfoAttr:
        """Reads `<pkt_type = 0, pkt_id = 15>`, in any order; a missing field is 0."""
        fields = self._fields(("pkt_type", "pkt_id"))
        return PacketInfoAttr(fields.get("pkt_type", 0), fields.get("pkt_id", 0))

    def trace_event(self) -> OpaqueAttr:
        """Reads `<"NAME">` or `<Enum::NAME>`, with `#aie.trace_event` before it or not."""
        self.accept("#aie.trace_event")
        self.expect("<")
        text = self.trace_event_text()
        self.expect(">")
        return OpaqueAttr(f"#aie.trace_event<{text}>")

    def trace_event_text(self) -> str:
        """Reads `"NAME"`, kept in its quotes, or `Enum::NAME`, kept without."""
        if self.tokens[self.i][:1] == '"':
            name = self.string()
            return name if "::" in name else f'"{name}"'
        kind = self.word("an event, as a string or as Enum::NAME")
        self.expect("::")
        return f"{kind}::{self.word('the name of an event')}"

    def dimensions(self) -> BDDimLayoutArrayAttr:
        """Reads `[<size = 4, stride = 16>, …]`, or the same with its name before it."""
        pairs = self._pairs("bd_dim_layout", ("size", "stride"))
        return BDDimLayoutArrayAttr(tuple(BDDimLayout(*pair) for pair in pairs))

    def pads(self) -> BDPadLayoutArrayAttr:
        """Reads `[<const_pad_before = 2, const_pad_after = 1>, …]`, or the same with its name before it."""
        pairs = self._pairs("bd_pad_layout", ("const_pad_before", "const_pad_after"))
        return BDPadLayoutArrayAttr(tuple(BDPadLayout(*pair) for pair in pairs))

    def _pairs(self, name: str, fields: tuple[str, str]) -> list[tuple[int, int]]:
        """Reads an array of records of two fields, with their names before them or not."""

        def pair() -> tuple[int, int]:
            closed = self._named(name, "<")
            found = self._fields(fields, required=True)
            self._close(closed)
            return found[fields[0]], found[fields[1]]

        closed = self._named(f"{name}_array", "[")
        self.expect("[")
        pairs = self.comma_separated(pair, "]")
        self._close(closed)
        return pairs

    def _named(self, name: str, opens: str) -> int:
        """Steps over `#aie.NAME` or `#aie<NAME` inside an attribute, if there; says how many `>` close it."""
        if self.accept(f"#aie.{name}"):
            return int(opens != "<" and self.accept("<"))
        if not self.accept("#aie"):
            return 0
        self.expect("<")
        self.expect(name)
        return 1

    def _close(self, count: int) -> None:
        for _ in range(count):
            self.expect(">")

    def _fields(self, names: tuple[str, str], required: bool = False) -> dict[str, int]:
        start = self.i
        self.expect("<")
        fields: dict[str, int] = {}
        while not self.accept(">"):
            if fields:
                self.expect(",")
            name = self.tokens[self.i]
            if name not in names or name in fields:
                self.expected(" or ".join(f"'{n}'" for n in names if n not in fields) or "'>'")
            self.i += 1
            self.expect("=")
            fields[name] = self.integer()
        if required and len(fields) < len(names):
            self.error(f"'{next(n for n in names if n not in fields)}' is missing", start)
        return fields


#: What reads an attribute, by its first character, and by its first word.
_BY_BEGINNING: dict[str, Callable[[AttributeParser], Attribute]] = {
    '"': AttributeParser._string,
    "@": AttributeParser.symbol_reference,
    "[": AttributeParser._array,
    "{": AttributeParser.dictionary,
    "#": AttributeParser._dialect_attribute,
}
_BY_WORD: dict[str, Callable[[AttributeParser], Attribute]] = {
    "true": AttributeParser._truth,
    "false": AttributeParser._truth,
    "unit": AttributeParser._unit,
    "array": AttributeParser._dense_array,
}
_AIE_ATTRIBUTES = ("#aie.bd_dim_layout_array", "#aie.bd_dim_layout_array_array", "#aie.bd_pad_layout_array")
