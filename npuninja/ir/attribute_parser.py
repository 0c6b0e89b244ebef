"""Reads attributes."""

from __future__ import annotations

import re

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
    DenseElementsAttr,
    DictAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
    OpaqueAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.enums import ENUMS, FORMER_NAMES
from npuninja.ir.type_parser import PARAMETRIC_TYPES, TypeParser
from npuninja.ir.types import (
    bits,
    element_count,
    element_of,
    is_scalar,
    memref,
    vector,
)
from npuninja.suggestions import did_you_mean

_NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d*(?:[eE][-+]?\d+)?)?)")
_INTEGER_TYPE = re.compile(r"(?:i|si|ui)[1-9]\d*|index")
_FLOAT_TYPE = re.compile(r"(?:bf16|tf32|f\d+\w*)")


#: What aliases may stand for all together: each doubles what it names twice.
MAX_EXPANDED_TOKENS = 1_000_000


class AttributeParser(TypeParser):
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
        if first.isdigit() or (first == "-" and token != "->" and token != "-"):
            return self._number(type)
        if first == '"':
            value = StringAttr(self.string())
            if self.tokens[self.i] == ":" and self.tokens[self.i + 1][:1] == "!":
                self.error("typed strings are not supported")
            return value
        if first == "@":
            return self.symbol_reference()
        if first == "[":
            self.i += 1
            return ArrayAttr(tuple(self.comma_separated(self.parse_attribute, "]")))
        if first == "{":
            return DictAttr(tuple(self.attribute_dictionary().items()))
        if first == "#":
            return self._dialect_attribute()
        if first == "<" and self.tokens[self.i + 1] in ("pkt_id", "pkt_type"):
            return self.packet_info()
        simple = _KEYWORDS.get(token)
        if simple is not None:
            self.i += 1
            if (
                self.tokens[self.i] == ":"
                and isinstance(simple, BoolAttr)
                and self.tokens[self.i + 1] == "i1"
            ):
                self.i += 2
            return simple
        if token == "dense":
            return self.dense_elements(type)
        if token == "array":
            return self._dense_array()
        if token.startswith(("affine_map<", "affine_set<")):
            self.i += 1
            return OpaqueAttr(self._canonical(token, self.i - 1))
        if token in ("dense_resource", "sparse", "opaque", "distinct"):
            self.error(f"'{token}' attributes are not supported", hint="write the values with dense<…>")
        if first in ("!", "(") or token.endswith(">") or token in PARAMETRIC_TYPES or is_scalar(token):
            return TypeAttr(self.parse_type())
        self.expected("an attribute value")

    def _number(self, type: str | None) -> Attribute:
        place = self.i
        token = self.tokens[place]
        is_decimal = token.isdecimal()
        if not is_decimal and not _NUMBER.fullmatch(token):
            self.expected("a number")
        self.i += 1
        if self.tokens[self.i] == ":":
            self.i += 1
            type = self.parse_type()
        if is_decimal and len(token) < 10 and type in ("i32", "index", "i64", "ui32"):
            return IntegerAttr(int(token), type)  # the common case, without the checks of the range
        if "." in token or (type is not None and _FLOAT_TYPE.fullmatch(type)):
            if type is None:
                type = "f64"
            elif not _FLOAT_TYPE.fullmatch(type):
                self.error(f"'{token}' is a float but its type is {type}", place)
            if "." not in token and "x" not in token:
                self.error(f"{token} is an integer but its type is {type}: write {token}.0", place)
            return FloatAttr(token, type)
        value = int(token, 0) if "x" in token else int(token)
        if type is None:
            type = "i64"
        if not _INTEGER_TYPE.fullmatch(type):
            self.error(f"an integer cannot have type {type}", place)
        if type == "i1":
            return BoolAttr(bool(value))
        return IntegerAttr(self.in_range(value, type, place), type)

    def in_range(self, value: int, type: str, place: int) -> int:
        """`value` as an integer type holds it: signless types take signed and unsigned spellings and keep the
        signed one.
        """
        width = 64 if type == "index" else int(type.lstrip("siu"))
        signed_end = 1 << (width - 1)
        low = 0 if type[0] == "u" else -signed_end
        high = signed_end - 1 if type[0] == "s" or type == "index" else 2 * signed_end - 1
        if not low <= value <= high:
            # Python writes no integer of more than 4,300 digits.
            shown = value if value.bit_length() <= 128 else f"a number of {value.bit_length()} bits"
            bounds = f" ({low} to {high})" if width <= 128 else ""
            self.error(f"{shown} does not fit into {type}{bounds}", place)
        return value - 2 * signed_end if type[0] == "i" and value >= signed_end else value

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

    def dense_elements(self, type: str | None = None) -> DenseElementsAttr:
        """Reads `dense<…>`, and ` : type` unless `type` is given (when both are, they must be the same)."""
        start = self.i
        self.expect("dense")
        self.expect("<")
        if self.tokens[self.i][:1] == '"':
            return self._dense_bytes(type)
        values: list[str] = []
        shape: list[int] = []
        splat = self.tokens[self.i] != "["
        if splat and self.tokens[self.i] != ">":
            values.append(self._dense_literal())
        elif not splat:
            shape = self._dense_list(values)
        self.expect(">")
        if type is None or self.tokens[self.i] == ":":
            self.expect(":")
            written = self.parse_type()
            if type is not None and element_of(written) != element_of(type):
                self.error(f"the initial value has type {written}, expected {type}", self.i - 1)
            type = type or written
        self._check_dense(type, values, tuple(shape), splat, start)
        return DenseElementsAttr(tuple(values), type, splat and bool(values))

    def _dense_bytes(self, type: str | None) -> DenseElementsAttr:
        """Reads `"0x…">`: the elements' bytes, row-major and little-endian, and ` : type` unless it is given."""
        start = self.i
        text = self.tokens[self.i][1:-1]
        if not text.startswith("0x"):
            self.error("dense strings are not supported", hint="elements are integers or floats")
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            self.error("the hexadecimal string of dense<…> has a character that is no digit, or half a byte")
        self.i += 1
        self.expect(">")
        if type is None or self.tokens[self.i] == ":":
            self.expect(":")
            written = self.parse_type()
            type = type or written
        shape = memref(type).shape if type.startswith("memref<") else vector(type)[0] if "<" in type else ()
        element = element_of(type)
        width = bits(element) + 7 >> 3
        count = element_count(shape)
        if len(raw) not in (width, width * count):
            self.error(
                f"the hexadecimal string of dense<…> has {len(raw)} bytes, expected {width * count} for {type}",
                start,
            )
        numbers = [raw[i : i + width] for i in range(0, len(raw), width)]
        if _INTEGER_TYPE.fullmatch(element):
            texts = {number: str(int.from_bytes(number, "little", signed=True)) for number in set(numbers)}
        else:
            texts = {number: "0x" + number[::-1].hex().upper() for number in set(numbers)}
        return DenseElementsAttr(
            tuple(texts[number] for number in numbers), type, len(raw) == width and count != 1
        )

    def _check_dense(
        self, type: str, values: list[str], shape: tuple[int, ...], splat: bool, start: int
    ) -> None:
        expected = (
            memref(type).shape if type.startswith("memref<") else vector(type)[0] if "<" in type else ()
        )
        try:
            count = element_count(expected)
        except ValueError:
            self.error(f"dense values need a static shape, got {type}", start)
        if splat and not values and count:
            self.error(f"dense<> has no element, expected {count} for {type}", start)
        if not splat and shape != expected:
            self.error(
                f"dense<…> has shape {'x'.join(map(str, shape))}, expected {'x'.join(map(str, expected))} for {type}",
                start,
            )
        element = element_of(type)
        if _INTEGER_TYPE.fullmatch(element):
            for value in values:
                if "." in value:
                    self.error(f"dense<…> has the float element {value}, expected {element}", start)
                if value not in ("true", "false"):
                    self.in_range(int(value, 0) if "x" in value else int(value), element, start)
        elif _FLOAT_TYPE.fullmatch(element):
            for value in values:
                if "." not in value and "x" not in value:
                    self.error(
                        f"dense<…> has the element {value}, which is no {element}: write 1.0, not 1", start
                    )

    def _dense_list(self, values: list[str]) -> list[int]:
        """Reads `[…]`, nested, appends the literals to `values`, returns the shape."""
        index = self.i
        self.expect("[")
        count = 0
        inner: list[int] | None = None
        while not self.accept("]"):
            if count:
                self.expect(",")
            if self.tokens[self.i] == "[":
                shape = self._dense_list(values)
            else:
                values.append(self._dense_literal())
                shape = []
            if inner is not None and shape != inner:
                self.error("the rows of dense<…> differ in shape", index)
            inner = shape
            count += 1
        return [count, *(inner or [])]

    def _dense_literal(self) -> str:
        token = self.tokens[self.i]
        if token not in ("true", "false") and not _NUMBER.fullmatch(token):
            self.expected("a number")
        self.i += 1
        return token

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
        angled = (
            self.tokens[self.i] == "<"
        )  # `#aie.bd_dim_layout_array<[…]>` and `#aie<bd_dim_layout_array[…]>`
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
        closed = self._named("bd_dim_layout_array", "[")
        self.expect("[")
        value = BDDimLayoutArrayAttr(tuple(self.comma_separated(self._dimension, "]")))
        self._close(closed)
        return value

    def _dimension(self) -> BDDimLayout:
        closed = self._named("bd_dim_layout", "<")
        fields = self._fields(("size", "stride"), required=True)
        self._close(closed)
        return BDDimLayout(fields["size"], fields["stride"])

    def _named(self, name: str, opens: str) -> int:
        """Steps over the name that an attribute may have inside another: `#aie.NAME`, `#aie<NAME …>`.

        Returns how many `>` stand behind it for that.
        """
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

    def pads(self) -> BDPadLayoutArrayAttr:
        """Reads `[<const_pad_before = 2, const_pad_after = 1>, …]`, or the same with its name before it."""
        closed = self._named("bd_pad_layout_array", "[")
        self.expect("[")
        value = BDPadLayoutArrayAttr(tuple(self.comma_separated(self._pad, "]")))
        self._close(closed)
        return value

    def _pad(self) -> BDPadLayout:
        closed = self._named("bd_pad_layout", "<")
        fields = self._fields(("const_pad_before", "const_pad_after"), required=True)
        self._close(closed)
        return BDPadLayout(fields["const_pad_before"], fields["const_pad_after"])

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


_KEYWORDS: dict[str, Attribute] = {"true": BoolAttr(True), "false": BoolAttr(False), "unit": UnitAttr()}
_AIE_ATTRIBUTES = ("#aie.bd_dim_layout_array", "#aie.bd_dim_layout_array_array", "#aie.bd_pad_layout_array")
