"""The two syntax generations of MLIR-AIE and where their results differ.

One lowering serves both; what differs is in the table `RULES`, one row a generation (docs: the conformance
README).
"""

from __future__ import annotations

from typing import NamedTuple

from npuninja.errors import UserError
from npuninja.ir.core import Operation


class Rules(NamedTuple):
    """How the results of one generation look."""

    name: str
    #: A tile op without users disappears before anything is assigned to it.
    drops_unused_tiles: bool
    #: A column that holds tiles but no shim tile gets one, without a controller id.
    adds_shim_tiles: bool
    #: `aie.shim_dma_allocation` names its tile; before, its column.
    allocation_has_tile: bool
    #: In a one-to-one link, an output with padDimensions leaves the buffers to the input whatever their
    #: sizes.
    padded_link_keeps_input: bool
    #: `link_with` of the functions a core calls is collected in the core's `link_files`.
    core_link_files: bool
    #: Constants are folded, and dead ones removed, once more after loops were unrolled.
    folds_after_unrolling: bool
    #: Contiguous transfers of a runtime sequence are written as linear ones.
    linearizes_transfers: bool
    #: A channel's tokens carry the controller id of the shim tile of its column, not of its own tile.
    shim_controller_id: bool
    #: Step 3 runs MLIR's canonicalizer, over core bodies too.
    canonicalizes_sequences: bool


RULES = {
    rules.name: rules
    for rules in (
        Rules("2025-10", True, True, False, False, False, False, False, True, False),
        Rules("2026-02", False, False, True, True, True, True, True, False, True),
    )
}


def rules_of(generation: str) -> Rules:
    """The row of a generation; UserError when there is none of that name."""
    rules = RULES.get(generation)
    if rules is None:
        raise UserError(f"unknown syntax generation '{generation}'", hint=f"known: {', '.join(RULES)}")
    return rules


def detect(module: Operation) -> str:
    """The generation a design is written for, by the first operation whose spelling differs between the two."""
    for op in module.walk():
        if op.name in ("aie.runtime_sequence", "aiex.configure", "aie.logical_tile"):
            return "2026-02"
        if op.name == "aiex.runtime_sequence":
            return "2025-10"
        if op.name == "aie.shim_dma_allocation":
            return "2026-02" if op.operands else "2025-10"
        if op.name == "func.func" and "link_with" in op.attributes:
            return "2026-02"
    return "2025-10"
