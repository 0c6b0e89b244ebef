"""`npuninja mel`: the log-mel spectrogram of a WAV file, as Whisper takes it, computed by a built design."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from mel_layout import DESIGNS
from mel_scale import CLIP_SAMPLES, HOP, SAMPLE_RATE_HZ

from npuninja.argument_parser import VerbParser
from npuninja.errors import ToolError, UserError
from npuninja.files import write_file
from whisper_mel.figure import FORMATS, format_of
from whisper_mel.log_mel import log_mel
from whisper_mel.session import LogMel, find_manifest
from whisper_mel.wav import read_wav

Array = np.ndarray[Any, np.dtype[Any]]


def _parser() -> VerbParser:
    parser = VerbParser(
        prog="npuninja mel",
        description="Computes Whisper's log-mel spectrogram of a WAV file with a built design.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("wav", metavar="FILE.wav")
    add(
        "-o",
        "--output",
        metavar="FILE.npy",
        required=True,
        help="float32 of shape (bands, frames), what Whisper takes",
    )
    add(
        "--plot",
        metavar="FILE.png",
        help="a picture (png, svg, pdf, …): the result, the float64 reference, and the difference up to 0.03",
    )
    add(
        "--bands",
        type=int,
        choices=(80, 128),
        help="80, or 128 for large-v3 (default: those of --design, else 80)",
    )
    add("--device", choices=("auto", "npu", "emu"), default="auto", help="where to compute (default: auto)")
    add("--design", choices=tuple(DESIGNS), help="which design (default: the fastest that is built)")
    add("--build", metavar="FOLDER", default="build", help="where the designs are built (default: build)")
    add(
        "--whole",
        action="store_true",
        help="the whole file; default: padded or cut to 30 s, as Whisper does it",
    )
    return parser


def main(arguments: list[str]) -> int:
    """Runs `npuninja mel`; returns its exit code."""
    options = _parser().parse_args(arguments)
    bands = options.bands or (DESIGNS[options.design].bands if options.design else 80)
    if options.design and DESIGNS[options.design].bands != bands:
        raise UserError(f"the design {options.design} has {DESIGNS[options.design].bands} bands, not {bands}")
    if options.plot and not format_of(options.plot):
        raise UserError(
            f"--plot {options.plot}: the suffix names no format of pictures",
            hint=f"one of {', '.join(FORMATS)}",
        )
    for path in filter(None, (options.output, options.plot)):
        folder = os.path.dirname(path) or os.curdir
        if not os.path.isdir(folder):
            raise UserError(f"{path}: there is no folder {folder}", hint="make it first")
    samples, converted = read_wav(options.wav)
    if converted:
        print(f"{options.wav}: {converted}")
    if not len(samples):
        raise UserError(f"{options.wav} holds no samples")
    with LogMel(
        find_manifest(bands, options.device, options.build, options.design), options.device
    ) as session:
        result = log_mel(samples, pad=not options.whole, session=session)
        heard_s = len(samples if options.whole else samples[:CLIP_SAMPLES]) / SAMPLE_RATE_HZ
        _write(options.output, result)
        print(
            f"{options.output}: {result.shape[0]} bands, {result.shape[1]} frames of "
            f"{1000 * HOP // SAMPLE_RATE_HZ} ms; {heard_s:.2f} s of audio in "
            f"{session.device_s * 1000:.2f} ms, {heard_s / session.device_s:.0f}x realtime "
            f"({session.timing}, {session.design} on {session.device})"
        )
    if options.plot:
        _plot(options.plot, samples, result, whole=options.whole)
    return 0


def _plot(path: str, samples: Array, result: Array, *, whole: bool) -> None:
    from whisper_mel.definition import whisper_input
    from whisper_mel.figure import spectrogram_figure
    from whisper_mel.plot import spectrogram_png

    heard = len(samples) if whole else min(len(samples), CLIP_SAMPLES)
    clip = samples if whole else np.pad(samples[:heard], (0, CLIP_SAMPLES - heard))
    reference = whisper_input(clip / 32768, result.shape[0])
    shown = -(-heard // HOP)  # without the padding
    panels = result[:, :shown], reference[:, :shown]
    title = f"{result.shape[0]} mel bands, {heard / SAMPLE_RATE_HZ:.2f} s"
    try:
        picture = spectrogram_figure(*panels, title, format_of(path))
    except ImportError as error:
        if format_of(path) != "png":
            raise ToolError(
                f"{path}: matplotlib, which draws it, is not installed",
                hint="pip install matplotlib, or name it .png, which is drawn without axes",
            ) from error
        picture = spectrogram_png(*panels)
        print("matplotlib is not installed: the picture has no axes")
    _write(path, picture)
    print(
        f"{path}: result, reference, difference; the largest difference is "
        f"{np.abs(result - reference).max():.4f}"
    )


def _write(path: str, content: Array | bytes) -> None:
    if not isinstance(content, bytes):
        stream = io.BytesIO()
        np.save(stream, content, allow_pickle=False)
        content = stream.getvalue()
    try:
        write_file(path, content)
    except ToolError as error:
        raise UserError(error.message) from error
