"""Step 3: the runtime sequences of a module, from transfers and tasks to register writes, patches and waits.

The order of the passes is aiecc's; MLIR-AIE's pass names are in the comments.
"""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.lowering.control_flow.block_merging import merge_blocks
from npuninja.lowering.control_flow.branch_simplification import simplify_branches
from npuninja.lowering.control_flow.constant_folding import fold_constants
from npuninja.lowering.generation import rules_of
from npuninja.lowering.number_operands import numbers_from_values, numbers_to_values
from npuninja.lowering.resources.canonicalize_device import drop_unused_tiles
from npuninja.lowering.sequence.bd_chains import materialize_bd_chains
from npuninja.lowering.sequence.checks import check_queues, check_tokens
from npuninja.lowering.sequence.contiguous_transfers import linearize_descriptors, linearize_transfers
from npuninja.lowering.sequence.devices import materialize_sequences
from npuninja.lowering.sequence.lookup import sequences
from npuninja.lowering.sequence.loops import unroll_sequence_loops
from npuninja.lowering.sequence.resets import drop_bindings, lower_resets
from npuninja.lowering.sequence.task_ids import assign_bd_ids
from npuninja.lowering.sequence.tasks import lower_tasks, substitute_allocations
from npuninja.lowering.sequence.transfers import expand
from npuninja.lowering.tiles import model_of


def lower_sequences(module: Operation, generation: str, warnings: Warnings) -> None:
    """Lowers every runtime sequence of every device in place, as `npu_insts.mlir` has them.

    Raises UserError.
    """
    rules = rules_of(generation)
    numbers_from_values(module)
    materialize_sequences(module)  # aie-materialize-runtime-sequences
    for device in module.body.ops:
        if device.name != "aie.device":
            continue
        model = model_of(device)
        materialize_bd_chains(device)  # aie-materialize-bd-chains
        merge_blocks(device)
        if rules.drops_unused_tiles_late:
            _simplify(device)
        if rules.canonicalizes_sequences:
            linearize_transfers(device)
            simplify_branches(device)
            fold_constants(device)
        if rules.unrolls_sequences_late:
            unroll_sequence_loops(device)  # aie-unroll-runtime-sequence-loops
            numbers_from_values(device)
        for sequence in sequences(device):
            if len(sequence.regions[0].blocks) > 1:
                raise UserError("a runtime sequence is one block, this one branches", sequence.loc)
            substitute_allocations(device, sequence)  # aie-substitute-shim-dma-allocations
        if rules.linearizes_transfers:
            linearize_descriptors(device, keeps_iteration=rules.ignores_single_steps)
        for sequence in sequences(device):
            assign_bd_ids(sequence, checks_tokens=rules.checks_tokens)  # aie-assign-runtime-sequence-bd-ids
            lower_tasks(sequence, model, rules, warnings)  # aie-dma-tasks-to-npu
            lower_resets(device, sequence)  # aie-lower-dma-channel-reset, aie-lower-core-reset
            expand(device, sequence, model, rules, warnings)  # aie-dma-to-npu, aie-lower-set-lock
            check_tokens(device, sequence, model, warnings)
            check_queues(device, sequence, model, warnings)
        drop_bindings(device)
    if rules.numbers_are_values:
        numbers_to_values(module)


def _simplify(device: Operation) -> None:
    """What MLIR's greedy rewriting does on the way to its patterns: folds constants, drops what nothing uses."""
    fold_constants(device, join=False)
    drop_unused_tiles(device)
