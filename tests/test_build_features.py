"""Every row of docs/build-features.md names a test that there is."""

import re

import pytest
from conftest import ROOT

ROWS = [
    line
    for line in (ROOT / "docs/build-features.md").read_text(encoding="utf-8").splitlines()
    if "::" in line
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_test_of_a_feature_exists(row):
    found = re.search(r"`(tests/\S+\.py)::(\w+)` \|$", row)
    assert found, "a row ends with the name of its test"
    assert f"def {found[2]}(" in (ROOT / found[1]).read_text(encoding="utf-8")


def test_there_are_rows():
    assert len(ROWS) > 40
