"""CDO version 2: the list of register writes that configures the array.

A file is five header words and commands. A command is a word `length << 16 | module << 8 | api` and `length`
words; length 255 says that the next word is the length. aie-rt's driver (`write_cdo`) writes 64-bit
addresses, bootgen turns them into 32 bits (`npuninja.formats.pdi`). The reader takes both and hides the
difference.

Sources: Xilinx/bootgen cdo-binary.c (command numbers) and cdo-driver/cdo_driver.c (header, padding).
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.arch.registers import TILE_BYTES
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.register_write import MaskWrite as MaskWrite
from npuninja.formats.register_write import Write as Write
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

MAGIC = 0x004F4443  # "CDO\0"
VERSION = 0x00000200
HEADER_WORDS = 5
LONG = 255  # a length field of 255 is followed by a word with the length

END = 0x0100
MASK_POLL = 0x0101
MASK_WRITE = 0x0102
WRITE = 0x0103
DELAY = 0x0104
DMA_WRITE = 0x0105
MASK_POLL64 = 0x0106
MASK_WRITE64 = 0x0107
WRITE64 = 0x0108
DMA_XFER = 0x0109
SET = 0x010C
DMA_WRITE_KEYHOLE = 0x010D
NOP = 0x0111
MARKER = 0x0119
PROC = 0x011A
BLOCK_BEGIN = 0x011B
BLOCK_END = 0x011C

NAMES = {
    END: "END", MASK_POLL: "MASK_POLL", MASK_WRITE: "MASK_WRITE", WRITE: "WRITE", DELAY: "DELAY", DMA_WRITE: "DMA_WRITE",
    MASK_POLL64: "MASK_POLL64", MASK_WRITE64: "MASK_WRITE64", WRITE64: "WRITE64", DMA_XFER: "DMA_XFER", SET: "SET",
    DMA_WRITE_KEYHOLE: "DMA_WRITE_KEYHOLE", NOP: "NOP", MARKER: "MARKER", PROC: "PROC", BLOCK_BEGIN: "BLOCK_BEGIN",
    BLOCK_END: "BLOCK_END",
}  # fmt: skip


class MaskPoll(NamedTuple):
    """Waits until register & mask == value & mask."""

    address: int
    mask: int
    value: int
    timeout_ms: int


class BlockWrite(NamedTuple):
    """Consecutive words to consecutive registers or memory (DMA_WRITE)."""

    address: int
    data: bytes


#: A tile's whole address space. Three words of a file could otherwise mean 16 GiB for programs that read it.
MAX_FILL_WORDS = TILE_BYTES // 4


class Fill(NamedTuple):
    """`words` times the same word from `address` on (SET)."""

    address: int
    words: int
    value: int


class Delay(NamedTuple):
    """A pause of the loader."""

    duration_us: int


class Nop(NamedTuple):
    """Nothing; `payload` is ignored and only fills space."""

    payload: bytes = b""


class Other(NamedTuple):
    """A command without a known effect on the array's registers; `code` is the low half of its word."""

    code: int
    words: tuple[int, ...]


Command = Write | MaskWrite | MaskPoll | BlockWrite | Fill | Delay | Nop | Other


def read_cdo(data: bytes, name: str = "CDO") -> list[Command]:
    """The commands of a CDO file, or of the CDO partition of a PDI with its zero padding.

    Raises:
        UserError: the header or its checksum is wrong; a command goes over the end, or has a wrong number
            of words.
    """
    reader = ByteReader(data, name)
    header = reader.words(0, HEADER_WORDS, "the CDO header")
    if header[1] != MAGIC:
        raise reader.error(
            f'not a CDO: expected the mark "CDO" (0x{MAGIC:08x}) at 0x4, found 0x{header[1]:08x}'
        )
    if header[0] != HEADER_WORDS - 1 or header[2] != VERSION:
        raise reader.error(
            f"unknown CDO: expected header words 4 and version 0x200, found {header[0]} and 0x{header[2]:x}"
        )
    if header[4] != checksum(header[:4]):
        raise reader.error(
            f"damaged CDO: the header's checksum is 0x{header[4]:08x}, expected 0x{checksum(header[:4]):08x}"
        )
    end = 4 * (HEADER_WORDS + header[3])
    reader.need(0, end, "the CDO")
    if any(reader.data[end:]):
        raise reader.error(f"the CDO ends at 0x{end:x} by its header, but more data follows")
    commands: list[Command] = []
    offset = 4 * HEADER_WORDS
    while offset < end:
        command, offset = _read_command(reader, offset, end)
        commands.append(command)
    return commands


