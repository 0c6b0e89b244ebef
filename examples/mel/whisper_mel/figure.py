"""A figure of a spectrogram beside its reference, with axes, units, colour bars and a title: by matplotlib.

The suffix of the file says the format. Without matplotlib `plot` draws the bare panels as PNG.
"""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from mel_scale import HOP, SAMPLE_RATE_HZ

from whisper_mel.plot import DIFFERENCE_SHOWN

Array = np.ndarray[Any, np.dtype[Any]]

FORMATS = ("png", "svg", "pdf", "jpg", "jpeg", "webp")
_PANELS = ("computed by the design", "reference (float64)", "difference")


def spectrogram_figure(computed: Array, reference: Array, title: str, suffix: str) -> bytes:
    """Three panels, one above the other.

    Args:
        computed: of shape (bands, frames), in the units that Whisper takes.
        reference: the same by the definition.
        title: of the figure.
        suffix: one of `FORMATS`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 9), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    bands, frames = computed.shape
    extent = (0.0, frames * HOP / SAMPLE_RATE_HZ, 0.0, float(bands))
    low, high = float(reference.min()), float(reference.max())
    for place, (panel, values) in enumerate(zip(_PANELS, (computed, reference, computed - reference))):
        axes = figure.add_subplot(3, 1, place + 1)
        colours, least, most = "magma", low, high
        if panel == "difference":
            colours, least, most = "bwr", -DIFFERENCE_SHOWN, DIFFERENCE_SHOWN
        image = axes.imshow(
            values,
            cmap=colours,
            vmin=least,
            vmax=most,
            origin="lower",
            aspect="auto",
            extent=extent,
            interpolation="nearest",
        )
        axes.set_title(panel, fontsize=10)
        axes.set_ylabel("mel band")
        figure.colorbar(image, ax=axes).set_label("(log10 of the power + 4) / 4")
    figure.axes[-2].set_xlabel("time in s")
    figure.suptitle(title)
    stream = io.BytesIO()
    metadata = {"Date": None} if suffix == "svg" else {"CreationDate": None} if suffix == "pdf" else None
    figure.savefig(stream, format=suffix, metadata=metadata)
    return stream.getvalue()


def format_of(path: str) -> str:
    """The format that a file's suffix names; "" for one that cannot be written."""
    suffix = os.path.splitext(path)[1][1:].lower()
    return suffix if suffix in FORMATS else ""
