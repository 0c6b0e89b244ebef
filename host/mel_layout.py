"""How a clip lies in the buffers of the log-mel designs.

A design takes a buffer with a head and the samples, padding included, and gives the bands of every frame,
frame after frame. The head is an element (80 samples) for each core of a column; its first sample says how
often the core calls its kernel. The cores share the frames in equal, contiguous parts, so the number of
frames is rounded up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from mel_scale import CLIP_SAMPLES, HOP, WINDOW

Array = np.ndarray[Any, np.dtype[Any]]

ELEMENT = 80
"""Samples of an element of the stream."""
MAX_FRAMES = CLIP_SAMPLES // HOP
SHARED = 3
"""Elements that a frame has in common with the one before."""


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
        return self.head_samples + ELEMENT * SHARED + HOP * self.padded(frames)

    def pack(self, stream: Array, frames: int) -> Array:
        """The input buffer for a stream of samples (int16, with padding), zeros where frames are added."""
        if not 0 < frames <= MAX_FRAMES or len(stream) < HOP * (frames - 1) + WINDOW:
            raise ValueError(f"{len(stream)} samples for {frames} frames")
        buffer = np.zeros(self.input_samples(frames), np.int16)
        buffer[: self.head_samples : ELEMENT] = self.calls(frames)
        samples = buffer[self.head_samples :]
        used = min(len(stream), HOP * (frames - 1) + WINDOW)
        samples[:used] = stream[:used]
        return buffer


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
