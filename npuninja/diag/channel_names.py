"""What a lowered design calls the DMA channels, locks and cores of its tiles, for people."""

from __future__ import annotations

import re

from npuninja.ir.attributes import EnumAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module

#: What the lowering puts behind an objectFifo's name.
_MADE = re.compile(r"(?:_cons)?(?:_buff_\d+|_shim_alloc|_(?:prod|cons)_lock_\d+)$")


def names_of(path: str, kernel: str) -> dict[tuple[int, int, str, int], str]:
    """The names in `input_with_addresses.mlir`.

    Args:
        path: of the file.
        kernel: the device that is meant when the module has several.

    Returns:
        (column, row, `S2MM`, `MM2S`, `lock` or `core`, number) -> the objectFifo, symbol or kernel.
    """
    with open(path, encoding="utf-8") as stream:
        module = parse_module(stream.read(), path)
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    device = next((d for d in devices if d.string("sym_name", "main") == kernel), devices[0])
    found: dict[tuple[int, int, str, int], str] = {}
    for op in device.body.ops:
        if op.name in ("aie.mem", "aie.memtile_dma", "aie.shim_dma"):
            for start in op.walk():
                if start.name == "aie.dma_start":
                    name = _buffer_of(start)
                    if name:
                        column, row = _place(op)
                        found[column, row, _case(start), start.integer("channel_index")] = name
        elif op.name == "aie.lock" and "sym_name" in op.attributes:
            column, row = _place(op)
            found[column, row, "lock", op.integer("lockID", 0)] = op.string("sym_name")
        elif op.name == "aie.core":
            called = [c.attributes["callee"] for c in op.walk() if c.name == "func.call"]
            names = dict.fromkeys(c.path[-1] for c in called if isinstance(c, SymbolRefAttr))
            column, row = _place(op)
            found[column, row, "core", 0] = ", ".join(names)
        elif op.name == "aie.shim_dma_allocation" and op.operands:
            column, row = _place(op)
            found[column, row, _case(op), op.integer("channel_index")] = _MADE.sub("", op.string("sym_name"))
    return found


def _place(op: Operation) -> tuple[int, int]:
    tile = op.operands[0].owner
    assert isinstance(tile, Operation), op
    return tile.integer("col"), tile.integer("row")


def _case(op: Operation) -> str:
    direction = op.attributes.get("channel_dir")
    return direction.case if isinstance(direction, EnumAttr) else ""


def _buffer_of(start: Operation) -> str:
    """The objectFifo, or the buffer, of a channel's first descriptor."""
    block = start.successors[0][0]
    for op in block.ops:
        if op.name == "aie.dma_bd":
            owner = op.operands[0].owner
            if isinstance(owner, Operation) and "sym_name" in owner.attributes:
                return _MADE.sub("", owner.string("sym_name"))
    return ""
