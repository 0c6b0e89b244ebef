"""TXN: the instruction stream of a runtime sequence (`insts.bin`), version 0.1.

Four header words, then operations, all little-endian. Operations are stepped over by their size field:
aie-rt's own serializer writes 32 bytes for a masked write where MLIR-AIE writes 28.

Sources: MLIR-AIE AIETargetNPU.cpp; aie-rt common/xaie_txn.h, global/xaiegbl.h.
"""

from __future__ import annotations

import re
import struct

from npuninja import TYPE_CHECKING
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.register_write import MaskWrite as MaskWrite
from npuninja.formats.register_write import Write as Write
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator

WRITE32 = 0x00
BLOCKWRITE = 0x01
MASKWRITE = 0x03
MASKPOLL = 0x04
NOOP = 0x05
PREEMPT = 0x06
MASKPOLL_BUSY = 0x07
LOADPDI = 0x08
#: Numbers of the scratchpad, of July 2026 and later.
CREATE_SCRATCHPAD = 0x0A
UPDATE_FROM_SCRATCHPAD = 0x0C
TCT = 0x80
DDR_PATCH = 0x81

NAMES = {
    WRITE32: "WRITE32", BLOCKWRITE: "BLOCKWRITE", 0x02: "BLOCKSET", MASKWRITE: "MASKWRITE", MASKPOLL: "MASKPOLL",
    NOOP: "NOOP", PREEMPT: "PREEMPT", MASKPOLL_BUSY: "MASKPOLL_BUSY", LOADPDI: "LOADPDI",
    CREATE_SCRATCHPAD: "CREATE_SCRATCHPAD", UPDATE_FROM_SCRATCHPAD: "UPDATE_FROM_SCRATCHPAD", TCT: "TCT",
    DDR_PATCH: "DDR_PATCH", 0x82: "READ_REGS", 0x83: "RECORD_TIMER", 0x84: "MERGE_SYNC",
}  # fmt: skip

HEADER_BYTES = 16
#: A stream as text, as aie-translate writes it: words in hexadecimal.
HEX_LINES = re.compile(rb"\s*(?:(?:0[xX])?[0-9a-fA-F]{8}\s+)*(?:0[xX])?[0-9a-fA-F]{8}\s*")
#: Where host memory begins for a shim's DMA: BDs hold a device address plus this (XRT elf_patcher.cpp).
DDR_AIE_OFFSET = 0x80000000
#: The firmware adds it to the addresses of so many arguments; in later ones we add it.
TRANSLATED_ARGUMENTS = 5


class MaskPoll(NamedTuple):
    """Waits until register & mask == value; `busy` for the MASKPOLL_BUSY form."""

    address: int
    mask: int
    value: int
    busy: bool = False


class BlockWrite(NamedTuple):
    """Words to consecutive registers. Hardware ignores `column` and `row`, which repeat the address."""

    address: int
    data: bytes
    column: int = 0
    row: int = 0


class LoadPdi(NamedTuple):
    """Loads another PDI: its number, its size in bytes and its address."""

    pdi_id: int
    size_bytes: int
    address: int


class Preempt(NamedTuple):
    """A point where the context may be switched."""

    level: int


class Noop(NamedTuple):
    """An operation that does nothing."""


class Sync(NamedTuple):
    """Waits for a task's token of each channel of `columns` by `rows` tiles. Direction: 0 S2MM, 1 MM2S."""

    column: int
    row: int
    direction: int
    channel: int
    columns: int
    rows: int


class AddressPatch(NamedTuple):
    """Puts the address of argument `argument` plus `offset_bytes` into the buffer descriptor whose address
    word is at register `address`.
    """

    address: int
    argument: int
    offset_bytes: int


class CreateScratchpad(NamedTuple):
    """Copies the scratchpad, `size_bytes` of host memory at `address`, to the controller."""

    usage_type: int
    size_bytes: int
    address: int


class UpdateFromScratchpad(NamedTuple):
    """Adds a word of the scratchpad to the 48-bit address in the two words at `address`.

    `entry`: which word. `function`: 0 the word times `argument`, 1 plus it, 2 minus it.
    """

    entry: int
    function: int
    argument: int
    address: int


class Other(NamedTuple):
    """An unknown operation: its number and all its bytes. Numbers from 9 on moved between releases."""

    code: int
    data: bytes


