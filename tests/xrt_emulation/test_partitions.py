"""Which context gets which columns."""

import errno

import pytest

from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.partitions import Partitions


def enter(partitions, *widths):
    return [(p.first_column, p.columns) for p in (partitions.enter(width) for width in widths)]


@pytest.mark.parametrize(
    ("model", "widths", "places"),
    [
        ("npu1", [1, 1, 1, 1], [(1, 1), (2, 1), (3, 1), (4, 1)]),
        ("npu1", [1, 2, 1], [(1, 1), (2, 2), (4, 1)]),
        ("npu1", [4, 4, 4], [(1, 4)] * 3),  # no free columns: they take turns
        ("npu1", [2, 2, 2, 2], [(1, 2), (3, 2), (1, 2), (3, 2)]),  # the one with fewer contexts
        ("npu2", [8], [(0, 8)]),
    ],
)
def test_places(model, widths, places):
    assert enter(Partitions(MODELS[model]), *widths) == places


@pytest.mark.parametrize(
    ("model", "widths", "number"),
    [
        ("npu1", [5], errno.EINVAL),
        ("npu1", [0], errno.EINVAL),
        ("npu2", [9], errno.EINVAL),
        ("npu1", [1, 4], errno.ENOSPC),
        ("npu1", [3, 2], errno.ENOSPC),
        ("npu1", [1] * 7, errno.ENOENT),
        ("npu2", [1] * 17, errno.ENOENT),
    ],
)
def test_no_place(model, widths, number):
    partitions = Partitions(MODELS[model])
    enter(partitions, *widths[:-1])
    with pytest.raises(DriverError) as caught:
        partitions.enter(widths[-1])
    assert caught.value.number == number
    assert caught.value.reason


def test_columns_are_given_back():
    partitions = Partitions(MODELS["npu1"])
    first, second = partitions.enter(4), partitions.enter(4)
    assert first is second
    partitions.leave(first)
    with pytest.raises(DriverError):
        partitions.enter(1)
    partitions.leave(second)
    assert enter(partitions, 1) == [(1, 1)]
