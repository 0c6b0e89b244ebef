"""docs/troubleshooting.md: a row for each known failure, and the tests that it names exist."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import ROOT

from npuninja.cli import VERBS
from npuninja.hints import all_hints

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \| (.+) \| (tests/\S+)::(\w+) \|$", PAGE, re.MULTILINE)


def test_every_failure_has_one_row() -> None:
    ids = [row[0] for row in ROWS]
    assert sorted(ids) == sorted({hint.id for hint in all_hints()})
    assert len(re.findall(r"^\| [a-z0-9-]+ \|", PAGE, re.MULTILINE)) == len(ROWS) + PAGE.count("\n| id |")


@pytest.mark.parametrize(("path", "name"), sorted({row[3:] for row in ROWS}))
def test_the_tests_exist_and_assert_something(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    (test,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    asserts = [n for n in ast.walk(test) if isinstance(n, ast.Assert)]
    raising = [n for n in ast.walk(test) if isinstance(n, ast.Attribute) and n.attr == "raises"]
    # A test may leave the assertion to a function of its module.
    called = {n.func.id for n in ast.walk(test) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    helpers = {f.name for f in functions if any(isinstance(n, ast.Assert) for n in ast.walk(f))}
    assert asserts or raising or called & helpers


def test_the_commands_exist() -> None:
    for verb in re.findall(r"npuninja (\w+)", PAGE.split("## What is known")[0]):
        assert verb in VERBS
