"""`npuninja mel` from a WAV file to an array and a picture, and the files it refuses."""

import struct
import sys
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
from mel_builds import manifest_of
from mel_signals import signal
from whisper_mel.definition import whisper_input
from whisper_mel.figure import format_of, spectrogram_figure
from whisper_mel.session import find_manifest
from whisper_mel.wav import read_wav

from npuninja.cli import main
from npuninja.detect import pyxrt_import
from npuninja.errors import ToolError, UserError


def wav(path, samples, rate=16000, channels=1, width=2):
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return str(path)


@pytest.fixture
def build(tmp_path):
    """A build folder with the design `mel`."""
    source = Path(manifest_of("mel")).parent
    folder = tmp_path / "build" / "npu1_1col" / "wasm" / "mel"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(source)
    (source / "mel.json").write_bytes((source / "design.json").read_bytes())
    return str(tmp_path / "build")


def pixels(path):
    """The rows of a PNG, by its chunks."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack_from(">2I", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_array_and_picture(tmp_path, build, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # the picture without axes is looked into
    samples = signal("speech_like", -20, 1.0)
    output, picture = tmp_path / "mel.npy", tmp_path / "mel.png"
    source = wav(tmp_path / "speech.wav", samples)
    assert (
        main(["mel", source, "-o", str(output), "--plot", str(picture), "--build", build, "--device", "emu"])
        == 0
    )
    text = capfd.readouterr().out
    assert "80 bands, 3000 frames of 10 ms; 1.00 s of audio" in text
    assert "(emulated, mel on emu)" in text
    result = np.load(output)
    clip = np.pad(samples, (0, 480000 - samples.size)) / 32768
    assert (result.dtype, result.shape) == (np.float32, (80, 3000))
    assert abs(result - whisper_input(clip)).max() <= 0.03
    image = pixels(picture)
    assert image.shape == (3 * 3 * 80 + 2 * 6, 100, 3)
    computed, reference, difference = image[:240], image[246:486], image[492:]
    assert abs(computed.astype(int) - reference).max() < 25
    assert computed.std() > 20
    assert difference.mean() > 200  # near white: nothing differs by much


def test_whole_file(tmp_path, build):
    source = wav(tmp_path / "a.wav", signal("chirp", 0, 0.5))
    assert main(["mel", source, "-o", str(tmp_path / "a.npy"), "--whole", "--build", build]) == 0
    assert np.load(tmp_path / "a.npy").shape == (80, 50)


def riff(path, tag, channels, rate, bits, content, extra=b""):
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + extra
    chunks = b"".join(
        n + struct.pack("<I", len(b)) + b
        for n, b in ((b"LIST", b"abcd"), (b"fmt ", form), (b"data", content))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return str(path)


TONE = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) * 0.5


@pytest.mark.parametrize(
    ("tag", "bits", "content", "extra"),
    [
        (1, 8, np.round(TONE * 127 + 128).astype(np.uint8).tobytes(), b""),
        (1, 24, b"".join(struct.pack("<i", int(x * 0x7FFFFF))[:3] for x in TONE), b""),
        (1, 32, (TONE * 0x7FFFFFFF).astype("<i4").tobytes(), b""),
        (3, 32, TONE.astype("<f4").tobytes(), b""),
        (3, 64, TONE.astype("<f8").tobytes(), b""),
        (
            0xFFFE,
            16,
            np.round(TONE * 32767).astype("<i2").tobytes(),
            struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14),
        ),
    ],
)
def test_every_width_of_samples_is_read(tmp_path, tag, bits, content, extra):
    samples, said = read_wav(riff(tmp_path / "a.wav", tag, 1, 16000, bits, content, extra))
    assert abs(samples - TONE * 32768).max() <= (300 if bits == 8 else 2)
    assert said == (
        "" if bits == 16 else f"converted from 16000 Hz, 1 channel, {bits} {'float' if tag == 3 else 'bits'}"
    )


def test_channels_are_averaged(tmp_path):
    both = np.stack([np.full(100, 1000), np.full(100, 3000)], axis=1).astype("<i2")
    samples, said = read_wav(riff(tmp_path / "a.wav", 1, 2, 16000, 16, both.tobytes()))
    assert samples.tolist() == [2000] * 100
    assert "2 channels" in said


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_other_rates_are_resampled(tmp_path, rate):
    pytest.importorskip("soxr")
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 0.5
    samples, said = read_wav(
        riff(tmp_path / "a.wav", 1, 1, rate, 16, np.round(tone * 32767).astype("<i2").tobytes())
    )
    assert len(samples) == 16000
    assert abs(samples[1000:-1000] - (TONE * 32768)[1000:-1000]).max() < 40
    assert said == f"converted from {rate} Hz, 1 channel, 16 bits, resampled by soxr"


def test_a_rate_that_nothing_resamples_is_refused(tmp_path, monkeypatch):
    for name in ("soxr", "scipy.signal", "scipy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ToolError, match="44100 Hz, and nothing that resamples") as raised:
        read_wav(riff(tmp_path / "a.wav", 1, 1, 44100, 16, bytes(100)))
    assert "pip install soxr" in raised.value.hint


@pytest.mark.parametrize(
    ("tag", "channels", "bits", "message"),
    [
        (0x55, 1, 16, "it is MP3"),
        (7, 1, 8, "mu-law"),
        (1, 0, 16, "0 channels"),
        (1, 1, 12, "12 bits"),
        (0x1234, 1, 16, "0x1234"),
    ],
)
def test_what_is_compressed_or_makes_no_sense_is_refused(tmp_path, tag, channels, bits, message):
    with pytest.raises(UserError, match=message):
        read_wav(riff(tmp_path / "a.wav", tag, channels, 16000, bits, bytes(100)))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_suffix_decides_the_format_and_the_figure_has_axes(suffix):
    pytest.importorskip("matplotlib")
    values = np.linspace(-1, 1, 800).reshape(80, 10)
    data = spectrogram_figure(values, values, "80 mel bands, 0.10 s", suffix)
    assert data.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix])
    if suffix == "svg":
        text = data.decode()
        for said in ("time in s", "mel band", "computed by the design", "difference", "(log10 of the power"):
            assert f"<!-- {said}" in text or f">{said}" in text, said
    assert format_of(f"x.{suffix.upper()}") == suffix
    assert format_of("x.txt") == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"", "not a WAV file"),
        (b"RIFF", "not a WAV file"),
        (b"ID3 something else", "not a WAV file"),
    ],
)
def test_files_that_are_no_sound(tmp_path, capfd, content, message):
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    assert main(["mel", str(path), "-o", str(tmp_path / "a.npy")]) == 2
    assert message in capfd.readouterr().err


def test_options_that_contradict(tmp_path, build, capfd):
    source = wav(tmp_path / "a.wav", np.zeros(1000, np.int16))
    assert main(["mel", source, "-o", "x.npy", "--bands", "128", "--design", "mel", "--build", build]) == 2
    assert "the design mel has 80 bands, not 128" in capfd.readouterr().err
    assert main(["mel", source, "-o", "x.npy", "--bands", "128", "--build", build]) == 2
    assert "no log-mel design" in capfd.readouterr().err
    assert main(["mel", source]) == 2
    assert "-o" in capfd.readouterr().err


def test_no_samples(tmp_path, build, capfd):
    source = wav(tmp_path / "a.wav", np.zeros(0, np.int16))
    assert main(["mel", source, "-o", str(tmp_path / "a.npy"), "--build", build]) == 2
    assert "no samples" in capfd.readouterr().err


def test_a_design_for_an_npu_is_taken_where_there_is_one(tmp_path, monkeypatch):
    for kind in ("wasm", "aie2"):
        manifest = tmp_path / "build" / "npu1" / kind / "mel" / "mel.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_bytes(b"")
    node = tmp_path / "accel0"
    monkeypatch.setattr(pyxrt_import, "ACCEL_NODES", str(node))
    build = str(tmp_path / "build")
    assert "/wasm/" in find_manifest(80, "auto", build)
    node.write_bytes(b"")
    assert "/aie2/" in find_manifest(80, "auto", build)
    assert "/wasm/" in find_manifest(80, "emu", build)
