"""The numbers of Whisper's log-mel spectrogram, and the scale of the kernels' int8 output.

An output q stands for log10 of the mel power: (q + 128) * log10(2) / 6 - 10. A step is a sixth of an octave
of power; -128 is Whisper's floor of 1e-10, and 127 is 10^2.79, more than a square wave of full scale reaches.
The scale is the same for every clip, so that frames can be computed before the clip's maximum is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SAMPLE_RATE_HZ = 16000
WINDOW = 400
"""Samples of a frame."""
HOP = 160
"""Samples from one frame to the next: 10 ms."""
BANDS = (80, 128)
CLIP_SAMPLES = 30 * SAMPLE_RATE_HZ
"""What Whisper pads or cuts every clip to."""
STEPS_PER_OCTAVE = 6
FLOOR = -10.0
"""log10 of the smallest power that is told apart from nothing."""

Array = np.ndarray[Any, np.dtype[Any]]
_STEP = float(np.log10(2.0)) / STEPS_PER_OCTAVE


def log10_of(output: Array) -> Array:
    """log10 of the mel power that int8 outputs stand for, as float32."""
    log10: Array = (output.astype(np.float64) + 128) * _STEP + FLOOR
    return log10.astype(np.float32)


def output_of(log10: Array) -> Array:
    """The int8 output nearest to log10 of a mel power: what a kernel without any error would give."""
    steps: Array = np.clip(np.round((log10 - FLOOR) / _STEP), 0, 255) - 128
    return steps.astype(np.int8)


def normalised(log10: Array) -> Array:
    """What Whisper takes: nothing more than 8 below the maximum of the clip, then (x + 4) / 4; float32."""
    scaled: Array = (np.maximum(log10, log10.max() - 8.0) + 4.0) / 4.0
    return scaled.astype(np.float32)
