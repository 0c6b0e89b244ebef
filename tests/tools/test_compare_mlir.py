"""The comparison by meaning: blind to spelling and order, not to any value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conformance.compare_mlir import compare

from npuninja.errors import UserError

CONFORMANCE = Path(__file__).parents[1] / "conformance"
ROUTED = (CONFORMANCE / "packets_one_to_many" / "input_physical.mlir").read_text()
LOWERED = (CONFORMANCE / "gain_bytes" / "input_with_addresses.mlir").read_text()


def test_spelling_does_not_matter() -> None:
    renamed = ROUTED.replace("%tile_0_2", "%x").replace("%shim_noc_tile_0_0", "%s0")
    lines = renamed.split("\n")
    at = next(i for i, line in enumerate(lines) if "aie.shim_dma_allocation" in line)
    moved = lines.pop(at)
    lines.insert(next(i for i, line in enumerate(lines) if "aie.wire" in line), moved)
    assert compare(ROUTED, "\n".join(lines)) == []
    assert compare(LOWERED, LOWERED.replace("^bb1", "^bb7").replace("%c0", "%zero")) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "section"),
    [
        (ROUTED, "aie.rule(30, 4, %2)", "aie.rule(30, 5, %2)", "packet_rules"),
        (ROUTED, "masterset(East : 3, %1, %2)", "masterset(East : 3, %1)", "masterset"),
        (ROUTED, "connect<DMA : 0, North : 3>", "connect<DMA : 0, North : 7>", "shim_mux connect"),
        (ROUTED, "aie.tile(0, 4)", "aie.tile(0, 5)", "tile"),
        (LOWERED, "AcquireGreaterEqual, 1", "AcquireGreaterEqual, 2", ""),
        (LOWERED, "init = 2", "init = 1", "lock"),
        (LOWERED, "address = 1024", "address = 1028", "buffer"),
        (LOWERED, "bd_id = 1 ", "bd_id = 2 ", "dma"),
        (LOWERED, "DMA : 0", "DMA : 1", "aie.flow"),
    ],
)
def test_every_value_matters(text: str, old: str, new: str, section: str) -> None:
    assert old in text
    found = compare(text, text.replace(old, new, 1))
    assert found
    assert section in found[0]


def test_the_order_of_rules_matters() -> None:
    rules = re.search(r"( +aie.rule\(31, 1, %1\)\n)( +aie.rule\(31, 0, %0\)\n)", ROUTED)
    assert rules is not None
    assert compare(ROUTED, ROUTED.replace(rules[0], rules[2] + rules[1])) != []


def test_unreadable_texts_are_refused() -> None:
    with pytest.raises(UserError, match=r"no aie\.device"):
        compare("module {\n}\n", "module {\n}\n")
    with pytest.raises(UserError, match="ends inside"):
        compare("module {\n  aie.device(npu1) {\n", ROUTED)


def test_sections_can_be_left_out() -> None:
    other = ROUTED.replace(
        "%tile_1_2 = aie.tile(1, 2)", '%tile_1_2 = aie.tile(1, 2) {allocation_scheme = "x"}'
    )
    assert compare(ROUTED, other) != []
    assert compare(ROUTED, other, ignore=("tile",)) == []
