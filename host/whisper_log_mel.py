"""Whisper's log-mel spectrogram from its definition, in float64: what the kernels of kernels/mel are judged by.

The definition is that of `log_mel_spectrogram` in openai/whisper (whisper/audio.py), which computes in float32 what is
computed here in float64: 16 kHz, reflect padding of 200 samples at each end, periodic Hann window of 400, DFT of 400
points, hop of 160, the last frame dropped, power, triangular filters on Slaney's mel scale with Slaney's normalisation
from 0 to 8000 Hz, log10 with a floor of 1e-10, at most 8 below the clip's maximum, (x + 4) / 4.
"""

import numpy as np

SAMPLE_RATE_HZ = 16000
WINDOW = 400
HOP = 160
POWER_FLOOR = 1e-10


def mel_filters(bands):
    """The filters as a matrix of shape (bands, 201), rows over the bins 0, 40, … 8000 Hz."""
    step_hz, knee_hz, per_octave = 200.0 / 3.0, 1000.0, 27.0 / np.log(6.4)
    knee_mel = knee_hz / step_hz
    top_mel = knee_mel + np.log(SAMPLE_RATE_HZ / 2 / knee_hz) * per_octave
    mels = np.linspace(0.0, top_mel, bands + 2)
    corners = np.where(mels < knee_mel, mels * step_hz, knee_hz * np.exp((mels - knee_mel) / per_octave))
    bins = np.arange(WINDOW // 2 + 1) * (SAMPLE_RATE_HZ / WINDOW)
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    return np.maximum(0.0, triangles) * (2.0 / (high - low))


def log10_mel(samples, bands=80):
    """log10 of the mel power, at least -10: float64 of shape (bands, samples // 160).

    `samples` are floats between -1 and 1, at least 201 of them (that many the reflection needs).
    """
    padded = np.pad(np.asarray(samples, np.float64), WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:-1]
    window = np.hanning(WINDOW + 1)[:-1]
    result = np.empty((bands, len(frames)))
    filters = mel_filters(bands)
    for start in range(0, len(frames), 500):  # in parts: the whole of an hour does not fit into memory
        power = np.abs(np.fft.rfft(frames[start : start + 500] * window)) ** 2
        result[:, start : start + 500] = np.log10(np.maximum(filters @ power.T, POWER_FLOOR))
    return result


def normalised(log10):
    """What Whisper takes: nothing more than 8 below the maximum of the clip, then (x + 4) / 4."""
    return (np.maximum(log10, log10.max() - 8.0) + 4.0) / 4.0
