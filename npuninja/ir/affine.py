"""Affine maps: their text, their expressions, their value.

An expression is a tuple: `("d", i)` dimension, `("s", i)` symbol, `("c", n)` constant, or `(operator, left,
right)` with `+`, `*`, `floordiv`, `ceildiv` or `mod`. Subtraction adds a product with -1, as in MLIR.
"""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Callable

    Expression = tuple[Any, ...]
else:
    Expression = tuple


_TOKEN = re.compile(r"\s*(->|\d+|[A-Za-z_]\w*|[-+*(),\[\]])")
_PRODUCTS = ("*", "floordiv", "ceildiv", "mod")


class AffineMap(NamedTuple):
    """`affine_map<(d0, …)[s0, …] -> (expressions)>` with the numbers of dimensions and symbols."""

    dimensions: int
    symbols: int
    results: tuple[Expression, ...]

    def __str__(self) -> str:
        dims = ", ".join(f"d{i}" for i in range(self.dimensions))
        symbols = f"[{', '.join(f's{i}' for i in range(self.symbols))}]" if self.symbols else ""
        return f"affine_map<({dims}){symbols} -> ({', '.join(map(expression_text, self.results))})>"

    @property
    def constant(self) -> int | None:
        """The number, if the map is a single constant without operands."""
        if len(self.results) == 1 and self.results[0][0] == "c" and not self.dimensions and not self.symbols:
            value: int = self.results[0][1]
            return value
        return None

    def evaluate(self, operands: list[int]) -> list[int]:
        """The results; operands are dimensions, then symbols. Raises ValueError on division by 0 or less."""
        return [evaluate(e, operands[: self.dimensions], operands[self.dimensions :]) for e in self.results]


def parse_map(text: str) -> AffineMap:
    """The map in `affine_map<…>`. Raises ValueError with the reason when it is malformed."""
    if not text.startswith("affine_map<") or not text.endswith(">"):
        raise ValueError(f"'{text}' is not an affine map")
    body = text[11:-1]
    tokens = _TOKEN.findall(body)
    if "".join(tokens) != "".join(body.split()):
        raise ValueError(f"'{text}' has a character that no affine map has")
    reader = ExpressionReader([*tokens, ""])
    dims = reader.names("(", ")")
    symbols = reader.names("[", "]") if reader.tokens[reader.i] == "[" else []
    leaves = {name: ("d", i) for i, name in enumerate(dims)} | {
        name: ("s", i) for i, name in enumerate(symbols)
    }

    def leaf(token: str) -> Expression:
        if token not in leaves:
            raise ValueError(f"'{token}' is no dimension or symbol of '{text}'")
        return leaves[token]

    reader.leaf = leaf
    reader.expect("->")
    results = reader.list("(", ")")
    reader.expect("")
    return AffineMap(len(dims), len(symbols), tuple(results))


