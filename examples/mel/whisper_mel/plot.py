"""A picture of a spectrogram beside its reference, as PNG, without any package: there wherever the kernel is.

By the specification of PNG (W3C, 3rd edition): signature, IHDR, IDAT with filter 0 in every row, IEND.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BAND_PIXELS = 3
"""Height of a band."""
MAX_WIDTH = 1500
"""Frames are averaged in groups until the picture is no wider than this."""
DIFFERENCE_SHOWN = 0.03
"""The difference that is drawn in full colour: the limit of accuracy."""
_GAP = 6  # pixels between the panels
# Colours of equally spaced values, dark to light, and of differences from negative to positive.
_LEVELS = ((0, 0, 20), (40, 15, 95), (125, 30, 110), (205, 65, 75), (245, 140, 35), (250, 250, 160))
_DIFFERENCES = ((40, 90, 220), (255, 255, 255), (215, 40, 30))


def spectrogram_png(computed: Array, reference: Array) -> bytes:
    """Three panels, one above the other: computed, reference, and their difference (blue too low, red too
    high).

    Args:
        computed: of shape (bands, frames), in the units that Whisper takes.
        reference: the same by the definition.
    """
    low, high = float(reference.min()), float(reference.max())
    span = high - low or 1.0
    panels = [
        _coloured((computed - low) / span, _LEVELS),
        _coloured((reference - low) / span, _LEVELS),
        _coloured((computed - reference) / (2 * DIFFERENCE_SHOWN) + 0.5, _DIFFERENCES),
    ]
    gap = np.full((_GAP, panels[0].shape[1], 3), 255, np.uint8)
    return _png(np.concatenate([panels[0], gap, panels[1], gap, panels[2]]))


def _coloured(values: Array, colours: tuple[tuple[int, int, int], ...]) -> Array:
    """Pixels for values between 0 and 1, the lowest band at the bottom."""
    group = -(-values.shape[1] // MAX_WIDTH)
    width = -(-values.shape[1] // group)
    padded = np.pad(values, ((0, 0), (0, width * group - values.shape[1])), mode="edge")
    shown = padded.reshape(values.shape[0], width, group).mean(axis=2)[::-1]
    places = np.linspace(0.0, 1.0, len(colours))
    channels = [np.interp(shown, places, [colour[i] for colour in colours]) for i in range(3)]
    pixels: Array = np.round(np.stack(channels, axis=2)).astype(np.uint8)
    return np.repeat(pixels, BAND_PIXELS, axis=0)


def _png(pixels: Array) -> bytes:
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], axis=1)
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB, the only methods there are
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
