"""Instructions from an ELF: XRT has put the addresses of buffers, PDIs and the scratchpad into them.

The emulator's array takes buffers as numbered arguments, and loads PDIs by number. So each named buffer
becomes an argument, and the stream's patches refer to these: what counts is what XRT wrote, not what the
call passes in addition.

Sources: XRT, elf_patcher.cpp (which bits of a descriptor are the address); aie-rt (the shim's address space).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from npuninja.emulator.layout import ARGUMENT_MARK
from npuninja.formats.instruction_elf import patches_of
from npuninja.formats.txn import (
    DDR_AIE_OFFSET,
    LOADPDI,
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    CreateScratchpad,
    LoadPdi,
    read_txn_at,
)
from npuninja.records import NamedTuple

_LOW_MASK, _HIGH_MASK = 0xFFFFFFFC, 0xFFFF
# Of an address patch: argument and bytes to add, two 64-bit words after its head and register.
_ARGUMENT_OFFSET = 32
_SCRATCHPAD_OFFSET = 8  # of the address in what makes a scratchpad


class PatchedStream(NamedTuple):
    """A stream for the array: each argument's device address, and which arguments are scratchpads."""

    stream: bytes
    begins: list[int]
    scratchpads: frozenset[int]


def _itself(address: int) -> int:
    return address


def with_arguments(
    stream: bytes,
    begin_of: Callable[[int], int] = _itself,
    number_of: Callable[[LoadPdi], int] | None = None,
) -> PatchedStream:
    """A stream whose address patches name arguments.

    Args:
        stream: instructions as XRT patched them.
        begin_of: the device address at which the buffer with a device address begins.
        number_of: the number by which the array knows a PDI; None leaves the stream's own numbers.

    Raises:
        UserError: the stream is damaged; what `begin_of` and `number_of` raise.
    """
    text, begins, scratchpads = bytearray(stream), list[int](), set[int]()

    def argument(address: int) -> tuple[int, int]:
        begin = begin_of(address)
        if begin not in begins:
            begins.append(begin)
        return begins.index(begin), address - begin

    patches = iter(patches_of(stream, "the instructions"))
    for offset, operation in read_txn_at(stream, "the instructions"):
        if isinstance(operation, AddressPatch):
            patch = next(patches)
            low, high = struct.unpack_from("<2I", stream, patch.offset + 4)
            address = (low & _LOW_MASK | (high & _HIGH_MASK) << 32) - DDR_AIE_OFFSET
            struct.pack_into("<2I", text, patch.offset + 4, low & ~_LOW_MASK, high & ~_HIGH_MASK)
            number, added = argument(address)
            marked = DDR_AIE_OFFSET if number >= TRANSLATED_ARGUMENTS else 0
            struct.pack_into("<2Q", text, offset + _ARGUMENT_OFFSET, number, added + marked)
        elif isinstance(operation, CreateScratchpad):
            number, added = argument(operation.address)
            scratchpads.add(number)
            struct.pack_into("<2I", text, offset + _SCRATCHPAD_OFFSET, number | added << 8, ARGUMENT_MARK)
        elif isinstance(operation, LoadPdi) and number_of is not None:
            struct.pack_into("<I", text, offset, LOADPDI | number_of(operation) << 16)
    return PatchedStream(bytes(text), begins, frozenset(scratchpads))
