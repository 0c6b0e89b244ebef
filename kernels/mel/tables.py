#!/usr/bin/env python3
"""Writes the constant tables of the log-mel kernels: `python kernels/mel/tables.py` after any change here.

Everything is computed in float64 from the definitions and rounded once. The tables lie in this folder as
`mel80_tables.h` and `mel128_tables.h`; a test compares them with what this script makes, and their values
with another computation. The script needs no package.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

SAMPLE_RATE_HZ = 16000
WINDOW = 400  # samples of a frame, and points of the DFT
BINS = WINDOW // 2  # bin k is k * 40 Hz; bins 0 and 200 have no weight in any filter
LOG_ENTRIES = 128
STEPS_PER_OCTAVE = 6  # of the int8 output
LOG_UNIT = 256 * STEPS_PER_OCTAVE  # of the logarithm inside the kernel, per octave
POWER_FLOOR = 1e-10  # Whisper's; the output -128

# 2^-POWER_EXPONENT is the unit of the power that a filter sums up, before shifts that depend on the frame:
# samples are 2^15 to a full scale, the window adds 16 bits and takes 10, the spectrum is twice the DFT: an
# amplitude has 22 bits, its square 44, of which 4 are dropped.
POWER_EXPONENT = 2 * 22 - 4


def hz_of_mel(mel: float) -> float:
    """Slaney's scale: linear below 1 kHz (15 mel), logarithmic above."""
    if mel < 15.0:
        return mel * 200.0 / 3.0
    return 1000.0 * math.exp((mel - 15.0) * math.log(6.4) / 27.0)


def mel_of_hz(hertz: float) -> float:
    """The inverse of `hz_of_mel`."""
    if hertz < 1000.0:
        return hertz * 3.0 / 200.0
    return 15.0 + math.log(hertz / 1000.0) * 27.0 / math.log(6.4)


def corners_hz(bands: int) -> list[float]:
    """The `bands` + 2 corners of the triangles: filter b rises from corner b to b + 1 and falls to b + 2."""
    top = mel_of_hz(SAMPLE_RATE_HZ / 2)
    return [hz_of_mel(top * i / (bands + 1)) for i in range(bands + 2)]


def window() -> list[int]:
    """The periodic Hann window, unsigned with 16 fractional bits; its 1.0 becomes 65535."""
    return [min(65535, round(65536 * math.sin(math.pi * n / WINDOW) ** 2)) for n in range(WINDOW)]


def twiddles(points: int, exponents: list[int]) -> list[int]:
    """cos and -sin of 2 pi e / points for each exponent e, one after the other, with 16 fractional bits."""
    angles = [2 * math.pi * exponent / points for exponent in exponents]
    return [round(65536 * value) for angle in angles for value in (math.cos(angle), -math.sin(angle))]


def places() -> list[int]:
    """Where the DFT of 8 times 25 points leaves each of its 200 results."""
    return [k % 8 * 25 + k % 25 % 5 * 5 + k % 25 // 5 for k in range(WINDOW // 2)]


def edges(bands: int) -> list[int]:
    """For each interval between two corners, the first bin after it."""
    return [min(BINS, math.ceil(corner * WINDOW / SAMPLE_RATE_HZ)) for corner in corners_hz(bands)[1:]]


def rises(bands: int) -> list[int]:
    """For each bin from 1 to 199, how far up it is between its two corners, with 16 fractional bits."""
    corners = corners_hz(bands)
    values = []
    for k in range(1, BINS):
        hertz = k * SAMPLE_RATE_HZ / WINDOW
        low, high = next((a, b) for a, b in itertools.pairwise(corners) if a <= hertz < b)
        values.append(min(65535, round(65536 * (hertz - low) / (high - low))))
    return values


def offsets(bands: int) -> list[int]:
    """What is added to the logarithm of each band's sum: Slaney's norm, the unit of the power, the floor."""
    corners = corners_hz(bands)
    widths = [corners[b + 2] - corners[b] for b in range(bands)]
    return [
        round(LOG_UNIT * (math.log2(2.0 / width) - POWER_EXPONENT - math.log2(POWER_FLOOR)))
        for width in widths
    ]


def logarithms() -> list[int]:
    """log2(1 + x) in the middle of each of 128 parts of 0 <= x < 1."""
    return [round(LOG_UNIT * math.log2(1 + (i + 0.5) / LOG_ENTRIES)) for i in range(LOG_ENTRIES)]


def tables(bands: int) -> list[tuple[str, str, str, list[int]]]:
    """Every table: C type, name, comment, values."""
    inner = [c * j for c in range(1, 5) for j in range(1, 5)]
    return [
        ("uint16_t", "hann", "periodic Hann window, 2^-16", window()),
        ("int32_t", "twiddles25", "cos, -sin of 2 pi c j / 25 for c, j = 1..4, 2^-16", twiddles(25, inner)),
        (
            "int32_t",
            "twiddles400",
            "cos, -sin of 2 pi k / 400 for k = 1..100, 2^-16",
            twiddles(400, [*range(1, 101)]),
        ),
        ("uint8_t", "places", "where the transform leaves each point", places()),
        ("uint8_t", "edges", "first bin after each interval between corners", edges(bands)),
        ("uint16_t", "rises", "weight of bins 1..199 in the upper of their two filters, 2^-16", rises(bands)),
        ("int16_t", "offsets", "of each band's logarithm, 1/1536 octave", offsets(bands)),
        ("int16_t", "logarithms", "log2(1 + (i + 1/2)/128), 1/1536 octave", logarithms()),
    ]


def header(bands: int) -> str:
    """The text of `melBANDS_tables.h`."""
    lines = [
        "/* Made by kernels/mel/tables.py. Do not edit. */",
        "#ifndef MEL_TABLES_H",
        "#define MEL_TABLES_H",
        "#include <stdint.h>",
        "",
        f"enum {{ BANDS = {bands} }};",
    ]
    for kind, name, comment, values in tables(bands):
        lines += ["", f"/* {comment} */", f"static const {kind} {name}[{len(values)}] = {{"]
        words = [f"{value}," for value in values]
        line = "   "
        for word in words:
            if len(line) + 1 + len(word) > 118:
                lines.append(line)
                line = "   "
            line += " " + word
        lines += [line, "};"]
    return "\n".join([*lines, "", "#endif", ""])


def main() -> None:
    """Writes both headers beside this script."""
    for bands in (80, 128):
        (Path(__file__).parent / f"mel{bands}_tables.h").write_text(header(bands), encoding="utf-8")


if __name__ == "__main__":
    main()
