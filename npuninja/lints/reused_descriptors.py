"""Lint: two transfers of a runtime sequence use one buffer descriptor, without a wait in between."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.attributes import SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.symbols import RUNTIME_SEQUENCES

_TRANSFER = "aiex.npu.dma_memcpy_nd"
# After any of these the first transfer may be over; which transfers each waits for is not looked at.
_WAITS = ("aiex.npu.dma_wait", "aiex.npu.sync", "aiex.dma_await_task")


def check_reused_descriptors(device: Operation, warnings: Warnings) -> None:
    """Warns of the second of two transfers with one `id` on one shim tile.

    The first transfer may still read the descriptor when that is written again: on an NPU the first may then
    move the data of the second. Different tiles have descriptors of their own.
    """
    columns = _columns(device)
    for sequence in device.body.ops:
        if sequence.name not in RUNTIME_SEQUENCES:
            continue
        used: dict[tuple[int, int], Operation] = {}
        for op in sequence.regions[0].entry.ops:
            if op.name in _WAITS:
                used.clear()
            if op.name != _TRANSFER or "id" not in op.attributes:
                continue
            metadata = op.attributes.get("metadata")
            name = metadata.path[-1] if isinstance(metadata, SymbolRefAttr) else ""
            column = columns.get(name)
            if column is None:
                continue
            key = (column, op.integer("id"))
            first = used.setdefault(key, op)
            if first is op or first.loc is None:
                continue
            warnings.add(
                f"this transfer has id {key[1]}, as that at {first.loc}: both use one buffer descriptor of "
                f"shim tile ({column}, 0), and nothing is waited for in between: give each an id of its own",
                op.loc,
            )


def _columns(device: Operation) -> dict[str, int]:
    """The column of the shim tile that a transfer's `metadata` means; only where it is known."""
    found: dict[str, int] = {}
    for op in device.body.ops:
        if op.name == "aie.objectfifo":
            tiles = [value.made_by("aie.tile") for value in op.operands]
            shims = {tile.integer("col") for tile in tiles if tile is not None and tile.integer("row") == 0}
            if len(shims) == 1:
                found[op.string("sym_name")] = shims.pop()
        elif op.name == "aie.shim_dma_allocation":
            tile = op.tile.made_by("aie.tile") if op.operands else None
            if tile is not None:
                found[op.string("sym_name")] = tile.integer("col")
            elif "col" in op.attributes:
                found[op.string("sym_name")] = op.integer("col")
    return found
