"""A list of access patterns over one tensor."""

from __future__ import annotations

from collections.abc import MutableSequence
from copy import deepcopy
from typing import Any, Callable, Sequence

import numpy as np

from npuninja.python_designs.taplib.pattern import (
    Accesses,
    TensorAccessPattern,
    checked_dims,
    checked_offset,
    checked_sizes_strides,
)


class TensorAccessSequence(Accesses, MutableSequence):  # type: ignore[type-arg]
    """Patterns in the order in which they are applied."""

    def __init__(
        self,
        tensor_dims: Sequence[int],
        num_steps: int,
        offset: int | None = None,
        sizes: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
        offset_fn: Callable[..., int] | None = None,
        sizes_fn: Callable[..., Sequence[int]] | None = None,
        strides_fn: Callable[..., Sequence[int]] | None = None,
    ) -> None:
        self._tensor_dims = checked_dims(tensor_dims)
        if offset is not None:
            offset = checked_offset(offset, self._tensor_dims)
        sizes, strides = checked_sizes_strides(sizes, strides, allow_none=True)
        if num_steps < 0:
            raise ValueError(f"a sequence has no {num_steps} steps; num_steps is 0 or more")
        self._taps: list[TensorAccessPattern] = []
        given = (offset, sizes, strides, offset_fn, sizes_fn, strides_fn)
        if num_steps == 0:
            if any(g is not None for g in given):
                raise ValueError(
                    "num_steps=0 makes an empty sequence: leave out offset, sizes, "
                    "strides and their functions"
                )
            return
        for value, function, text in (
            (offset, offset_fn, "neither offset nor offset_fn is given; give one of them"),
            (sizes, sizes_fn, "neither sizes nor sizes_fn is given; give one of them"),
            (strides, strides_fn, "neither strides nor strides_fn is given; give one of them"),
        ):
            if value is None and function is None:
                raise ValueError(text)
        now: list[Any] = [offset, sizes, strides]
        functions = (offset_fn, sizes_fn, strides_fn)
        for step in range(num_steps):
            now = [value if f is None else f(step, value) for f, value in zip(functions, now)]
            self._taps.append(TensorAccessPattern(self._tensor_dims, *now))

    @classmethod
    def from_taps(cls, taps: Sequence[TensorAccessPattern]) -> TensorAccessSequence:
        """The sequence of these patterns; all of one tensor."""
        if len(taps) < 1:
            raise ValueError("from_taps() takes the tensor of its first pattern, and was given none")
        dims = taps[0].tensor_dims
        for tap in taps:
            if tuple(tap.tensor_dims) != tuple(dims):
                raise ValueError(
                    f"the patterns of a sequence are of one tensor; these are of {dims} and {tap.tensor_dims}"
                )
        made = cls(dims, 0)
        made._taps = list(taps)
        return made

    def accesses(self) -> tuple[Any, Any]:
        """Two int32 arrays of the tensor's shape: order numbers that go on over the patterns, and counts."""
        order = np.zeros(self._tensor_dims, np.int32)
        counts = np.zeros(self._tensor_dims, np.int32)
        highest = 0
        for tap in self._taps:
            each, count = tap.accesses()
            visited = each != -1
            order += np.where(visited, each + 1 + highest, 0).astype(np.int32)
            highest = int(np.max(order))
            counts += count
        return order - 1, counts

    def visualize(
        self,
        title: str | None = None,
        file_path: str | None = None,
        show_plot: bool = True,
        plot_access_count: bool = False,
    ) -> None:
        """Draws the sequence as one picture; needs matplotlib."""
        from npuninja.python_designs.taplib.drawing import draw

        self._must_be_flat()
        order, counts = self.accesses()
        name = title or "TensorAccessSequence"
        draw(order, counts if plot_access_count else None, name, False, file_path, show_plot)

    def animate(self, title: str | None = None, animate_access_count: bool = False) -> Any:
        """An animation with a frame for each pattern; needs matplotlib."""
        from npuninja.python_designs.taplib.drawing import animate

        self._must_be_flat()
        frames = [tap.accesses() for tap in self._taps]
        empty = np.full(self._tensor_dims, -1, np.int32), np.zeros(self._tensor_dims, np.int32)
        orders = [empty[0], *(order for order, _ in frames)]
        counts = [empty[1], *(count for _, count in frames)] if animate_access_count else None
        return animate(orders, counts, title or "TensorAccessSequence Animation")

    def compare_access_orders(self, other: TensorAccessSequence) -> bool:
        """Whether all patterns visit the same places in the same order."""
        others = other._taps  # AttributeError for anything else than a sequence
        return len(self) == len(others) and all(
            a.compare_access_orders(b) for a, b in zip(self._taps, others)
        )

    def _must_fit(self, tap: TensorAccessPattern) -> None:
        if tuple(tap.tensor_dims) != tuple(self._tensor_dims):
            raise ValueError(
                f"the patterns of this sequence are of a tensor {self._tensor_dims}; "
                f"this one is of {tap.tensor_dims}"
            )

    def insert(self, index: int, value: TensorAccessPattern) -> None:
        """Puts a pattern before position `index`."""
        self._must_fit(value)
        self._taps.insert(index, value)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._must_fit(value)
        self._taps[index] = deepcopy(value)

    def __getitem__(self, index: Any) -> Any:
        return self._taps[index]

    def __delitem__(self, index: Any) -> None:
        del self._taps[index]

    def __len__(self) -> int:
        return len(self._taps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorAccessSequence) and self._taps == other._taps

    __hash__ = None  # type: ignore[assignment]
