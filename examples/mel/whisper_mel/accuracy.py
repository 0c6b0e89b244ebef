"""How near outputs are to the definition, in the units that Whisper takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from mel_scale import log10_of, normalised, output_of

Array = np.ndarray[Any, np.dtype[Any]]

MIN_CORRELATION = 0.9999
MAX_ERROR = 0.03
_OF_ROUNDING = 2e-5
"""What a kernel may lose against perfect rounding where that itself stays below `MIN_CORRELATION`."""


class Accuracy(NamedTuple):
    """Outputs against the definition, all frames and bands.

    Attributes:
        correlation: with the definition; None for a clip whose definition is constant.
        largest: the largest error.
        rms: the root of the mean square error.
        rounded_correlation: what the definition itself has when it is rounded to the int8 scale: the most
            that is possible.
    """

    correlation: float | None
    largest: float
    rms: float
    rounded_correlation: float | None

    @property
    def good(self) -> bool:
        """Whether it is within the limits.

        A correlation of 0.9999 is asked for where the int8 scale allows it. Steady noise varies so little
        that rounding to the scale is more than 0.01 % of it; there nothing but that rounding may be lost.
        """
        if self.largest > MAX_ERROR:
            return False
        if self.correlation is None or self.rounded_correlation is None:
            return True
        return self.correlation >= min(MIN_CORRELATION, self.rounded_correlation - _OF_ROUNDING)


def accuracy(outputs: Array, log10: Array) -> Accuracy:
    """Judges int8 outputs (frames, bands) by log10 of the mel power of the definition (bands, frames)."""
    expected = normalised(log10).astype(np.float64)
    got = normalised(log10_of(outputs).T)
    errors = np.abs(got - expected)
    rounded = normalised(log10_of(output_of(log10)))
    return Accuracy(
        _correlation(got, expected),
        float(errors.max()),
        float(np.sqrt(np.mean(errors**2))),
        _correlation(rounded, expected),
    )


def _correlation(a: Array, b: Array) -> float | None:
    if np.ptp(b) == 0:
        return None
    if np.ptp(a) == 0:
        return 0.0
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
