"""How a clip lies in the buffers of the log-mel designs, and their instructions for a clip of any length.

A design takes a buffer with a head and the samples, padding included, and gives the bands of every frame,
frame after frame. The head is an element (80 samples) for each core of a column; the first sample of each
says how often the core calls its kernel. The cores share the frames in contiguous parts of equal size, so the
number of frames is rounded up.

The instructions of a build are for the longest clip. For another, the lengths, strides and offsets of their
transfers are replaced; the XCLBIN stays as it is.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from npuninja.audio.scale import CLIP_SAMPLES, HOP, WINDOW
from npuninja.errors import InternalError, UserError
from npuninja.formats.txn import AddressPatch, BlockWrite, TxnOperation, read_txn, write_txn

Array = np.ndarray[Any, np.dtype[Any]]

ELEMENT = 80
"""Samples of an element of the stream."""
MAX_FRAMES = CLIP_SAMPLES // HOP
SAMPLES, BANDS = 0, 1  # arguments of the runtime sequence
_SHARED = 3  # elements that a frame has in common with the one before
_STRIDE_MASK = 0xFFFFF  # of a shim buffer descriptor's word 4, dimension 1 (AM025, DMA_BD_4)
_STRIDE_WORD = 4


class Transfer(NamedTuple):
    """What depends on the clip in one transfer of the runtime sequence, as the registers have it."""

    argument: int
    offset_bytes: int
    length_words: int
    stride_words: int
    """From the part of one core to that of the next; 0 for a transfer without parts."""


class ClipDesign(NamedTuple):
    """One of the log-mel designs."""

    name: str
    bands: int
    columns: int
    rows: int
    """Cores of a column. With one, head and samples are one transfer."""
    lanes: int
    """Frames of a kernel call."""

    def calls(self, frames: int) -> int:
        """How often each core calls its kernel for so many frames."""
        return -(-frames // (self.columns * self.rows * self.lanes))

    def padded(self, frames: int) -> int:
        """So many frames are computed for `frames`."""
        return self.calls(frames) * self.columns * self.rows * self.lanes

    @property
    def head_samples(self) -> int:
        """Size of the head."""
        return ELEMENT * self.rows

    def input_samples(self, frames: int) -> int:
        """Size of the input: head, and every frame's samples."""
        return self.head_samples + ELEMENT * _SHARED + HOP * self.padded(frames)

    def transfers(self, frames: int) -> list[Transfer]:
        """The transfers, in the order of the sequence: for each column the bands, the head, the samples."""
        part = self.calls(frames) * self.lanes  # frames of a core
        element_words = ELEMENT // 2
        elements = HOP // ELEMENT * part + _SHARED
        band_words = part * self.bands // 4
        result = []
        for column in range(self.columns):
            first = column * self.rows * part
            stride = band_words if self.rows > 1 else 0
            result.append(Transfer(BANDS, first * self.bands, band_words * self.rows, stride))
            if self.rows == 1:
                result.append(Transfer(SAMPLES, 0, element_words * (elements + 1), 0))
            else:
                result.append(Transfer(SAMPLES, 0, element_words * self.rows, 0))
                offset = 2 * (self.head_samples + first * HOP)
                result.append(
                    Transfer(SAMPLES, offset, element_words * elements * self.rows, part * HOP // 2)
                )
        return result

    def pack(self, stream: Array, frames: int) -> Array:
        """The input buffer for a stream of samples (int16, padding included), zeros where frames are added."""
        if not 0 < frames <= MAX_FRAMES or len(stream) < HOP * (frames - 1) + WINDOW:
            raise InternalError(f"{len(stream)} samples for {frames} frames")
        buffer = np.zeros(self.input_samples(frames), np.int16)
        buffer[: self.head_samples : ELEMENT] = self.calls(frames)
        samples = buffer[self.head_samples :]
        used = min(len(stream), HOP * (frames - 1) + WINDOW)
        samples[:used] = stream[:used]
        return buffer

    def instructions(self, insts: bytes, frames: int) -> bytes:
        """The instructions of a build of this design, for a clip of so many frames.

        Raises:
            UserError: the instructions are not those of this design for the longest clip.
        """
        transaction = read_txn(insts)
        operations = list(transaction.operations)
        places = _transfers_of(operations)
        if [transfer for _, _, transfer in places] != self.transfers(MAX_FRAMES):
            raise UserError(
                f"the instructions are not those of the design {self.name}",
                hint="build the design again (`ninja`), and this npuninja with it",
            )
        for (write, patch, _), new in zip(places, self.transfers(frames)):
            words = list(struct.unpack("<8I", _block(operations[write]).data))
            words[0] = new.length_words
            if new.stride_words:
                words[_STRIDE_WORD] = words[_STRIDE_WORD] & ~_STRIDE_MASK | (new.stride_words - 1)
            operations[write] = _block(operations[write])._replace(data=struct.pack("<8I", *words))
            old = operations[patch]
            assert isinstance(old, AddressPatch)
            operations[patch] = old._replace(offset_bytes=new.offset_bytes)
        return write_txn(transaction._replace(operations=tuple(operations)))


DESIGNS = {
    design.name: design
    for design in (
        ClipDesign("mel", 80, 1, 1, 1),
        ClipDesign("mel128", 128, 1, 1, 1),
        ClipDesign("mel_vector", 80, 1, 1, 4),
        ClipDesign("mel_4core", 80, 1, 4, 1),
        ClipDesign("mel_16core", 80, 4, 4, 1),
    )
}


def _block(operation: TxnOperation) -> BlockWrite:
    assert isinstance(operation, BlockWrite)
    return operation


def _transfers_of(operations: list[TxnOperation]) -> list[tuple[int, int, Transfer]]:
    """The transfers of an instruction stream: numbers of their block write and address patch, and what these
    say.
    """
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
