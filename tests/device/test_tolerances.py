"""How far outputs may be off, as a reference says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.device.manifest import Argument
from npuninja.device.output_comparison import Tolerance
from npuninja.device.reference import Reference
from npuninja.device.result_check import compare_bytes
from npuninja.errors import UserError

CASES = [
    # element, got, expected, tolerance, good
    ("f32", [1.0, 2.0], [1.0, 2.001], Tolerance(atol=0.01), True),
    ("f32", [1.0, 2.0], [1.0, 2.1], Tolerance(atol=0.01), False),
    ("f32", [100.0], [101.0], Tolerance(rtol=0.01), True),
    ("f32", [np.nan], [1.0], Tolerance(atol=9), False),
    ("f32", [1.0], [np.inf], Tolerance(atol=9, rtol=1), False),
    ("f32", [np.nan], [-np.nan], Tolerance(atol=1), True),
    ("f32", [np.nextafter(np.float32(1), np.float32(2))], [1.0], Tolerance(ulp=1), True),
    ("f32", [-0.0], [0.0], Tolerance(ulp=1), True),
    ("f32", [-1e-45], [1e-45], Tolerance(ulp=1), False),
    ("i8", [-128], [127], Tolerance(atol=254), False),
    ("i8", [-128], [127], Tolerance(atol=255), True),
    ("bf16", [0x3F80], [0x3F81], Tolerance(ulp=1), True),
    ("bf16", [0x3F80], [0x3F82], Tolerance(ulp=1), False),
    ("bf16", [0x3F80], [0x3F81], Tolerance(atol=0.01), True),
    ("bf16", [0xFF80], [0xFF7F], Tolerance(ulp=1), False),
    ("i32", [5], [6], Tolerance(ulp=1), False),
]


@pytest.mark.parametrize(("element", "got", "expected", "tolerance", "good"), CASES)
def test_what_is_near_enough(
    element: str, got: list[float], expected: list[float], tolerance: Tolerance, good: bool
) -> None:
    argument = Argument("x", "out", (len(got),), element)
    a, b = (np.array(values).astype(argument.dtype).tobytes() for values in (got, expected))
    comparison = compare_bytes(argument, a, b, False, lambda: tolerance)
    assert comparison.good == good
    assert (tolerance.render() in comparison.render()) == good


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_no_tolerance_is_equality(got: bytes, expected: bytes) -> None:
    argument = Argument("x", "out", (2,), "f32")
    assert compare_bytes(argument, got, expected, False).good == (got == expected)


def reference(folder: Path, text: str) -> Reference:
    path = folder / "x.py"
    path.write_text(
        f"def inputs(rng, arguments): return []\ndef reference(inputs): return []\n{text}\n", encoding="utf-8"
    )
    return Reference(str(path))


def test_tolerances_of_a_reference(tmp_path: Path) -> None:
    outputs = [Argument("a", "out", (1,), "f32"), Argument("b", "out", (1,), "f32")]
    found = reference(
        tmp_path, 'tolerances = {"*": {"atol": 1}, 1: {"rtol": 2}, "b": {"ulp": 3}}'
    ).tolerances(outputs)
    assert found == [Tolerance(atol=1), Tolerance(atol=1, rtol=2, ulp=3)]
    assert reference(tmp_path, "").tolerances(outputs) == [Tolerance(), Tolerance()]


@pytest.mark.parametrize(
    "text",
    [
        'tolerances = {"c": {}}',
        "tolerances = 3",
        'tolerances = {"a": {"abs": 1}}',
        'tolerances = {"a": {"atol": -1}}',
    ],
)
def test_a_table_that_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="`tolerances`"):
        reference(tmp_path, text).tolerances([Argument("a", "out", (1,), "f32")])
