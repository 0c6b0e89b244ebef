"""A reader of printed MLIR that knows no dialect: operations, their tokens, attributes and regions.

It relies on the layout that MLIR's printer (and ours) gives a file: one operation a line, a region's `{` at
the end of a line. So it is independent of `npuninja.ir`, and can judge what that prints.
"""

from __future__ import annotations

import re

from npuninja.errors import UserError

_TOKEN = re.compile(
    r"""
    "(?:\\.|[^"\\])*"                   # string
    | %[\w$.-]+ (?: :\d+)? (?: \#\d+)?  # value
    | \^\w+                             # block
    | @[\w$."-]+                        # symbol
    | [\#!]?[A-Za-z_][\w.$]*            # word, alias, type
    | -?0[xX][0-9a-fA-F]+
    | -?\d+\.\d* (?: [eE][-+]?\d+)?
    | -?\d+ (?=x) | -?\d+               # the first kind: a dimension of a shape
    | -> | :: | .
    """,
    re.VERBOSE,
)
_HEX = re.compile(r"-?0[xX][0-9a-fA-F]+")
_FLOAT = re.compile(r"-?\d+\.\d*(?:[eE][-+]?\d+)?")
_OPEN, _CLOSE = "([{<", ")]}>"


class PrintedOp:
    """An operation as printed; `attributes` has the tokens of each `{name = value}`, `tokens` all others."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.name = ""
        self.results: list[str] = []
        self.tokens: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.regions: list[list[PrintedBlock]] = []

    @property
    def inside(self) -> list[PrintedOp]:
        """The operations of its regions, without those within these."""
        return [op for region in self.regions for block in region for op in block.ops]


class PrintedBlock:
    """A block as printed; the label is None for an entry block without one."""

    def __init__(self, label: str | None, args: list[str]) -> None:
        self.label = label
        self.args = args
        self.ops: list[PrintedOp] = []


def tokens(text: str) -> list[str]:
    """The tokens of a line, numbers in one spelling."""
    found = []
    for token in _TOKEN.findall(text):
        if token.isspace():
            continue
        if _HEX.fullmatch(token):
            token = str(int(token, 16))
        elif _FLOAT.fullmatch(token):
            token = repr(float(token))
        found.append(token)
    return found


def split_commas(line: list[str]) -> list[list[str]]:
    """The parts of a token list between commas that are in no bracket."""
    parts: list[list[str]] = []
    part: list[str] = []
    depth = 0
    for token in line:
        depth += _nesting(token)
        if token == "," and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(token)
    return [*parts, part] if part else parts


def read(text: str, file: str = "<text>") -> list[PrintedOp]:
    """The operations at the top of `text`, usually one module. Raises UserError if brackets do not match."""
    top = PrintedBlock(None, [])
    # Each open region with the operation it belongs to; the outermost belongs to none.
    stack: list[tuple[PrintedOp | None, list[PrintedBlock]]] = [(None, [top])]
    pending: list[str] = []
    first = 0
    for number, source in enumerate(text.split("\n"), 1):
        if not pending:
            first = number
        pending += tokens(_without_comment(source))
        body = pending[:-1] if pending[-1:] == ["{"] else pending
        body = body[1:] if body[:1] == ["}"] else body
        if not pending or sum(map(_nesting, body)) > 0:
            continue  # nothing, or an operation over several lines
        line, pending = pending, []
        if line[0] == "}":
            _close_region(line, stack, f"{file}:{number}")
        elif line[0].startswith("^"):
            args = [part[0] for part in split_commas(line[2:-2])] if line[1:2] == ["("] else []
            stack[-1][1].append(PrintedBlock(line[0], args))
        else:
            op, opens = _operation(line, first, file)
            stack[-1][1][-1].ops.append(op)
            if opens:
                stack.append((op, [PrintedBlock(None, [])]))
    if len(stack) != 1 or pending:
        raise UserError(f"{file}: the text ends inside an operation")
    return top.ops


def _operation(line: list[str], first: int, file: str) -> tuple[PrintedOp, bool]:
    """An operation of a line, and whether a region follows; regions within the line stay among the tokens."""
    op = PrintedOp(first)
    opens = line[-1] == "{"
    if opens:
        line = line[:-1]
    if line[0].startswith("%") and "=" in line:
        equals = line.index("=")
        for part in split_commas(line[:equals]):
            name, _, count = part[0].partition(":")
            op.results += [f"{name}#{i}" for i in range(int(count))] if count else [name]
        line = line[equals + 1 :]
    if not line:
        raise UserError(f"{file}:{first}: no operation")
    op.name = line[0].strip('"')
    op.tokens = _take_attributes(op, line[1:], file)
    return op, opens


def _close_region(
    line: list[str], stack: list[tuple[PrintedOp | None, list[PrintedBlock]]], where: str
) -> None:
    op, blocks = stack.pop()
    if op is None:
        raise UserError(f"{where}: '}}' without an open region")
    op.regions.append(blocks)
    rest = line[1:]
    if rest[-1:] == ["{"]:  # } else {
        _take_attributes(op, rest[:-1], where)
        stack.append((op, [PrintedBlock(None, [])]))
    elif rest:
        op.tokens += _take_attributes(op, rest, where)


def _take_attributes(op: PrintedOp, line: list[str], where: str) -> list[str]:
    """Moves every `{name = value, …}` that is in no bracket to `op.attributes`; returns the other tokens."""
    rest: list[str] = []
    i = depth = 0
    while i < len(line):
        token = line[i]
        if token != "{" or depth:
            depth += _nesting(token)
            rest.append(token)
            i += 1
            continue
        end, inner = i + 1, 1
        while inner:
            if end >= len(line):
                raise UserError(f"{where}: unclosed attribute list")
            inner += (line[end] == "{") - (line[end] == "}")
            end += 1
        for part in split_commas(line[i + 1 : end - 1]):
            op.attributes[part[0].strip('"')] = part[2:] if part[1:2] == ["="] else ["unit"]
        i = end
    return rest


def _nesting(token: str) -> int:
    if len(token) != 1:
        return 0
    return (token in _OPEN) - (token in _CLOSE)


def _without_comment(line: str) -> str:
    inside = False
    for i, character in enumerate(line):
        if character == '"' and (i == 0 or line[i - 1] != "\\"):
            inside = not inside
        elif character == "/" and not inside and line[i : i + 2] == "//":
            return line[:i]
    return line
