"""What the log-mel kernels compute, to the last bit, in NumPy: the model of kernels/mel/mel_kernel.h.

The kernels use 32-bit integers. The model uses 64 bits and checks that 32 would have been enough, so it also
shows that the kernels cannot overflow. Its tables are computed here from the definitions, not read from the
kernels' headers. tests/mel judges it by the definition, examples/mel/whisper_log_mel.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from mel_scale import BANDS, HOP, WINDOW

Array = np.ndarray[Any, np.dtype[Any]]

_POINTS = 200  # of the complex DFT: even samples are the real parts, odd ones the imaginary parts
_UNIT = 1536  # of the kernels' logarithm, per octave: 256 for each step of the output
_BLOCK = 256  # frames at a time
_SQRT_HALF, _SQRT5_4, _SIN72, _SIN144 = 46341, 36636, 62328, 38521  # with 16 fractional bits


class _Complex(NamedTuple):
    """Real and imaginary parts; all operations are on whole arrays."""

    re: Array
    im: Array

    def plus(self, other: _Complex) -> _Complex:
        return _Complex(_word(self.re + other.re), _word(self.im + other.im))

    def minus(self, other: _Complex) -> _Complex:
        return _Complex(_word(self.re - other.re), _word(self.im - other.im))

    def times_j(self) -> _Complex:
        return _Complex(-self.im, self.re)

    def scaled(self, factor: int) -> _Complex:
        return _Complex(_scaled(self.re, factor), _scaled(self.im, factor))

    def rotated(self, cosine: Array, sine: Array) -> _Complex:
        return _Complex(
            _sum_of_products(self.re, cosine, self.im, -sine),
            _sum_of_products(self.re, sine, self.im, cosine),
        )


class _Tables:
    """The constant tables, in the kernels' fixed-point formats."""

    def __init__(self, bands: int) -> None:
        if bands not in BANDS:
            raise ValueError(f"{bands} bands; the kernels have 80 or 128")
        self.window = _fixed(np.hanning(WINDOW + 1)[:-1])
        self.turn25 = _turns(np.outer(np.arange(5), np.arange(5)) / 25)
        self.turn400 = _turns(np.arange(1, 101) / 400)
        # Corners of the triangles on Slaney's mel scale.
        mels = np.linspace(0.0, 15.0 + np.log(8.0) * 27.0 / np.log(6.4), bands + 2)
        corners = np.where(
            mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0)
        )
        hertz = np.arange(1, _POINTS) * 40.0
        interval = np.searchsorted(corners, hertz, side="right") - 1
        below, above = corners[interval], corners[interval + 1]
        self.rise = _fixed((hertz - below) / (above - below))
        # A column for each interval between corners, ones where its bins are. Sums of float64 are exact here.
        self.members = (interval[:, None] == np.arange(bands + 1)).astype(np.float64)
        norm = np.log2(2.0 / (corners[2:] - corners[:-2]))
        self.offset = np.round(_UNIT * (norm - 40 - np.log2(1e-10))).astype(np.int64)
        self.logarithm = np.round(_UNIT * np.log2(1 + (np.arange(128) + 0.5) / 128)).astype(np.int64)


def log_mel_of_stream(stream: Array, frames: int, bands: int = 80) -> Array:
    """The kernels' output for a stream of samples, as the cores see it.

    Args:
        stream: int16, at least 160 * (frames - 1) + 400 samples: padding included, no header.
        frames: number of frames; frame i begins at sample 160 * i.
        bands: 80 or 128.

    Returns:
        int8 of shape (frames, bands).
    """
    level: Array = np.clip((unrounded(stream, frames, bands) + 128) >> 8, 0, 255) - 128
    return level.astype(np.int8)


