"""The names of values in printed text: their own if they have one, else what aie-opt suggests, or a number.

Follows MLIR's rules (SSANameState in mlir/lib/IR/AsmPrinter.cpp): a region's values are named before those of
the regions inside it, numbers go on inside, and a name that is taken gets `_` and the next conflict number.
"""

from __future__ import annotations

import re

from npuninja.arch.families import SHARED_ROWS
from npuninja.ir.attributes import BoolAttr, IntegerAttr, StringAttr
from npuninja.ir.core import Operation, Region, Value
from npuninja.ir.tiles import TILE_NAMES, device_of, place_of

# Names by operation for what is on a tile: AIE dialect, getAsmResultNames.
_ON_TILE = {
    "aie.core": "core",
    "aie.mem": "mem",
    "aie.memtile_dma": "memtile_dma",
    "aie.shim_dma": "shim_dma",
    "aie.shim_mux": "shim_mux",
    "aie.switchbox": "switchbox",
}
_NAME = re.compile(r"[A-Za-z$._-][\w$.-]*")


def value_names(root: Operation) -> dict[Value, str]:
    """The printed name, with its `%`, of every value in and of `root`. Results of a group get `%name#i`."""
    names: dict[Value, str] = {}
    used: set[str] = set()
    counters = _Counters()
    _name_results(root, names, used, counters)
    for region in root.regions:
        _name_region(region, names, used, counters.copy())
    return names


class _Counters:
    """The next number for an unnamed value, for an argument, and for a name that is taken."""

    __slots__ = ("argument", "conflict", "value")

    def __init__(self, value: int = 0, argument: int = 0, conflict: int = 0) -> None:
        self.value = value
        self.argument = argument
        self.conflict = conflict

    def copy(self) -> _Counters:
        return _Counters(self.value, self.argument, self.conflict)

    def unique(self, name: str, used: set[str]) -> str:
        """`name`, or `name_N` when it is used; notes it as used."""
        found = name
        while found in used:
            found = f"{name}_{self.conflict}"
            self.conflict += 1
        used.add(found)
        return found


def _name_region(region: Region, names: dict[Value, str], used: set[str], counters: _Counters) -> None:
    before = set(used)
    for block in region.blocks:
        is_entry = block is region.blocks[0]
        for arg in block.args:
            if arg.name and _NAME.fullmatch(arg.name):
                names[arg] = "%" + counters.unique(arg.name, used)
            elif is_entry:
                names[arg] = "%" + counters.unique(f"arg{counters.argument}", used)
                counters.argument += 1
            else:
                names[arg] = f"%{counters.value}"
                counters.value += 1
        for op in block.ops:
            if op.results:
                _name_results(op, names, used, counters)
    for block in region.blocks:
        for op in block.ops:
            for inner in op.regions:
                _name_region(inner, names, used, counters.copy())
    used.intersection_update(before)


def _name_results(op: Operation, names: dict[Value, str], used: set[str], counters: _Counters) -> None:
    for group in result_groups(op):
        first = group[0]
        base = first.name if _NAME.fullmatch(first.name) else _suggested_name(op)
        if base:
            name = "%" + counters.unique(base, used)
        else:
            name = f"%{counters.value}"
            counters.value += 1
        names[first] = name if len(group) == 1 else name + "#0"
        for i in range(1, len(group)):
            names[group[i]] = f"{name}#{i}"


def result_groups(op: Operation) -> list[list[Value]]:
    """The results as printed before the `=`: a group is a named result and the unnamed ones after it."""
    groups: list[list[Value]] = []
    for result in op.results:
        if groups and not result.name:
            groups[-1].append(result)
        else:
            groups.append([result])
    return groups


def _suggested_name(op: Operation) -> str:
    """The name aie-opt gives an unnamed result, or "" for a number."""
    if op.name == "arith.constant":
        return _constant_name(op)
    if op.name == "aie.tile":
        col, row = op.integer("col", 0), op.integer("row", 0)
        device = device_of(op)
        kind = (device.family.rows if device is not None else SHARED_ROWS).kind(row)
        return f"{TILE_NAMES[kind]}_{col}_{row}"
    prefix = _ON_TILE.get(op.name)
    if prefix:
        place = place_of(op.tile) if op.operands else None
        return "" if place is None else f"{prefix}_{place[0]}_{place[1]}"
    if op.name in ("aie.buffer", "aie.lock", "aie.external_buffer"):
        name = op.attributes.get("sym_name")
        if isinstance(name, StringAttr) and _NAME.fullmatch(name.value):
            return name.value
    return ""


def _constant_name(op: Operation) -> str:
    value = op.attributes.get("value")
    if isinstance(value, BoolAttr):
        return "true" if value.value else "false"
    if isinstance(value, IntegerAttr):
        return f"c{value.value}" if value.type == "index" else f"c{value.value}_{value.type}"
    return "cst"
