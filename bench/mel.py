"""The log-mel designs: how near to the definition, and how fast.

    python bench/mel.py [--json FILE] [--repeat N]

Builds the designs in a temporary copy of the sources, runs every test signal through them, and times 30 s of audio end to
end on one CPU core, beside other implementations that are installed. Prints both tables as Markdown. Each figure is
labelled: measured (this CPU), emulated (the emulated array on this CPU; it says nothing about an NPU), modelled (what the
timing model of the emulator says of an NPU).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

from build_times import Tree  # noqa: E402 - beside this file
from machine import describe, machine, timed  # noqa: E402
from mel_signals import LEVELS_DB, SIGNALS, signal  # noqa: E402 - the tests' signals

from npuninja.audio import LogMel, find_manifest, log_mel  # noqa: E402
from npuninja.audio.accuracy import accuracy  # noqa: E402
from npuninja.audio.clip import DESIGNS  # noqa: E402
from npuninja.audio.definition import log10_mel, whisper_input  # noqa: E402
from npuninja.audio.log_mel import outputs  # noqa: E402

CLIP_S = 30


def accuracies(build: str) -> list[dict[str, Any]]:
    """Every signal at every level through the designs for 80 and 128 bands, every frame compared."""
    rows = []
    for bands in (80, 128):
        with LogMel(find_manifest(bands, "emu", build), "emu") as session:
            for name in SIGNALS:
                for level in LEVELS_DB:
                    samples = signal(name, level, 4.0)
                    got = accuracy(outputs(session, samples, pad=False), log10_mel(samples / 32768, bands))
                    rows.append({"signal": name, "level_db": level, "bands": bands, "good": got.good, **got._asdict()})
    return rows


def accuracy_table(rows: list[dict[str, Any]]) -> str:
    """The worst level of each signal, as Markdown."""
    lines = [
        "| signal | bands | correlation | of perfect rounding to int8 | largest error | rms error | within limits |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SIGNALS:
        for bands in (80, 128):
            levels = [row for row in rows if row["signal"] == name and row["bands"] == bands]
            worst = min(levels, key=lambda row: row["correlation"] if row["correlation"] is not None else 2)
            correlations = [f"{worst[key]:.6f}" if worst[key] is not None else "constant" for key in CORRELATIONS]
            largest, rms = (max(row[key] for row in levels) for key in ("largest", "rms"))
            good = "yes" if all(row["good"] for row in levels) else "no"
            shown = name.replace("_", " ")
            lines.append(f"| {shown} | {bands} | {' | '.join(correlations)} | {largest:.4f} | {rms:.4f} | {good} |")
    return "\n".join(lines)


CORRELATIONS = ("correlation", "rounded_correlation")


def others(samples: np.ndarray[Any, Any]) -> dict[str, Callable[[], object] | str]:
    """Other implementations: what to call, or why not."""
    clip = (samples / 32768).astype(np.float32)
    found: dict[str, Callable[[], object] | str] = {"NumPy, float64 (the definition)": lambda: whisper_input(clip, 80)}
    for name, make in (
        ("librosa", _librosa),
        ("transformers", _transformers),
        ("openai-whisper", _whisper),
        ("torchaudio", _torchaudio),
    ):
        try:
            found[name] = make(clip)
        except ImportError as error:
            found[name] = f"skipped: {str(error).splitlines()[0]}"
    return found


def _librosa(clip: np.ndarray[Any, Any]) -> Callable[[], object]:
    import librosa

    def run() -> object:
        mel = librosa.feature.melspectrogram(y=clip, sr=16000, n_fft=400, hop_length=160, n_mels=80, pad_mode="reflect")
        return np.log10(np.maximum(mel, 1e-10))

    return run


def _transformers(clip: np.ndarray[Any, Any]) -> Callable[[], object]:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor()
    return lambda: extractor(clip, sampling_rate=16000, return_tensors="np")


def _whisper(clip: np.ndarray[Any, Any]) -> Callable[[], object]:
    import whisper

    return lambda: whisper.log_mel_spectrogram(clip)


def _torchaudio(clip: np.ndarray[Any, Any]) -> Callable[[], object]:
    import torch
    import torchaudio

    form = {"n_fft": 400, "hop_length": 160, "n_mels": 80, "mel_scale": "slaney", "norm": "slaney"}
    transform = torchaudio.transforms.MelSpectrogram(16000, **form)
    waves = torch.from_numpy(clip)
    return lambda: torch.log10(torch.clamp(transform(waves), min=1e-10))


def speeds(build: str, repeat: int) -> list[dict[str, Any]]:
    """Seconds for 30 s of speech-like audio, one after the other on one CPU core."""
    samples = signal("speech_like", 0, CLIP_S)
    rows: list[dict[str, Any]] = []
    for name in DESIGNS:
        with LogMel(find_manifest(DESIGNS[name].bands, "emu", build, name), "emu") as session:
            figures = timed(lambda: log_mel(samples, session=session), repeat)
            rows.append({"what": f"npuninja, design `{name}`", "label": "emulated", **figures})
    for what, run in others(samples).items():
        if isinstance(run, str):
            rows.append({"what": what, "label": run})
        else:
            rows.append({"what": what, "label": "measured", **timed(run, max(3, repeat // 3))})
    return rows


def speed_table(rows: list[dict[str, Any]]) -> str:
    """Milliseconds and times realtime, as Markdown."""
    lines = ["| what | 30 s of audio in, median | min | times realtime (median) | label |", "|---|---|---|---|---|"]
    for row in rows:
        if "min_s" in row:
            figures = f"{1000 * row['median_s']:.1f} ms | {1000 * row['min_s']:.1f} ms | {CLIP_S / row['median_s']:.0f}"
        else:
            figures = "- | - | -"
        lines.append(f"| {row['what']} | {figures} | {row['label']} |")
    by_name = {row["what"]: row for row in rows}
    one, four = (by_name[f"npuninja, design `{name}`"]["min_s"] for name in ("mel", "mel_vector"))
    lines.append(
        f"\nThe vectorised kernel's design takes 1/{one / four:.2f} of the scalar one's time (emulated, smallest times)."
    )
    return "\n".join(lines)


def main() -> int:
    """Builds, measures, prints, writes the JSON."""
    parser = argparse.ArgumentParser(description="accuracy and speed of the log-mel designs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--repeat", type=int, default=15, help="runs of each measurement (default 15)")
    options = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as folder:
        tree = Tree(Path(folder))
        tree.configure(*DESIGNS)
        tree.ninja()
        build = str(Path(folder) / "build")
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        rows, times = accuracies(build), speeds(build, options.repeat)
    facts = machine()
    print(f"Accuracy against the float64 definition, worst of 0, -20 and -40 dB (emulated):\n\n{accuracy_table(rows)}\n")
    print(f"Speed on one core of {describe(facts)}:\n\n{speed_table(times)}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        content = {"machine": facts, "accuracy": rows, "speed": times}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row["good"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
