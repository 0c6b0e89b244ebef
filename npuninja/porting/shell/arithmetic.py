"""A shell's integer arithmetic: `$((N * 4))`, `((count++))`, `((i < 4))`."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

_NAME = re.compile(r"\$?\{?([A-Za-z_]\w*)\}?")
_STEP = re.compile(r"\s*(?:(\+\+|--)\s*(\w+)|(\w+)\s*(\+\+|--))\s*$")
_SET = re.compile(r"\s*([A-Za-z_]\w*)\s*([-+*/%]?)=(?!=)\s*(.*)$", re.S)
_BINARY: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: int(a / b) if b else 0,
    ast.Mod: lambda a, b: a - b * int(a / b) if b else 0,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_COMPARED: dict[type[ast.AST], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_LARGEST_SHIFT = 63


def value_of(text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> int | None:
    """The value of an expression; None when a variable has no number, or the form is not known here.

    Args:
        text: the expression.
        get: a variable's text.
        put: sets a variable.
    """
    result: int | None = 0
    for part in text.split(","):
        result = _one(part, get, put)
    return result


def _one(text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> int | None:
    step = _STEP.match(text)
    if step:
        name, sign = step[2] or step[3], step[1] or step[4]
        before = _number(get(name))
        if before is None:
            return None
        after = before + (1 if sign == "++" else -1)
        put(name, str(after))
        return after if step[1] else before
    to = _SET.match(text)
    if to:
        value = _one(f"{to[1]} {to[2]} ({to[3]})" if to[2] else to[3], get, put)
        if value is not None:
            put(to[1], str(value))
        return value
    missing = False

    def number(match: re.Match[str]) -> str:
        nonlocal missing
        found = _number(get(match[1]))
        missing |= found is None
        return str(found or 0)

    plain = re.sub(r"\b0[xX][0-9a-fA-F]+\b", lambda m: str(int(m[0], 16)), text)
    plain = _NAME.sub(number, plain)
    plain = re.sub(r"!(?!=)", " not ", plain.replace("&&", " and ").replace("||", " or "))
    plain = re.sub(r"(?<!/)/(?!/)", "//", plain)
    plain = re.sub(r"\b0+(?=\d)", "", plain).strip()
    try:
        return None if missing else _walk(ast.parse(plain or "0", mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if re.fullmatch(r"-?\d+", text) else 0 if not text else None


def _walk(node: ast.AST) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp):
        value = _walk(node.operand)
        if isinstance(node.op, ast.Not):
            return int(not value)
        return (
            -value if isinstance(node.op, ast.USub) else ~value if isinstance(node.op, ast.Invert) else value
        )
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _walk(node.left), _walk(node.right)
        if isinstance(node.op, (ast.LShift, ast.RShift)) and not 0 <= right <= _LARGEST_SHIFT:
            raise ValueError("a shift by that many places")
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        return int(_COMPARED[type(node.ops[0])](_walk(node.left), _walk(node.comparators[0])))
    if isinstance(node, ast.BoolOp):
        values = [bool(_walk(value)) for value in node.values]
        return int(all(values) if isinstance(node.op, ast.And) else any(values))
    raise ValueError(ast.dump(node))
