"""Arguments that instructions write to, that a program did not set, and that nothing waits for: traces.

XRT passes 0 for an argument that was not set: on an NPU a transfer to it goes to memory of no buffer. Designs
with traces have such transfers: a trace goes to an argument after the design's own, and a program that wants
none passes none (MLIR-AIE's test bd_chain_repeat_on_memtile, which passes on NPUs). Whether a task ends whose
words nothing takes is not known: where instructions wait for one, or read such an argument, the array
stops with an error.
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
    """Argument -> the bytes that are written to it, from argument `count` on. Empty when one of them is read
    or waited for, and for a damaged stream, which the array runs as far as it goes, as an NPU does.
    """
    try:
        operations = read_txn(stream).operations
    except UserError:
        return {}
    transfers = _ArgumentTransfers(count)
    for operation in operations:
        if isinstance(operation, BlockWrite):
            transfers.block(operation)
        elif isinstance(operation, AddressPatch):
            transfers.patch(operation)
        elif isinstance(operation, Write):
            transfers.push(operation)
        elif isinstance(operation, Sync):
            transfers.sync(operation)
    reads = any(direction == "MM2S" for direction, _, _ in transfers.users)
    return {} if transfers.is_waited_for or reads else transfers.written


class _ArgumentTransfers:
    """Transfers of the shim's channels to arguments from `count` on.

    Attributes:
        written: argument -> bytes.
        users: direction, column and channel of those that were started.
        is_waited_for: whether the instructions wait for one of these channels.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._words: dict[tuple[int, int], int] = {}  # by column and descriptor: how many it moves
        self._argument_of: dict[tuple[int, int], int] = {}
        self.written: dict[int, int] = {}
        self.users: set[tuple[str, int, int]] = set()
        self.is_waited_for = False

    def block(self, operation: BlockWrite) -> None:
        column, row, offset = split_address(operation.address)
        if row == 0 and offset in _BDS:
            descriptor = column, (offset - _SHIM.bd) // BD_STRIDE
            self._words[descriptor] = int.from_bytes(operation.data[:4], "little")
            self._argument_of.pop(descriptor, None)

    def patch(self, operation: AddressPatch) -> None:
        column, _, offset = split_address(operation.address)
        descriptor, argument = (column, (offset - _SHIM.bd) // BD_STRIDE), operation.argument
        self._argument_of[descriptor] = argument
        if argument >= self._count:
            end = operation.offset_bytes + 4 * self._words.get(descriptor, 0)
            self.written[argument] = max(self.written.get(argument, 0), end)

    def push(self, operation: Write) -> None:
        column, row, offset = split_address(operation.address)
        argument = self._argument_of.get((column, operation.value & 0xF), -1)
        if row == 0 and offset in _QUEUES and argument >= self._count:
            direction, channel = _QUEUES[offset]
            self.users.add((direction, column, channel))

    def sync(self, operation: Sync) -> None:
        columns = range(operation.column, operation.column + operation.columns)
        self.is_waited_for |= any(
            column in columns and (DIRECTIONS[direction], channel) == (operation.direction, operation.channel)
            for direction, column, channel in self.users
        )
