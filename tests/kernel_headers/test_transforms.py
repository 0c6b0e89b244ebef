"""Stages of Fourier transforms, complex bfloat16, other rare names, against their definitions in Python."""

from __future__ import annotations

import cmath
from pathlib import Path

import numpy as np
import pytest
from arithmetic_model import bf16, same_floats, shift_round_saturate, step
from module_build import Module, build

HERE = Path(__file__).parent
SIGN = 0x80000000
TWIDDLE_SHIFT = 14


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("transforms")


@pytest.fixture(scope="module")
def aie2(folder) -> Module:
    return build(HERE / "transforms.cc", folder, "aie2")


@pytest.fixture(scope="module")
def aie2p(folder) -> Module:
    return build(HERE / "transforms.cc", folder, "aie2p")


def pairs(rng: np.random.Generator, count: int, limit: int, dtype: type) -> np.ndarray:
    return rng.integers(-limit, limit, (count, 2)).astype(dtype)


def twiddles(radix: int, groups: int) -> np.ndarray:
    """The tables of rates 1 to radix - 1 as the API's guide makes them; shape (radix - 1, groups, 2)."""
    rates, places = np.arange(1, radix)[:, None], np.arange(groups)
    w = np.exp(-2j * np.pi * rates * places / (groups * radix)) * (1 << TWIDDLE_SHIFT)
    return np.stack([w.real, w.imag], -1).round().astype(np.int16)


