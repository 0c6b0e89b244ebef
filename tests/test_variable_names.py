"""Parameters, fields and names of modules say what the thing is, not a word that could be anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from conftest import ROOT

# Word -> what to write in its place. Locals may have them: there the place or the part is at hand.
WORDS = {
    "places": "what lies there: locations, positions, folders, tiles, placeholders",
    "parts": "what they are parts of: components of a path, commands, batch_parts",
    "also": "what is added: aliases, further modules",
    "told": "what it is: previous, decoded, message",
    "whom": "owner",
    "looked_at": "watched_files",
}
# "MODULE:NAME" where the word is the plain one, and why.
ALLOWED: dict[str, str] = {}


def names_of(text: str) -> Iterator[tuple[int, str]]:
    """Parameters, functions, fields, attributes and names of a module, with lines, without leading `_`."""
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
    for holder in holders:
        for statement in holder.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            for name in (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)):
                yield name.lineno, name.id.lstrip("_").lower()


def test_no_name_says_less_than_what_the_thing_is():
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{name}": line
        for folder in ("npuninja", "tools", "examples", "bench")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_symlink() and "templates" not in path.parts
        for line, name in names_of(path.read_text(encoding="utf-8"))
        if name in WORDS
    }
    hints = [
        f"{name} (line {line}): {WORDS[name.rsplit(':')[-1]]}"
        for name, line in found.items()
        if name not in ALLOWED
    ]
    assert hints == []
    assert set(ALLOWED) <= set(found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(also, *parts, told=1, **whom): ...", ["f", "also", "parts", "told", "whom"]),
        ("class A:\n    places: int\n    parts = 1", ["places", "parts"]),
        ("class A:\n    def __init__(self):\n        self._places = 1", ["init__", "self", "places"]),
        ("_PARTS = 1\nif True:\n    x = 1", ["parts"]),
        ("lambda also: also", ["also"]),
        ("def f():\n    places = 1\n    print(path.parts)", ["f"]),
    ],
)
def test_names_are_found_where_others_read_them(text, names):
    assert sorted(name for _, name in names_of(text)) == sorted(names)
