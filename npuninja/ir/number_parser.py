"""Reads numbers: single ones, and the elements of `dense<…>`."""

from __future__ import annotations

import re

from npuninja.ir.attributes import Attribute, BoolAttr, DenseElementsAttr, FloatAttr, IntegerAttr
from npuninja.ir.type_parser import TypeParser
from npuninja.ir.types import bits, element_count, element_of, shape_of

_NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d*(?:[eE][-+]?\d+)?)?)")
_INTEGER_TYPE = re.compile(r"(?:i|si|ui)[1-9]\d*|index")
_FLOAT_TYPE = re.compile(r"(?:bf16|tf32|f\d+\w*)")


class NumberParser(TypeParser):
    """The part of the parser that knows numbers of all types."""

    def number(self, type: str | None) -> Attribute:
        """Reads an integer or a float, and ` : type` if it is there; `type` is that of one without."""
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
        """`value` as a type holds it: signless types take both spellings, and keep the signed one."""
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
        type = self._dense_type(type)
        self._check_dense(type, values, tuple(shape), splat, start)
        return DenseElementsAttr(tuple(values), type, splat and bool(values))

    def _dense_type(self, type: str | None) -> str:
        """Reads `>` and ` : type`, which may be left out where the type is given."""
        self.expect(">")
        if type is not None and self.tokens[self.i] != ":":
            return type
        self.expect(":")
        written = self.parse_type()
        if type is not None and element_of(written) != element_of(type):
            self.error(f"the initial value has type {written}, expected {type}", self.i - 1)
        return type or written

    def _dense_bytes(self, type: str | None) -> DenseElementsAttr:
        """Reads `"0x…">`: the elements' bytes, row-major, little-endian; and ` : type` unless it is given."""
        start = self.i
        text = self.tokens[self.i][1:-1]
        if not text.startswith("0x"):
            self.error("dense strings are not supported", hint="elements are integers or floats")
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            self.error("the hexadecimal string of dense<…> has a character that is no digit, or half a byte")
        self.i += 1
        type = self._dense_type(type)
        element = element_of(type)
        width = bits(element) + 7 >> 3
        count = element_count(shape_of(type))
        if len(raw) not in (width, width * count):
            self.error(
                f"the hexadecimal string of dense<…> has {len(raw)} bytes, "
                f"expected {width * count} for {type}",
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
        expected = shape_of(type)
        try:
            count = element_count(expected)
        except ValueError:
            self.error(f"dense values need a static shape, got {type}", start)
        if splat and not values and count:
            self.error(f"dense<> has no element, expected {count} for {type}", start)
        if not splat and shape != expected:
            self.error(
                f"dense<…> has shape {'x'.join(map(str, shape))}, "
                f"expected {'x'.join(map(str, expected))} for {type}",
                start,
            )
        element = element_of(type)
        is_integer, is_float = _INTEGER_TYPE.fullmatch(element), _FLOAT_TYPE.fullmatch(element)
        for value in values:
            if is_integer and "." in value:
                self.error(f"dense<…> has the float element {value}, expected {element}", start)
            if is_integer and value not in ("true", "false"):
                self.in_range(int(value, 0) if "x" in value else int(value), element, start)
            if is_float and "." not in value and "x" not in value:
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
