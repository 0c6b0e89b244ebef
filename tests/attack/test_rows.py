"""Each attack that was once found has its tests, and they are there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from attack_rows import ROWS
from conftest import TESTS


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("number", sorted(ROWS, key=lambda n: int(n[1:])))
def test_a_row_has_tests(number):
    row = ROWS[number]
    assert row.tests
    for name in row.tests:
        file, _, function = name.partition("::")
        assert function in functions(TESTS / file), name


def test_no_row_is_missing():
    assert set(ROWS) == {f"A{n}" for n in range(1, 15)}
