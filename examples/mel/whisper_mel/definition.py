"""Whisper's log-mel spectrogram from its definition, in float64, by which those of kernels/mel are judged.

The definition is that of `log_mel_spectrogram` in openai/whisper (whisper/audio.py), which computes in
float32 what is computed here in float64: 16 kHz, reflect padding of 200 samples at each end, periodic Hann
window of 400, DFT of 400 points, hop of 160, the last frame dropped, power, triangular filters on Slaney's
mel scale with Slaney's normalisation from 0 to 8000 Hz, log10 with a floor of 1e-10, at most 8 below the
clip's maximum, (x + 4) / 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_SAMPLE_RATE_HZ, _WINDOW, _HOP = 16000, 400, 160
_PART = 500  # frames at a time: all those of an hour do not fit into memory


def mel_filters(bands: int) -> Array:
    """The filters as a matrix of shape (bands, 201), columns for the bins 0, 40, … 8000 Hz."""
    step_hz, knee_hz, per_e_fold = 200.0 / 3.0, 1000.0, 27.0 / np.log(6.4)
    knee_mel = knee_hz / step_hz
    top_mel = knee_mel + np.log(_SAMPLE_RATE_HZ / 2 / knee_hz) * per_e_fold
    mels = np.linspace(0.0, top_mel, bands + 2)
    corners = np.where(mels < knee_mel, mels * step_hz, knee_hz * np.exp((mels - knee_mel) / per_e_fold))
    bins = np.arange(_WINDOW // 2 + 1) * (_SAMPLE_RATE_HZ / _WINDOW)
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles: Array = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    filters: Array = np.maximum(0.0, triangles) * (2.0 / (high - low))
    return filters


def log10_mel(samples: Array, bands: int = 80) -> Array:
    """log10 of the mel power, at least -10: float64 of shape (bands, samples // 160).

    Args:
        samples: floats between -1 and 1, at least 201 of them (that many the reflection needs).
        bands: number of filters; Whisper has 80, large-v3 128.
    """
    padded = np.pad(np.asarray(samples, np.float64), _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:-1]
    window = np.hanning(_WINDOW + 1)[:-1]
    filters = mel_filters(bands)
    result: Array = np.empty((bands, len(frames)))
    for start in range(0, len(frames), _PART):
        power = np.abs(np.fft.rfft(frames[start : start + _PART] * window)) ** 2
        result[:, start : start + _PART] = np.log10(np.maximum(filters @ power.T, 1e-10))
    return result


def whisper_input(samples: Array, bands: int = 80) -> Array:
    """What Whisper takes for a clip: float64, shape (bands, samples // 160). `samples`: see `log10_mel`."""
    log10 = log10_mel(samples, bands)
    scaled: Array = (np.maximum(log10, log10.max() - 8.0) + 4.0) / 4.0
    return scaled
