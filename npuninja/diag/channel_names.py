"""What a lowered design calls the DMA channels, locks and cores of its tiles, for people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from npuninja.arch.devices import TilePlace
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.syntax import operand
from npuninja.lowering.tiles import DMA_REGIONS, place_of

#: What the lowering puts after an objectFifo's name.
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
    return {(*place, kind, number): name for place, kind, number, name in _names(device) if name}


def _names(device: Operation) -> Iterator[tuple[TilePlace, str, int, str]]:
    """Place, kind, number and name of what has one; "" for a channel without."""
    for op in device.body.ops:
        if op.name in DMA_REGIONS:
            for start in op.walk():
                if start.name == "aie.dma_start":
                    number = start.integer("channel_index")
                    yield place_of(op.tile), start.enum("channel_dir"), number, _buffer_of(start)
        elif op.name == "aie.lock" and "sym_name" in op.attributes:
            yield place_of(op.tile), "lock", op.integer("lockID", 0), op.string("sym_name")
        elif op.name == "aie.core":
            names = dict.fromkeys(call.symbol("callee") for call in op.walk() if call.name == "func.call")
            yield place_of(op.tile), "core", 0, ", ".join(names)
        elif op.name == "aie.shim_dma_allocation" and op.operands:
            name = _MADE.sub("", op.string("sym_name"))
            yield place_of(op.tile), op.enum("channel_dir"), op.integer("channel_index"), name


def _buffer_of(start: Operation) -> str:
    """The objectFifo, or the buffer, of a channel's first descriptor."""
    block = start.successors[0][0]
    for op in block.ops:
        if op.name == "aie.dma_bd":
            owner = operand(op, "buffer").owner
            if isinstance(owner, Operation) and "sym_name" in owner.attributes:
                return _MADE.sub("", owner.string("sym_name"))
    return ""
