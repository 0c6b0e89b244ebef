"""Named chains of buffer descriptors: each start becomes a task that holds a copy of the chain.

    aie.bd_chain @c(%a: memref<…>) { … }            (device level)
    %t = aiex.dma_start_bd_chain @c(%x) : (memref<…>) on (%tile, MM2S, 0)
    %t = aiex.dma_start_bd_chain_for @c(%x) : (memref<…>) for @allocation

becomes `aiex.dma_configure_task` or `aiex.dma_configure_task_for` with the chain's blocks, and
`aiex.dma_start_task`.

Source: MLIR-AIE AIEMaterializeBDChains.cpp.
"""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Block, Operation, Region, clone
from npuninja.ir.syntax import group
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import lookup, sequences

_STARTS = {
    "aiex.dma_start_bd_chain": "aiex.dma_configure_task",
    "aiex.dma_start_bd_chain_for": "aiex.dma_configure_task_for",
}


def materialize_bd_chains(device: Operation, rules: Rules, warnings: Warnings) -> None:
    """Replaces every start of a chain in the device's sequences. The chains stay, but nothing uses them."""
    for sequence in sequences(device):
        for op in list(sequence.body.ops):
            if op.name in _STARTS:
                if rules.tools_refuse_bd_chains:
                    warnings.add_once(
                        f"a sequence that names an aie.bd_chain is refused by the tools of {rules.release}; "
                        "npuninja lowers it as those before did",
                        op.loc,
                    )
                _materialize(device, sequence, op)


def _materialize(device: Operation, sequence: Operation, start: Operation) -> None:
    # The chain's symbol is `symbol`; `alloc` names the channel, as in the task that replaces the start.
    chain = lookup(device, start.symbol("symbol"), ("aie.bd_chain",), start)
    passed, expected = group(start, "args"), chain.body.args
    if [v.type for v in passed] != [v.type for v in expected]:
        raise UserError(
            f"@{start.symbol('symbol')} takes ({', '.join(v.type for v in expected)}), "
            f"given ({', '.join(v.type for v in passed)})",
            start.loc,
            notes=(("the chain", chain.loc),),
        )
    copy = clone(chain, {})
    entry = copy.body
    copy.replace_uses(dict(zip(entry.args, passed)))
    region = Region([Block([], entry.label), *copy.regions[0].blocks[1:]])
    for op in entry.ops:
        region.entry.append(op)
    task = Operation(
        _STARTS[start.name],
        start.operands[len(passed) :],
        {key: value for key, value in start.attributes.items() if key != "symbol"},
        tuple(r.type for r in start.results),
        [region],
        loc=start.loc,
        result_names=tuple(r.name for r in start.results),
    )
    start.insert_before(task)
    start.insert_before(Operation("aiex.dma_start_task", [task.result], loc=start.loc))
    sequence.replace_uses({start.result: task.result})
    start.erase()
