"""What happens to a device before anything is assigned: unused tiles disappear and constants are folded."""

from __future__ import annotations

from npuninja.ir.core import Operation
from npuninja.lowering.constant_folding import fold_constants
from npuninja.lowering.generation import Rules
from npuninja.lowering.tiles import ops_of


def canonicalize_device(device: Operation, rules: Rules) -> None:
    """Folds constants in cores, and removes tile operations without users where the generation does so."""
    if rules.drops_unused_tiles:
        used = {value for op in device.walk() for value in op.operands}
        for op in list(ops_of(device, "aie.tile")):
            if op.result not in used:
                op.erase()
    fold_constants(device)
