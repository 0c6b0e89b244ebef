import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.device.element_differences import SHOWN_DIFFERENCES, compare_elements
from npuninja.device.manifest import Argument
from npuninja.device.output_comparison import poison
from npuninja.device.result_check import compare_bytes


def argument(shape=(64,), element="i32"):
    return Argument("b", "out", shape, element)


def untouched(a):
    return np.frombuffer(poison(a.nbytes), a.dtype).reshape(a.shape)


def test_equal():
    a = argument()
    data = np.arange(64, dtype=np.int32)
    comparison = compare_elements(a, data, data.copy(), poisoned=True)
    assert comparison.good
    assert comparison.render() == "b: all 64 elements are right"


def test_bytes_are_compared_as_elements():
    a = argument((2,), "bf16")
    assert compare_bytes(a, b"\0\0\x80\x3f", b"\0\0\x80\x3f", poisoned=True).good
    comparison = compare_bytes(a, b"\0\0\0\0", b"\0\0\x80\x3f", poisoned=True)
    assert (comparison.elements, comparison.differing, comparison.all_zero) == (2, 1, True)
    assert comparison.first[0].expected == "1 (bf16 0x3f80)"


@given(st.sets(st.integers(0, 63), min_size=1))
def test_every_difference_counts(where):
    a = argument((8, 8))
    expected = np.arange(64, dtype=np.int32).reshape(8, 8)
    got = expected.copy()
    for flat in where:
        got[divmod(flat, 8)] ^= 0x100
    comparison = compare_elements(a, got, expected, poisoned=True)
    assert comparison.differing == len(where)
    assert [d.position for d in comparison.first] == [
        divmod(flat, 8) for flat in sorted(where)[:SHOWN_DIFFERENCES]
    ]


def test_rendered_difference():
    a = argument((2, 2))
    comparison = compare_elements(
        a, np.array([[1, 2], [3, 5]], np.int32), np.array([[1, 2], [3, 4]], np.int32), poisoned=True
    )
    assert comparison.render().split("\n") == [
        "b: 1 of 4 elements differ (25 %)",
        "  b[1, 1]: got 5, expected 4",
    ]


@pytest.mark.parametrize("element", ["i8", "i16", "i32", "f32", "bf16"])
def test_nothing_was_written(element):
    a = argument((512,), element)
    comparison = compare_elements(a, untouched(a), np.zeros(512, a.dtype), poisoned=True)
    assert comparison.untouched_bytes == a.nbytes
    assert "nothing was written to b" in comparison.render()


def test_partly_written():
    a = argument((4096,), "i8")
    got = untouched(a).copy()
    got[:1024] = 7
    comparison = compare_elements(a, got, np.full(4096, 7, np.int8), poisoned=True)
    assert comparison.untouched_bytes == 3072
    assert "3072 of 4096 bytes of b were never written" in comparison.render()


def test_chance_is_not_taken_for_poison():
    a = argument((100000,), "i8")
    got = np.random.default_rng(3).integers(
        -128, 128, 100000, np.int8
    )  # equal to the poison in some 400 places
    comparison = compare_elements(a, got, got ^ 1, poisoned=True)
    assert comparison.untouched_bytes == 0
    assert "never written" not in comparison.render()


def test_inout_was_not_poisoned():
    a = argument()
    comparison = compare_elements(a, untouched(a), np.zeros(64, np.int32), poisoned=False)
    assert comparison.untouched_bytes == 0


def test_all_zero():
    comparison = compare_elements(argument(), np.zeros(64, np.int32), np.ones(64, np.int32), poisoned=True)
    assert "b is all zeros" in comparison.render()


def test_bits_count_not_values():
    a = argument((2,), "f32")
    negative_zero, nan = np.float32(-0.0), np.float32("nan")
    assert compare_elements(
        a, np.array([nan, 1], np.float32), np.array([nan, 1], np.float32), poisoned=True
    ).good
    comparison = compare_elements(
        a, np.array([0.0, 1], np.float32), np.array([negative_zero, 1], np.float32), poisoned=True
    )
    assert comparison.differing == 1


def test_bf16_is_shown_as_a_number():
    a = argument((1,), "bf16")
    comparison = compare_elements(
        a, np.array([0x3FC0], np.uint16), np.array([0x4000], np.uint16), poisoned=True
    )
    assert "got 1.5 (bf16 0x3fc0), expected 2 (bf16 0x4000)" in comparison.render()
