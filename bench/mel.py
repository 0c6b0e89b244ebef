"""The log-mel designs: how near to the definition, and how fast.

    python bench/mel.py [--json FILE] [--repeat N]

Builds the designs in a temporary copy of the sources, runs every test signal through them, and times 30 s of
audio end to end on one CPU core, and so for other implementations that are installed. Prints both tables as
Markdown. Each figure is labelled: measured (this CPU), emulated (the emulated array on this CPU; it says
nothing about an NPU), modelled (what the timing model of the emulator says of an NPU).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import wasmtime

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT, ROOT / "tests", ROOT / "examples/mel", ROOT / "host", Path(__file__).parent)
sys.path[:0] = [str(folder) for folder in FOLDERS]

from build_times import Tree  # noqa: E402 - beside this file
from machine import command_line, describe, machine, timed, write_result  # noqa: E402
from mel_layout import DESIGNS, ELEMENT, MAX_FRAMES  # noqa: E402
from mel_signals import LEVELS_DB, SIGNALS, signal  # noqa: E402 - the tests' signals
from wasm_build import ZIG, WasmBuild  # noqa: E402
from whisper_mel import LogMel, find_manifest, log_mel  # noqa: E402
from whisper_mel.accuracy import accuracy  # noqa: E402
from whisper_mel.definition import log10_mel, whisper_input  # noqa: E402
from whisper_mel.log_mel import outputs  # noqa: E402

from npuninja.device.manifest import read_manifest  # noqa: E402
from npuninja.emulator.timing import count_work, time_work  # noqa: E402
from npuninja.stages import kernel_cc  # noqa: E402
from npuninja.stages._tool import run_tool  # noqa: E402

CLIP_S = 30
ELEMENTS, LANES = 5, 4  # of a frame; of the vectorised kernel
# Of the vectorised kernel in one measurement: short, so that the smallest time is one without a disturbance.
CALLS = 60


def accuracies(build: str) -> list[dict[str, Any]]:
    """Every signal at every level through the designs for 80 and 128 bands, every frame compared."""
    rows = []
    for bands in (80, 128):
        with LogMel(find_manifest(bands, "emu", build), "emu") as session:
            for name in SIGNALS:
                for level in LEVELS_DB:
                    samples = signal(name, level, 4.0)
                    got = accuracy(outputs(session, samples, pad=False), log10_mel(samples / 32768, bands))
                    rows.append(
                        {"signal": name, "level_db": level, "bands": bands, "good": got.good, **got._asdict()}
                    )
    return rows


def accuracy_table(rows: list[dict[str, Any]]) -> str:
    """The worst level of each signal, as Markdown."""
    lines = [
        "| signal | bands | correlation | of perfect rounding to int8 | largest error | rms error | "
        "within limits |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SIGNALS:
        for bands in (80, 128):
            levels = [row for row in rows if row["signal"] == name and row["bands"] == bands]
            worst = min(levels, key=lambda row: row["correlation"] if row["correlation"] is not None else 2)
            correlations = [
                f"{worst[key]:.6f}" if worst[key] is not None else "constant" for key in CORRELATIONS
            ]
            largest, rms = (max(row[key] for row in levels) for key in ("largest", "rms"))
            good = "yes" if all(row["good"] for row in levels) else "no"
            shown = name.replace("_", " ")
            lines.append(
                f"| {shown} | {bands} | {' | '.join(correlations)} | {largest:.4f} | {rms:.4f} | {good} |"
            )
    return "\n".join(lines)


CORRELATIONS = ("correlation", "rounded_correlation")


def others(samples: np.ndarray[Any, Any]) -> dict[str, Callable[[], object] | str]:
    """Other implementations: what to call, or why not."""
    clip = (samples / 32768).astype(np.float32)
    found: dict[str, Callable[[], object] | str] = {
        "NumPy, float64 (the definition)": lambda: whisper_input(clip, 80)
    }
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
        mel = librosa.feature.melspectrogram(
            y=clip, sr=16000, n_fft=400, hop_length=160, n_mels=80, pad_mode="reflect"
        )
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


def kernels(repeat: int) -> dict[str, float]:
    """Microseconds for a frame in the kernel alone, compiled as for emulated cores, without an array."""
    engine = wasmtime.Engine()
    frames = stream_for(CALLS * LANES)
    results = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as folder:
        build = WasmBuild(Path(folder), Path(folder) / "cache")
        for name, lanes in (("mel", 1), ("mel_vector", LANES)):
            elements = ELEMENTS + 2 * (lanes - 1)
            pointers = ", ".join(f"samples + {ELEMENT} * (2 * {lanes} * i + {e})" for e in range(elements))
            declaration = f"void {name}({'const short *, ' * elements}signed char *);"
            loop = f"for (int i = 0; i < {CALLS * LANES // lanes}; i++) {name}({pointers}, out);"
            source = (
                f"{declaration}\n"
                f"static short samples[{len(frames)}];\n"
                f"static signed char out[{80 * LANES}];\n"
            )
            source += f"short *place(void) {{ return samples; }}\nvoid run(void) {{ {loop} }}\n"
            harness = build.kernel(f"harness_{name}.c", source)
            kernel = Path(folder) / f"{name}.o"
            kernel_cc.run(build.compile_arguments(ROOT / "kernels" / "mel" / f"{name}.c", kernel))
            module = Path(folder) / f"{name}.wasm"
            exports = ["--no-entry", "--export=run", "--export=place", "--no-check-features"]
            run_tool([ZIG, "wasm-ld", *exports, str(harness), str(kernel), "-o", str(module)])
            store = wasmtime.Store(engine)
            instance = wasmtime.Instance(store, wasmtime.Module(engine, module.read_bytes()), []).exports(
                store
            )
            instance["memory"].write(store, frames.tobytes(), instance["place"](store))
            figures = timed(lambda run=instance["run"], store=store: run(store), 20 * repeat)
            results[name] = figures["min_s"] * 1e6 / (CALLS * LANES)
    return results


def stream_for(frames: int) -> np.ndarray[Any, Any]:
    """Samples of so many frames."""
    return signal("speech_like", 0, (160 * (frames - 1) + 400) / 16000)


def modelled(build: str) -> list[dict[str, Any]]:
    """What the timing model says of the designs on an npu1: microseconds for a frame, of the whole run."""
    rows = []
    for name, design in DESIGNS.items():
        manifest = read_manifest(find_manifest(design.bands, "emu", build, name))
        samples = design.pack(stream_for(MAX_FRAMES), MAX_FRAMES)
        arguments = [samples.tobytes(), bytes(manifest.arguments[1].nbytes)]
        work = count_work(manifest.read(manifest.xclbin), manifest.read(manifest.insts), arguments)
        for clock_hz in (1.0e9, 1.3e9):
            report = time_work(work, clock_hz=clock_hz, elements=design.padded(MAX_FRAMES), unit="frame")
            rows.append({"design": name, "clock_ghz": clock_hz / 1e9, **report.element_us.fields()})
    return rows


def model_table(rows: list[dict[str, Any]]) -> str:
    """Microseconds and times realtime by clock, as Markdown; 10 ms of audio are a frame."""
    lines = [
        "| design | clock | us per frame: optimistic | middle | pessimistic | times realtime, "
        "pessimistic | label |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = " | ".join(f"{row[end]:.2f}" for end in ("optimistic", "middle", "pessimistic"))
        realtime = 10_000 / row["pessimistic"]
        lines.append(
            f"| `{row['design']}` | {row['clock_ghz']:.1f} GHz | {figures} | {realtime:.0f} | modelled |"
        )
    return "\n".join(lines)


def speed_table(rows: list[dict[str, Any]], alone_us: dict[str, float]) -> str:
    """Milliseconds and times realtime, as Markdown."""
    lines = [
        "| what | 30 s of audio, smallest time | median | times realtime, smallest time | median | label |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "min_s" in row:
            times = row["min_s"], row["median_s"]
            figures = " | ".join(
                [*(f"{1000 * t:.1f} ms" for t in times), *(f"{CLIP_S / t:.0f}" for t in times)]
            )
        else:
            figures = "- | - | - | -"
        lines.append(f"| {row['what']} | {figures} | {row['label']} |")
    for name, microseconds in alone_us.items():
        lines.append(f"\nKernel `{name}` alone: {microseconds:.2f} us for a frame (emulated, smallest).")
    lines.append(f"\nVectors make it {alone_us['mel'] / alone_us['mel_vector']:.2f} times faster (emulated).")
    return "\n".join(lines)


def main() -> int:
    """Builds, measures, prints, writes the JSON."""
    parser = command_line("accuracy and speed of the log-mel designs", repeat=15)
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
        rows, times, alone_us = accuracies(build), speeds(build, options.repeat), kernels(options.repeat)
        model = modelled(build)
    facts = machine()
    print(
        "Accuracy against the float64 definition, worst of 0, -20 and -40 dB (emulated):\n\n"
        f"{accuracy_table(rows)}\n"
    )
    print(f"Speed on one core of {describe(facts)}:\n\n{speed_table(times, alone_us)}\n")
    print(
        "Time on an npu1, 30 s in one run, everything included (docs/timing-model.md):\n\n"
        f"{model_table(model)}"
    )
    if options.json:  # not all of it is measured: each figure says what it is
        content = {"machine": facts, "accuracy": rows, "speed": times, "kernels_us": alone_us, "model": model}
        write_result(options.json, content)
    return 0 if all(row["good"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
