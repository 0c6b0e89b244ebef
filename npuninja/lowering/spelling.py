"""Puts a design into the spelling of another release of MLIR-AIE; each reads its own only.

What changed between the known releases: the runtime sequence's name, whether a shim's DMA allocation names a
tile or a column, whether `link_with` is at functions, whether numbers of locks, descriptors and register
writes are attributes or SSA values, the form of `aie.trace.host_config`, where a padding value is.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.numbers import NUMBERS
from npuninja.ir.symbols import RUNTIME_SEQUENCES
from npuninja.lowering import op_builders
from npuninja.lowering.number_operands import numbers_from_values, numbers_to_values
from npuninja.lowering.spelled_generation import generations_and_days, mark_of
from npuninja.lowering.tiles import model_of, ops_of, tile_at

#: What `numbers` puts from one form into the other.
_RESPELLED = frozenset(
    {
        *NUMBERS,
        "aie.dma_bd",
        "aie.trace.host_config",
        "aiex.dma_configure_task",
        "aiex.dma_configure_task_for",
    }
)
LATEST = "2026-08"
# Operations that only the newer releases have.
_NEW_OPERATIONS = ("aie.logical_tile", "aiex.configure", "aiex.run")


def respell(
    module: Operation,
    *,
    sequence_op: str,
    allocation_has_tile: bool,
    functions_link: bool,
    numbers: str = "",
) -> bool:
    """Changes a parsed design in place; returns whether anything changed.

    Args:
        module: the design.
        sequence_op: `aiex.runtime_sequence` or `aie.runtime_sequence`.
        allocation_has_tile: whether `aie.shim_dma_allocation` names a tile; else its column.
        functions_link: whether `link_with` may be at a function; else each core names its one object.
        numbers: `values` or `attributes`; "" leaves them as they are.

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
            device = op.enclosing("aie.device")
            if allocation_has_tile and device is not None:
                _drop_namesakes(device)
        elif op.name in _NEW_OPERATIONS and sequence_op == RUNTIME_SEQUENCES[0]:
            hint = "take a newer MLIR-AIE, or the embedded lowering: --provider lower=embedded and so on"
            raise UserError(f"MLIR-AIE before 2025-11-18 has no {op.name}", op.loc, hint=hint)
    for device in [op for op in module.body.ops if op.name == "aie.device"]:
        changed |= _link_at_functions(device) if functions_link else _link_at_cores(device)
    if numbers:
        changed |= _respell_numbers(module, numbers == "values")
    return changed


def _respell_numbers(module: Operation, values: bool) -> bool:
    """Between literal numbers (to MLIR-AIE 1.3) and SSA values with keywords (1.4). Says if any changed."""
    possible, days = generations_and_days(module)
    # What only releases of the days between read is spelled again for any.
    if days is None and ((LATEST in possible) if values else (set(possible) - {LATEST})):
        return False
    if not values:
        _check_older(module)
    numbers_from_values(module)
    for op in module.walk():
        if op.name == "aie.trace.host_config":
            _respell_host_config(op, values)
        elif op.name == "aie.dma_bd" and values and "pad_value" in op.attributes:
            if op.integer("pad_value"):
                hint = "write pad_value at aie.dma_start"
                raise UserError(
                    "in MLIR-AIE 1.4 a channel has the value that pads, not a descriptor", op.loc, hint=hint
                )
            del op.attributes["pad_value"]
        elif op.name == "aie.dma_bd" and not values:
            op.attributes.pop("offset_written", None)  # which only the newer form tells apart
    if values:
        numbers_to_values(module)
    return True


def _check_older(module: Operation) -> None:
    """UserError for what only MLIR-AIE 1.4 can say."""
    for op in module.walk():
        mark = mark_of(op)
        # A mark in quotes is an operation or attribute of its own, not another form of an older one.
        own = mark is not None and (mark.what.startswith("'") or op.name not in _RESPELLED)
        if mark is not None and mark.generations == (LATEST,) and own:
            raise UserError(
                f"MLIR-AIE before 1.4 has no {mark.what}",
                op.loc,
                hint="take MLIR-AIE 1.4, or the embedded lowering: --provider lower=embedded and so on",
            )


