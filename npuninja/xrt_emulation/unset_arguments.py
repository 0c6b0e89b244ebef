"""Arguments that instructions name and the program did not set.

XRT passes 0 for them, so on an NPU the transfer goes to an address that is nobody's: what is written there is lost, what is
read is not known. Designs with traces do the first: their traces go to an argument behind the design's own, and a program
that wants no trace passes none (MLIR-AIE's test bd_chain_repeat_on_memtile, which passes on NPUs).
"""

from __future__ import annotations

from npuninja.arch.registers import BD_STRIDE, CHANNEL_STRIDE, DMA, START_QUEUE, split_address
from npuninja.errors import UserError
from npuninja.formats.register_write import Write
from npuninja.formats.txn import AddressPatch, BlockWrite, read_txn

_SHIM = DMA["shim"]
_BDS = range(_SHIM.bd, _SHIM.bd + 16 * BD_STRIDE)
_FROM_HOST = range(_SHIM.mm2s_control + START_QUEUE, _SHIM.mm2s_control + 2 * CHANNEL_STRIDE, CHANNEL_STRIDE)


def unset_arguments(stream: bytes, count: int) -> dict[int, int]:
    """Argument -> the bytes that are written to it, of the arguments from `count` on.

    Raises:
        UserError: the stream is damaged, or reads such an argument.
    """
    found: dict[int, int] = {}
    words: dict[tuple[int, int], int] = {}  # by column and descriptor: how many it moves
    argument_of: dict[tuple[int, int], int] = {}
    for operation in read_txn(stream).operations:
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
            argument = argument_of.get((column, operation.value & 0xF), -1) if row == 0 else -1
            if argument >= count and offset in _FROM_HOST:
                raise UserError(
                    f"the instructions read buffer argument {argument}, which the program did not set",
                    hint=f"it set {count}; on an NPU its address is 0, and what is read there is not known",
                )
    return found
