"""Sequences of patterns that cover a two-dimensional tensor with tiles."""

from __future__ import annotations

from typing import Sequence

from npuninja.python_designs.construct import generation
from npuninja.python_designs.taplib.pattern import TensorAccessPattern, ceildiv, checked_dims
from npuninja.python_designs.taplib.sequence import TensorAccessSequence


class TensorTiler2D:
    """Makes sequences; it has no objects."""

    def __init__(self) -> None:
        raise Exception(
            f"{self.__class__} cannot be instantiated. Use it as a factory/generator of TensorAccessSequences."
        )

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
        """Tiles a pattern, `tile_group_repeats` of them in each dimension, each `tile_group_steps` tiles from the last.

        Raises:
            ValueError: the tiles do not cover the tensor evenly, or the pattern needs more than four dimensions.
        """
        tensor = checked_dims(tensor_dims, expected=2)
        tile, repeats, steps = (
            list(checked_dims(dims, expected=2))
            for dims in (tile_dims, tile_group_repeats, tile_group_steps or (1, 1))
        )
        for i in range(2):
            if tensor[i] % tile[i]:
                raise ValueError(
                    f"Tensor dimension {i} ({tensor[i]}) is not divisible by tile dim ({tile[i]})"
                )
        if not isinstance(pattern_repeat, int) or pattern_repeat < 1:
            raise ValueError(f"Pattern repeat must be >= 1 but is {pattern_repeat}")
        if not allow_partial:
            for i in range(2):
                block = tile[i] * repeats[i] * steps[i]
                if tensor[i] % block:
                    raise ValueError(
                        f"allow_partial={allow_partial} but tensor does not divide evenly into tile groups in dimension {i}"
                    )
                if block > tensor[i]:
                    raise ValueError(
                        f"Tile pattern exceeds tensor size in dimension {i} "
                        f"({tile[i]}x{repeats[i]}x{steps[i]} > {tensor[i]})"
                    )
        count = [tensor[i] // tile[i] for i in range(2)]
        for i in range(2):
            repeats[i] = min(repeats[i], ceildiv(count[i], steps[i]))
            if steps[i] > count[i]:
                steps[i] = 1
        numbers = [_step_count(count[i], steps[i], repeats[i]) for i in range(2)]
        prunes = prune_step or generation.is_first()
        taps = []
        for number in range(numbers[0] * numbers[1]):
            if iter_col_major:
                place = [number % numbers[0], number // numbers[0]]
            else:
                place = [number // numbers[1], number % numbers[1]]
            first = [place[i] // steps[i] * steps[i] * repeats[i] + place[i] % steps[i] for i in range(2)]
            left = [count[i] - first[i] for i in range(2)]
            sizes, strides = _group(
                tensor[1],
                list(tile),
                [1 if steps[i] > left[i] else steps[i] for i in range(2)],
                [min(repeats[i], ceildiv(left[i], steps[i])) for i in range(2)],
                tile_col_major,
                tile_group_col_major,
                prunes,
            )
            if pattern_repeat > 1:
                if sizes[0] != 1:
                    raise ValueError(f"Ran out of dimensions for repeat (sizes={sizes}, strides={strides})")
                sizes[0], strides[0] = pattern_repeat, 0
            offset = first[0] * tile[0] * tensor[1] + first[1] * tile[1]
            taps.append(TensorAccessPattern(tensor, offset, sizes, strides))
        return TensorAccessSequence.from_taps(taps)


def _step_count(count: int, step: int, repeat: int) -> int:
    """How many patterns one dimension needs, when a pattern takes `repeat` tiles, `step` apart, of `count`."""
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
    sizes, strides = [1, 1, *tile], [0, 0, tensor_width, 1]
    if tile_col_major:
        sizes, strides = [1, 1, tile[1], tile[0]], [0, 0, 1, tensor_width]
    jumps = [tensor_width * tile[0] * steps[0], tile[1] * steps[1]]
    if repeats[0] > 1 and repeats[1] > 1:
        order = (1, 0) if group_col_major else (0, 1)
        for i, at in enumerate(order):
            sizes[at], strides[at] = repeats[i], jumps[i]
    elif repeats[0] > 1:
        sizes[1], strides[1] = repeats[0], jumps[0]
    elif repeats[1] > 1:
        sizes[1], strides[1] = repeats[1], jumps[1]
    for i in range(3):
        if sizes[i] != 1:
            break
        strides[i] = 0
    return sizes, strides
