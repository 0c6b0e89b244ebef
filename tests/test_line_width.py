"""Lines are 110 wide: of npuninja's own C, and of Python but for rows of tables and text that is printed.

Ruff's limit is wider, since it cannot tell a row of a table from code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT

WIDTH = 110
C_FOLDERS = (
    "npuninja/aie2_compiler/include/npu",
    "npuninja/aie2_compiler/runtime",
    "npuninja/emulator/engine",
    "npuninja/machine_code/runtime",
    "npuninja/xrt_emulation/preload",
)
PYTHON_FOLDERS = ("bench", "examples", "host", "npuninja", "tools")
#: In brackets of these a line is a row.
TABLES = (ast.Dict, ast.List, ast.Set, ast.Tuple)
TEXTS = (ast.Constant, ast.JoinedStr)


@pytest.mark.parametrize("folder", C_FOLDERS)
def test_c_is_110_wide(folder):
    files = [path for path in sorted((ROOT / folder).iterdir()) if path.suffix in (".c", ".h", ".s")]
    assert files, "the folder has moved"
    wide = [
        f"{path}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert wide == []


@pytest.mark.parametrize("folder", PYTHON_FOLDERS)
def test_code_in_python_is_110_wide(folder):
    wide = [
        f"{path}:{number}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number in wide_code(path.read_text(encoding="utf-8"))
    ]
    assert wide == []


@pytest.mark.parametrize(
    ("line", "is_code"),
    [
        ("call({})", True),
        ("call(\n    {},\n)", True),
        ("def f(\n    {},\n): ...", True),
        ("x = {}", True),
        ("x = [\n    {},\n]", False),
        ("x = [call(\n    {},\n)]", True),
        ("x = {{\n    'a': call({}),\n}}", False),
        ("call(\n    '{}',\n)", False),
        ("call(\n    f'{}',\n)", False),
        ("call(\n    'a'\n    '{}'\n)", False),
        ("call(\n    '{}', a=1\n)", True),
        ("x = '{}'", True),
        ("'''\n{}\n'''", False),
        ("x = 1  # {}", True),
        ("x = 1  # noqa: E501  # {}", False),
        ("call(\n    a='{}',\n)", False),
    ],
)
def test_what_is_code(line, is_code):
    code = line.format(", ".join(["word"] * 20))
    assert bool(list(wide_code(code))) is is_code, code


def wide_code(code: str) -> Iterator[int]:
    """The numbers of the lines of code that are too wide."""
    # A pragma is on the line that it is for, however wide that is then.
    lines = [re.sub(r"  # (noqa|type: ignore)\b.*", "", line) for line in code.splitlines()]
    wide = [number for number, line in enumerate(lines, 1) if len(line) > WIDTH]
    nodes = [node for node in ast.walk(ast.parse(code)) if hasattr(node, "lineno")] if wide else []
    for number in wide:
        around = [node for node in nodes if node.lineno <= number <= node.end_lineno]
        # The innermost that has more than this line; ast.walk comes to it last.
        several = [node for node in around if node.lineno != node.end_lineno]
        inner = min(reversed(several), key=lambda node: node.end_lineno - node.lineno, default=None)
        is_text = any(is_whole(node, number, lines[number - 1]) for node in around if isinstance(node, TEXTS))
        if not is_text and not isinstance(inner, TABLES):
            yield number


def is_whole(text: ast.expr, number: int, line: str) -> bool:
    """Whether a line has nothing but a piece of this text, or the keyword that it is given for."""
    data = line.encode()
    start = text.col_offset if text.lineno == number else 0
    end = text.end_col_offset if text.end_lineno == number else len(data)
    return re.fullmatch(rb"\s*(\w+=)?", data[:start]) is not None and not data[end:].strip(b", ")
