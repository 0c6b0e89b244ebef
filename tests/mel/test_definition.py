"""The float64 definition: against sums written out, facts of Whisper's filters, other implementations."""

import numpy as np
import pytest
from mel_signals import LEVELS_DB, SIGNALS, signal
from whisper_mel.definition import log10_mel, mel_filters, whisper_input


def test_one_frame_by_hand():
    samples = np.random.default_rng(3).standard_normal(1600) * 0.1
    frame, band = 4, 30
    total = 0.0
    hz = [0.0]
    for mel in np.arange(1, 82) * (15 + 27 * np.log(8) / np.log(6.4)) / 81:
        hz.append(200 / 3 * mel if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27))
    for k in range(201):
        weight = max(
            0.0,
            min(
                (40 * k - hz[band]) / (hz[band + 1] - hz[band]),
                (hz[band + 2] - 40 * k) / (hz[band + 2] - hz[band + 1]),
            ),
        )
        if weight:
            x = sum(
                samples[160 * frame - 200 + n]
                * np.sin(np.pi * n / 400) ** 2
                * np.exp(-2j * np.pi * k * n / 400)
                for n in range(400)
            )
            total += weight * 2 / (hz[band + 2] - hz[band]) * abs(x) ** 2
    assert log10_mel(samples)[band, frame] == pytest.approx(np.log10(total), abs=1e-9)


def test_reflection_and_last_frame():
    samples = np.random.default_rng(3).standard_normal(16000) * 0.1
    whole = log10_mel(samples)
    assert whole.shape == (80, 100)
    longer = np.concatenate([samples[320:0:-1], samples, samples[-2:-402:-1]])
    np.testing.assert_allclose(log10_mel(longer)[:, 2:102], whole, atol=1e-12)


def test_filters_are_whispers():
    filters = mel_filters(80)
    assert filters.shape == (80, 201)
    # Facts of whisper/assets/mel_filters.npz.
    assert np.count_nonzero(filters) == 391
    assert np.count_nonzero(filters, axis=1).max() == 14
    used = np.flatnonzero(filters.any(axis=0))
    assert (used[0], used[-1]) == (1, 199)
    assert filters.max() == pytest.approx(0.02588, abs=5e-5)
    assert mel_filters(128).any(axis=1).all()


def test_normalisation():
    result = whisper_input(signal("music_like", 0) / 32768)
    assert result.max() - result.min() == pytest.approx(2.0)
    assert (whisper_input(np.zeros(1600)) == -1.5).all()


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("name", SIGNALS)
def test_transformers_feature_extractor(name, bands):
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed: its features are not compared"
    )
    extractor = transformers.WhisperFeatureExtractor(feature_size=bands)
    for level in LEVELS_DB:
        samples = signal(name, level) / 32768
        clip = np.pad(samples, (0, 480000 - samples.size))
        theirs = extractor(samples.astype(np.float32), sampling_rate=16000, return_tensors="np")[
            "input_features"
        ][0]
        # They compute in float32 or float64 and store filters in float32, which shows at the floor.
        np.testing.assert_allclose(theirs, whisper_input(clip, bands), atol=2e-4)


@pytest.mark.parametrize("bands", [80, 128])
def test_librosa_filters(bands):
    librosa = pytest.importorskip("librosa", reason="librosa is not installed: its filters are not compared")
    theirs = librosa.filters.mel(sr=16000, n_fft=400, n_mels=bands)
    np.testing.assert_allclose(theirs, mel_filters(bands), atol=1e-8)
