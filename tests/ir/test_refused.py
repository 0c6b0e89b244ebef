"""docs/dialect.md names each operation of the AIE dialects once: lowered, kept, or refused, and why."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.ir.refused import REFUSED
from npuninja.ir.syntax import operation_names

PAGE = (ROOT / "docs" / "dialect.md").read_text(encoding="utf-8")
READ, THE_REFUSED = PAGE.split("## Refused")
NAME = re.compile(r"\b(?:aie|aiex|aievec)\.[\w.]+\w")


def test_every_operation_that_is_read_is_on_the_page_once():
    known = {name for name in operation_names() if name.startswith(("aie.", "aiex.", "aievec."))}
    rows = [line.split(" | ")[0] for line in READ.split("\n") if line.startswith("| ")]
    named = [name for row in rows for name in NAME.findall(row)]
    assert sorted(named) == sorted(known)


def test_every_refusal_is_on_the_page_with_its_reason():
    rows = dict(re.findall(r"^\| (\S+) \| (.+) \|$", THE_REFUSED, re.MULTILINE))
    del rows["operation"]
    assert {name.rstrip("*"): reason for name, reason in rows.items()} == REFUSED


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_refused_says_why(name):
    name = name + "something" if name.endswith(".") else name
    with pytest.raises(UserError) as refused:
        parse_module(f"module {{\n  {name}(1)\n}}\n", "design.mlir")
    assert refused.value.message.startswith(f"'{name}' is refused: ")
    assert refused.value.location is not None
    assert refused.value.location.line == 2
