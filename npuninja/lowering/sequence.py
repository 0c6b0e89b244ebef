"""Step 3: the runtime sequences of a module, from transfers and tasks to register writes, patches and waits.

The order of the passes is aiecc's; MLIR-AIE's pass names are in the comments.
"""

from __future__ import annotations

from npuninja.diag.errors import UserError
from npuninja.ir.core import Operation
from npuninja.lowering.bd_chains import materialize_bd_chains
from npuninja.lowering.contiguous_transfers import linearize_transfers
from npuninja.lowering.generation import rules_of
from npuninja.lowering.sequence_devices import materialize_sequences
from npuninja.lowering.sequence_lookup import sequences
from npuninja.lowering.sequence_transfers import expand
from npuninja.lowering.task_ids import assign_bd_ids
from npuninja.lowering.tasks import lower_tasks, substitute_allocations
from npuninja.lowering.tiles import model_of


def lower_sequences(module: Operation, generation: str) -> None:
    """Lowers every runtime sequence of every device in place, as `npu_insts.mlir` has them. Raises UserError."""
    rules = rules_of(generation)
    materialize_sequences(module)  # aie-materialize-runtime-sequences
    for device in module.body.ops:
        if device.name != "aie.device":
            continue
        model = model_of(device)
        materialize_bd_chains(device)  # aie-materialize-bd-chains
        if rules.drops_unused_tiles:
            erase_unused(device)  # the first pass runs MLIR's greedy driver, which does this on the way
        if rules.linearizes_transfers:
            linearize_transfers(device)  # canonicalize
        for sequence in sequences(device):
            if len(sequence.regions[0].blocks) > 1:
                raise UserError("a runtime sequence is one block, this one branches", sequence.loc)
            substitute_allocations(device, sequence)  # aie-substitute-shim-dma-allocations
            assign_bd_ids(sequence)  # aie-assign-runtime-sequence-bd-ids
            lower_tasks(sequence)  # aie-dma-tasks-to-npu
            expand(device, sequence, model, rules)  # aie-dma-to-npu, aie-lower-set-lock


#: Operations without effects, beside those of `arith` and `math`: an unused one can go.
_PURE = {"aie.tile", "memref.cast", "memref.get_global", "memref.load", "memref.reinterpret_cast", "memref.subview"}


def erase_unused(device: Operation) -> None:
    """Erases operations without effects whose results nothing uses: above all tiles, and constants left in cores."""
    uses: dict[int, int] = {}
    operations = list(device.walk())
    for op in operations:
        for value in _used(op):
            uses[id(value)] = uses.get(id(value), 0) + 1
    for op in reversed(operations):
        if op.name in _PURE or op.name.startswith(("arith.", "math.", "vector.extract")):
            if any(uses.get(id(r)) for r in op.results):
                continue
            for value in _used(op):
                uses[id(value)] -= 1
            op.erase()


def _used(op: Operation) -> list[object]:
    return [*op.operands, *(v for _, passed in op.successors for v in passed)]
