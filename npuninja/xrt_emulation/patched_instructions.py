"""Instructions that came as an ELF: XRT has put the addresses of buffers into them.

The array of the emulator takes buffers as numbered arguments. So each address becomes an argument of its own, and the
patches of the stream refer to these: what counts is what XRT wrote, not what the call passes in addition.

Sources: XRT, elf_patcher.cpp (which bits of a descriptor hold the address); aie-rt (address space of the shim).
"""

from __future__ import annotations

import struct

from npuninja.formats.instruction_elf import patches_of
from npuninja.formats.txn import TRANSLATED_ARGUMENTS, AddressPatch, read_txn_at

#: What host memory begins at for a shim's DMA; XRT adds it to a buffer's address.
_HOST_BASE = 0x80000000
_LOW_MASK, _HIGH_MASK = 0xFFFFFFFC, 0xFFFF
# Of an address patch: argument and bytes to add, two 64-bit words behind its head and register.
_ARGUMENT_OFFSET = 32


def with_arguments(stream: bytes) -> tuple[bytes, list[int]]:
    """A stream whose address patches name arguments, and the device address of each argument.

    Args:
        stream: instructions as XRT patched them.

    Raises:
        UserError: the stream is damaged.
    """
    text, addresses = bytearray(stream), list[int]()
    patches = iter(patches_of(stream, "the instructions"))
    for offset, operation in read_txn_at(stream, "the instructions"):
        if not isinstance(operation, AddressPatch):
            continue
        patch = next(patches)
        low, high = struct.unpack_from("<2I", stream, patch.offset + 4)
        address = (low & _LOW_MASK | (high & _HIGH_MASK) << 32) - _HOST_BASE
        if address not in addresses:
            addresses.append(address)
        struct.pack_into("<2I", text, patch.offset + 4, low & ~_LOW_MASK, high & ~_HIGH_MASK)
        number = addresses.index(address)
        marked = _HOST_BASE if number >= TRANSLATED_ARGUMENTS else 0
        struct.pack_into("<2Q", text, offset + _ARGUMENT_OFFSET, number, marked)
    return bytes(text), addresses
