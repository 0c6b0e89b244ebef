"""Reading WAV files: 16 kHz, one channel, 16 bits, as Whisper takes them. Nothing is converted silently."""

from __future__ import annotations

import os
import shlex
import wave
from typing import Any

import numpy as np
from mel_scale import SAMPLE_RATE_HZ

from npuninja.errors import Location, UserError

Array = np.ndarray[Any, np.dtype[Any]]


def read_wav(path: str) -> Array:
    """The samples of a file, int16.

    Raises:
        UserError: it is missing, no WAV file of PCM samples, or not 16 kHz, one channel and 16 bits.
    """
    converted = os.path.join(os.path.dirname(path), "converted.wav")
    words = ["ffmpeg", "-i", path, "-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-c:a", "pcm_s16le", converted]
    hint = f"convert it: {shlex.join(words)}"
    try:
        with wave.open(path, "rb") as reader:
            form = reader.getframerate(), reader.getnchannels(), reader.getsampwidth()
            data = reader.readframes(reader.getnframes())
        if len(data) % 2 and form[2] == 2:
            raise EOFError
    except OSError as error:
        raise UserError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except (
        Exception
    ) as error:  # what `wave` makes of a damaged file: wave.Error, EOFError, RuntimeError, ValueError, …
        what = str(error) or "it is cut off"
        raise UserError(f"not a WAV file of PCM samples: {what}", Location(path), hint=hint) from error
    if form != (SAMPLE_RATE_HZ, 1, 2):
        rate, channels, width = form
        raise UserError(
            f"{rate} Hz, {channels} channel{'s' if channels > 1 else ''}, {8 * width} bits; "
            f"expected {SAMPLE_RATE_HZ} Hz, 1 channel, 16 bits",
            Location(path),
            hint=hint,
        )
    return np.frombuffer(data, "<i2").astype(np.int16)
