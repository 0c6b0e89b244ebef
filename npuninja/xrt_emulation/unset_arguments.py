"""Arguments that instructions write to, that a program did not set, and that nothing waits for: traces.

XRT passes 0 for an argument that was not set, so on an NPU a transfer to it goes to an address that is nobody's. Designs with
traces have such transfers: a trace goes to an argument behind the design's own, and a program that wants no trace passes none
(MLIR-AIE's test bd_chain_repeat_on_memtile, which passes on NPUs). Whether a task ends whose words nobody takes is not known, so
where the instructions wait for one, or read such an argument, the array stops with an error.
"""

from __future__ import annotations

from npuninja.arch.devices import TILE_KINDS
from npuninja.arch.registers import BD_STRIDE, DIRECTIONS, DMA, channel_queue, split_address
from npuninja.errors import UserError
from npuninja.formats.register_write import Write
from npuninja.formats.txn import AddressPatch, BlockWrite, Sync, read_txn

_SHIM = DMA["shim"]
_BDS = range(_SHIM.bd, _SHIM.bd + TILE_KINDS["shim"].bds * BD_STRIDE)
_QUEUES = {
    channel_queue("shim", direction, channel): (direction, channel)
    for direction in DIRECTIONS
    for channel in (0, 1)
}


def unset_arguments(stream: bytes, count: int) -> dict[int, int]:
    """Argument -> the bytes that are written to it, for the arguments from `count` on; empty when one of them is read or
    waited for, and for a damaged stream, which the array runs as far as it goes, as an NPU does.
    """
    try:
        operations = read_txn(stream).operations
    except UserError:
        return {}
    found: dict[int, int] = {}
    words: dict[tuple[int, int], int] = {}  # by column and descriptor: how many it moves
    argument_of: dict[tuple[int, int], int] = {}
    users: dict[tuple[str, int, int], set[int]] = {}  # by direction, column and channel: such arguments
    needed: set[int] = set()
    for operation in operations:
        if isinstance(operation, BlockWrite):
            column, row, offset = split_address(operation.address)
            if row == 0 and offset in _BDS:
                descriptor = column, (offset - _SHIM.bd) // BD_STRIDE
                words[descriptor] = int.from_bytes(operation.data[:4], "little")
                argument_of.pop(descriptor, None)
        elif isinstance(operation, AddressPatch):
            column, _, offset = split_address(operation.address)
            descriptor = column, (offset - _SHIM.bd) // BD_STRIDE
            argument_of[descriptor] = operation.argument
            if operation.argument >= count:
                end = operation.offset_bytes + 4 * words.get(descriptor, 0)
                found[operation.argument] = max(found.get(operation.argument, 0), end)
        elif isinstance(operation, Write):
            column, row, offset = split_address(operation.address)
            if row or offset not in _QUEUES:
                continue
            argument = argument_of.get((column, operation.value & 0xF), -1)
            direction, channel = _QUEUES[offset]
            if argument >= count:
                users.setdefault((direction, column, channel), set()).add(argument)
        elif isinstance(operation, Sync):
            for (direction, column, channel), arguments in users.items():
                of_it = operation.column <= column < operation.column + operation.columns
                if of_it and (DIRECTIONS[direction], channel) == (operation.direction, operation.channel):
                    needed |= arguments
    reads = any(direction == "MM2S" for direction, _, _ in users)
    return {} if needed or reads else found
