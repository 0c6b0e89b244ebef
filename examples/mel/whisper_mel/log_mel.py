"""Whisper's log-mel spectrogram of samples, whole or as they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
from mel_scale import CLIP_SAMPLES, HOP, WINDOW, log10_of, normalised

from npuninja.errors import UserError
from whisper_mel.session import LogMel, find_manifest

Array = np.ndarray[Any, np.dtype[Any]]

_PADDING = WINDOW // 2  # samples that are reflected at each end


def log_mel(
    samples: Array,
    *,
    bands: int = 80,
    pad: bool = True,
    device: str = "auto",
    build_folder: str = "build",
    session: LogMel | None = None,
) -> Array:
    """What Whisper takes for a clip, computed by a log-mel design.

    Args:
        samples: one channel at 16 kHz: int16, or floats from -1 to 1 (cut off beyond), rounded to 16 bits.
        bands: 80, or 128 for large-v3.
        pad: whether the clip is padded or cut to 30 s, as Whisper does it. Without, it has any length of at
            least 201 samples, and samples // 160 frames.
        device: "auto", "npu" or "emu".
        build_folder: where the designs are built.
        session: a loaded design to be used again; `bands`, `device` and `build_folder` do not count then.

    Returns:
        float32 of shape (bands, frames); 3000 frames with `pad`.

    Raises:
        UserError: the samples are no such array, or no design is built.
        NoDevice, DeviceError: as the device says.
    """
    if session is not None:
        return normalised(log10_of(outputs(session, samples, pad=pad)).T)
    with LogMel(find_manifest(bands, device, build_folder), device) as opened:
        return log_mel(samples, pad=pad, session=opened)


def outputs(session: LogMel, samples: Array, *, pad: bool = True) -> Array:
    """The design's int8 outputs for a clip, shape (frames, bands), before the clip's maximum is applied."""
    clip = as_int16(samples)
    if not pad:
        return session.frames(_reflected(clip), len(clip) // HOP)
    clip = clip[:CLIP_SAMPLES]
    # Frames after the last sample are silence; they need not be computed.
    heard = min(CLIP_SAMPLES // HOP, -(-(len(clip) + _PADDING) // HOP)) if len(clip) else 0
    result = np.full((CLIP_SAMPLES // HOP, session.bands), -128, np.int8)
    stream = _reflected(np.concatenate([clip, np.zeros(CLIP_SAMPLES - len(clip), np.int16)]))
    result[:heard] = session.frames(stream, heard)
    return result


def as_int16(samples: Array) -> Array:
    """Samples as int16; see `log_mel`."""
    if not isinstance(samples, np.ndarray) or samples.ndim != 1:
        shape = (
            f"an array of shape {samples.shape}"
            if isinstance(samples, np.ndarray)
            else type(samples).__name__
        )
        raise UserError(
            f"the samples are {shape}, expected an array of one dimension", hint="take one channel"
        )
    if samples.dtype == np.int16:
        return samples
    if not np.issubdtype(samples.dtype, np.floating):
        raise UserError(f"the samples are {samples.dtype}, expected int16, or floats between -1 and 1")
    if not np.all(np.isfinite(samples)):
        raise UserError("the samples hold values that are no numbers or infinite")
    rounded: Array = np.clip(np.round(samples * 32768.0), -32768, 32767)
    return rounded.astype(np.int16)


def _reflected(clip: Array) -> Array:
    """The clip with its reflection at both ends."""
    if len(clip) <= _PADDING:
        raise UserError(
            f"{len(clip)} samples; the reflection at the ends needs {_PADDING + 1}",
            hint="pad the clip with silence",
        )
    return np.concatenate([clip[_PADDING:0:-1], clip, clip[-2 : -_PADDING - 2 : -1]])


class LogMelStream:
    """Frames of audio that comes in piece by piece; together they are the clip's, without padding to 30 s.

    What Whisper takes is normalised by the maximum of the clip, which a stream does not know: normalise a
    stretch of frames with `mel_scale.normalised` when it is complete.

    Args:
        session: a loaded design. Nothing of the stream is kept in it, so that several streams can share it.
    """

    def __init__(self, session: LogMel) -> None:
        self._session = session
        self._waiting: Array = np.empty(0, np.int16)  # samples from the first of the next frame on
        self._begun = False  # whether the reflection at the start is in front
        self._received = 0
        self._given = 0

    def push(self, samples: Array) -> Array:
        """Takes the next samples, int16 or float; gives log10 of the mel power of frames now complete.

        A frame is complete 200 samples after its middle. The result is float32 of shape (bands, frames); with
        pieces of 10 ms it has one frame, except at the beginning.
        """
        piece = as_int16(samples)
        self._received += len(piece)
        self._waiting = np.concatenate([self._waiting, piece])
        if not self._begun:
            if self._received <= _PADDING:
                return self._give(0)
            self._waiting = np.concatenate([self._waiting[_PADDING:0:-1], self._waiting])
            self._begun = True
        # Not more than the whole clip would have if it ended here: its last frame is dropped.
        complete = max(0, (len(self._waiting) - WINDOW) // HOP + 1)
        return self._give(min(complete, self._received // HOP - self._given))

    def finish(self) -> Array:
        """The frames that are left, which need the reflection at the end; the stream takes nothing more.

        Raises:
            UserError: the stream had fewer than 201 samples.
        """
        if not self._begun:
            raise UserError(
                f"{self._received} samples; the reflection at the ends needs {_PADDING + 1}",
                hint="push more samples",
            )
        self._waiting = np.concatenate([self._waiting, self._waiting[-2 : -_PADDING - 2 : -1]])
        return self._give(self._received // HOP - self._given)

    def _give(self, frames: int) -> Array:
        got = self._session.frames(self._waiting, frames)
        self._waiting = self._waiting[HOP * frames :]
        self._given += frames
        log10: Array = log10_of(got).T
        return log10
