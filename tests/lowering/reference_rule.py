"""Rules of MLIR-AIE's tools that designs of others showed, one small design and its result for each.

A rule is checked on the text of step 1 (`addresses`), 2 (`physical`) or 3 (`sequence`), or by the refusal.
The conformance designs show the same rules among much else. The files are by subject:
`test_reference_rules_of_cores`, `test_reference_rules_of_devices`, `test_reference_rules_of_sequences`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings

TILES = """%s = aie.tile(0, 0)
  %m = aie.tile(0, 1)
  %t = aie.tile(0, 2)
  """
FILES = {
    "addresses": "input_with_addresses.mlir",
    "physical": "input_physical.mlir",
    "sequence": "npu_insts.mlir",
}


class Rule(NamedTuple):
    """One design and what is made of it.

    Attributes:
        body: of `aie.device`.
        has: lines of the result, in their order; a line may be cut at its end.
        lacks: words that no line of the result has.
        step: the key of `FILES`.
        generation, device, scheme: as for `npuninja lower`.
        refused: what the design is refused with, instead of a result.
        warned: what is warned of.
    """

    body: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    step: str = "addresses"
    generation: str = "2026-02"
    device: str = "npu1"
    scheme: str | None = None
    refused: str = ""
    warned: str = ""


def text_of(rule: Rule, warnings: Warnings) -> str:
    text = f"module {{ aie.device({rule.device}) {{\n  {rule.body}\n}} }}"
    return lower_design(text, "d.mlir", rule.scheme, rule.generation, warnings)[FILES[rule.step]].decode()


def check_rule(rule: Rule) -> None:
    """Lowers the design of a rule and looks for what it says."""
    warnings = Warnings()
    if rule.refused:
        with pytest.raises(UserError, match=re.escape(rule.refused)) as refused:
            text_of(rule, warnings)
        assert refused.value.location is not None
        assert refused.value.location.line > 1
        return
    lines = [line.strip() for line in text_of(rule, warnings).splitlines()]
    at = 0
    for wanted in rule.has:
        found = [i for i, line in enumerate(lines[at:], at) if wanted in line]
        assert found, f"{wanted}\nis not behind line {at} of\n" + "\n".join(lines)
        at = found[0] + 1
    assert not [line for line in lines for word in rule.lacks if word in line]
    if rule.warned:
        assert any(rule.warned in text for text, _ in warnings.items)


def descriptor(buffer: str, lock: str, numbers: str = "") -> str:
    return f"""aie.use_lock(%{lock}, AcquireGreaterEqual, 1)
    aie.dma_bd(%{buffer} : memref<64xi32>{numbers})
    aie.use_lock(%{lock}, Release, 1)"""


def cases(rules: dict[str, list[Rule]]) -> list[object]:
    """The parameters of a test of rules, named by them."""
    return [
        pytest.param(rule, id=f"{name}, {i}")
        for name, found in rules.items()
        for i, rule in enumerate(found, 1)
    ]
