"""Each class has a name of its own: no two modules of npuninja define a public class of the same name."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Whose names are MLIR-AIE's, because designs import them from there.
OFFERED = "python_designs/"
#: Names that two modules have, and why that is clearer than two names.
ALLOWED = dict.fromkeys(("BlockWrite", "MaskPoll", "Other"), "one command, in the two formats that have it")


def test_no_class_name_is_in_two_modules() -> None:
    """But those of MLIR-AIE's Python interface, of which ours has the like, and those above."""
    found = twice(sources())
    assert {name: places for name, places in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found)


def test_the_reading_of_names_sees_what_is_meant() -> None:
    assert twice(
        {
            "ir/a.py": "class One: ...\nclass Two: ...\nclass _Own: ...\nif True:\n    class Three: ...\n",
            "ir/b.py": "class Two: ...\nclass _Own: ...\nclass Three: ...\n",
            "python_designs/iron/c.py": "class One: ...\n",
            "python_designs/iron/d.py": "class One: ...\nclass Four: ...\n",
            "python_designs/iron/e.py": "class Four: ...\n",
        }
    ) == {
        "Two": ["ir/a.py", "ir/b.py"],
        "Three": ["ir/a.py", "ir/b.py"],
        "One": ["python_designs/iron/c.py", "python_designs/iron/d.py"],
        "Four": ["python_designs/iron/d.py", "python_designs/iron/e.py"],
    }


def sources() -> dict[str, str]:
    """The text of every module of npuninja, without the templates of projects."""
    package = ROOT / "npuninja"
    return {
        path.relative_to(package).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(package.rglob("*.py"))
        if "templates" not in path.parts
    }


def twice(texts: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """The public classes that two modules of the interface define, or two others, and where."""
    found: dict[tuple[str, bool], dict[str, None]] = {}
    for path, text in texts.items():
        for node in _top_level(ast.parse(text).body):
            if not node.name.startswith("_"):
                found.setdefault((node.name, path.startswith(OFFERED)), {})[path] = None
    return {name: list(paths) for (name, _), paths in found.items() if len(paths) > 1}


def _top_level(body: Sequence[ast.stmt]) -> list[ast.ClassDef]:
    """Also those below a condition, as for a version of Python."""
    found: list[ast.ClassDef] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            found.append(node)
        elif isinstance(node, (ast.If, ast.Try)):
            found += _top_level([*node.body, *node.orelse])
    return found
