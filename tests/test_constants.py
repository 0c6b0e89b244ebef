"""Each constant has one home: no two modules of npuninja define one of the same name and value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from npuninja.formats import core_abi

ROOT = Path(__file__).resolve().parents[1]


def test_no_constant_is_defined_twice() -> None:
    """Where two are equal by chance, a name that says what each is for tells them apart."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted((ROOT / "npuninja").rglob("*.py")):
        for name, value, line in constants(path.read_text(encoding="utf-8")):
            found.setdefault((name, value), []).append(f"{path.relative_to(ROOT)}:{line}")
    twice = [f"{name}: {', '.join(places)}" for (name, _), places in found.items() if len(places) > 1]
    assert not twice, "\n".join(twice)


def test_the_reading_of_constants_sees_every_form() -> None:
    code = "A = 1\n_A: int = 0x1\nB, C = 2, {'a': [3]}\nlower = 1\nD = f(A)\nclass E:\n    F = 1\n"
    assert list(constants(code)) == [
        ("A", "1", 1),
        ("A", "1", 2),
        ("B", "2", 3),
        ("C", "{'a': [3]}", 3),
        ("D", "f(A)", 5),
    ]


def test_the_engine_has_the_numbers_of_the_core_abi() -> None:
    text = (ROOT / "npuninja" / "emulator" / "engine" / "scheduler.c").read_text(encoding="utf-8")
    numbers = {
        name: int(value) for name, value in re.findall(r"^#define (CORE_\w+) (\d+)\b", text, re.MULTILINE)
    }
    assert numbers["CORE_GE"] == core_abi.WAIT_AT_LEAST
    assert numbers["CORE_EQ"] == core_abi.WAIT_EQUAL
    assert numbers["CORE_RELEASE_FAULT"] == core_abi.FAULT_RELEASE


def constants(code: str) -> Iterator[tuple[str, str, int]]:
    """The constants that a module defines: name without leading `_`, value in one spelling, line."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts))
        for at, what in pairs:
            if isinstance(at, ast.Name) and at.id.lstrip("_").isupper():
                yield at.id.lstrip("_"), ast.unparse(what), node.lineno
