"""Long records are built by name: a value at the wrong place among many is not seen by a reader."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("npuninja", "tools", "host", "tests", "bench", "examples")
#: So many values may be given by place.
BY_PLACE = 6


def test_records_of_many_fields_are_built_by_name() -> None:
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "templates" not in path.parts
    }
    found = list(long_calls(texts))
    assert not found, f"give at most {BY_PLACE} values by place, the rest by name:\n" + "\n".join(found)


def test_the_reading_of_calls_sees_what_is_meant() -> None:
    many, few = "1, 2, 3, 4, 5, 6, 7", "1, 2, 3, 4, 5, 6, g=7"
    texts = {
        "npuninja/a.py": f"class One(NamedTuple): ...\nmany = [One({many}), One({few}), One(*x, {few})]\n",
        "npuninja/b.py": f"from npuninja import a\nfrom npuninja.a import One as O\nO({many})\na.One({many})\n",
        "npuninja/c.py": f"@record(frozen=True)\nclass Two: ...\nclass Not: ...\nTwo({many})\nNot({many})\n",
        "npuninja/d.py": f"from elsewhere import One\nOne({many})\ndef f():\n    from npuninja.c import Two\n"
        f"    return Two({many})\n",
    }
    assert list(long_calls(texts)) == [
        "npuninja/a.py:2: One takes 7 values by place",
        "npuninja/a.py:2: One takes 7 values by place",
        "npuninja/b.py:3: O takes 7 values by place",
        "npuninja/b.py:4: a.One takes 7 values by place",
        "npuninja/c.py:4: Two takes 7 values by place",
        "npuninja/d.py:5: Two takes 7 values by place",
    ]


def long_calls(texts: Mapping[str, str]) -> Iterator[str]:
    """The calls that give a record of ours more than `BY_PLACE` values by place, by file and line.

    Args:
        texts: of all modules, by path.
    """
    records = set()
    calls: list[tuple[str, ast.Call, dict[str, str]]] = []
    for path, text in texts.items():
        name, meant = _module(path), {}
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                meant[node.name] = f"{name}.{node.name}"
                if _is_record(node):
                    records.add(meant[node.name])
            elif isinstance(node, ast.ImportFrom) and node.module:
                meant |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Call) and len(node.args) > BY_PLACE:
                calls.append((path, node, meant))
    for path, call, meant in calls:
        called = ast.unparse(call.func)
        first, _, rest = called.partition(".")
        if ".".join(filter(None, (meant.get(first, first), rest))) in records:
            yield f"{path}:{call.lineno}: {called} takes {len(call.args)} values by place"


def _module(path: str) -> str:
    """The name of the module in a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_record(node: ast.ClassDef) -> bool:
    """Whether a class is one of `npuninja.records`, or of what these stand for."""
    marks = [*node.bases, *(d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)]
    return any(ast.unparse(mark).split(".")[-1] in ("NamedTuple", "record", "dataclass") for mark in marks)