TxnOperation = (
    Write
    | MaskWrite
    | MaskPoll
    | BlockWrite
    | LoadPdi
    | Preempt
    | Noop
    | Sync
    | AddressPatch
    | CreateScratchpad
    | UpdateFromScratchpad
    | Other
)


class Transaction(NamedTuple):
    """A stream. `generation` is the device generation: 3 for npu1, 4 for npu2."""

    generation: int
    rows: int
    columns: int
    memtile_rows: int
    operations: tuple[TxnOperation, ...]


def write_txn(transaction: Transaction) -> bytes:
    """The bytes of an instruction stream."""
    body = b"".join([encode(operation) for operation in transaction.operations])
    header = (
        transaction.rows << 24
        | transaction.generation << 16
        | 1 << 8,  # version 0.1: major in [7:0], minor in [15:8]
        transaction.memtile_rows << 8 | transaction.columns,
        len(transaction.operations),
        HEADER_BYTES + len(body),
    )
    return struct.pack("<4I", *header) + body


def encode(op: TxnOperation) -> bytes:
    """The words of one operation."""
    if isinstance(op, Write):
        return struct.pack("<2IQ2I", WRITE32, 0, op.address, op.value, 24)
    if isinstance(op, MaskWrite):
        return struct.pack("<2IQ3I", MASKWRITE, 0, op.address, op.value, op.mask, 28)
    if isinstance(op, BlockWrite):
        return (
            struct.pack("<4I", BLOCKWRITE, op.column | op.row << 8, op.address, 16 + len(op.data)) + op.data
        )
    if isinstance(op, Sync):
        where = op.direction | op.row << 8 | op.column << 16
        return struct.pack("<4I", TCT, 16, where, op.rows << 8 | op.columns << 16 | op.channel << 24)
    if isinstance(op, AddressPatch):
        return struct.pack("<6I3Q", DDR_PATCH, 48, 0, 0, 0, 0, op.address, op.argument, op.offset_bytes)
    if isinstance(op, LoadPdi):
        return struct.pack("<2IQ", LOADPDI | op.pdi_id << 16, op.size_bytes, op.address)
    if isinstance(op, Preempt):
        return struct.pack("<I", PREEMPT | op.level << 8)
    if isinstance(op, Noop):
        return struct.pack("<I", NOOP)
    if isinstance(op, MaskPoll):
        code = MASKPOLL_BUSY if op.busy else MASKPOLL
        return struct.pack("<2IQ3I", code, 0, op.address, op.value, op.mask, 28)
    if isinstance(op, CreateScratchpad):
        return struct.pack("<2IQ", CREATE_SCRATCHPAD | op.usage_type << 8, op.size_bytes, op.address)
    if isinstance(op, UpdateFromScratchpad):
        word = UPDATE_FROM_SCRATCHPAD | op.entry << 8 | op.function << 16
        return struct.pack("<3I", word, op.argument, op.address)
    return op.data


def read_header(data: bytes, name: str = "insts.bin") -> tuple[int, ...]:
    """The four words of a stream's header; the third is the number of operations.

    Raises:
        UserError: this is no stream, it is cut off, or it is empty: the firmware reports that as completed
            although nothing ran.
    """
    reader = ByteReader(data, name)
    if not data:
        raise reader.error("the instruction stream is empty (0 bytes)", "lower the runtime sequence again")
    words = reader.words(0, 4, "the header of the instruction stream")
    if words[0] & 0xFFFF != 0x0100:
        raise reader.error(
            "not a TXN instruction stream: expected version 0.1 (0x0100 in the low half of the first word), "
            f"found 0x{words[0]:08x}",
            "insts.bin is one; a text file of hexadecimal words is not",
        )
    if words[3] != len(data):
        raise reader.error(f"the instruction stream says it has {words[3]} bytes, the file has {len(data)}")
    if not words[2]:
        raise reader.error(
            "the instruction stream has no operations", "give the runtime sequence at least one transfer"
        )
    return words


def read_txn(data: bytes, name: str = "insts.bin") -> Transaction:
    """Reads a stream. Raises UserError as `read_header`, and when count or an operation's size is wrong."""
    words = read_header(data, name)
    operations = tuple(operation for _, operation in _read_operations(ByteReader(data, name), words[2]))
    return Transaction(
        words[0] >> 16 & 0xFF, words[0] >> 24, words[1] & 0xFF, words[1] >> 8 & 0xFF, operations
    )


