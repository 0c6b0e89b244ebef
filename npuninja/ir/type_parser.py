"""Reads types."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.ir.lexer import TokenStream
from npuninja.ir.types import canonical, function_text, is_scalar

if TYPE_CHECKING:
    from typing import Callable, NoReturn

#: Of an integer type (MLIR, IntegerType::kMaxWidth).
MAX_WIDTH = (1 << 24) - 1
_WIDTH = re.compile(r"[su]?i(\d+)")
#: A type of this many characters is made of aliases.
MAX_TYPE_CHARACTERS = 1 << 16
#: Types that are written with brackets, without a dialect.
PARAMETRIC_TYPES = ("memref", "vector", "tensor", "complex", "tuple")


class TypeParser(TokenStream):
    """The part of the parser that knows types, with their aliases."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text, file)
        self.type_aliases: dict[str, str] = {}

    def keep_type_alias(self, name: str) -> None:
        """Reads the type that alias `name` stands for."""
        self.type_aliases[name] = self.parse_type()
        if len(self.type_aliases[name]) > MAX_TYPE_CHARACTERS:
            self.error(f"the type has more than {MAX_TYPE_CHARACTERS} characters", self.i - 1)

    def parse_type(self) -> str:
        """Reads a type and returns its canonical text."""
        token = self.tokens[self.i]
        first = token[:1]
        if first == "(":
            arguments = self.type_list()
            self.expect("->")
            return function_text(arguments, self.result_types())
        if first == "!":
            alias = self.type_aliases.get(token)
            if alias is not None:
                self.i += 1
                return alias
            if "." not in token:
                self.error(f"undefined type alias '{token}'")
        elif not (token.endswith(">") or is_scalar(token)) and token not in PARAMETRIC_TYPES:
            self._no_type(token)
        start = self.i
        self.i += 1
        if self.tokens[self.i] == "<" and not token.endswith(">"):
            self.skip_balanced("<", ">")
            token = self.text[self.offset(start) : self._ends[self.i - 1]]
        return self._canonical(token, start)

    def _canonical(self, text: str, index: int) -> str:
        if text[:1] in "isu" and (width := _WIDTH.fullmatch(text)) and not 0 < int(width[1]) <= MAX_WIDTH:
            self.error(f"{text}: an integer type has 1 to {MAX_WIDTH} bits", index)
        try:
            return canonical(text)
        except ValueError as problem:
            self.error(str(problem), index)

    def _no_type(self, token: str) -> NoReturn:
        if token[:1].isalpha():
            self.error(f"unknown type '{token}'", hint="types look like i32, index, bf16, memref<16xi32>")
        self.expected("a type")

    def type_list(self) -> tuple[str, ...]:
        """Reads `(type, type, …)`."""
        self.expect("(")
        return tuple(self.comma_separated(self.parse_type, ")"))

    def result_types(self) -> tuple[str, ...]:
        """Reads what follows `->`: one type, or a list in parentheses (itself no function type)."""
        if self.tokens[self.i] != "(":
            return (self.parse_type(),)
        return self.type_list()

    def comma_separated(self, item: Callable[[], object], closing: str) -> list:  # type: ignore[type-arg]
        """Reads items up to and including `closing`; the opening bracket is already read."""
        items: list[object] = []
        if self.tokens[self.i] == closing:
            self.i += 1
            return items
        while True:
            items.append(item())
            token = self.tokens[self.i]
            if token == ",":
                self.i += 1
            elif token == closing:
                self.i += 1
                return items
            else:
                self.expected(f"',' or '{closing}'")
