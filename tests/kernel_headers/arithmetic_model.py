"""The vector unit's arithmetic in NumPy, by its definition alone, without the headers that are tested.

bfloat16 values are uint16 bits, float32 values uint32 bits, so that every pattern can be told apart.
"""

from __future__ import annotations

import numpy as np

ROUNDINGS = {
    "floor": 0,
    "ceil": 1,
    "symmetric_floor": 2,
    "symmetric_ceil": 3,
    "negative_inf": 8,
    "positive_inf": 9,
    "symmetric_zero": 10,
    "symmetric_inf": 11,
    "conv_even": 12,
    "conv_odd": 13,
}
SATURATIONS = {"none": 0, "saturate": 1, "symmetric": 3}
QUIET = np.uint32(0x7FC00000)


def floats(bits: np.ndarray) -> np.ndarray:
    """uint32 bits as float32."""
    return bits.astype(np.uint32).view(np.float32)


def widened(bits: np.ndarray) -> np.ndarray:
    """bfloat16 bits as float32 bits."""
    return bits.astype(np.uint32) << 16


def rounds_up(mode: str, rest: int, half: int, negative: bool, odd: bool) -> bool:
    """Whether the number that is left is made larger by one: `rest` of the 2·half parts was dropped."""
    return {
        "floor": False,
        "ceil": rest > 0,
        "symmetric_floor": negative and rest > 0,
        "symmetric_ceil": not negative and rest > 0,
        "negative_inf": rest > half,
        "positive_inf": rest >= half,
        "symmetric_zero": rest > half or (rest == half and negative),
        "symmetric_inf": rest > half or (rest == half and not negative),
        "conv_even": rest > half or (rest == half and odd),
        "conv_odd": rest > half or (rest == half and not odd),
    }[mode]


def shift_round_saturate(value: int, shift: int, mode: str, saturation: str, bits: int, signed: bool) -> int:
    """An accumulator's value as an integer of `bits` bits."""
    if shift <= 0:
        value <<= -shift
    else:
        rest = value & ((1 << shift) - 1)
        kept = value >> shift
        value = kept + rounds_up(mode, rest, 1 << (shift - 1), value < 0, bool(kept & 1))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if saturation == "none":
        value &= (1 << bits) - 1
        return value - (1 << bits) if signed and value > high else value
    if saturation == "symmetric" and signed:
        low = -high
    return min(max(value, low), high)


def bf16(bits: int, mode: str) -> int:
    """float32 bits to bfloat16 bits: on sign and magnitude, by the table for bfloat16."""
    magnitude, negative = bits & 0x7FFFFFFF, bits >> 31 == 1
    if magnitude > 0x7F800000:
        kept = bits >> 16
        return kept | 1 if kept & 0x7F == 0 else kept
    rest, kept, half = magnitude & 0xFFFF, magnitude >> 16, 0x8000
    up = {
        "floor": negative and rest > 0,
        "ceil": not negative and rest > 0,
        "symmetric_floor": False,
        "symmetric_ceil": rest > 0,
        "negative_inf": rest > half or (rest == half and negative),
        "positive_inf": rest > half or (rest == half and not negative),
        "symmetric_zero": rest > half,
        "symmetric_inf": rest >= half,
        "conv_even": rest > half or (rest == half and kept & 1 == 1),
        "conv_odd": rest > half or (rest == half and kept & 1 == 0),
    }[mode]
    return (negative << 15) | (kept + up)


def bf16_array(bits: np.ndarray, mode: str) -> np.ndarray:
    """`bf16` of each element."""
    return np.array([bf16(int(b), mode) for b in bits.ravel()], np.uint16).reshape(bits.shape)


def _parts(bits: int) -> tuple[int, int, bool]:
    """A float32's signed mantissa and exponent of its lowest bit; whether it is infinite or no number."""
    exponent = bits >> 23 & 255
    mantissa = (bits & 0x7FFFFF) | (0x800000 if exponent else 0)
    return (-mantissa if bits >> 31 else mantissa), max(exponent, 1) - 127 - 23, exponent == 255


