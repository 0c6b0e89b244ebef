"""Puts a design into the spelling of another release of MLIR-AIE; each reads its own only.

Three things changed between the releases this project knows: the name of the runtime sequence, whether a
shim's DMA allocation names a tile or a column, and whether `link_with` may stand at a function.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.symbols import RUNTIME_SEQUENCES

# Operations that only the newer releases have.
_NEW_OPERATIONS = ("aie.logical_tile", "aiex.configure", "aiex.run")


def respell(module: Operation, *, sequence_op: str, allocation_has_tile: bool, functions_link: bool) -> bool:
    """Changes a parsed design in place; returns whether anything changed.

    Args:
        module: the design.
        sequence_op: `aiex.runtime_sequence` or `aie.runtime_sequence`.
        allocation_has_tile: whether `aie.shim_dma_allocation` names a tile; else its column.
        functions_link: whether `link_with` may stand at a function; else each core names the one object it is
            linked with.

    Raises:
        UserError: the design says what the other spelling cannot; located.
    """
    changed = False
    for op in list(module.walk()):
        if op.name in RUNTIME_SEQUENCES and op.name != sequence_op:
            op.name = sequence_op
            changed = True
        elif op.name == "aie.shim_dma_allocation" and bool(op.operands) != allocation_has_tile:
            _respell_allocation(op)
            changed = True
        elif op.name in _NEW_OPERATIONS and sequence_op == RUNTIME_SEQUENCES[0]:
            hint = "take a newer MLIR-AIE, or the embedded lowering: --provider lower=embedded and so on"
            raise UserError(f"MLIR-AIE before 2025-11-18 has no {op.name}", op.loc, hint=hint)
    if not functions_link:
        for device in [op for op in module.body.ops if op.name == "aie.device"]:
            changed |= _link_at_cores(device)
    return changed


def _respell_allocation(op: Operation) -> None:
    if op.operands:
        tile = op.operands.pop().op
        op.attributes["col"] = IntegerAttr(tile.integer("col"), "i64")
        return
    column = op.integer("col")
    device = op.enclosing("aie.device")
    assert device is not None
    for tile in device.body.ops:
        if tile.name == "aie.tile" and (tile.integer("col"), tile.integer("row")) == (column, 0):
            block = device.body.ops
            if block.index(tile) > block.index(op):  # a value must stand before its use
                block.remove(tile)
                tile = op.insert_before(tile)
            op.operands.append(tile.result)
            del op.attributes["col"]
            return
    raise UserError(
        f"the design has no tile ({column}, 0), which this allocation needs in newer syntax", op.loc
    )


def _link_at_cores(device: Operation) -> bool:
    """Moves `link_with` from the functions to the cores that call them."""
    functions = {op.string("sym_name"): op for op in device.body.ops if op.name == "func.func"}
    files = {
        name: op.attributes["link_with"] for name, op in functions.items() if "link_with" in op.attributes
    }
    for core in [op for op in device.body.ops if op.name == "aie.core"]:
        own = core.attributes.get("link_with")
        wanted = {own.value} if isinstance(own, StringAttr) else set()
        for op in core.walk():
            callee = op.attributes.get("callee")
            file = (
                files.get(callee.path[-1])
                if op.name == "func.call" and isinstance(callee, SymbolRefAttr)
                else None
            )
            if isinstance(file, StringAttr):
                wanted.add(file.value)
        if len(wanted) > 1 or "link_files" in core.attributes:
            raise UserError(
                f"the core is linked with {len(wanted)} objects, MLIR-AIE before 2026-03-13 links one",
                core.loc,
                hint="put the functions into one source file, or take a newer MLIR-AIE",
            )
        for name in wanted:
            core.attributes["link_with"] = StringAttr(name)
    for name in files:
        del functions[name].attributes["link_with"]
    return bool(files)
