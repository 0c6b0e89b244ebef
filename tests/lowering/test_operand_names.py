"""Lowering reads operands by the names of their definitions (`ir/syntax.py`), not by their places."""

from __future__ import annotations

import re
from pathlib import Path

LOWERING = Path(__file__).parent.parent.parent / "npuninja" / "lowering"
SEVERAL_NAMES = "operations that are treated alike call this operand by different names"
REPLACED = "operands are put in the place of others"
# Modules that take operands by place: how often, and why.
BY_PLACE = {
    "number_operands.py": (
        7,
        "numbers come after the operands of the definition until they are attributes",
    ),
    "control_flow/affine_to_scf.py": (2, "dimensions and symbols of a map are one group, in the map's order"),
    "control_flow/block_merging.py": (1, REPLACED),
    "control_flow/constant_folding.py": (1, REPLACED),
    "control_flow/redundancy.py": (1, REPLACED),
    "control_flow/view_folding.py": (2, REPLACED),
    "core_code/bare_pointers.py": (1, SEVERAL_NAMES),
    "core_code/memory.py": (1, SEVERAL_NAMES),
    "core_code/vectors.py": (5, SEVERAL_NAMES),
    "resources/place_by_demand.py": (1, SEVERAL_NAMES),
    "sequence/arguments.py": (1, SEVERAL_NAMES),
    "sequence/bd_chains.py": (1, "what comes after a chain's arguments is given on as it is"),
}


def test_operands_are_read_by_name() -> None:
    found = {}
    for path in sorted(LOWERING.rglob("*.py")):
        count = len(re.findall(r"\boperands\[", path.read_text(encoding="utf-8")))
        if count:
            found[path.relative_to(LOWERING).as_posix()] = count
    assert found == {name: count for name, (count, _) in BY_PLACE.items()}
