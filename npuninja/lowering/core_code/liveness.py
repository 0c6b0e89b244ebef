"""Which values a core still needs after each wait: the ones to keep while it is not running."""

from __future__ import annotations

from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.syntax import group
from npuninja.lowering.core_code.bare_pointers import values_read


def is_wait(op: Operation) -> bool:
    """Whether the core may have to stop at this operation."""
    action = op.attributes.get("action")
    return op.name == "aie.use_lock" and isinstance(action, EnumAttr) and action.case != "Release"


def live_after_waits(region: Region) -> dict[Operation, list[Value]]:
    """For each wait of a region, the region's own values that are defined before it and used after it.

    They are in order of definition. Backward data flow over the blocks until nothing changes.
    """
    inside: dict[Value, int] = {}
    for block in region.blocks:
        for value in [*block.args, *(r for op in block.ops for r in op.results)]:
            inside[value] = len(inside)
    entry: dict[Block, set[Value]] = {block: set() for block in region.blocks}
    changed = True
    while changed:
        changed = False
        for block in reversed(region.blocks):
            live = _through(block, entry, inside, None)
            if live != entry[block]:
                entry[block] = live
                changed = True
    waits: dict[Operation, set[Value]] = {}
    for block in region.blocks:
        _through(block, entry, inside, waits)
    return {op: sorted(values, key=inside.__getitem__) for op, values in waits.items()}


def _through(
    block: Block,
    entry: dict[Block, set[Value]],
    inside: dict[Value, int],
    waits: dict[Operation, set[Value]] | None,
) -> set[Value]:
    """The values live at the start of a block, from those live at the start of its successors."""
    live: set[Value] = set()
    for op in reversed(block.ops):
        for target, passed in op.successors:
            live |= entry[target]
            live.update(v for v in passed if v in inside)
        if waits is not None and is_wait(op):
            # The amount, where it is a value, is looked at again when the core goes on.
            waits[op] = {*live, *(v for v in group(op, "value") if v in inside)}
        live.difference_update(op.results)
        live.update(v for v in values_read(op) if v in inside)
    return live.difference(block.args)