def read_txn_at(data: bytes, name: str = "insts.bin") -> list[tuple[int, TxnOperation]]:
    """The operations of a stream, each with its offset in bytes. Raises as `read_txn`."""
    read_txn(data, name)
    reader = ByteReader(data, name)
    return list(_read_operations(reader, reader.u32(8, "the number of operations")))


def _read_operations(reader: ByteReader, count: int) -> Iterator[tuple[int, TxnOperation]]:
    """The operations and their offsets. Raises UserError when they do not end where the stream does."""
    offset = HEADER_BYTES
    for number in range(count):
        operation, size = _read_operation(reader, offset, number)
        yield offset, operation
        offset += size
    if offset != len(reader.data):
        raise reader.error(
            f"{count} operations of the stream end at 0x{offset:x}, the file at 0x{len(reader.data):x}"
        )


# Byte offset of the size field, and the least size in bytes; operations of a fixed size are in _FIXED_BYTES.
_SIZE_FIELD = {
    WRITE32: (20, 24),
    BLOCKWRITE: (12, 16),
    MASKWRITE: (24, 28),
    MASKPOLL: (24, 28),
    MASKPOLL_BUSY: (24, 28),
}
_FIXED_BYTES = {NOOP: 4, PREEMPT: 4, LOADPDI: 16, CREATE_SCRATCHPAD: 16, UPDATE_FROM_SCRATCHPAD: 12}
_FIRST_CUSTOM = 0x80  # custom operations have the size in their second word


def _read_operation(reader: ByteReader, offset: int, number: int) -> tuple[TxnOperation, int]:
    what = f"operation {number} of the instruction stream"
    word = reader.u32(offset, what)
    code = word & 0xFF
    if code in _FIXED_BYTES:
        size = _FIXED_BYTES[code]
    elif code in _SIZE_FIELD or code >= _FIRST_CUSTOM:
        field, least = _SIZE_FIELD.get(code, (4, {TCT: 16, DDR_PATCH: 48}.get(code, 8)))
        size = reader.u32(offset + field, f"the size of {what}")
        if size < least or size % 4:
            kind = NAMES.get(code, hex(code))
            raise reader.error(f"{what} at 0x{offset:x} ({kind}) has size {size}, expected at least {least}")
    else:
        raise reader.error(
            f"{what} at 0x{offset:x} has the unknown number 0x{code:02x}, whose size cannot be known",
            "numbers from 9 on differ between releases; build the stream with the lowering of npuninja",
        )
    reader.need(offset, size, what)
    return _decode(reader, code, word, offset, size), size


def _decode(reader: ByteReader, code: int, word: int, offset: int, size: int) -> TxnOperation:
    if code == BLOCKWRITE:
        where, address = reader.words(offset + 4, 2, "BLOCKWRITE")
        return BlockWrite(address, reader.data[offset + 16 : offset + size], where & 0xFF, where >> 8 & 0xFF)
    if code == LOADPDI:
        size_bytes, low, high = reader.words(offset + 4, 3, "LOADPDI")
        return LoadPdi(word >> 16, size_bytes, high << 32 | low)
    if code == PREEMPT:
        return Preempt(word >> 8 & 0xFF)
    if code == NOOP:
        return Noop()
    words = reader.words(offset, size // 4, "an operation")
    if code == WRITE32:
        return Write(words[3] << 32 | words[2], words[4])
    if code == MASKWRITE:
        return MaskWrite(words[3] << 32 | words[2], words[5], words[4])
    if code in (MASKPOLL, MASKPOLL_BUSY):
        return MaskPoll(words[3] << 32 | words[2], words[5], words[4], code == MASKPOLL_BUSY)
    if code == TCT:
        where, config = words[2], words[3]
        column, row, direction = where >> 16 & 0xFF, where >> 8 & 0xFF, where & 0xFF
        return Sync(column, row, direction, config >> 24, config >> 16 & 0xFF, config >> 8 & 0xFF)
    if code == DDR_PATCH:
        return AddressPatch(words[7] << 32 | words[6], words[9] << 32 | words[8], words[11] << 32 | words[10])
    if code == CREATE_SCRATCHPAD:
        return CreateScratchpad(word >> 8, words[1], words[3] << 32 | words[2])
    if code == UPDATE_FROM_SCRATCHPAD:
        return UpdateFromScratchpad(word >> 8 & 0xFF, word >> 16, words[1], words[2])
    return Other(code, reader.data[offset : offset + size])
