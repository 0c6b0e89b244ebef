"""The headers' arithmetic against the NumPy model: special values, random ones, every bfloat16."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from arithmetic_model import (
    ROUNDINGS,
    SATURATIONS,
    bf16,
    bf16_array,
    float_product,
    floats,
    same_bf16,
    same_floats,
    shift_round_saturate,
    step,
    widened,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from module_build import Module, build

HERE = Path(__file__).parent
INVERSES = HERE / "inverses.json"
ALL_BF16 = np.arange(65536, dtype=np.uint16)
ONE, MINUS = 0x3F800000, 0x80000000
# Float32 patterns at the edges: zeros, denormals, least and largest, halfway cases, infinities, no number.
SPECIAL = np.array(
    [
        *(0, 1, 0x7FFFFF, 0x800000, 0x800001, 0x3F800000, 0x3F808000, 0x3F818000, 0x3F80FFFF, 0x3F8080FF),
        *(0x40490FDB, 0x4B000000, 0x4B800001, 0x33800000, 0x00010000, 0x007F8000, 0x00FF8000),
        *(0x7F7FFFFF, 0x7F7F8000, 0x7F000000, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF),
    ],
    np.uint32,
)
SPECIAL = np.concatenate([SPECIAL, SPECIAL | MINUS])


@pytest.fixture(scope="module")
def aie2(tmp_path_factory) -> Module:
    return build(HERE / "arithmetic.cc", tmp_path_factory.mktemp("aie2"), "aie2")


@pytest.fixture(scope="module")
def aie2p(tmp_path_factory) -> Module:
    return build(HERE / "arithmetic.cc", tmp_path_factory.mktemp("aie2p"), "aie2p")


def padded(array: np.ndarray, to: int = 32) -> np.ndarray:
    return np.concatenate([array, np.zeros(-len(array) % to, array.dtype)])


def pairs_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.meshgrid(values, values)
    return padded(a.ravel()), padded(b.ravel())


def random_floats(rng: np.random.Generator, n: int, spread: int = 6) -> np.ndarray:
    """float32 bits of all signs, with exponents near each other, so that sums meet every alignment."""
    exponents = rng.integers(127 - spread, 127 + spread, n, np.uint32)
    return rng.integers(0, 2, n, np.uint32) << 31 | exponents << 23 | rng.integers(0, 1 << 23, n, np.uint32)


@pytest.mark.parametrize("mode", ROUNDINGS)
def test_floats_become_bfloat16_by_the_rounding_mode(aie2, mode):
    rng = np.random.default_rng(1)
    values = padded(
        np.concatenate([SPECIAL, widened(ALL_BF16[::41]) | rng.integers(0, 65536, 1599, np.uint32)])
    )
    for name in ("float_to_bf16", "scalar_to_bf16"):
        got = aie2.run(name, [values], values.shape, np.uint16, len(values), ROUNDINGS[mode])
        assert same_bf16(got, bf16_array(values, mode)).all(), name


def test_every_bfloat16_survives_the_way_through_a_float(aie2):
    wide = aie2.run("bf16_to_float", [ALL_BF16], ALL_BF16.shape, np.uint32, 65536)
    assert (wide == widened(ALL_BF16)).all()
    for mode in ROUNDINGS.values():
        back = aie2.run("float_to_bf16", [wide], wide.shape, np.uint16, 65536, mode)
        assert same_bf16(back, ALL_BF16).all()


@pytest.mark.parametrize(
    ("name", "bits", "signed"),
    [
        ("srs32_int8", 8, True),
        ("srs32_uint8", 8, False),
        ("srs32_int16", 16, True),
        ("srs32_uint16", 16, False),
        ("srs32_int32", 32, True),
        ("srs64_int16", 16, True),
        ("srs64_int32", 32, True),
        ("srs64_uint32", 32, False),
    ],
)
def test_accumulators_are_shifted_rounded_and_limited(aie2, name, bits, signed):
    wide = np.int64 if "64" in name else np.int32
    info = np.iinfo(wide)
    rng = np.random.default_rng(2)
    edges = [
        info.min,
        info.min + 1,
        info.max,
        0,
        1,
        -1,
        7,
        8,
        9,
        24,
        -8,
        -24,
        127,
        128,
        -128,
        -129,
        32767,
        32768,
        65535,
        65536,
    ]
    values = padded(np.array([*edges, *rng.integers(-(1 << 20), 1 << 20, 44)], wide), 16)
    dtype = np.dtype(f"{'' if signed else 'u'}int{bits}")
    for rounding, code in ROUNDINGS.items():
        for saturation, number in SATURATIONS.items():
            for shift in (0, 1, 4, 31, *((-2, 40) if wide is np.int64 else ())):
                got = aie2.run(name, [values], values.shape, dtype, len(values), shift, code, number)
                wanted = [
                    shift_round_saturate(
                        wrapped(int(v), shift, info.bits), max(shift, 0), rounding, saturation, bits, signed
                    )
                    for v in values
                ]
                assert got.tolist() == wanted, (rounding, saturation, shift)


def wrapped(value: int, shift: int, bits: int) -> int:
    """What a shift to the left leaves in an accumulator."""
    if shift >= 0:
        return value
    value = (value << -shift) & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value


def test_vectors_enter_accumulators(aie2):
    values = padded(np.array([0, 1, -1, 32767, -32768, 1234], np.int16), 16)
    for saturation, number in SATURATIONS.items():
        for shift in (0, 8, 15, 17):
            got = aie2.run("ups32", [values], values.shape, np.int32, len(values), shift, number)
            wanted = [shift_round_saturate(int(v) << shift, 0, "floor", saturation, 32, True) for v in values]
            assert got.tolist() == wanted, (saturation, shift)


def test_pack_keeps_the_low_bits_or_limits(aie2):
    values = padded(np.array([0, 127, 128, -128, -129, 300, -300, 32767], np.int16))
    for saturation, number in SATURATIONS.items():
        got = aie2.run("pack16", [values], values.shape, np.int8, len(values), number)
        assert got.tolist() == [shift_round_saturate(int(v), 0, "floor", saturation, 8, True) for v in values]


def test_sums_of_floats(aie2):
    rng = np.random.default_rng(3)
    a, b = pairs_of(SPECIAL)
    a, b = np.concatenate([a, random_floats(rng, 2048)]), np.concatenate([b, random_floats(rng, 2048)])
    got = aie2.run("add_floats", [a, b], a.shape, np.uint32, len(a))
    wanted = np.array([step([int(x), int(y)], [], sign_of_zero=True) for x, y in zip(a, b)], np.uint32)
    wrong = ~same_floats(got, wanted)
    assert not wrong.any(), [
        (hex(a[i]), hex(b[i]), hex(got[i]), hex(wanted[i])) for i in np.nonzero(wrong)[0][:5]
    ]


def test_differences_of_bfloat16(aie2):
    a, b = pairs_of((SPECIAL >> 16).astype(np.uint16))
    for mode in ("floor", "conv_even", "symmetric_ceil"):
        got = aie2.run("sub_bf16", [a, b], a.shape, np.uint16, len(a), ROUNDINGS[mode])
        wanted = [
            bf16(step([int(x) << 16, int(y) << 16 ^ MINUS], [], sign_of_zero=True), mode)
            for x, y in zip(a, b)
        ]
        assert same_bf16(got, np.array(wanted, np.uint16)).all(), mode


def test_products_of_bfloat16(aie2):
    rng = np.random.default_rng(4)
    a, b = pairs_of((SPECIAL >> 16).astype(np.uint16))
    a = np.concatenate([a, rng.integers(0, 65536, 1024, np.uint16)])
    b = np.concatenate([b, rng.integers(0, 65536, 1024, np.uint16)])
    got = aie2.run("mul_bf16", [a, b], a.shape, np.uint32, len(a))
    wanted = np.array([step([], [(int(x) << 16, int(y) << 16)]) for x, y in zip(a, b)], np.uint32)
    assert same_floats(got, wanted).all()


@pytest.mark.parametrize(("name", "sign"), [("mac_bf16", 0), ("msc_bf16", MINUS)])
def test_accumulated_products_of_bfloat16(aie2, name, sign):
    rng = np.random.default_rng(5)
    special = SPECIAL[np.r_[0:12, 17:24, 24:30, 41:48]]
    n = 4096
    a = np.concatenate([rng.choice(special, n), random_floats(rng, n)]) >> 16
    b = np.concatenate([rng.choice(special, n), random_floats(rng, n)]) >> 16
    c = np.concatenate([rng.choice(special, n), random_floats(rng, n)])
    a, b = a.astype(np.uint16), b.astype(np.uint16)
    got = aie2.run(name, [a, b, c], c.shape, np.uint32, len(c))
    wanted = np.array(
        [step([int(z)], [(int(x) << 16 ^ sign, int(y) << 16)]) for x, y, z in zip(a, b, c)], np.uint32
    )
    wrong = ~same_floats(got, wanted)
    assert not wrong.any(), [
        (hex(a[i]), hex(b[i]), hex(c[i]), hex(got[i]), hex(wanted[i])) for i in np.nonzero(wrong)[0][:5]
    ]


float32_bits = st.integers(0, 0xFFFFFFFF)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 0xFFFF)] * 4, float32_bits), min_size=16, max_size=16))
def test_two_products_in_a_step(aie2, rows):
    table = np.array(rows, np.uint64)
    a = np.concatenate([table[:, 0], table[:, 1]]).astype(np.uint16)
    b = np.concatenate([table[:, 2], table[:, 3]]).astype(np.uint16)
    c = table[:, 4].astype(np.uint32)
    got = aie2.run("mac_pairs", [a, b, c], c.shape, np.uint32, 16)
    wanted = [
        step([int(z)], [(int(p) << 16, int(r) << 16), (int(q) << 16, int(s) << 16)]) for p, q, r, s, z in rows
    ]
    assert same_floats(got, np.array(wanted, np.uint32)).all()


@pytest.mark.parametrize(
    ("products", "c", "wanted"),
    [
        # 1 + 2^-23 is kept: captures of an NPU show 23 bits below the exponent of the larger product.
        ([(0x3F80, 0x3F80), (0x3980, 0x3A00)], 0, 0x3F800001),
        # So it is where that product is two or more: 5·2^-25 becomes 2^-23, half of the last bit of 2.25.
        ([(0x3FC0, 0x3FC0), (0x3980, 0x3A20)], 0, 0x40100000),
        # A product has no larger exponent than an accumulator of its size: 0.5 + 2^-24 - 0.5.
        ([(0xBF00, 0x3F80), (0, 0)], 0x3F000001, 0x33800000),
        # Half of what the larger leaves goes to the even neighbour.
        ([(0x3F80, 0x3F80), (0x3980, 0x3980)], 0, 0x3F800000),
    ],
)
def test_where_a_step_rounds(aie2, products, c, wanted):
    a, b = (np.repeat([each[k] for each in products], 16).astype(np.uint16) for k in (0, 1))
    got = aie2.run("mac_pairs", [a, b, np.full(16, c, np.uint32)], (16,), np.uint32, 16)
    assert got.tolist() == [wanted] * 16
    assert step([c], [(x << 16, y << 16) for x, y in products]) == wanted


def test_products_of_floats_by_parts(aie2):
    rng = np.random.default_rng(6)
    a, b, c = (random_floats(rng, 256) for _ in range(3))
    got = aie2.run("mul_floats", [a, b], a.shape, np.uint32, len(a))
    assert same_floats(got, np.array([float_product(int(x), int(y)) for x, y in zip(a, b)], np.uint32)).all()
    got = aie2.run("msc_floats", [a, b, c], a.shape, np.uint32, len(a))
    wanted = [float_product(int(x), int(y), int(z), negative=True) for x, y, z in zip(a, b, c)]
    assert same_floats(got, np.array(wanted, np.uint32)).all()


def bf16_matrices(rng: np.random.Generator, shape: tuple[int, ...], special: bool) -> np.ndarray:
    bits = random_floats(rng, int(np.prod(shape)), 12).reshape(shape)
    if special:
        bits = np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), bits)
    return bits.astype(np.uint32)


@pytest.mark.parametrize(("m", "k", "n"), [(4, 8, 4), (8, 8, 8)])
@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("generation", ["aie2", "aie2p"])
def test_small_matrices_of_bfloat16(request, generation, m, k, n, special):
    """AIE2 adds the 8 products of a lane in one step, AIE2P in eight."""
    module = request.getfixturevalue(generation)
    rng = np.random.default_rng(7)
    count = 4
    a, b = (bf16_matrices(rng, (count, *s), special) >> 16 for s in ((m, k), (k, n)))
    c = bf16_matrices(rng, (count, m, n), special)
    name = f"mmul_bf16_{m}x{k}x{n}"
    got = module.run(name, [a.astype(np.uint16), b.astype(np.uint16), c], c.shape, np.uint32, count)
    wanted = np.zeros_like(c)
    for i, row, column in np.ndindex(c.shape):
        products = [(int(a[i, row, p]) << 16, int(b[i, p, column]) << 16) for p in range(k)]
        total = int(c[i, row, column])
        for group in [products] if generation == "aie2" else [[p] for p in products]:
            total = step([total], group)
        wanted[i, row, column] = total
    wrong = ~same_floats(got, wanted)
    assert not wrong.any(), (got[wrong][:4], wanted[wrong][:4])


@pytest.mark.parametrize(
    ("name", "m", "k", "n", "a", "b"),
    [
        ("mmul_int8_4x8x8", 4, 8, 8, np.int8, np.int8),
        ("mmul_uint8_8x8x8", 8, 8, 8, np.uint8, np.int8),
        ("mmul_int16_2x4x8", 2, 4, 8, np.int16, np.int16),
        ("mmul_int16_4x4x8", 4, 4, 8, np.int16, np.int16),
        ("mmul_uint16_8x1x8", 8, 1, 8, np.uint16, np.int16),
        ("mmul_int32_4x1x8", 4, 1, 8, np.int32, np.int16),
    ],
)
def test_small_matrices_of_integers(aie2, name, m, k, n, a, b):
    rng = np.random.default_rng(8)
    left = rng.integers(np.iinfo(a).min, np.iinfo(a).max, (3, m, k), a, endpoint=True)
    right = rng.integers(np.iinfo(b).min, np.iinfo(b).max, (3, k, n), b, endpoint=True)
    start = rng.integers(-(1 << 20), 1 << 20, (3, m, n)).astype(np.int32)
    left[0], right[0] = np.iinfo(a).min, np.iinfo(b).min
    got = aie2.run(name, [left, right, start], start.shape, np.int32, 3)
    wanted = (left.astype(np.int64) @ right.astype(np.int64) + start).astype(np.int32)
    assert (got == wanted).all()


def test_small_matrices_of_floats(aie2):
    rng = np.random.default_rng(9)
    a, b, c = random_floats(rng, 4), random_floats(rng, 8), random_floats(rng, 32)
    got = aie2.run("mmul_float_4x1x8", [a, b, c], c.shape, np.uint32, 1)
    wanted = [
        float_product(int(x), int(y), int(c[i])) for i, (x, y) in enumerate((x, y) for x in a for y in b)
    ]
    assert same_floats(got, np.array(wanted, np.uint32)).all()


@pytest.mark.parametrize("n", [8, 16, 32, 64])
def test_sums_across_lanes(aie2, aie2p, n):
    rng = np.random.default_rng(10 + n)
    values = (random_floats(rng, n) >> 16).astype(np.uint16)
    wide = [int(v) << 16 for v in values]
    groups = [0] * 4
    for start in range(0, n, 32):
        for g in range(4):
            part = wide[start + 8 * g : start + 8 * g + 8]
            groups[g] = step([groups[g]], [(v, ONE) for v in part]) if part else groups[g]
    while len(groups) > 1 and n < 32 and len(groups) > n // 8:
        groups.pop()
    got = aie2.run(f"reduce_add_{n}", [values], (1,), np.uint16)
    assert got[0] == bf16(halved(groups), "floor")
    got = aie2p.run(f"reduce_add_{n}", [values], (1,), np.uint16)
    assert got[0] == bf16(halved(wide), "floor")


def halved(values: list[int]) -> int:
    while len(values) > 1:
        half = len(values) // 2
        values = [step([x, y], [], sign_of_zero=True) for x, y in zip(values[:half], values[half:])]
    return values[0]


def test_sums_across_lanes_of_floats_and_bytes(aie2):
    values = random_floats(np.random.default_rng(11), 16)
    assert aie2.run("reduce_add_floats", [values], (1,), np.uint32)[0] == halved([int(v) for v in values])
    data = np.full(64, 5, np.int8)
    assert aie2.run("reduce_add_int8", [data], (1,), np.int8, 0)[0] == np.array(320).astype(np.int8)
    assert aie2.run("reduce_add_int8", [data], (1,), np.int8, 1)[0] == 127


def narrowed(bits: int, mode: str) -> int:
    return bf16(bits, mode) << 16


def constant(x: float) -> int:
    return int(np.float32(x).view(np.uint32))


def inverse(x: int, mode: str) -> int:
    guess = ((0x7EB5 - x) & 0xFFFF) << 16
    wide, k1 = x << 16, narrowed(constant(1.9395974), "conv_even")
    t = narrowed(step([step([], [(wide ^ MINUS, guess)]), constant(1.436142)], [], sign_of_zero=True), mode)
    t = narrowed(step([], [(t, guess)]), mode)
    y = narrowed(step([], [(t ^ MINUS, k1)]), mode)
    r = narrowed(step([constant(2.0)], [(y, wide)]), mode)
    return bf16(step([], [(y ^ MINUS, r)]), mode)


def inverse_root(x: int, mode: str) -> int:
    c2, c3 = np.float32(0.703952253), np.float32(2.38924456)
    wide = x << 16
    signed = wide - (1 << 32) if wide >> 31 else wide
    x2 = narrowed(step([], [(wide, narrowed(constant(float(c2)), "conv_even"))]), mode)
    guess = (0x5F1FFFF9 - shift_round_saturate(signed, 1, mode, "none", 32, True)) & 0xFFFFFFFF
    y = narrowed(guess, mode)
    yy = narrowed(step([], [(y, y)]), mode)
    rest = narrowed(step([int(np.float32(c2 * c3).view(np.uint32))], [(x2 ^ MINUS, yy)]), mode)
    return bf16(step([], [(y, rest)]), mode)


def digest(results: np.ndarray) -> str:
    """Of bfloat16 bits, all that is no number alike."""
    unusual = (results & 0x7F80 == 0x7F80) & (results & 0x7F != 0)
    return hashlib.sha256(np.where(unusual, 0x7FC0, results).astype(np.uint16).tobytes()).hexdigest()[:16]


INVERSE_MODELS = {"inverse_bf16": inverse, "inverse_root_bf16": inverse_root}


@pytest.mark.parametrize("case", json.loads(INVERSES.read_text()))
def test_inverses_of_every_bfloat16(aie2, case, regen):
    """Some by the model, and all by what the model said (inverses.json, which --regen asks it for again)."""
    name, mode = case.split()
    model = INVERSE_MODELS[name]
    values = padded(ALL_BF16[(ALL_BF16 & 0x7F80) != 0x7F80])
    got = aie2.run(name, [values], values.shape, np.uint16, len(values), ROUNDINGS[mode])
    some = slice(None, None, 1 if regen else 997)
    wanted = np.array([model(int(v), mode) for v in values[some]], np.uint16)
    wrong = ~same_bf16(got[some], wanted)
    assert not wrong.any(), [(hex(v), hex(w)) for v, w in zip(values[some][wrong][:5], wanted[wrong])]
    golden = json.loads(INVERSES.read_text())
    if regen:
        golden[case] = digest(wanted)
        INVERSES.write_text(json.dumps(golden, indent=1) + "\n")
    assert digest(got) == golden[case]


def test_inverse_roots_take_the_same_steps_on_aie2p(aie2p):
    values = padded(ALL_BF16[(ALL_BF16 & 0x7F80) != 0x7F80])
    got = aie2p.run(
        "inverse_root_bf16", [values], values.shape, np.uint16, len(values), ROUNDINGS["conv_even"]
    )
    assert digest(got) == json.loads(INVERSES.read_text())["inverse_root_bf16 conv_even"]


def test_bfloat16_to_integers_is_floor(aie2):
    finite = ALL_BF16[(ALL_BF16 & 0x7F80) != 0x7F80]
    values = padded(finite)
    for shift in (0, 8, -2):
        got = aie2.run("bf16_to_int", [values], values.shape, np.int32, len(values), shift)
        exact = floats(widened(values)).astype(np.float64) * 2.0**shift
        assert (got == np.clip(np.floor(exact), -(2.0**31), 2.0**31 - 1).astype(np.int64)).all()


def test_floats_to_fixed_point_and_back(aie2):
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9, 0.3, 127.99, 100.25] * 16, np.float32)
    got = aie2.run("float_to_int16", [values], values.shape, np.int16, len(values), 2)
    assert (got == np.clip(np.rint(values.astype(np.float64) * 4), -32768, 32767)).all()
    numbers = padded(
        np.array([0, 1, -1, 65535, 65536, 1 << 24, (1 << 24) + 1, 2**31 - 1, -(2**31), 123456789], np.int32),
        16,
    )
    got = aie2.run("int_to_float", [numbers], numbers.shape, np.uint32, len(numbers), 3)
    for number, bits in zip(numbers, got):
        high, low = np.float32(number >> 16) * 8192, np.float32(number & 0xFFFF) / 8
        assert bits == step([int(np.float32(low).view(np.uint32)), int(np.float32(high).view(np.uint32))], [])


def test_functions_by_table(aie2):
    finite = padded(ALL_BF16[(ALL_BF16 & 0x7F80) != 0x7F80])
    exact = floats(widened(finite)).astype(np.float64)
    fixed = np.clip(np.floor(exact * 256), -(2.0**31), 2.0**31 - 1).astype(np.int64) & 0xFFFF
    whole = (fixed >> 8).astype(np.uint8).view(np.int8).astype(np.float64)
    table = np.where(whole > 88, 0, np.exp(np.minimum(whole, 88)))
    entries = np.array(
        [0x7EF9 if w > 88 else bf16(constant(t), "conv_even") for w, t in zip(whole, table)], np.uint16
    )
    parts = np.array([bf16(constant(np.exp((f & 255) / 256)), "conv_even") for f in fixed], np.uint16)
    with np.errstate(over="ignore"):
        wanted = (floats(widened(entries)) * floats(widened(parts))).view(np.uint32)
    wanted = np.where((wanted & 0x7F800000) == 0, 0, wanted)
    got = aie2.run("exp_by_table", [finite], finite.shape, np.uint32, len(finite), 0)
    assert (got == wanted).all()
    near = np.abs(exact) < 4
    got = floats(widened(aie2.run("tanh_by_table", [finite], finite.shape, np.uint16, len(finite), 12)))
    assert np.abs(got[near] - np.tanh(exact[near])).max() < 0.02
    positive = np.array([0.5, 1.0, 1.5, 3.0, 7.7, 123.0, 1e-3] * 8, np.float32)
    got = floats(widened(aie2.run("inverse_by_table", [positive], positive.shape, np.uint16, len(positive))))
    assert np.abs(got * positive - 1).max() < 0.01


def test_order_of_bfloat16(aie2):
    """-0 is less than +0; nothing holds of a NaN, and the first of two is both larger and smaller."""
    a, b = pairs_of((SPECIAL >> 16).astype(np.uint16))
    a, b = (np.resize(each, -(-len(a) // 32) * 32) for each in (a, b))

    def order(bits):
        signed = bits.view(np.int16).astype(np.int32)
        return np.where(signed < 0, signed ^ 0x7FFF, signed)

    numbers = ((a & 0x7FFF) <= 0x7F80) & ((b & 0x7FFF) <= 0x7F80)
    less, greater_or_equal = (numbers & found for found in (order(a) < order(b), order(a) >= order(b)))
    assert (aie2.run("max_bf16", [a, b], a.shape, np.uint16, len(a)) == np.where(less, b, a)).all()
    assert (
        aie2.run("min_bf16", [a, b], a.shape, np.uint16, len(a)) == np.where(greater_or_equal, b, a)
    ).all()
    wanted = {
        "lt": less,
        "ge": greater_or_equal,
        "gt": numbers & (order(a) > order(b)),
        "le": numbers & (order(a) <= order(b)),
    }
    for name, lanes in wanted.items():
        words = aie2.run(f"{name}_bf16", [a, b], (len(a) // 32,), np.uint32, len(a))
        assert (np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool) == lanes).all(), name


def test_exponential_and_tanh_of_aie2p_are_correctly_rounded(aie2p):
    finite = ALL_BF16[(ALL_BF16 & 0x7F80) != 0x7F80]
    values = padded(widened(finite))
    x = floats(values).astype(np.float64)
    with np.errstate(over="ignore"):
        for name, exact in (("exp2_bf16", np.exp2(x)), ("tanh_bf16", np.tanh(x))):
            got = aie2p.run(name, [values], values.shape, np.uint16, len(values))
            wanted = np.array([nearest(v) for v in exact], np.uint16)
            if name == "exp2_bf16":
                wanted = np.where((wanted & 0x7F80) == 0, 0, wanted)
            wrong = got != wanted
            assert not wrong.any(), (
                name,
                [(x[i], hex(got[i]), hex(wanted[i])) for i in np.nonzero(wrong)[0][:5]],
            )


def nearest(x: float) -> int:
    """The nearest bfloat16 of a double, ties to even."""
    if np.isinf(x):
        return 0xFF80 if x < 0 else 0x7F80
    exponent = max(int(np.floor(np.log2(abs(x)))) if x else -200, -126)
    grid = 2.0 ** (exponent - 7)
    with np.errstate(over="ignore"):
        return (
            int(np.float32(np.rint(x / grid) * grid).view(np.uint32)) >> 16 if x else int(np.signbit(x)) << 15
        )
