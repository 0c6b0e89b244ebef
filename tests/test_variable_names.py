"""Parameters, fields and names of modules say what the thing is, not a word that could be anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from conftest import ROOT

# Word -> what to write in its place.
WORDS = {
    "places": "what lies there: locations, positions, folders, tiles, placeholders",
    "parts": "what they are parts of: components of a path, commands, batch_parts",
    "also": "what is added: aliases, further modules",
    "told": "what it is: previous, decoded, message",
    "whom": "owner",
    "looked_at": "watched_files",
}
# Words that locals may have: there the place or the part is at hand.
AS_LOCALS = frozenset(("places", "parts"))


def listed_names(text: str) -> list[tuple[int, str]]:
    """The words above that a module gives to things: line, and the word."""
    return sorted({(line, name) for line, name in _names(text) if name in WORDS})


def _names(text: str) -> Iterator[tuple[int, str]]:
    """Parameters, functions, fields, attributes, variables, with their lines, without leading `_`."""
    tree = ast.parse(text)
    holders: list[ast.Module | ast.ClassDef] = [tree]
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg.lstrip("_")
        elif isinstance(node, ast.ClassDef):
            holders.append(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name.lstrip("_")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr.lstrip("_")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in AS_LOCALS:
            yield node.lineno, node.id.lstrip("_")
    for holder in holders:
        for statement in holder.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            for name in (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)):
                yield name.lineno, name.id.lstrip("_").lower()


def test_no_name_says_less_than_what_the_thing_is():
    hints = [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {name} -> {WORDS[name]}"
        for folder in ("npuninja", "tools", "examples", "bench")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_symlink() and "templates" not in path.parts
        for line, name in listed_names(path.read_text(encoding="utf-8"))
    ]
    assert not hints, "\n".join(hints)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(also, *parts, told=1, **whom): ...", ["also", "parts", "told", "whom"]),
        ("class A:\n    places: int\n    parts = 1", ["places", "parts"]),
        ("class A:\n    def __init__(self):\n        self._places = 1", ["places"]),
        ("_PARTS = 1\nif True:\n    x, told = y", ["parts", "told"]),
        ("lambda also: also", ["also"]),
        ("def _places():\n    looked_at = 1", ["looked_at", "places"]),
        ("def f():\n    places = parts = 1\n    print(path.parts, told=1)", []),
    ],
)
def test_names_are_found_where_they_are_given(text, names):
    assert sorted(name for _, name in listed_names(text)) == sorted(names)
