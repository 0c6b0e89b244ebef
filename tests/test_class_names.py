"""Each class and each alias of a type has a name of its own: no two modules define one of the same name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from conftest import ROOT

#: Where names are MLIR-AIE's, because designs import them from there.
OFFERED = "npuninja/python_designs/"
#: Names of ours that MLIR-AIE's Python interface has too: they are in both places, and once in each.
GIVEN = frozenset((
    "Attribute", "Block", "Buffer", "Context", "DenseElementsAttr", "Device", "FunctionType", "Kernel", "Location",
    "MemRefType", "ObjectFifo", "Operation", "PacketFlow", "Pipeline", "Program", "Region", "Release", "Value",
))  # fmt: skip
#: Other names that two modules have, and why that is clearer than two names.
ALLOWED = {
    **dict.fromkeys(("BlockWrite", "MaskPoll", "Other"), "one command, in the two formats that have it"),
    "Device": "an instance of the dialect's, and the class of the devices of `iron`: both are MLIR-AIE's",
    "Protocol": "typing's own, where typing is not imported at run time",
}


def test_no_name_is_in_two_modules() -> None:
    """But those of MLIR-AIE's Python interface, of which ours has the like, and those above."""
    found = twice(sources(), GIVEN)
    assert {name: where for name, where in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found)
    assert set(twice(sources(), frozenset())) >= GIVEN


def test_the_reading_of_names_sees_what_is_meant() -> None:
    text = "class One: ...\nTwo = tuple[int, int]\nclass _Three: ...\nif True:\n    class Four: ...\n"
    more = "class _Two: ...\nclass Three: ...\nFour: TypeAlias = str\n_T = TypeVar('_T')\nFIVE = One()\n"
    given = "class One: ...\nclass Six: ...\n"
    assert twice(
        {
            "npuninja/ir/a.py": f"{text}_T = TypeVar('_T')\nFIVE = One()\n",
            "tools/b.py": more,
            "npuninja/python_designs/iron/c.py": given,
            "npuninja/python_designs/iron/d.py": "class Six: ...\n",
        },
        frozenset({"One", "Six"}),
    ) == {
        "Two": ["npuninja/ir/a.py", "tools/b.py"],
        "Three": ["npuninja/ir/a.py", "tools/b.py"],
        "Four": ["npuninja/ir/a.py", "tools/b.py"],
        "Six": ["npuninja/python_designs/iron/c.py", "npuninja/python_designs/iron/d.py"],
    }
    assert twice({"npuninja/a.py": "class One: ...", "npuninja/python_designs/b.py": given}, frozenset()) == {
        "One": ["npuninja/a.py", "npuninja/python_designs/b.py"]
    }


def sources() -> dict[str, str]:
    """The text of every module of npuninja and of the tools, without the templates of projects."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("npuninja", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "templates" not in path.parts
    }


def twice(texts: Mapping[str, str], given: frozenset[str]) -> dict[str, Sequence[str]]:
    """Names that two modules define, and where; a leading `_` is no difference.

    Args:
        texts: path -> text of the module.
        given: names that count on each side of MLIR-AIE's interface for itself.
    """
    found: dict[tuple[str, bool], dict[str, None]] = {}
    for path, text in texts.items():
        for name in map(_plain, _top_level(ast.parse(text).body)):
            found.setdefault((name, name in given and path.startswith(OFFERED)), {})[path] = None
    return {name: list(paths) for (name, _), paths in found.items() if len(paths) > 1}


def _plain(name: str) -> str:
    return name.lstrip("_")


def _top_level(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Classes and aliases of types, also those below a condition, as for a version of Python."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and _is_alias(target.id, node.value):
                yield target.id
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _top_level([*node.body, *node.orelse])


def _is_alias(name: str, value: ast.expr | None) -> bool:
    """Whether an assignment gives a type a name: it is written as a class's, and the value is no object."""
    plain = _plain(name)
    return plain[:1].isupper() and not plain.isupper() and not isinstance(value, (ast.Call, ast.Constant))
