"""Forms of the API that are easy to get wrong: 4-bit elements, run-time signedness, numbers, sums' order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from arithmetic_model import floats, step
from module_build import Module, build

I8, U8, I16, U16, I32, F32 = np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32


@pytest.fixture(scope="module", params=["aie2", "aie2p"])
def kernels(request, tmp_path_factory) -> Module:
    source = Path(__file__).with_name("api_forms.cc")
    return build(source, tmp_path_factory.mktemp(request.param), request.param)


def random(dtype, count: int, seed: int = 1) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max, count, dtype, endpoint=True)


def nibbles_of(packed: np.ndarray) -> np.ndarray:
    """Signed values of 4 bits, the low half of each byte first."""
    return np.stack([packed << 4 >> 4, packed >> 4], 1).ravel().astype(I8)


def test_elements_of_four_bits(kernels):
    a, b = random(I8, 64), random(I8, 64, 2)
    x, y = nibbles_of(a), nibbles_of(b)
    both = np.stack([x, y], 1).ravel()
    wanted = [x + y, x - y, np.maximum(x, y), np.minimum(x, y), -x, x >> 1, x[::-1], np.where(x < y, y, x)]
    wanted += [both[:128], both[128:], np.concatenate([x[0::2], x[1::2]]), x ^ y, np.roll(x, -5)]
    got = nibbles_of(kernels.run("nibbles", [a, b], (13 * 64,), I8)).reshape(13, 128)
    for row, values in zip(got, wanted, strict=True):
        assert (row == (values << 4 >> 4)).all()


def test_templates_for_kinds_of_vectors(kernels):
    x = random(I16, 32)
    assert (kernels.run("doubled", [x], (64,), I16) == np.tile(x + x, 2)).all()


def test_signedness_said_at_run_time(kernels):
    x, y = random(I16, 32), random(I16, 32, 2)
    y[:4] = x[:4]
    x[x == 12345] = 1
    ux, uy = x.view(U16), y.view(U16)
    wanted = [np.maximum(x, y), np.maximum(ux, uy).view(I16), np.minimum(ux, 0xFFF9).view(I16), x >= y, x < y]
    got = kernels.run("signs", [x, y], (162,), I16)
    for row, values in zip(got[:160].reshape(5, 32), wanted, strict=True):
        assert (row == values).all()
    assert list(got[160:]) == [0, 1]


def test_numbers_are_computed_in_scalar_code(kernels):
    x, y, z = F32(1.7), F32(-2.3), F32(3.1)
    a, b = F32(-1.5), F32(0.34375)
    patterns = (np.array([a, b], F32).view(np.uint32) >> 16).astype(U16)
    root = F32(1 / np.sqrt(np.float64(z))) if kernels.architecture == "aie2p" else F32(1) / np.sqrt(z)
    wanted = [
        x,
        x * y,
        x + y * z,
        x - y * z,
        0,
        0,
        -y,
        -x,
        F32(1) / z,
        root,
        y / z,
        np.sqrt(z),
        -a,
        a * b,
        a + b,
    ]
    got = kernels.run("numbers", [np.array([x, y, z], F32), patterns], (15,), F32)
    assert [float(v) for v in got] == [float(v) for v in wanted]


def test_a_quotient_is_an_accumulator(kernels):
    rng = np.random.default_rng(5)
    a, b = ((rng.uniform(0.5, 4, 32).astype(F32)).view(np.uint32) >> 16 for _ in range(2))
    got = kernels.run("quotients", [a.astype(U16), b.astype(U16)], (4, 32), U16)
    assert (got[0] == got[1]).all()
    assert (got[2] == got[3]).all()
    value = floats(got[0].astype(np.uint32) << 16)
    assert np.allclose(value, floats(a << 16) / floats(b << 16), rtol=0.03)


def total(bits: list[list[int]]) -> list[int]:
    """Rows of float bits added one after another, lane by lane."""
    result = bits[0]
    for row in bits[1:]:
        result = [step([p, q], []) for p, q in zip(result, row, strict=True)]
    return result


def halved(bits: list[int]) -> int:
    while len(bits) > 1:
        half = len(bits) // 2
        bits = total([bits[:half], bits[half:]])
    return bits[0]


def test_sums_of_floats_go_by_registers(kernels):
    x = (np.random.default_rng(3).standard_normal(128) * 100).astype(F32)
    bits = [int(v) for v in x.view(np.uint32)]
    width = 32 if kernels.architecture == "aie2p" else 16
    wanted = []
    for count in (16, 32, 64, 128):
        registers = [bits[i : i + width] for i in range(0, count, width)]
        if count <= 2 * width:
            wanted.append(halved(bits[:count]))
        elif kernels.architecture == "aie2p":
            wanted.append(halved(total(registers)))
        else:
            half = len(registers) // 2
            wanted.append(halved(total([total(registers[:half]), total(registers[half:])])))
    assert list(kernels.run("sums", [x], (4,), F32).view(np.uint32)) == wanted


def test_addresses_rounded_down(kernels):
    x = np.arange(96, dtype=I16)
    got = kernels.run("floors", [x], (80,), I16)
    assert [got[0], got[16], got[32], got[48]] == [16, 16, 16, 32]
    assert (got[48:] == x[32:64]).all()


def test_a_tensor_by_steps_of_bytes(kernels):
    x = np.arange(96, dtype=I16)
    got = kernels.run("by_bytes", [x], (4, 16), I16)
    assert list(got[:, 0]) == [0, 16, 48, 64]


def test_terms_in_an_array(kernels):
    x = random(I16, 96).astype(np.int64)
    a, b, c = x.reshape(3, 32)
    got = kernels.run("accumulated", [x.astype(I16)], (3, 32), I32)
    wanted = [a[3] * b + a[4] * c, b * c + a[1] * b + a[2] * c, a[0] * b + a[1] * c]
    assert (got == np.array(wanted).astype(I32)).all()


def test_accumulators_become_floats_by_pieces(kernels):
    x, y = random(I32, 16), random(I32, 16, 2)
    got = kernels.run("from_accumulators", [x, y], (16,), F32).view(np.uint32)
    for value, bits in zip(x.astype(np.int64) * y, got, strict=True):
        pieces = [(int(value) >> 48) * 2.0**44] + [
            (int(value) >> at & 0xFFFF) * 2.0 ** (at - 4) for at in (32, 16, 0)
        ]
        words = [int(F32(piece).view(np.uint32)) for piece in pieces]
        assert bits == halved(total([[word] for word in words]))


def test_parts_of_complex_numbers(kernels):
    x = random(I16, 32)
    got = kernels.run("parts", [x], (33,), I16)
    assert (got[:16] == x[0::2]).all()
    assert (got[16:32] == x[1::2]).all()
    assert got[32] == x[5]


def test_conjugates_in_products_do_not_wrap(kernels):
    a, b = random(I16, 16), random(I16, 16, 2)
    a[:4] = b[:4] = -32768
    ar, ai, br, bi = (v.astype(np.int64) for v in (a[0::2], a[1::2], b[0::2], b[1::2]))
    wanted = [ar * br + ai * bi, ai * br - ar * bi, ar * br[0] + ai * bi[0], ai * br[0] - ar * bi[0]]
    got = kernels.run("conjugates", [a, b], (2, 8, 2), I32)
    for values, pair in zip(wanted, [got[0, :, 0], got[0, :, 1], got[1, :, 0], got[1, :, 1]], strict=True):
        assert (pair == (values >> 2).astype(I32)).all()


def test_what_an_iterator_points_to_is_an_operand(kernels):
    x = random(I16, 96)
    got = kernels.run("by_iterators", [x], (4, 32), I16)
    wanted = [((x[32:64].astype(int) * 3) >> 1).astype(I16), np.tile(x[48:64], 2), x[3:35], x[:32] + x[32:64]]
    assert (got == np.array(wanted)).all()


def test_accumulators_to_half_and_a_quarter_of_their_lanes(kernels):
    x = np.concatenate([random(I16, 32) * I32(3), np.arange(16, dtype=I32)[::-1] * 4])
    entries = random(I16, 16, 3)
    table = np.repeat(entries.reshape(2, 8), 2, axis=0).copy()  # each 16 bytes come twice
    got = kernels.run("narrowed", [x, table], (112,), I16)
    # Neither rounding nor saturation is set: the low bits of what is left.
    assert (got[:16] == (x[:16] >> 2).astype(I16)).all()
    assert (got[16:32] == (x[:16] >> 2).astype(I16)).all()
    assert (got[32:48] == (x[:16] >> 3).astype(I16)).all()
    assert (got[48:80].view(I32) == x[5:21]).all()
    assert (got[80:].reshape(8, 4) == np.stack([entries[::-1][:8], *[np.zeros(8, I16)] * 3], 1)).all()


def test_sliding_products_of_channels(kernels):
    c, d = random(I8, 64), random(I8, 128, 2)
    got = kernels.run("channels", [c, d], (64,), I32)
    taps = [(2 + p, 9 + p) for p in range(3)] + [(5 + p, 12 + p) for p in range(3)]
    wanted = [
        sum(int(c[(i * 8 + lane % 8) % 64]) * int(d[(j * 8 + lane) % 128]) for i, j in taps)
        for lane in range(64)
    ]
    assert list(got) == wanted


def test_elements_of_native_vectors_have_places(kernels):
    x = (np.arange(16, dtype=F32).view(np.uint32) >> 16).astype(U16)
    got = (kernels.run("places", [x], (19,), U16, 6).astype(np.uint32) << 16).view(F32)
    assert list(got) == [0, 1, 5, 3, 4, 5, 7, *range(7, 16), 2, 2, 0]


def test_modes_made_before_a_loop(kernels):
    x, y = random(I16, 16), random(I16, 16, 2)
    got = kernels.run("modes", [x, y], (56,), I16, 4)
    both = np.stack([x.reshape(4, 4), y.reshape(4, 4)], 1).ravel()
    assert (got == np.concatenate([both[:16], x, y, x.reshape(2, 2, 4)[:, 1].ravel()])).all()


def test_a_matrix_product_starts_again_from_zero(kernels):
    a, b = random(I8, 32), random(I8, 128, 2)
    rows, columns = a.reshape(4, 8).astype(int), b.reshape(2, 8, 8).astype(int)
    got = kernels.run("restarted", [a, b], (4, 8), I32)
    assert (got == rows @ columns[1] + rows @ columns[0]).all()