def _read_command(reader: ByteReader, offset: int, end: int) -> tuple[Command, int]:
    """The command at `offset` and the offset of the next one."""
    start = offset
    word = reader.u32(offset, "a CDO command")
    code, count = word & 0xFFFF, word >> 16 & 0xFF
    offset += 4
    if count == LONG:
        if offset >= end:
            raise reader.error(f"the CDO command at 0x{start:x} has no length word")
        count = reader.u32(offset, "the length of a CDO command")
        offset += 4
    if offset + 4 * count > end or word >> 24:
        raise reader.error(
            f"damaged CDO: command 0x{word:08x} at 0x{start:x} has {count} words, "
            f"{(end - offset) // 4} are left"
        )
    shape = _SHAPES.get(code)
    if shape is not None and not shape[0] <= count <= shape[1]:
        raise reader.error(
            f"damaged CDO: {NAMES[code]} at 0x{start:x} has {count} words, expected at least {shape[0]}"
        )
    next_offset = offset + 4 * count
    if code in (NOP, DMA_WRITE):
        payload = reader.data[offset:next_offset]
        if code == NOP:
            return Nop(payload), next_offset
        high, low = reader.words(offset, 2, "a DMA_WRITE's address")
        return BlockWrite(high << 32 | low, payload[8:]), next_offset
    words = reader.words(offset, count, "a CDO command's words")
    command = _from_words(code, words)
    if isinstance(command, Fill) and command.words > MAX_FILL_WORDS:
        raise reader.error(
            f"the CDO command at 0x{start:x} fills {command.words} words; a tile has {MAX_FILL_WORDS} at most"
        )
    return command, next_offset


# Fewest and most argument words. MASK_POLL may carry flags and an error code after the time-out.
_ANY = 1 << 32
_SHAPES = {
    MASK_POLL: (4, 6), MASK_WRITE: (3, 3), WRITE: (2, 2), DELAY: (1, 1), DMA_WRITE: (2, _ANY), MASK_POLL64: (5, 7),
    MASK_WRITE64: (4, 4), WRITE64: (3, 3), SET: (4, 4), NOP: (0, _ANY),
}  # fmt: skip


def _from_words(code: int, words: tuple[int, ...]) -> Command:
    if code == WRITE:
        return Write(words[0], words[1])
    if code == WRITE64:
        return Write(words[0] << 32 | words[1], words[2])
    if code == MASK_WRITE:
        return MaskWrite(words[0], words[1], words[2])
    if code == MASK_WRITE64:
        return MaskWrite(words[0] << 32 | words[1], words[2], words[3])
    if code == MASK_POLL and len(words) == 4:
        return MaskPoll(words[0], words[1], words[2], words[3])
    if code == MASK_POLL64 and len(words) == 5:
        return MaskPoll(words[0] << 32 | words[1], words[2], words[3], words[4])
    if code == DELAY:
        return Delay(words[0])
    if code == SET:
        return Fill(words[0] << 32 | words[1], words[2], words[3])
    return Other(code, words)


def write_cdo(commands: Sequence[Command]) -> bytes:
    """A CDO file as aie-rt's driver writes it: 64-bit addresses, a NOP before a block write whose payload
    would not start on 16 bytes of the file. (It starts with `Nop()`: bootgen refuses one without commands.)
    """
    body = bytearray()
    for command in commands:
        if isinstance(command, BlockWrite):
            words = len(command.data) // 4 + 2
            position = 4 * HEADER_WORDS + len(body)
            gap = -(position + (16 if words >= LONG else 12)) % 16
            if gap:
                body += encode(NOP, bytes(gap - 4))
        body += encode_wide(command)
    return with_header(bytes(body))


def with_header(body: bytes) -> bytes:
    """A CDO file of already encoded commands."""
    words = (HEADER_WORDS - 1, MAGIC, VERSION, len(body) // 4)
    return struct.pack("<5I", *words, checksum(words)) + body


def encode(code: int, payload: bytes) -> bytes:
    """The words of one command."""
    count = len(payload) // 4
    if count >= LONG:
        return struct.pack("<2I", LONG << 16 | code, count) + payload
    return struct.pack("<I", count << 16 | code) + payload


def encode_wide(command: Command) -> bytes:
    """One command with 64-bit addresses."""
    if isinstance(command, Write):
        return encode(WRITE64, _address(command.address) + struct.pack("<I", command.value))
    if isinstance(command, MaskWrite):
        return encode(
            MASK_WRITE64, _address(command.address) + struct.pack("<2I", command.mask, command.value)
        )
    if isinstance(command, MaskPoll):
        words = struct.pack("<3I", command.mask, command.value, command.timeout_ms)
        return encode(MASK_POLL64, _address(command.address) + words)
    if isinstance(command, BlockWrite):
        return encode(DMA_WRITE, _address(command.address) + command.data)
    if isinstance(command, Fill):
        return encode(SET, _address(command.address) + struct.pack("<2I", command.words, command.value))
    if isinstance(command, Delay):
        return encode(DELAY, struct.pack("<I", command.duration_us))
    if isinstance(command, Nop):
        return encode(NOP, command.payload)
    return encode(command.code, struct.pack(f"<{len(command.words)}I", *command.words))


def encode_narrow(command: Command) -> bytes:
    """One command with 32-bit addresses where they fit, as bootgen writes it."""
    if isinstance(command, Write) and command.address < 1 << 32:
        return encode(WRITE, struct.pack("<2I", *command))
    if isinstance(command, MaskWrite) and command.address < 1 << 32:
        return encode(MASK_WRITE, struct.pack("<3I", *command))
    if isinstance(command, MaskPoll) and command.address < 1 << 32:
        return encode(MASK_POLL, struct.pack("<4I", *command))
    return encode_wide(command)


def _address(address: int) -> bytes:
    return struct.pack("<2I", address >> 32, address & 0xFFFFFFFF)


def checksum(words: Sequence[int]) -> int:
    """The complement of the sum of words, as CDO and PDI headers have it."""
    return ~sum(words) & 0xFFFFFFFF