def times(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def turned_by(radix: int, turns: int, inverse: bool) -> tuple[int, int]:
    """exp(-2πi·turns/radix) in 2^-14: exact for radix 4, else cut from 15 bits, each sign for itself."""
    turns %= radix
    if radix in (2, 4):
        exact = cmath.exp((2j if inverse else -2j) * cmath.pi * turns / radix)
        return round(exact.real) << TWIDDLE_SHIFT, round(exact.imag) << TWIDDLE_SHIFT
    # The stages subtract products with these; so they are the negatives of the roots.
    minus = {3: {1: (1 << 13, 28378 >> 1)}, 5: {1: (-10126 >> 1, 31164 >> 1), 2: (26510 >> 1, 19261 >> 1)}}[
        radix
    ]
    re, im = minus[min(turns, radix - turns)]
    conjugated = (turns > radix - turns) != inverse
    return -re, im if conjugated else -im


def stage(
    x: np.ndarray, tables: np.ndarray, vectorization: int, inverse: bool, shift: int, bits: int
) -> np.ndarray:
    """One stage in integers of any size, in mode floor without saturation; `tables` by rate."""
    radix, n = len(tables) + 1, len(x)
    out = np.zeros((n, 2), np.int64)
    for place in range(n // radix):
        group, at = divmod(place, vectorization)
        values = [
            tuple(map(int, x[group * radix * vectorization + r * vectorization + at])) for r in range(radix)
        ]
        parts = [(values[0][0] << TWIDDLE_SHIFT, values[0][1] << TWIDDLE_SHIFT)]
        for r in range(1, radix):
            w = tuple(map(int, tables[r - 1][group]))
            parts.append(times(values[r], (w[0], -w[1] if inverse else w[1])))
        for q in range(radix):
            total = list(parts[0])
            for r in range(1, radix):
                if q == 0:
                    term = parts[r]
                elif radix in (2, 4):
                    term = times(parts[r], turned_by(radix, q * r, inverse))
                    term = term[0] >> TWIDDLE_SHIFT, term[1] >> TWIDDLE_SHIFT
                else:
                    narrowed = (
                        shift_round_saturate(parts[r][0], TWIDDLE_SHIFT, "floor", "none", 32, True),
                        shift_round_saturate(parts[r][1], TWIDDLE_SHIFT, "floor", "none", 32, True),
                    )
                    term = times(narrowed, turned_by(radix, q * r, inverse))
                total[0] += term[0]
                total[1] += term[1]
            out[q * (n // radix) + place] = [
                shift_round_saturate(t, shift, "floor", "none", bits, True) for t in total
            ]
    return out


INTEGER_STAGES = [
    (kinds, radix, vectorization, n)
    for kinds in ("c16_c16", "c16_c32", "c32_c32")
    for radix, vectorization, n in ((2, 16, 64), (4, 4, 128), (3, 8, 72), (5, 8, 80))
    if radix in (2, 4) or kinds != "c16_c16"
]


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize(("kinds", "radix", "vectorization", "n"), INTEGER_STAGES)
def test_a_stage_of_integers(aie2, kinds, radix, vectorization, n, inverse):
    rng = np.random.default_rng(radix)
    wide_in, wide_out = kinds[1:3] == "32", kinds[5:7] == "32"
    x = pairs(rng, n, 1 << 27 if wide_in else 1 << 15, np.int32 if wide_in else np.int16)
    tables = twiddles(radix, n // radix // vectorization)
    shift = 15 if wide_out else 17
    found = aie2.run(
        f"r{radix}_{kinds}", [x, tables], (n, 2), np.int32 if wide_out else np.int16, n, inverse, shift
    )
    want = stage(x, tables, vectorization, inverse, shift, 32 if wide_out else 16)
    assert (found == want).all()


@pytest.mark.parametrize("generation", ["aie2", "aie2p"])
def test_the_class_makes_what_the_stage_makes(request, generation):
    module = request.getfixturevalue(generation)
    x, tables = pairs(np.random.default_rng(9), 256, 1 << 15, np.int16), twiddles(4, 16)
    by_class, by_stage = (
        module.run(name, [x, tables], (256, 2), np.int16, 256, True, 17)
        for name in ("r4_by_class", "r4_c16_c16")
    )
    assert (by_class == by_stage).all()
    assert by_stage.any()


@pytest.mark.parametrize("generation", ["aie2", "aie2p"])
def test_stages_make_a_transform(request, generation):
    module = request.getfixturevalue(generation)
    rng = np.random.default_rng(3)
    x = pairs(rng, 64, 3000, np.int16)
    rates = [twiddles(4, 1)[[1, 0, 2]], twiddles(4, 4)[[1, 0, 2]], twiddles(2, 16), twiddles(2, 32)]
    tables = np.concatenate([table.reshape(-1, 2) for table in rates])
    found = module.run("spectrum", [x, tables], (64, 2), np.int16)
    want = np.fft.fft(x[:, 0] + 1j * x[:, 1]) / 4  # two of the four stages halve
    assert np.abs(found[:, 0] + 1j * found[:, 1] - want).max() < 16


def bf16_bits(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.standard_normal(shape).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def wide(bits: int) -> int:
    return int(bits) << 16


def complex_step(
    start: tuple[int, int], factors: list[tuple[tuple[int, int], tuple[int, int]]], minus: bool = False
):
    """start ± Σ a·b, float32 bits of real and imaginary part: all products of a part in one step."""
    sign = SIGN if minus else 0
    re = [pair for a, b in factors for pair in ((a[0] ^ sign, b[0]), (a[1] ^ sign ^ SIGN, b[1]))]
    im = [pair for a, b in factors for pair in ((a[0] ^ sign, b[1]), (a[1] ^ sign, b[0]))]
    return step([start[0]], re), step([start[1]], im)


def number(row: np.ndarray) -> tuple[int, int]:
    return wide(row[0]), wide(row[1])


@pytest.mark.parametrize("inverse", [False, True])
def test_stages_of_bfloat16(aie2, inverse):
    rng = np.random.default_rng(4)
    n = 32
    x, tables = bf16_bits(rng, n, 2), bf16_bits(rng, 3, n // 4, 2)
    flip = SIGN if inverse else 0

    def w(row: np.ndarray) -> tuple[int, int]:
        re, im = number(row)
        return re, im ^ flip

    def turned(a: tuple[int, int], plus: bool) -> tuple[int, int]:
        return (a[1] ^ SIGN, a[0]) if plus else (a[1], a[0] ^ SIGN)

    want2, want4 = np.zeros((n, 2), np.uint16), np.zeros((n, 2), np.uint16)
    for place in range(n // 2):
        group, at = divmod(place, 8)
        a, b = number(x[16 * group + at]), number(x[16 * group + 8 + at])
        for q in range(2):
            both = complex_step(a, [(b, w(tables.reshape(-1, 2)[group]))], minus=q == 1)
            want2[q * n // 2 + place] = [bf16(part, "floor") for part in both]
    for g in range(n // 4):
        x0, x1, x2, x3 = (number(row) for row in x[4 * g : 4 * g + 4])
        w1, w2, w3 = (w(tables[rate][g]) for rate in range(3))
        even, odd = complex_step(x0, [(x2, w2)]), complex_step(x0, [(x2, w2)], minus=True)
        sides = [(x1, w1), (x3, w3)], [(x1, turned(w1, inverse)), (x3, turned(w3, not inverse))]
        results = [complex_step(even, sides[0]), complex_step(odd, sides[1])]
        results += [complex_step(even, sides[0], minus=True), complex_step(odd, sides[1], minus=True)]
        for q, both in enumerate(results):
            want4[q * n // 4 + g] = [bf16(part, "floor") for part in both]
    assert (aie2.run("r2_floats", [x, tables], (n, 2), np.uint16, n, inverse) == want2).all()
    assert (aie2.run("r4_floats", [x, tables], (n, 2), np.uint16, n, inverse) == want4).all()


@pytest.mark.parametrize("name", ["complex_complex", "complex_real", "real_complex"])
def test_matrices_of_complex_bfloat16(aie2, name):
    rng = np.random.default_rng(5)
    real_a, real_b = name.startswith("real"), name.endswith("real")
    a, b = (
        bf16_bits(rng, 2, 8, 2)[:, :, : 1 if real_a else 2],
        bf16_bits(rng, 8, 2, 2)[:, :, : 1 if real_b else 2],
    )
    start = rng.standard_normal((2, 2, 2)).astype(np.float32)
    found = aie2.run(name, [a, b, start], (2, 2, 2), np.uint32)
    for i in range(2):
        for j in range(2):
            re, im = [], []
            for k in range(8):
                x, y = [wide(v) for v in a[i, k]], [wide(v) for v in b[k, j]]
                re.append((x[0], y[0]))
                if real_a:
                    im.append((x[0], y[1]))
                elif real_b:
                    im.append((x[1], y[0]))
                else:
                    re.append((x[1] ^ SIGN, y[1]))
                    im += [(x[0], y[1]), (x[1], y[0])]
            bits = start[i, j].view(np.uint32)
            want = np.array([step([int(bits[0])], re), step([int(bits[1])], im)], np.uint32)
            assert same_floats(found[i, j], want).all()


def test_products_of_complex_bfloat16_are_one_step(aie2):
    rng = np.random.default_rng(6)
    a, b, start = bf16_bits(rng, 8, 2), bf16_bits(rng, 8, 2), rng.standard_normal((8, 2)).astype(np.float32)
    found = aie2.run("complex_mac", [a, b, start], (8, 2), np.uint32)
    bits = start.view(np.uint32)
    want = [complex_step((int(s[0]), int(s[1])), [(number(x), number(y))]) for x, y, s in zip(a, b, bits)]
    assert same_floats(found, np.array(want, np.uint32)).all()


@pytest.mark.parametrize("generation", ["aie2", "aie2p"])
def test_iterators_and_repeated_elements(request, generation):
    module = request.getfixturevalue(generation)
    numbers = np.arange(100, 140, dtype=np.int32)
    places = np.concatenate([[0], np.cumsum([3, -1, 2] * 4)[:11]])
    assert (module.run("by_pattern", [numbers], (12,), np.int32) == numbers[places]).all()
    rng = np.random.default_rng(7)
    a, b = (rng.integers(-1000, 1000, 128).astype(np.int16) for _ in range(2))
    assert (module.run("in_step", [a, b], (128,), np.int16) == a - b).all()
    few = bf16_bits(rng, 4)
    assert (module.run("repeated", [few], (32,), np.uint16) == np.tile(few, 8)).all()


@pytest.mark.parametrize("generation", ["aie2", "aie2p"])
def test_rounded_addresses_numbers_and_nibbles(request, generation):
    module = request.getfixturevalue(generation)
    numbers = np.arange(64, dtype=np.int16)
    found = module.run("at_the_vector_below", [numbers], (32,), np.int16)
    assert (
        found == np.concatenate([numbers[16:32], np.zeros(16)])
    ).all()  # 32 bytes: a vector of both generations
    assert module.number("larger_and_smaller", 5, 9) == 9006
    packed = np.arange(0, 256, 16, dtype=np.uint8) | 7
    halves = np.stack([packed & 15, packed >> 4], 1).ravel() / 2
    assert (module.run("nibbles_to_floats", [packed], (32,), np.float32) == halves).all()


def compressed(data: bytes) -> bytes:
    """Groups of a mask and the bytes that are not zero."""
    out = b""
    for start in range(0, len(data), 64):
        group = data[start : start + 64]
        mask = sum(1 << i for i, byte in enumerate(group) if byte)
        kept = bytes(byte for byte in group if byte)
        out += mask.to_bytes(8, "little") + kept + bytes(-len(kept) % 4)
    return out


SPARSE = [
    (name, generation, *shape)
    for name, *shape in (
        ("sparse_i8_i8", 4, 16, 8),
        ("sparse_i16_i8", 2, 16, 8),
        ("sparse_i16_i16", 4, 8, 8),
        ("sparse_i8_i4", 4, 32, 8),
        ("sparse_bf16_bf16", 4, 16, 4),
    )
    for generation in ("aie2", "aie2p")
    if generation == "aie2" or name not in ("sparse_i8_i4", "sparse_bf16_bf16")
]


@pytest.mark.parametrize(("name", "generation", "m", "k", "n"), SPARSE)
def test_matrices_with_a_sparse_operand(request, name, generation, m, k, n):
    """B leaves a buffer column by column, at most two of four elements not zero; two of them in a row."""
    module = request.getfixturevalue(generation)
    rng = np.random.default_rng(8)
    _, left, right = name.split("_")
    columns = np.stack([rng.permutation([1, 1, 0, 0]) for _ in range(2 * k * n // 4)]).reshape(2, n, k)
    if right == "bf16":  # small whole numbers: every order of the sum is exact
        a = rng.integers(-8, 8, (m, k))
        columns = columns * rng.integers(-8, 8, columns.shape)
        halves = [(x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16) for x in (a, columns)]
        found = module.run(
            name, [halves[0], np.frombuffer(compressed(halves[1].tobytes()), np.uint8)], (m, n), np.float32
        )
    else:
        width = {"i4": 4, "i8": 8, "i16": 16}
        low, high = -(1 << width[right] - 1), 1 << width[right] - 1
        columns = columns * rng.integers(low, high, columns.shape)
        left_type = np.int8 if left == "i8" else np.int16
        a = rng.integers(-(1 << width[left] - 1), 1 << width[left] - 1, (m, k)).astype(left_type)
        if right == "i4":
            raw = ((columns[..., 0::2] & 15) | (columns[..., 1::2] & 15) << 4).astype(np.uint8).tobytes()
        else:
            raw = columns.astype(np.int8 if right == "i8" else np.int16).tobytes()
        found = module.run(name, [a, np.frombuffer(compressed(raw), np.uint8)], (m, n), np.int32)
    assert (found == a.astype(np.int64) @ columns.sum(0).T).all()
