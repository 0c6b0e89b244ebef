"""Test data and right answers of the log-mel designs, for their references in host/."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
from mel_layout import DESIGNS, ELEMENT, MAX_FRAMES
from mel_model import log_mel_of_stream
from mel_scale import HOP, WINDOW

Array = np.ndarray[Any, np.dtype[Any]]

_BURST = 1600  # samples of one level


def functions_for(design: str) -> tuple[Callable[..., list[Array]], Callable[..., list[Array]]]:
    """`inputs` and `reference` of a design: a clip of 30 s, and every frame of it to the last bit."""

    def inputs(rng: np.random.Generator, arguments: Any) -> list[Array]:
        return [test_clip(design, rng)]

    def reference(inputs: list[Array]) -> list[Array]:
        return [right_answer(design, inputs[0])]

    return inputs, reference


def test_clip(design: str, rng: np.random.Generator) -> Array:
    """A design's input for the longest clip: bursts of noise, 0.1 s each, silence to far above full scale."""
    layout = DESIGNS[design]
    samples = HOP * (MAX_FRAMES - 1) + WINDOW
    levels = np.repeat(
        rng.choice([0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0, 1e6], -(-samples // _BURST)), _BURST
    )[:samples]
    stream = np.clip(np.round(levels * rng.standard_normal(samples)), -32768, 32767).astype(np.int16)
    return layout.pack(stream, MAX_FRAMES)


def right_answer(design: str, buffer: Array) -> Array:
    """What a design must give for its input of the longest clip, as one row of bytes."""
    layout = DESIGNS[design]
    frames = layout.padded(MAX_FRAMES)
    head = buffer[: layout.head_samples : ELEMENT]
    if set(head.tolist()) != {layout.calls(MAX_FRAMES)}:
        raise ValueError(
            f"the heads of the input say {head.tolist()}, expected {layout.calls(MAX_FRAMES)} in each"
        )
    return log_mel_of_stream(buffer[layout.head_samples :], frames, layout.bands).reshape(-1)
