"""Test signals for the log-mel kernels, all generated: floats, 16 kHz, largest magnitude 1 (or silence)."""

import numpy as np

RATE_HZ = 16000
LEVELS_DB = (0, -20, -40)


def speech_like(t, rng):
    """Syllables: a gliding voice with 39 harmonics, bursts of noise between them, a quiet room."""
    voice_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(voice_hz) / RATE_HZ
    voice = sum(np.sin(h * phase) / h for h in range(1, 40)) * np.clip(np.sin(2 * np.pi * 2.5 * t), 0, 1) ** 2
    hiss = rng.standard_normal(t.size) * np.clip(np.sin(2 * np.pi * 2.5 * t + 2), 0, 1) ** 4
    return 0.4 * voice + 0.1 * hiss + 1e-4 * rng.standard_normal(t.size)


def music_like(t, rng):
    """Struck notes over five octaves, the high ones dying away faster."""
    notes_hz = (220, 277, 330, 440, 880, 1760, 3520, 7040)
    wobble = t * (1 + 0.001 * np.sin(5 * t))
    return sum(np.sin(2 * np.pi * hz * wobble) * np.exp(-(t % 0.5) * i) for i, hz in enumerate(notes_hz, 1))


def noise(t, rng):
    """White noise in bursts of 0.2 s over 60 dB."""
    levels = 10 ** (rng.uniform(-60, 0, t.size // 3200 + 1) / 20)
    return rng.standard_normal(t.size) * np.repeat(levels, 3200)[: t.size]


def steady_noise(t, rng):
    """White noise of one level: nothing but chance, so rounding to int8 is a large part of its variation."""
    return rng.standard_normal(t.size)


def chirp(t, rng):
    """A sine from 20 to 7900 Hz: alone in its frame, with the skirts of the window around it."""
    return np.sin(2 * np.pi * (20 * t + (7900 - 20) / (2 * t[-1]) * t * t))


def impulse(t, rng):
    """Clicks of one sample in digital silence."""
    signal = np.zeros(t.size)
    signal[rng.integers(0, t.size, 10)] = 1
    return signal


def silence(t, rng):
    """Nothing."""
    return np.zeros(t.size)


def clipping(t, rng):
    """Speech, far too loud."""
    speech = speech_like(t, rng)
    return np.clip(12 * speech / abs(speech).max(), -1, 1)


def dc(t, rng):
    """A constant."""
    return np.ones(t.size)


def square(t, rng):
    """A square wave of 40 Hz: the most that a mel band can hold."""
    return np.sign(np.sin(2 * np.pi * 40 * t + 0.1))


SIGNALS = {
    f.__name__: f
    for f in (speech_like, music_like, noise, steady_noise, chirp, impulse, silence, clipping, dc, square)
}


def signal(name, level_db, seconds=2.0):
    """A signal as int16, its largest magnitude `level_db` below full scale."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    values = SIGNALS[name](t, np.random.default_rng(1))
    return np.round(values / (abs(values).max() or 1) * 32767 * 10 ** (level_db / 20)).astype(np.int16)
