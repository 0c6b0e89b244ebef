"""The integer model: as near to the definition as promised, for all signals and levels, within 32 bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mel_model import log_mel_of_stream, unrounded
from mel_scale import log10_of, normalised, output_of
from mel_signals import LEVELS_DB, SIGNALS, signal
from whisper_mel.accuracy import MAX_ERROR, accuracy
from whisper_mel.definition import log10_mel


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("level", LEVELS_DB)
@pytest.mark.parametrize("name", SIGNALS)
def test_accuracy(name, level, bands):
    samples = signal(name, level)
    stream, frames = np.pad(samples, 200, mode="reflect"), samples.size // 160
    log10 = log10_mel(samples / 32768, bands)
    got = accuracy(log_mel_of_stream(stream, frames, bands), log10)
    assert got.good, got
    assert got.largest <= 0.02  # better than asked for; the limit is 0.03
    # Before it is rounded to int8, the kernel's logarithm correlates on every signal, steady noise too.
    fine = normalised(np.maximum(unrounded(stream, frames, bands).T, 0) / 1536 * np.log10(2) - 10).astype(
        np.float64
    )
    expected = normalised(log10).astype(np.float64)
    assert abs(fine - expected).max() <= MAX_ERROR - 0.01
    if np.ptp(expected):
        assert np.corrcoef(fine.ravel(), expected.ravel())[0, 1] >= 0.9999


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 5, 8, 25, 40, 50, 100, 200, 400]),
    st.sampled_from([1, 30000, 32767]),
)
@settings(max_examples=30, deadline=None)
def test_no_overflow(seed, period, magnitude):
    """Samples at the ends of the range in patterns that add up in one stage of the transform or another."""
    rng = np.random.default_rng(seed)
    pattern = np.resize(rng.choice([-magnitude - 1, magnitude], period), 400 + 160 * 3).astype(np.int16)
    assert log_mel_of_stream(pattern, 4).shape == (4, 80)  # the model raises OverflowError otherwise


def test_no_overflow_of_sines():
    for k in range(201):
        angles = 2 * np.pi * k * np.arange(400) / 400
        for phase in (0.0, 0.25, 0.5):
            log_mel_of_stream(
                np.where(np.cos(angles + np.pi * phase) >= 0, 32767, -32768).astype(np.int16), 1
            )


def test_frames_do_not_depend_on_each_other():
    stream = np.random.default_rng(0).integers(-32768, 32768, 160 * 600 + 400).astype(np.int16)
    stream[160 * 300 :] //= 5000
    whole = log_mel_of_stream(stream, 600)
    np.testing.assert_array_equal(log_mel_of_stream(stream[160 * 290 :], 20), whole[290:310])


def test_scale():
    outputs = np.arange(-128, 128).astype(np.int8)
    log10 = log10_of(outputs)
    assert log10[0] == -10
    assert 10.0 ** log10[-1] > 600
    np.testing.assert_array_equal(output_of(log10.astype(np.float64)), outputs)
    assert output_of(np.array([-99.0, 99.0])).tolist() == [-128, 127]