def step(accumulators: list[int], products: list[tuple[int, int]], *, sign_of_zero: bool = False) -> int:
    """One step: float32 bits of the accumulators, pairs of float32 bits (holding bfloat16 values) of the
    products.

    Args:
        accumulators: float32 bits.
        products: pairs of float32 bits.
        sign_of_zero: a result below 2^-126 keeps its sign (sums of accumulators) or becomes +0.
    """
    terms: list[tuple[int, int, int]] = []  # value, exponent of its lowest bit, exponent that counts
    special: list[float] = []
    for bits in accumulators:
        mantissa, low, unusual = _parts(bits)
        if unusual:
            special.append(float(floats(np.array([bits], np.uint32))[0]))
        elif mantissa:
            terms.append((mantissa, low, low + 23))
    for a, b in products:
        (ma, la, ua), (mb, lb, ub) = _parts(a), _parts(b)
        if ua or ub:
            with np.errstate(invalid="ignore", over="ignore"):
                special.append(
                    float(
                        np.float32(floats(np.array([a], np.uint32))[0]) * floats(np.array([b], np.uint32))[0]
                    )
                )
        elif ma and mb:
            terms.append((ma * mb, la + lb, la + 23 + lb + 23))
    if special:
        with np.errstate(invalid="ignore"):
            total = np.float32(sum(special))
        return int(QUIET) if np.isnan(total) else int(np.float32(total).view(np.uint32))
    if not terms:
        return 0
    top = max(counted for _, _, counted in terms)
    total = sum(_to_multiple(value, low, top - 23) for value, low, _ in terms)
    return _to_float(total, top - 23, sign_of_zero)


def _to_multiple(value: int, low: int, grid: int) -> int:
    """value · 2^low as a multiple of 2^grid, to nearest even."""
    if low >= grid:
        return value << (low - grid)
    down = grid - low
    kept, rest, half = value >> down, value & ((1 << down) - 1), 1 << (down - 1)
    return kept + (rest > half or (rest == half and kept & 1 == 1))


def _to_float(value: int, grid: int, sign_of_zero: bool) -> int:
    if value == 0:
        return 0
    sign, magnitude = (0x80000000, -value) if value < 0 else (0, value)
    excess = magnitude.bit_length() - 24
    if excess > 0:
        magnitude, grid = _to_multiple(magnitude, 0, excess), grid + excess
    exponent = magnitude.bit_length() + grid - 1
    if exponent < -126:
        return sign if sign_of_zero else 0
    if exponent > 127:
        return sign | 0x7F800000
    mantissa = magnitude << (24 - magnitude.bit_length()) if magnitude.bit_length() <= 24 else magnitude >> 1
    return sign | (exponent + 127) << 23 | (mantissa & 0x7FFFFF)


def same_floats(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays of float32 bits are equal; one not-a-number is as good as another."""
    a, b = a.astype(np.uint32), b.astype(np.uint32)
    return (a == b) | (((a & 0x7FFFFFFF) > 0x7F800000) & ((b & 0x7FFFFFFF) > 0x7F800000))


def same_bf16(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same for bfloat16 bits."""
    return same_floats(widened(a), widened(b))


def floor_part(bits: int) -> int:
    """float32 bits of what mode floor leaves in a bfloat16."""
    return bf16(bits, "floor") << 16


def float_product(x: int, y: int, accumulator: int | None = None, *, negative: bool = False) -> int:
    """A product of two float32 by three bfloat16 parts each, in the order of the safe variant."""
    one = 0x3F800000

    def split(bits: int) -> tuple[int, int, int]:
        high = floor_part(bits)
        rest = step([bits], [(high ^ 0x80000000, one)])
        middle = floor_part(rest)
        return high, middle, floor_part(step([rest], [(middle ^ 0x80000000, one)]))

    a, b, c = split(x)
    d, e, f = split(y)
    if negative:
        a, b, c = (part ^ 0x80000000 for part in (a, b, c))
    total = step([], [(c, f)])
    for pair in ((c, e), (b, f), (a, f), (b, e), (c, d), (b, d), (a, e)):
        total = step([total], [pair])
    return step([total] + ([] if accumulator is None else [accumulator]), [(a, d)])
