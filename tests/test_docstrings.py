"""A docstring says more than the name that it is under."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT

FOLDERS = ("npuninja", "tools", "examples", "bench", "host")
# Words that tell nothing of what is returned or done.
EMPTY = """
    a all an and as at by data do everything for found from here in is it its itself lie nothing of on one only or
    other others people real run same that the there thing this to usual verb what where which with
"""
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def says_nothing(node: Named) -> bool:
    """Whether a short docstring has but the words of its name, and empty ones. Those of properties may."""
    text = ast.get_docstring(node) or "`"
    if (
        "`" in text
        or len(text.split()) > 5
        or any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
    ):
        return False
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name)
    return not _words(text) - _words(name) - _words(EMPTY)


def _words(text: str) -> set[str]:
    return {word.rstrip("s") or word for word in re.findall(r"[a-z0-9]+", text.lower())}


def documented() -> Iterator[tuple[str, Named]]:
    """Everything with a docstring, by its place."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, Named) and ast.get_docstring(node):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}", node


def test_docstrings_say_more_than_the_name():
    found = [f"{place}: {ast.get_docstring(node)}" for place, node in documented() if says_nothing(node)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "nothing"),
    [
        ('def bundle(): "A bundle."', True),
        ('def to_json(): "The same as data."', True),
        ('class TileSizes: "Sizes of a tile."', True),
        ('def bundle(): "The slots of a cycle."', False),
        ('def rows(): "`a, b`."', False),
        ('@property\ndef size(self): "Its size."', False),
        ("def rows(): pass", False),
    ],
)
def test_what_counts_as_nothing(code, nothing):
    (node,) = ast.parse(code).body
    assert isinstance(node, Named)
    assert says_nothing(node) == nothing
