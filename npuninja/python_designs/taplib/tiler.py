"""Sequences of patterns that cover a two-dimensional tensor with tiles."""

from __future__ import annotations

import itertools
from typing import Sequence

from npuninja.python_designs.construct import generation
from npuninja.python_designs.taplib.pattern import TensorAccessPattern, ceildiv, checked_dims, clear_leading
from npuninja.python_designs.taplib.sequence import TensorAccessSequence


class TensorTiler2D:
    """Makes sequences; it has no objects."""

    def __init__(self) -> None:
        raise Exception(f"{self.__class__} has no objects: call its class methods, such as simple_tiler()")

    @classmethod
    def simple_tiler(
        cls,
        tensor_dims: Sequence[int],
        tile_dims: Sequence[int] | None = None,
        tile_col_major: bool = False,
        iter_col_major: bool = False,
        pattern_repeat: int = 1,
        prune_step: bool = True,
    ) -> TensorAccessSequence:
        """One tile a pattern; without `tile_dims` the whole tensor."""
        return cls.group_tiler(
            tensor_dims,
            tensor_dims if tile_dims is None else tile_dims,
            tile_col_major=tile_col_major,
            iter_col_major=iter_col_major,
            pattern_repeat=pattern_repeat,
            prune_step=prune_step,
        )

    @classmethod
    def group_tiler(
        cls,
        tensor_dims: Sequence[int],
        tile_dims: Sequence[int],
        tile_group_dims: Sequence[int] | None = None,
        tile_col_major: bool = False,
        tile_group_col_major: bool = False,
        iter_col_major: bool = False,
        pattern_repeat: int = 1,
        allow_partial: bool = False,
        prune_step: bool = True,
    ) -> TensorAccessSequence:
        """A rectangle of tiles a pattern."""
        return cls.step_tiler(
            tensor_dims,
            tile_dims,
            (1, 1) if tile_group_dims is None else tile_group_dims,
            tile_col_major=tile_col_major,
            tile_group_col_major=tile_group_col_major,
            iter_col_major=iter_col_major,
            pattern_repeat=pattern_repeat,
            allow_partial=allow_partial,
            prune_step=prune_step,
        )

    @classmethod
    def step_tiler(
        cls,
        tensor_dims: Sequence[int],
        tile_dims: Sequence[int],
        tile_group_repeats: Sequence[int],
        tile_group_steps: Sequence[int] | None = None,
        tile_col_major: bool = False,
        tile_group_col_major: bool = False,
        iter_col_major: bool = False,
        allow_partial: bool = False,
        pattern_repeat: int = 1,
        prune_step: bool = True,
    ) -> TensorAccessSequence:
        """Patterns of `tile_group_repeats` tiles in each dimension, which are `tile_group_steps` tiles apart.

        Raises:
            ValueError: tiles do not cover the tensor evenly, or a pattern needs more than four dimensions.
        """
        if not (isinstance(pattern_repeat, int) and pattern_repeat >= 1):
            raise ValueError(f"a pattern is repeated at least once, got pattern_repeat={pattern_repeat}")
        tensor, tile, repeats, steps = (
            checked_dims(dims, expected=2)
            for dims in (tensor_dims, tile_dims, tile_group_repeats, tile_group_steps or (1, 1))
        )
        repeats, steps, count = _fitted(tensor, tile, repeats, steps, allow_partial)
        numbers = [_step_count(count[i], steps[i], repeats[i]) for i in range(2)]
        places = list(itertools.product(*map(range, numbers)))
        if iter_col_major:
            places.sort(key=lambda place: place[1])
        taps = []
        for place in places:
            first = [place[i] // steps[i] * steps[i] * repeats[i] + place[i] % steps[i] for i in range(2)]
            left = [count[i] - first[i] for i in range(2)]
            sizes, strides = _group(
                tensor[1],
                list(tile),
                [1 if steps[i] > left[i] else steps[i] for i in range(2)],
                [min(repeats[i], ceildiv(left[i], steps[i])) for i in range(2)],
                tile_col_major,
                tile_group_col_major,
                prune_step or generation.is_first(),
            )
            if pattern_repeat > 1:
                _repeat(pattern_repeat, sizes, strides)
            offset = first[0] * tile[0] * tensor[1] + first[1] * tile[1]
            taps.append(TensorAccessPattern(tensor, offset, sizes, strides))
        return TensorAccessSequence.from_taps(taps)


def _fitted(
    tensor: Sequence[int],
    tile: Sequence[int],
    repeats: Sequence[int],
    steps: Sequence[int],
    allow_partial: bool,
) -> tuple[list[int], list[int], list[int]]:
    """Repeats and steps that a tensor has room for, and how many tiles it has, in both dimensions."""
    for i in range(2):
        _must_divide(i, tensor[i], tile[i], repeats[i] * steps[i], allow_partial)
    count = [tensor[i] // tile[i] for i in range(2)]
    fitted = [min(repeats[i], ceildiv(count[i], steps[i])) for i in range(2)]
    return fitted, [1 if steps[i] > count[i] else steps[i] for i in range(2)], count


def _repeat(count: int, sizes: list[int], strides: list[int]) -> None:
    """Makes a pattern go over its elements several times, by its outermost dimension."""
    if sizes[0] != 1:
        raise ValueError(
            f"pattern_repeat={count} takes the fourth dimension, which sizes={sizes} and strides={strides} "
            "need themselves: use smaller groups of tiles"
        )
    sizes[0], strides[0] = count, 0


def _must_divide(dimension: int, tensor: int, tile: int, tiles: int, allow_partial: bool) -> None:
    """Raises ValueError where tiles, or groups of so many, do not cover a dimension of a tensor evenly."""
    if tensor % tile:
        raise ValueError(
            f"dimension {dimension} of the tensor, {tensor}, is no multiple of its tile's, {tile}"
        )
    if not allow_partial and tensor % (tile * tiles):
        raise ValueError(
            f"dimension {dimension} of the tensor, {tensor}, is no multiple of a group of {tiles} tiles of "
            f"{tile}; allow_partial=True lets the last group be smaller"
        )


def _step_count(count: int, step: int, repeat: int) -> int:
    """How many patterns a dimension of `count` tiles needs; a pattern has `repeat` tiles, `step` apart."""
    full = count // (step * repeat)
    left = count - step * repeat * full
    block = left // step * step
    return full * step + (left // block * step if block else left)


def _group(
    tensor_width: int,
    tile: list[int],
    steps: list[int],
    repeats: list[int],
    tile_col_major: bool,
    group_col_major: bool,
    prunes: bool,
) -> tuple[list[int], list[int]]:
    """Sizes and strides of one pattern. Tiles that touch become one where the order allows it."""
    if prunes:
        if group_col_major and steps[0] == 1 and repeats[0] > 1 and not tile_col_major:
            tile[0] *= repeats[0]
            repeats[0] = 1
        elif not group_col_major and steps[1] == 1 and repeats[1] > 1 and tile_col_major:
            tile[1] *= repeats[1]
            repeats[1] = 1
    inner = [(tile[0], tensor_width), (tile[1], 1)]
    jumps = [(repeats[0], tensor_width * tile[0] * steps[0]), (repeats[1], tile[1] * steps[1])]
    outer = [jump for jump in (reversed(jumps) if group_col_major else jumps) if jump[0] > 1]
    dims = [(1, 0)] * (2 - len(outer)) + outer + (inner[::-1] if tile_col_major else inner)
    sizes, strides = ([dim[i] for dim in dims] for i in (0, 1))
    clear_leading(sizes, strides)
    return sizes, strides
