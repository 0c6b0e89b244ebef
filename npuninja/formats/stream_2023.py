"""Instruction streams of 2023, from before transactions: read into transactions.

Riallto's designs and XCLBINs of that time have them (`.seq`: a hexadecimal word a line). A stream is a fixed
prologue, then operations on one tile each: a register, a whole shim DMA descriptor with its host buffer, a
wait for a task.

Source: MLIR-AIE of late 2023; each operation below is in published streams, which run on the emulated array.
"""

from __future__ import annotations

import struct

from npuninja.arch.registers import BD_STRIDE, DMA, tile_address
from npuninja.errors import Location, UserError
from npuninja.formats.register_write import Write
from npuninja.formats.txn import AddressPatch, BlockWrite, Sync, Transaction, TxnOperation, write_txn

_PROLOGUE_WORDS = 17
_PROLOGUE = struct.pack("<3I", 0x00000011, 0x01000405, 0x01000100)
_WRITE, _SYNC, _WRITE_SHIM_BD = 2, 3, 6
_OPERATION_WORDS = {_WRITE: 3, _SYNC: 2, _WRITE_SHIM_BD: 10}
_BD_WORDS = 8
#: Of npu1, the only NPU there was.
_GENERATION, _ROWS, _COLUMNS, _MEMTILE_ROWS = 3, 6, 5, 1


def is_stream_2023(data: bytes) -> bool:
    """Whether bytes begin as such a stream does."""
    return data.startswith(_PROLOGUE)


def to_transaction(data: bytes, name: str) -> bytes:
    """A stream of 2023 as a transaction's bytes.

    Raises:
        UserError: it ends within an operation, or has one that is not known.
    """
    words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    operations: list[TxnOperation] = []
    at = _PROLOGUE_WORDS
    while at < len(words):
        code = words[at] >> 24
        size = _OPERATION_WORDS.get(code)
        if size is None or at + size > len(words):
            what = f"operation {code} is not known" if size is None else "it ends within an operation"
            raise UserError(
                f"the instruction stream of 2023 has 0x{words[at]:08x} as word {at}: {what}",
                Location(name),
                hint="such a stream holds operations 2, 3 and 6; make a new one with today's tools",
            )
        operations += _operation(code, words[at : at + size])
        at += size
    return write_txn(Transaction(_GENERATION, _ROWS, _COLUMNS, _MEMTILE_ROWS, tuple(operations)))


def _operation(code: int, words: tuple[int, ...]) -> list[TxnOperation]:
    column, row = words[0] >> 16 & 0xFF, words[0] >> 8 & 0xFF
    if code == _WRITE:
        return [Write(tile_address(column, row, words[1]), words[2])]
    if code == _SYNC:
        channel, columns, rows = words[1] >> 24, words[1] >> 16 & 0xFF, words[1] >> 8 & 0xFF
        return [Sync(column, row, words[0] & 1, channel, max(columns, 1), max(rows, 1))]
    buffer, bd = words[0] >> 4 & 0xF, words[0] & 0xF
    register = tile_address(column, 0, DMA["shim"].bd + BD_STRIDE * bd)
    content = words[2 : 2 + _BD_WORDS]
    return [
        BlockWrite(register, struct.pack(f"<{_BD_WORDS}I", *content)),
        AddressPatch(register + 4, buffer, content[1]),  # its second word is the low half of an address
    ]
