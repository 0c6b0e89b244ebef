"""Log-mel designs on the emulated array, bit for bit against the integer model; kernels that are wrong."""

import importlib.util
import json

import numpy as np
import pytest
from design_chain import Chain
from mel_builds import KERNELS, design_text, kernel_text, manifest_of
from mel_layout import DESIGNS, MAX_FRAMES
from mel_model import log_mel_of_stream
from mel_scale import HOP, WINDOW, log10_of, normalised
from mel_signals import signal
from whisper_mel import LogMel, LogMelStream, log_mel
from whisper_mel.accuracy import accuracy
from whisper_mel.clip import instructions
from whisper_mel.definition import log10_mel
from whisper_mel.log_mel import outputs

from npuninja.device import runner
from npuninja.errors import UserError
from npuninja.formats.txn import read_txn

ALL = [pytest.param(name, marks=pytest.mark.slow if name == "mel_16core" else ()) for name in DESIGNS]


def stream(frames, seed=0):
    """Samples of all levels, the ends of the range included."""
    rng = np.random.default_rng(seed)
    samples = HOP * (frames - 1) + WINDOW
    levels = np.repeat(10 ** rng.uniform(0, 5.5, samples // 700 + 1), 700)[:samples]
    return np.clip(levels * rng.standard_normal(samples), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("name", ALL)
def test_any_length_on_one_xclbin(name):
    with LogMel(manifest_of(name), "emu") as session:
        for frames in (40, 1, 40) if name == "mel_16core" else (40, 1, 3, 97, 17, 40):
            samples = stream(frames, frames)
            expected = log_mel_of_stream(samples, frames, session.bands)
            np.testing.assert_array_equal(session.frames(samples, frames), expected)


def test_longer_than_one_run():
    frames = MAX_FRAMES + 5
    samples = stream(frames)
    with LogMel(manifest_of("mel_vector"), "emu") as session:
        np.testing.assert_array_equal(session.frames(samples, frames), log_mel_of_stream(samples, frames))


@pytest.mark.parametrize("name", ["mel", "mel_4core"])
def test_stream_gives_what_the_whole_clip_gives(name):
    samples = signal("speech_like", -20, 0.7)
    rng = np.random.default_rng(2)
    with LogMel(manifest_of(name), "emu") as session:
        live = LogMelStream(session)
        pieces, at = [], 0
        while at < samples.size:
            size = 160 * int(rng.integers(1, 6))
            pieces.append(live.push(samples[at : at + size]))
            at += size
        pieces.append(live.finish())
        whole = log_mel(samples, pad=False, session=session)
    np.testing.assert_array_equal(normalised(np.concatenate(pieces, axis=1)), whole)
    assert whole.shape == (80, samples.size // HOP)


def test_stream_of_10_ms_pieces_gives_a_frame_for_each():
    samples = signal("chirp", 0, 0.1)
    with LogMel(manifest_of("mel"), "emu") as session:
        live = LogMelStream(session)
        frames = [live.push(samples[at : at + 160]).shape[1] for at in range(0, 1600, 160)]
        assert frames == [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        assert live.finish().shape == (80, 1)


def test_whispers_input():
    samples = signal("speech_like", -40)
    with LogMel(manifest_of("mel_vector"), "emu") as session:
        result = log_mel(samples, session=session)
        floats = log_mel(samples.astype(np.float32) / 32768, session=session)
        got = outputs(session, samples)
        assert session.timing == "emulated"
        assert session.device_s > 0
    assert (result.dtype, result.shape) == (np.float32, (80, 3000))
    np.testing.assert_array_equal(floats, result)
    log10 = log10_mel(np.pad(samples, (0, 480000 - samples.size)) / 32768)
    assert accuracy(got, log10).good
    np.testing.assert_array_equal(normalised(log10_of(got).T), result)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 1000), np.int16), "an array of shape (2, 1000), expected an array of one dimension"),
        ([0.0] * 1000, "the samples are list"),
        (np.zeros(1000, np.int32), "the samples are int32"),
        (np.full(1000, np.nan), "no numbers"),
        (np.zeros(200), "200 samples; the reflection at the ends needs 201"),
    ],
)
def test_samples_that_are_refused(samples, message):
    with LogMel(manifest_of("mel"), "emu") as session, pytest.raises(UserError) as caught:
        log_mel(samples, pad=False, session=session)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_instructions_differ_in_transfers_only(name):
    design = DESIGNS[name]
    with open(json_files(name)["insts"], "rb") as file:
        insts = file.read()
    assert instructions(design, insts, MAX_FRAMES) == insts
    short = instructions(design, insts, 100)
    assert len(short) == len(insts)
    kinds = [[type(op).__name__ for op in read_txn(data).operations] for data in (insts, short)]
    assert kinds[0] == kinds[1]
    assert short != insts
    with pytest.raises(UserError, match=f"not those of the design {name}"):
        instructions(design, short, 50)


def json_files(name):
    path = manifest_of(name)
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["files"]
    folder = path.rpartition("/")[0]
    return {key: f"{folder}/{entry['path']}" for key, entry in files.items()}


def test_samples_are_sent_once():
    """One core: the design's input is the padded clip and one element of 80."""
    assert DESIGNS["mel"].input_samples(MAX_FRAMES) == 480000 + 240 + 80


def broken(wasm_build, text, kernel):
    return Chain(wasm_build, "mel", text, kernels={"mel.o": kernel}).run()


def htk_tables():
    """The 80-band tables on the HTK scale, which is a common mistake."""
    spec = importlib.util.spec_from_file_location("mel_tables", KERNELS / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.mel_of_hz = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    module.hz_of_mel = lambda mel: 700 * (10 ** (mel / 2595) - 1)
    return module.header(80)


def test_unchanged_kernel_passes(wasm_build):
    path = broken(wasm_build, None, kernel_text())
    assert runner.main([path, "--verify", "--require", "emu"]) == 0


def test_wrong_filter_is_caught(wasm_build, capfd):
    path = broken(wasm_build, None, kernel_text(htk_tables()))
    assert runner.main([path, "--verify"]) == 1
    assert "bands_out: " in (out := capfd.readouterr().out)
    assert "elements differ" in out
    with LogMel(path, "emu") as session:
        assert not judged(session).good


def test_wrong_scale_is_caught(wasm_build, capfd):
    path = broken(wasm_build, None, kernel_text(replace=[("(31 * 1536 + 128)", "(30 * 1536 + 128)")]))
    assert runner.main([path, "--verify"]) == 1
    assert "elements differ" in capfd.readouterr().out
    with LogMel(path, "emu") as session:
        assert not judged(session).good


def judged(session):
    samples = signal("chirp", -20, 1.0)
    return accuracy(session.frames(np.pad(samples, 200, mode="reflect"), 100), log10_mel(samples / 32768))


def test_small_stack_is_caught_and_named(wasm_build, capfd):
    """The frame on the stack instead of in static buffers, and the 1 KiB that a core has by default."""
    start = "    lanes shift = windowed(elements);"
    on_stack = "    complex_lanes frame[POINTS];\n    points = frame;\n"
    moved = [
        ("static complex_lanes points[POINTS];", "static complex_lanes *points;"),
        (start, on_stack + start),
    ]
    kernel = kernel_text(replace=moved)
    text = design_text("mel").replace("stack_size = 2048 : i32", "stack_size = 1024 : i32")
    assert runner.main([broken(wasm_build, text, kernel), "--verify"]) == 4
    error = capfd.readouterr().err
    assert "stack" in error
    assert "1024" in error
