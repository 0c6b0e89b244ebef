"""Scripts of examples/mel: the reference as a command, and the example with a stand-in for Whisper."""

import importlib.util
import runpy
import sys
import types
import wave
from pathlib import Path

import numpy as np
import pytest
from mel_builds import manifest_of
from mel_signals import signal
from whisper_mel.definition import whisper_input

HOST = Path(__file__).resolve().parents[2] / "examples/mel"


@pytest.fixture
def speech(tmp_path):
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(signal("speech_like", 0, 1.0).tobytes())
    return str(path)


def run(script, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(HOST / script), run_name="__main__")
    return left.value.code


def test_reference_as_a_command(speech, tmp_path, monkeypatch):
    output = str(tmp_path / "mel.npy")
    assert run("whisper_log_mel.py", monkeypatch, speech, "-o", output, "--bands", "128") == 0
    clip = np.pad(signal("speech_like", 0, 1.0), (0, 480000 - 16000)) / 32768
    np.testing.assert_allclose(np.load(output), whisper_input(clip, 128), atol=1e-6)


def test_example_without_whisper(speech, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("transcribe.py", monkeypatch, speech) == 3
    assert "pip install openai-whisper" in capfd.readouterr().err


def test_example_gives_whisper_its_input(speech, monkeypatch):
    spec = importlib.util.spec_from_file_location("transcribe_example", HOST / "transcribe.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    seen = {}

    class Tensor:
        def __init__(self, array):
            self.array = array

        def to(self, device):
            assert device == "cpu"
            return self

    def decode(model, mel, options):
        seen.update(mel=mel.array, options=options)
        return types.SimpleNamespace(text="hello")

    whisper = types.SimpleNamespace(
        load_model=lambda name: types.SimpleNamespace(
            dims=types.SimpleNamespace(n_mels=80), device="cpu", name=name
        ),
        DecodingOptions=lambda **options: options,
        decode=decode,
    )
    monkeypatch.setitem(sys.modules, "whisper", whisper)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(from_numpy=Tensor))
    source = Path(manifest_of("mel"))
    (source.parent / "mel.json").write_bytes(source.read_bytes())
    folder = source.parents[1] / "linked" / "npu1_1col" / "wasm"
    folder.mkdir(parents=True)
    (folder / "mel").symlink_to(source.parent)
    assert example.transcribe(speech, "base.en", "emu", str(source.parents[1] / "linked")) == "hello"
    clip = np.pad(signal("speech_like", 0, 1.0), (0, 480000 - 16000)) / 32768
    assert (seen["mel"].dtype, seen["mel"].shape) == (np.float32, (80, 3000))
    assert abs(seen["mel"] - whisper_input(clip)).max() <= 0.03
