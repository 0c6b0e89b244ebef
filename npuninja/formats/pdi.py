"""PDI: the device image that holds one CDO, as `bootgen -arch versal` makes it from aiecc's BIF.

    all: { id_code = 0x14ca8093 extended_id_code = 0x01
           image { name=aie_image, id=0x1c000000 { type=cdo file=A file=B file=C } } }

`write_pdi` gives the bytes of bootgen 2022.2, `read_pdi` reads any PDI with one image and CDO partitions.

Sources: Xilinx/bootgen imageheadertable-versal.h, partitionheadertable-versal.h, cdo-binary.c.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.cdo import (
    END,
    HEADER_WORDS,
    NOP,
    BlockWrite,
    Command,
    Other,
    Write,
    checksum,
    encode,
    encode_narrow,
    read_cdo,
    with_header,
)
from npuninja.formats.cdo import LONG as _LONG
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

_BUS_WIDTH = (0x000000DD, 0x11223344, 0x55667788, 0x99AABBCC)
_TABLE_VERSION = 0x00040000
_ID_CODE = 0x14CA8093
_EXTENDED_ID_CODE = 1
_IDENTIFICATION = 0x50504449  # "IDPP"
_HEADER_SIZES = 0x00201020  # partition header, image header, image header table, in words
_IMAGE_NAME = b"aie_image"
_IMAGE_ID = 0x1C000000
_ATTRIBUTES = 0x02000006  # partition type 2 (CDO), execution level 3

_TABLE = 0x10  # byte offsets
_IMAGE = 0x90
_PARTITION = 0xD0
_DATA = 0x150
_TABLE_WORDS = 32
_IMAGE_WORDS = 16
_PARTITION_WORDS = 32
_TYPE_CDO = 2


class Partition(NamedTuple):
    """One partition: its type (2 = CDO), its offset in the file in bytes, and its bytes without padding."""

    type: int
    offset: int
    data: bytes


class Pdi(NamedTuple):
    """What a PDI holds."""

    id_code: int
    image_name: str
    image_id: int
    partitions: tuple[Partition, ...]

    def commands(self, name: str = "PDI") -> list[Command]:
        """The commands of all CDO partitions, in order. Raises UserError."""
        return [c for p in self.partitions if p.type == _TYPE_CDO for c in read_cdo(p.data, name)]


def write_pdi(cdos: Sequence[bytes], names: Sequence[str] = ()) -> bytes:
    """A PDI with the CDO files joined in order; `names` are the files' names for errors. Raises UserError."""
    bodies = []
    for i, cdo in enumerate(cdos):
        bodies.append(_rewrite(read_cdo(cdo, names[i] if i < len(names) else "CDO")))
    cdo = with_header(b"".join(bodies))
    words = len(cdo) // 4
    padded = -(-words // 4) * 4
    table = [0] * (_TABLE_WORDS - 1)
    table[:5] = [_TABLE_VERSION, 1, _IMAGE // 4, 1, _PARTITION // 4]
    table[6] = _ID_CODE
    table[10:13] = [_IDENTIFICATION, _HEADER_SIZES, (_DATA - _IMAGE) // 4]
    table[17] = _EXTENDED_ID_CODE
    image = [0] * (_IMAGE_WORDS - 1)
    image[:2] = [_PARTITION // 4, 1]
    image[4:8] = struct.unpack("<4I", _IMAGE_NAME.ljust(16, b"\0"))
    image[8] = _IMAGE_ID
    partition = [0] * (_PARTITION_WORDS - 1)
    partition[:3] = [padded, words, padded]
    partition[6:11] = [0xFFFFFFFF, 0xFFFFFFFF, _DATA // 4, _ATTRIBUTES, 1]
    headers = [*_BUS_WIDTH]
    for header in (table, image, partition):
        headers += [*header, checksum(header)]
    return struct.pack(f"<{len(headers)}I", *headers) + cdo + bytes(4 * (padded - words))


def _rewrite(commands: list[Command]) -> bytes:
    """The commands of one CDO file as bootgen encodes them.

    Positions count from the start of that file's own header, also when several files are joined: a NOP before
    a block write makes the payload's word position equal to its destination's modulo 4. A block write of one
    word becomes a plain write. An END command ends the file.
    """
    body = bytearray()
    for command in commands:
        if isinstance(command, Other) and command.code == END:
            break
        if isinstance(command, BlockWrite) and len(command.data) == 4:
            command = Write(command.address, int.from_bytes(command.data, "little"))
        if isinstance(command, BlockWrite):
            head_words = 4 if len(command.data) // 4 + 2 >= _LONG else 3
            position = HEADER_WORDS + len(body) // 4 + head_words
            gap_words = (command.address // 4 - position) % 4
            if gap_words:
                body += encode(NOP, bytes(4 * (gap_words - 1)))
        body += encode_narrow(command)
    return bytes(body)


def read_pdi(data: bytes, name: str = "PDI") -> Pdi:
    """Reads a PDI. UserError when a mark, a checksum or a size is wrong, or there are several images."""
    reader = ByteReader(data, name)
    if reader.words(0, 4, "the PDI's first words") != _BUS_WIDTH:
        raise reader.error(
            f"not a PDI: expected dd 00 00 00 44 33 22 11 at 0x0, found {reader.data[:8].hex(' ')}"
        )
    table = _header(reader, _TABLE, _TABLE_WORDS, "image header table")
    if table[10] != _IDENTIFICATION:
        raise reader.error(f'not a PDI: expected "IDPP" at 0x{_TABLE + 40:x}, found 0x{table[10]:08x}')
    if table[1] != 1:
        raise reader.error(f"the PDI has {table[1]} images, expected one")
    image_offset = 4 * table[2]
    image = _header(reader, image_offset, _IMAGE_WORDS, "image header")
    partitions = []
    offset = 4 * table[4]
    for number in range(table[3]):
        header = _header(reader, offset, _PARTITION_WORDS, f"partition header {number}")
        if header[0] != header[2]:
            raise reader.error(
                f"partition {number} is encrypted or signed: {header[0]} and {header[2]} words differ"
            )
        start = 4 * header[8]
        if header[_PARTITION_WORDS - 4] and start + 4 * header[1] > len(reader):
            raise reader.error(
                f"partition {number} is shortened: "
                f"of {4 * header[1]} bytes {max(0, len(reader) - start)} are there",
                "AMD's own XCLBINs for the DPU have such PDIs, which only the NPU's firmware reads; "
                "those of MLIR-AIE are whole",
            )
        partitions.append(
            Partition(header[9] >> 24 & 7, start, reader.block(start, 4 * header[1], f"partition {number}"))
        )
        offset += 4 * _PARTITION_WORDS
    return Pdi(table[6], reader.text(image_offset + 16, 16, "the image's name"), image[8], tuple(partitions))


def _header(reader: ByteReader, offset: int, count: int, what: str) -> tuple[int, ...]:
    words = reader.words(offset, count, f"the {what}")
    # AMD's own PDIs for the DPU have three more words in front of a partition header's sum, which omits them.
    if words[-1] not in (checksum(words[:-1]), checksum(words[: _PARTITION_WORDS - 4])):
        raise reader.error(
            f"damaged PDI: the {what} at 0x{offset:x} has checksum 0x{words[-1]:08x}, "
            f"expected 0x{checksum(words[:-1]):08x}",
            "it is damaged, or of another layout than MLIR-AIE's; build it again",
        )
    return words
