"""Reads WAV files of any rate, width and number of channels as Whisper takes them: 16 kHz, mono, 16 bits.

What is converted is said. Channels are averaged; another rate is resampled by the package soxr, or by SciPy.
"""

from __future__ import annotations

import os
import struct
from typing import Any, NamedTuple

import numpy as np
from mel_scale import SAMPLE_RATE_HZ

from npuninja.errors import Location, ToolError, UserError
from npuninja.files import read_file

Array = np.ndarray[Any, np.dtype[Any]]

# Format tags of the chunk `fmt ` (RFC 2361); an extensible one has the tag in its sub-format.
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_NAMES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x50: "MPEG", 0x55: "MP3"}
#: Hours of audio; more is no file that was meant.
MOST_BYTES = 2 << 30


class Form(NamedTuple):
    """What a file's samples are."""

    rate_hz: int
    channels: int
    bits: int
    is_float: bool

    def __str__(self) -> str:
        kind = "float" if self.is_float else "bits"
        return (
            f"{self.rate_hz} Hz, {self.channels} channel{'s' if self.channels > 1 else ''}, "
            f"{self.bits} {kind}"
        )


#: What Whisper takes, and what needs no conversion.
WANTED = Form(SAMPLE_RATE_HZ, 1, 16, False)


def read_wav(path: str) -> tuple[Array, str]:
    """The samples of a file, int16 at 16 kHz, and what was converted, for people ("" when nothing).

    Raises:
        UserError: it is missing, or no WAV file of PCM or float samples.
        ToolError: it has another rate, and nothing that can resample is installed.
    """
    data = read_file(path, MOST_BYTES)
    form, content = _chunks(data, path)
    if form == WANTED:
        return np.frombuffer(content, "<i2").astype(np.int16), ""
    samples = _decoded(content, form).reshape(-1, form.channels).mean(axis=1)
    how = ""
    if form.rate_hz != SAMPLE_RATE_HZ:
        samples, how = _resampled(samples, form.rate_hz, path)
    rounded = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return rounded, f"converted from {form}{how}"


def _chunks(data: bytes, path: str) -> tuple[Form, bytes]:
    """The form and the samples, a whole number of them for each channel."""

    def wrong(what: str) -> UserError:
        return UserError(f"not a WAV file of PCM or float samples: {what}", Location(path))

    if len(data) < 12 or data[:4] not in (b"RIFF", b"RIFX") or data[8:12] != b"WAVE":
        raise wrong("it does not begin with RIFF and WAVE")
    if data[:4] == b"RIFX":
        raise wrong("its numbers are big-endian (RIFX)")
    form, at = None, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            form = _form(body, wrong)
        elif name == b"data":
            if form is None:
                raise wrong("its samples come before the chunk that says what they are")
            frame = form.channels * form.bits // 8
            if len(body) < size and size != 0xFFFFFFFF:
                raise wrong("it is cut off")
            return form, body[: len(body) // frame * frame]
        at += 8 + size + size % 2
    raise wrong("it is cut off" if form else "it has no chunk `fmt `")


def _form(body: bytes, wrong: Any) -> Form:
    if len(body) < 16:
        raise wrong("its chunk `fmt ` is cut off")
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    if tag not in (_PCM, _FLOAT):
        raise wrong(f"it is {_NAMES.get(tag, f'compressed (format {tag:#x})')}")
    widths = (32, 64) if tag == _FLOAT else (8, 16, 24, 32)
    if bits not in widths or not channels or not rate or frame != channels * bits // 8:
        raise wrong(f"{rate} Hz, {channels} channels, {bits} bits in {frame} bytes")
    return Form(rate, channels, bits, tag == _FLOAT)


def _decoded(content: bytes, form: Form) -> Array:
    """Samples between -1 and 1, float64."""
    if form.is_float:
        return np.nan_to_num(
            np.frombuffer(content, f"<f{form.bits // 8}").astype(np.float64), posinf=1.0, neginf=-1.0
        )
    if form.bits == 8:  # unsigned, as the format has it
        return (np.frombuffer(content, np.uint8).astype(np.float64) - 128) / 128
    if form.bits == 24:
        parts = np.frombuffer(content, np.uint8).reshape(-1, 3).astype(np.int32)
        numbers = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return (numbers - ((numbers & 0x800000) << 1)).astype(np.float64) / 0x800000
    return np.frombuffer(content, f"<i{form.bits // 8}").astype(np.float64) / 2.0 ** (form.bits - 1)


def _resampled(samples: Array, rate_hz: int, path: str) -> tuple[Array, str]:
    """The samples at 16 kHz, and by what."""
    try:
        import soxr

        return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)), ", resampled by soxr"
    except ImportError:
        pass
    try:
        from math import gcd

        from scipy.signal import resample_poly
    except ImportError as error:
        raise ToolError(
            f"{os.path.basename(path)} has {rate_hz} Hz, and nothing that resamples is installed",
            Location(path),
            hint="pip install soxr (or scipy)",
        ) from error
    common = gcd(rate_hz, SAMPLE_RATE_HZ)
    made = resample_poly(samples, SAMPLE_RATE_HZ // common, rate_hz // common)
    return np.asarray(made), ", resampled by SciPy"
