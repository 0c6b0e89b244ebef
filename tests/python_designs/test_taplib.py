"""Access patterns against walks over index arrays, and the tiler's cover of a tensor."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.python_designs.taplib.pattern import TensorAccessPattern
from npuninja.python_designs.taplib.sequence import TensorAccessSequence
from npuninja.python_designs.taplib.tiler import TensorTiler2D


@st.composite
def patterns(draw):
    dims = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    count = draw(st.integers(1, 4))
    sizes = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    strides = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    return dims, draw(st.integers(0, int(np.prod(dims)) - 1)), sizes, strides


def walk(dims, offset, sizes, strides):
    """The places of a pattern, one at a time."""
    return [
        (offset + sum(i * s for i, s in zip(index, strides))) % int(np.prod(dims))
        for index in itertools.product(*map(range, sizes))
    ]


@given(patterns())
@settings(max_examples=60, deadline=None)
def test_a_pattern_visits_what_a_walk_visits(given_pattern):
    dims, offset, sizes, strides = given_pattern
    tap = TensorAccessPattern(dims, offset, sizes, strides)
    places = walk(dims, offset, sizes, strides)
    assert list(tap.access_generator()) == places
    order, count = np.full(int(np.prod(dims)), -1), np.zeros(int(np.prod(dims)))
    for number, place in enumerate(places):
        order[place] = number
        count[place] += 1
    assert (tap.access_order().reshape(-1) == order).all()
    assert (tap.access_count().reshape(-1) == count).all()
    assert tap.compare_access_orders(TensorAccessPattern(dims, offset, sizes, tap.strides))


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(*[st.booleans()] * 3),
)
@settings(max_examples=80, deadline=None)
def test_the_tiler_covers_a_tensor_once(tile, groups, repeats, steps, orders):
    tensor = [t * g * r * s for t, g, r, s in zip(tile, groups, repeats, steps)]
    tile_col, group_col, iter_col = orders
    taps = TensorTiler2D.step_tiler(
        tensor,
        tile,
        repeats,
        steps,
        tile_col_major=tile_col,
        tile_group_col_major=group_col,
        iter_col_major=iter_col,
    )
    assert (taps.access_count() == 1).all()
    assert len(taps) == int(np.prod([g * s for g, s in zip(groups, steps)]))


@given(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.tuples(st.integers(1, 6), st.integers(1, 6)))
@settings(max_examples=40, deadline=None)
def test_partial_groups_cover_a_tensor_once(tile, counts):
    tensor = [t * c for t, c in zip(tile, counts)]
    taps = TensorTiler2D.group_tiler(tensor, tile, (2, 3), allow_partial=True)
    assert (taps.access_count() == 1).all()


def test_order_of_tiles_is_that_of_numpy_blocks():
    taps = TensorTiler2D.simple_tiler((4, 6), (2, 3))
    order = taps.access_order()
    blocks = np.arange(24).reshape(2, 2, 2, 3).transpose(0, 2, 1, 3).reshape(4, 6)
    assert (order == blocks).all()
    columns = TensorTiler2D.simple_tiler((4, 6), (2, 3), iter_col_major=True)
    assert [tap.offset for tap in columns] == [0, 12, 3, 15]


def test_a_repeat_takes_the_outermost_dimension():
    tap = TensorTiler2D.simple_tiler((4, 4), (2, 2), pattern_repeat=3)[0]
    assert (tap.sizes, tap.strides) == ([3, 1, 2, 2], [0, 0, 4, 1])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: TensorAccessPattern((4,), 4, [1], [1]), "offset 4 lies beyond the tensor"),
        (lambda: TensorAccessPattern((4,), 0, [0], [1]), "sizes are at least 1"),
        (lambda: TensorAccessPattern((4,), 0, [1], [-1]), "strides are at least 0"),
        (lambda: TensorAccessPattern((4,), 0, [1, 1], [1]), "2 sizes and 1 strides"),
        (lambda: TensorAccessSequence((4,), 1), "neither offset nor offset_fn"),
        (lambda: TensorAccessSequence.from_taps([]), "was given none"),
        (lambda: TensorTiler2D.simple_tiler((4, 5), (2, 2)), "is no multiple of its tile's"),
        (lambda: TensorTiler2D.group_tiler((4, 4), (2, 2), (3, 1)), "is no multiple of a group of"),
    ],
)
def test_what_no_transfer_can_do_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()