def _respell_host_config(op: Operation, dictionary: bool) -> None:
    """The buffer's argument was counted, 4 if nothing was said; 1.4 appends one of its own."""
    given = op.integer("arg_idx", -1)
    if dictionary and given not in (-1, 4):
        raise UserError(
            f"MLIR-AIE 1.4 gives traces an argument of their own, not number {given}",
            op.loc,
            hint="leave arg_idx out, and give the trace the last buffer",
        )
    if dictionary:
        op.attributes.pop("arg_idx", None)
        op.attributes.pop("routing", None)
    else:
        op.attributes["arg_idx"] = IntegerAttr(-1, "i32")


def _respell_allocation(op: Operation) -> None:
    if op.operands:
        op.attributes["col"] = IntegerAttr(op.operands.pop().op.integer("col"), "i64")
        return
    column = op.integer("col")
    device = op.enclosing("aie.device")
    assert device is not None
    tile = tile_at(device, (column, 0)) or op.insert_before(op_builders.tile(column, 0, model_of(device)))
    block = device.body.ops
    if block.index(tile) > block.index(op):  # a value must come before its use
        block.remove(tile)
        op.insert_before(tile)
    op.operands.append(tile.result)
    del op.attributes["col"]


def _drop_namesakes(device: Operation) -> None:
    """An allocation with a tile is a symbol: a `memref.global` of its name, declared for it before, goes."""
    names = {op.attributes["sym_name"] for op in device.body.ops if op.name == "aie.shim_dma_allocation"}
    read = {op.attributes["name"] for op in device.walk() if op.name == "memref.get_global"}
    for op in list(device.body.ops):
        if op.name == "memref.global" and op.attributes["sym_name"] in names:
            if SymbolRefAttr((op.string("sym_name"),)) in read:
                raise UserError(
                    f"newer MLIR-AIE cannot tell this from the allocation @{op.string('sym_name')}",
                    op.loc,
                    hint="give one of them another name",
                )
            op.erase()


def _link_at_functions(device: Operation) -> bool:
    """Moves `link_with` from cores to the functions they call, where newer releases want it; at a core they
    take it too, with a warning that prints the whole core. A function that cores take from different files
    stays as it is.
    """
    functions = {
        op.string("sym_name"): op
        for op in device.body.ops
        if op.name == "func.func" and not op.regions[0].blocks
    }
    called = {core: _callees(core) & functions.keys() for core in ops_of(device, "aie.core")}
    linking = {
        core: own for core in called if (own := core.attributes.get("link_with")) is not None and called[core]
    }
    moved = False
    for core, own in linking.items():
        names = called[core]
        files = {other.attributes.get("link_with") for other, its in called.items() if its & names}
        files |= {functions[name].attributes.get("link_with", own) for name in names}
        if files == {own}:
            for name in names:
                functions[name].attributes["link_with"] = own
            moved = True
    for core, own in linking.items() if moved else ():
        if {functions[name].attributes.get("link_with") for name in called[core]} == {own}:
            del core.attributes["link_with"]
    return moved


def _callees(core: Operation) -> set[str]:
    return {op.symbol("callee") for op in core.walk() if op.name == "func.call"}


def _link_at_cores(device: Operation) -> bool:
    """Moves `link_with` from the functions to the cores that call them."""
    functions = {op.string("sym_name"): op for op in device.body.ops if op.name == "func.func"}
    files = {
        name: op.attributes["link_with"] for name, op in functions.items() if "link_with" in op.attributes
    }
    for core in ops_of(device, "aie.core"):
        own = core.attributes.get("link_with")
        wanted = {own.value} if isinstance(own, StringAttr) else set()
        found = (files.get(name) for name in _callees(core))
        wanted |= {file.value for file in found if isinstance(file, StringAttr)}
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