def unrounded(stream: Array, frames: int, bands: int = 80) -> Array:
    """The kernels' logarithm before rounding to int8, 1536 per octave of power; 0 and less is the floor."""
    tables = _Tables(bands)
    if not frames:
        return np.empty((0, bands), np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(stream, WINDOW)[::HOP][:frames]
    if len(windows) != frames:
        raise ValueError(f"{len(stream)} samples are too few for {frames} frames")
    return np.concatenate([_levels(windows[i : i + _BLOCK], tables) for i in range(0, frames, _BLOCK)])


def _levels(windows: Array, tables: _Tables) -> Array:
    samples, shift = _windowed(windows.astype(np.int64), tables)
    spectrum = _split(_dft200(_Complex(samples[:, 0::2], samples[:, 1::2])), tables)
    exponent = (6 - shift[:, None]) * 2 * _UNIT
    high, low = _filtered(spectrum, tables)
    return _logarithm(high, low, exponent + tables.offset, tables)


def _fixed(values: Array) -> Array:
    """Unsigned with 16 fractional bits; 1.0 becomes the largest."""
    fixed: Array = np.minimum(65535, np.round(values * 65536))
    return fixed.astype(np.int64)


def _turns(turns: Array) -> tuple[Array, Array]:
    """Cosine and minus sine of so many turns, with 16 fractional bits."""
    factor = np.exp(-2j * np.pi * turns) * 65536
    return np.round(factor.real).astype(np.int64), np.round(factor.imag).astype(np.int64)


def _word(values: Array) -> Array:
    """The values, when they fit into 32 bits."""
    if not -(2**31) <= int(values.min()) <= int(values.max()) < 2**31:
        raise OverflowError("a value of the kernel does not fit into 32 bits")
    return values


def _scaled(a: Array, factor: Array | int) -> Array:
    return _word(_word((a >> 16) * factor) + ((a & 0xFFFF) * factor >> 16))


def _sum_of_products(a: Array, u: Array, b: Array, v: Array) -> Array:
    high = _word((a >> 16) * u + (b >> 16) * v)
    low = _word((a >> 2 & 0x3FFF) * u + (b >> 2 & 0x3FFF) * v)
    return _word(high + (low >> 14))


def _windowed(samples: Array, tables: _Tables) -> tuple[Array, Array]:
    """With the window, scaled to 21 bits and a sign; and the bits that each frame was scaled up by."""
    products = _word(samples * tables.window)
    magnitude = (products ^ products >> 63).max(axis=1) | 1  # its highest bit is that of all of them together
    shift = 31 - np.frexp(magnitude.astype(np.float64))[1]
    return _word(products << shift[:, None]) >> 10, shift


def _dft200(x: _Complex) -> _Complex:
    """The DFT by the prime factor algorithm: 25 times 8 points, then 8 times 25."""
    n = (25 * np.arange(8)[:, None] + 8 * np.arange(25)) % _POINTS
    rows = _dft8([_Complex(x.re[:, n[i]], x.im[:, n[i]]) for i in range(8)])
    re: Array = np.stack([row.re for row in rows], axis=1).reshape(-1, 8, 5, 5)
    im: Array = np.stack([row.im for row in rows], axis=1).reshape(-1, 8, 5, 5)
    columns = _dft5(
        [_Complex(re[:, :, i], im[:, :, i]) for i in range(5)]
    )  # over the first index, for each c
    turned = [columns[0], *(columns[j].rotated(*_inner_turns(j)) for j in range(1, 5))]
    for j in range(1, 5):  # column 0 is not turned
        for part, whole in zip(turned[j], columns[j]):
            part[..., 0] = whole[..., 0]
    re, im = np.stack([t.re for t in turned], axis=2), np.stack([t.im for t in turned], axis=2)
    results = _dft5([_Complex(re[..., c], im[..., c]) for c in range(5)])  # [row, j] of point j + 5 m
    k = np.arange(_POINTS)
    row, inner = k % 8, k % 25
    re, im = np.stack([r.re for r in results], axis=3), np.stack([r.im for r in results], axis=3)
    return _Complex(re[:, row, inner % 5, inner // 5], im[:, row, inner % 5, inner // 5])


def _inner_turns(j: int) -> tuple[Array, Array]:
    return _turns(np.arange(5) * j / 25)


def _dft8(x: list[_Complex]) -> list[_Complex]:
    sums = [x[i].plus(x[i + 4]) for i in range(4)]
    differences = [x[i].minus(x[i + 4]) for i in range(4)]
    b0, b2 = sums[0].plus(sums[2]), sums[0].minus(sums[2])
    b4, b6 = sums[1].plus(sums[3]), sums[1].minus(sums[3]).times_j()
    turned = differences[2].times_j()
    c1, c3 = differences[0].minus(turned), differences[0].plus(turned)
    turned = differences[3].times_j()
    d1 = differences[1].minus(turned).scaled(_SQRT_HALF)
    d3 = differences[1].plus(turned).scaled(_SQRT_HALF)
    e1 = _Complex(_word(d1.re + d1.im), _word(d1.im - d1.re))
    e3 = _Complex(_word(d3.im - d3.re), _word(-d3.re - d3.im))
    return [
        b0.plus(b4), c1.plus(e1), b2.minus(b6), c3.plus(e3), b0.minus(b4), c1.minus(e1), b2.plus(b6), c3.minus(e3),
    ]  # fmt: skip


def _dft5(x: list[_Complex]) -> list[_Complex]:
    t1, t2, t3, t4 = x[1].plus(x[4]), x[2].plus(x[3]), x[1].minus(x[4]), x[2].minus(x[3])
    total, difference = t1.plus(t2), t1.minus(t2).scaled(_SQRT5_4)
    middle = x[0].minus(_Complex(total.re >> 2, total.im >> 2))
    a, b = middle.plus(difference), middle.minus(difference)
    p = t3.scaled(_SIN72).plus(t4.scaled(_SIN144)).times_j()
    q = t3.scaled(_SIN144).minus(t4.scaled(_SIN72)).times_j()
    return [x[0].plus(total), a.minus(p), b.minus(q), b.plus(q), a.plus(p)]


def _split(z: _Complex, tables: _Tables) -> _Complex:
    """Bins 1 to 199 of the DFT of 400 real samples, times 2, from the DFT of 200 complex ones."""
    k = np.arange(1, 101)
    a, b = _Complex(z.re[:, k], z.im[:, k]), _Complex(z.re[:, _POINTS - k], z.im[:, _POINTS - k])
    even = _Complex(_word(a.re + b.re), _word(a.im - b.im))
    odd = _Complex(_word(a.im + b.im), _word(b.re - a.re)).rotated(*tables.turn400)
    low, high = even.plus(odd), even.minus(odd)
    # Bin 100 is its own partner and is taken from `low`.
    re = np.concatenate([low.re, high.re[:, -2::-1]], axis=1)
    im = np.concatenate([low.im, -high.im[:, -2::-1]], axis=1)
    return _Complex(re, im)


def _filtered(spectrum: _Complex, tables: _Tables) -> tuple[Array, Array]:
    """The sums of every filter in the two units of power: that of big bins is 2^14 times the other."""
    re, im = spectrum.re >> 6, spectrum.im >> 6
    big = (np.minimum(re, im) < -(1 << 15)) | (np.maximum(re, im) >= 1 << 15)
    re, im = (np.where(big, (part + 256) >> 9, part) for part in (re, im))
    power = re * re + im * im
    power = np.where(big, power, power >> 4)
    rising = _scaled(power, tables.rise)
    falling = power - rising
    sums = []
    for chosen in (big, ~big):
        up, down = ((part * chosen).astype(np.float64) @ tables.members for part in (rising, falling))
        sums.append(_word((up[:, :-1] + down[:, 1:]).astype(np.int64)))
    return sums[0], sums[1]


def _logarithm(high: Array, low: Array, exponent: Array, tables: _Tables) -> Array:
    large = high >= 1 << 16
    value = np.where(large, high + (low >> 14), (high << 14) + low)
    exponent = exponent + np.where(large, 14 * _UNIT, 0)
    bits = np.frexp(value.astype(np.float64))[1].astype(np.int64)  # 0 for 0
    fraction = (value << (32 - bits) & 0x7FFFFFFF) >> 24
    return np.where(value > 0, exponent + (bits - 1) * _UNIT + tables.logarithm[fraction], -(2**31))
