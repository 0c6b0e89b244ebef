"""Views of arrays: spans, tiles, circular iterators, tensors; each number of an array is its own place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from module_build import Module, build

I8, I16, I32 = np.int8, np.int16, np.int32


@pytest.fixture(scope="module", params=["aie2", "aie2p"])
def kernels(request, tmp_path_factory) -> Module:
    return build(Path(__file__).with_name("views.cc"), tmp_path_factory.mktemp(request.param), request.param)


def test_spans_and_tiles(kernels):
    x = np.arange(512, dtype=I16)
    cube, tiles = x.reshape(4, 8, 16), x.reshape(4, 4, 32)
    wanted = [cube[3, 5, 7], x.reshape(32, 16)[29, 7], x.sum(), 512, 512, 8, 32, 511, 0]
    wanted += [tiles[2, 3, 0], 4, tiles[1, 2, 0], tiles[2, 2, 31], tiles[1, 3, 1]]
    wanted += [tiles[2, 1, 0], tiles[1, 1, 0], tiles[3, 1, 0]]
    assert list(kernels.run("spans", [x], (17,), I32)) == wanted


def test_circular_iterators(kernels):
    x = np.arange(64, dtype=I16)
    assert list(kernels.run("circles", [x], (8,), I32)) == [16 + 3, 32 + 3, 32 + 4, 3, 16, 2, 1, 9]


def test_tensors_of_more_than_three_dimensions_and_counters(kernels):
    x = np.arange(64 * 16, dtype=I16).reshape(64, 16)
    nested = [
        12 * a + b + 4 * c + 2 * d for a in range(2) for b in range(2) for c in range(3) for d in range(2)
    ]
    counted, at = [], 0
    for on in (2, 2, 5, 2, 2, -9, 2):
        counted.append(at)
        at += on
    got = kernels.run("deep", [x], (33, 16), I16)
    assert (got == x[[*nested, *counted, 0, 2]]).all()


def test_functions_in_place_of_classes(kernels):
    rng = np.random.default_rng(3)
    a, b = (rng.integers(-128, 128, n, I8) for n in (64, 128))
    got = kernels.run("short_forms", [a, b], (128,), I32)
    sliding = np.zeros(64, I32)
    for start, first in ((2, 9), (5, 12)):
        for p in range(3):
            for lane in range(64):
                sliding[lane] += int(a[((start + p) * 8 + lane % 8) % 64]) * int(
                    b[((first + p) * 8 + lane) % 128]
                )
    product = a[:32].reshape(4, 8).astype(I32) @ b[:64].reshape(8, 8).astype(I32)
    assert (got[:64] == sliding).all()
    assert (got[64:].reshape(2, 4, 8) == np.stack([2 * product, 3 * product])).all()
