"""`npuninja mel` from a WAV file to an array and a picture, and the files it refuses."""

import struct
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
from mel_builds import manifest_of
from mel_signals import signal
from whisper_mel.definition import whisper_input

from npuninja.cli import main


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


def test_array_and_picture(tmp_path, build, capfd):
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


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"rate": 44100}, "44100 Hz, 1 channel, 16 bits; expected 16000 Hz"),
        ({"channels": 2}, "16000 Hz, 2 channels, 16 bits"),
        ({"width": 1}, "16000 Hz, 1 channel, 8 bits"),
    ],
)
def test_other_formats_are_refused(tmp_path, build, capfd, form, message):
    source = wav(tmp_path / "a.wav", np.zeros(1000, np.int16), **form)
    assert main(["mel", source, "-o", str(tmp_path / "a.npy"), "--build", build]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert "a.wav -ar 16000 -ac 1" in error
    assert not (tmp_path / "a.npy").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"", "not a WAV file"),
        (b"RIFF", "not a WAV file"),
        (b"ID3 something else", "not a WAV file"),
    ],
)
def test_files_that_are_none(tmp_path, capfd, content, message):
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
