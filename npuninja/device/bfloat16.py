"""bfloat16 for references: arrays of its bits (uint16) and of numbers."""

from __future__ import annotations

import numpy as np

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from npuninja.device.arrays import NumpyArray


def numbers(bits: NumpyArray) -> NumpyArray:
    """The values of bfloat16 bits (uint16, any shape), as float64."""
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def nearest(values: NumpyArray) -> NumpyArray:
    """The nearest bfloat16 of each value, as bits (uint16); ties to even."""
    words = np.asarray(values, np.float32).view(np.uint32)
    return ((words + 0x7FFF + (words >> 16 & 1)) >> 16).astype(np.uint16)