class ExpressionReader:
    """Reads expressions from a list of tokens that ends with ""; `leaf` turns names into expressions."""

    def __init__(self, tokens: list[str], leaf: Callable[[str], Expression] | None = None) -> None:
        self.tokens = tokens
        self.i = 0
        self.leaf = leaf

    def expect(self, token: str) -> None:
        """Reads exactly `token`. Raises ValueError otherwise."""
        if self.tokens[self.i] != token:
            raise ValueError(
                f"expected '{token or 'the end'}' in an affine expression, got '{self.tokens[self.i]}'"
            )
        self.i += 1

    def names(self, opening: str, closing: str) -> list[str]:
        """Reads a bracketed list of names."""
        self.expect(opening)
        found: list[str] = []
        while self.tokens[self.i] != closing:
            if found:
                self.expect(",")
            found.append(self.tokens[self.i])
            self.i += 1
        self.i += 1
        return found

    def list(self, opening: str, closing: str) -> list[Expression]:
        """Reads a bracketed list of expressions."""
        self.expect(opening)
        found: list[Expression] = []
        while self.tokens[self.i] != closing:
            if found:
                self.expect(",")
            found.append(self.sum())
        self.i += 1
        return found

    def sum(self) -> Expression:
        """Reads a sum or difference of products."""
        left = self._product()
        while True:
            token = self.tokens[self.i]
            if token in ("+", "-"):
                self.i += 1
                right = self._product()
                left = add(left, right if token == "+" else multiply(right, ("c", -1)))
            elif (
                token[:1] == "-" and token[1:].isdecimal()
            ):  # `%i -1`: the sign belongs to the number's token
                left = add(left, self._product())
            else:
                return left

    def _product(self) -> Expression:
        left = self._factor()
        while self.tokens[self.i] in _PRODUCTS:
            operator = self.tokens[self.i]
            self.i += 1
            right = self._factor()
            left = multiply(left, right) if operator == "*" else (operator, left, right)
        return left

    def _factor(self) -> Expression:
        token = self.tokens[self.i]
        self.i += 1
        if token == "-":
            return multiply(self._factor(), ("c", -1))
        if token == "(":
            inner = self.sum()
            self.expect(")")
            return inner
        if token.lstrip("-").isdecimal():
            return ("c", int(token))
        if token == "symbol":
            self.expect("(")
            name = self.tokens[self.i]
            self.i += 1
            self.expect(")")
            token = "symbol " + name
        if not token or self.leaf is None or token in _PRODUCTS or token in "+*)],":
            raise ValueError(f"expected an affine expression, got '{token}'")
        return self.leaf(token)


def add(left: Expression, right: Expression) -> Expression:
    """The sum, with constants folded and a constant on the right."""
    if left[0] == "c" and right[0] == "c":
        return ("c", left[1] + right[1])
    if left[0] == "c":
        left, right = right, left
    return left if right == ("c", 0) else ("+", left, right)


def multiply(left: Expression, right: Expression) -> Expression:
    """The product, with constants folded and a constant on the right."""
    if left[0] == "c" and right[0] == "c":
        return ("c", left[1] * right[1])
    if left[0] == "c":
        left, right = right, left
    return left if right == ("c", 1) else ("*", left, right)


def expression_text(
    e: Expression, names: Callable[[Expression], str] | None = None, *, bound: bool = False
) -> str:
    """The text of an expression, as MLIR writes it (mlir/lib/IR/AsmPrinter.cpp, printAffineExprInternal).

    Args:
        e: the expression.
        names: spells dimensions and symbols; default: `d0`, `s0`.
        bound: whether the text is where only an operand can: an operation is in parentheses there.
    """
    kind = e[0]
    if kind in "ds":
        return names(e) if names else f"{kind}{e[1]}"
    if kind == "c":
        return str(e[1])
    if kind == "+":
        text = expression_text(e[1], names) + _added(e[2], names)
    elif kind == "*" and e[2] == ("c", -1):
        text = f"-{expression_text(e[1], names, bound=True)}"
    else:
        text = f"{expression_text(e[1], names, bound=True)} {kind} {expression_text(e[2], names, bound=True)}"
    return f"({text})" if bound else text


def _added(e: Expression, names: Callable[[Expression], str] | None) -> str:
    """The right side of a sum with its sign: what is negative is subtracted."""
    if e[0] == "c" and e[1] < 0:
        return f" - {-e[1]}"
    if e[0] == "*" and e[2][0] == "c" and e[2][1] < 0:
        factor = -e[2][1]
        if factor == 1:
            return f" - {expression_text(e[1], names, bound=e[1][0] == '+')}"
        return f" - {expression_text(e[1], names, bound=True)} * {factor}"
    return f" + {expression_text(e, names)}"


def evaluate(e: Expression, dimensions: list[int], symbols: list[int]) -> int:
    """The value of an expression. Raises ValueError on division by 0 or less."""
    kind = e[0]
    if kind == "c":
        return int(e[1])
    if kind == "d":
        return dimensions[e[1]]
    if kind == "s":
        return symbols[e[1]]
    left, right = evaluate(e[1], dimensions, symbols), evaluate(e[2], dimensions, symbols)
    if kind == "+":
        return left + right
    if kind == "*":
        return left * right
    if right <= 0:
        raise ValueError(f"affine {kind} by {right}")
    return left // right if kind == "floordiv" else -(-left // right) if kind == "ceildiv" else left % right
