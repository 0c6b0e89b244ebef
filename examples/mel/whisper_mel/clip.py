"""The instructions of the log-mel designs for a clip of any length.

The instructions of a build are for the longest clip. For another, the lengths, strides and offsets of their
transfers are replaced; the XCLBIN stays as it is.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from mel_layout import ELEMENT, MAX_FRAMES, SHARED, ClipDesign
from mel_scale import HOP

from npuninja.errors import UserError
from npuninja.formats.txn import AddressPatch, BlockWrite, TxnOperation, read_txn, write_txn

SAMPLES, BANDS = 0, 1  # arguments of the runtime sequence
_STRIDE_MASK = 0xFFFFF  # of a shim buffer descriptor's word 4, dimension 1 (AM025, DMA_BD_4)
_STRIDE_WORD = 4


class Transfer(NamedTuple):
    """What depends on the clip in one transfer of the runtime sequence, as the registers have it."""

    argument: int
    offset_bytes: int
    length_words: int
    stride_words: int
    """From the part of one core to that of the next; 0 for a transfer without parts."""


def transfers(design: ClipDesign, frames: int) -> list[Transfer]:
    """The transfers, in the order of the sequence: for each column the bands, the head, the samples."""
    part = design.calls(frames) * design.lanes  # frames of a core
    element_words = ELEMENT // 2
    elements = HOP // ELEMENT * part + SHARED
    band_words = part * design.bands // 4
    result = []
    for column in range(design.columns):
        first = column * design.rows * part
        stride = band_words if design.rows > 1 else 0
        result.append(Transfer(BANDS, first * design.bands, band_words * design.rows, stride))
        if design.rows == 1:
            result.append(Transfer(SAMPLES, 0, element_words * (elements + 1), 0))
        else:
            result.append(Transfer(SAMPLES, 0, element_words * design.rows, 0))
            offset = 2 * (design.head_samples + first * HOP)
            result.append(Transfer(SAMPLES, offset, element_words * elements * design.rows, part * HOP // 2))
    return result


def instructions(design: ClipDesign, insts: bytes, frames: int) -> bytes:
    """The instructions of a build of a design, for a clip of so many frames.

    Raises:
        UserError: the instructions are not those of the design for the longest clip.
    """
    transaction = read_txn(insts)
    operations = list(transaction.operations)
    places = _transfers_of(operations)
    if [transfer for _, _, transfer in places] != transfers(design, MAX_FRAMES):
        raise UserError(
            f"the instructions are not those of the design {design.name}",
            hint="build the design again (`ninja`), and this npuninja with it",
        )
    for (write, patch, _), new in zip(places, transfers(design, frames)):
        words = list(struct.unpack("<8I", _block(operations[write]).data))
        words[0] = new.length_words
        if new.stride_words:
            words[_STRIDE_WORD] = words[_STRIDE_WORD] & ~_STRIDE_MASK | (new.stride_words - 1)
        operations[write] = _block(operations[write])._replace(data=struct.pack("<8I", *words))
        old = operations[patch]
        assert isinstance(old, AddressPatch)
        operations[patch] = old._replace(offset_bytes=new.offset_bytes)
    return write_txn(transaction._replace(operations=tuple(operations)))


def _block(operation: TxnOperation) -> BlockWrite:
    assert isinstance(operation, BlockWrite)
    return operation


def _transfers_of(operations: list[TxnOperation]) -> list[tuple[int, int, Transfer]]:
    """The transfers of an instruction stream: the numbers of block write and address patch, what they say."""
    found = []
    for number, operation in enumerate(operations):
        if not isinstance(operation, AddressPatch):
            continue
        before = operations[number - 1]
        if not isinstance(before, BlockWrite) or len(before.data) != 32:
            continue
        words = struct.unpack("<8I", before.data)
        parted = words[_STRIDE_WORD] >> 20 & 0x3FF > 1  # the size of dimension 1
        stride = (words[_STRIDE_WORD] & _STRIDE_MASK) + 1 if parted else 0
        found.append(
            (number - 1, number, Transfer(operation.argument, operation.offset_bytes, words[0], stride))
        )
    return found
