"""One access pattern: an offset and pairs of size and stride over a tensor, in elements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, Iterator, Sequence

import numpy as np


def ceildiv(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def checked_dims(dims: Sequence[int], expected: int | None = None) -> Sequence[int]:
    """Dimensions of a tensor, as given; one alone becomes [1, n]. Raises ValueError for what is no tensor."""
    if len(dims) == 0:
        raise ValueError(f"a tensor has at least one dimension, here there is none (dimensions={dims})")
    if any(d <= 0 for d in dims):
        raise ValueError(f"a tensor dimension is below 1 (dimensions={dims})")
    if expected is not None and expected < 1:
        raise ValueError(f"the expected number of dimensions is {expected}, which is below 1")
    found: Sequence[int] = [1, *dims] if len(dims) == 1 else dims if isinstance(dims, tuple) else list(dims)
    if expected is not None and len(found) != expected:
        shown = found if len(dims) == 1 else dims
        raise ValueError(f"a tensor of {expected} dimensions is expected here, and this one is {shown}")
    return found


def checked_offset(offset: int, dims: Sequence[int]) -> int:
    """An offset that lies in the tensor. Raises ValueError otherwise."""
    if offset < 0:
        raise ValueError(f"an offset is 0 or more (offset={offset})")
    count = int(np.prod(dims))
    if offset >= count:
        raise ValueError(f"offset {offset} lies beyond the tensor, which has {count} elements")
    return int(offset)


def checked_sizes_strides(
    sizes: Sequence[int] | None, strides: Sequence[int] | None, allow_none: bool = False
) -> tuple[list[int] | None, list[int] | None]:
    """Sizes and strides, stride 0 where leading sizes are 1. ValueError for what no transfer can have."""
    found_sizes = _checked("sizes", sizes, 1, allow_none)
    found_strides = _checked("strides", strides, 0, allow_none)
    if found_sizes is not None and found_strides is not None:
        if len(found_sizes) != len(found_strides):
            raise ValueError(
                f"{len(found_sizes)} sizes and {len(found_strides)} strides: a dimension has one of each"
            )
        clear_leading(found_sizes, found_strides)
    return found_sizes, found_strides


def _checked(name: str, given: Sequence[int] | None, least: int, allow_none: bool) -> list[int] | None:
    if given is None:
        if not allow_none:
            raise ValueError(f"{name} are missing: they are a list of integers")
        return None
    if len(given) == 0:
        raise ValueError(f"{name} are empty: they have an entry for each dimension")
    if any(each < least for each in given):
        raise ValueError(f"{name} are at least {least}, got {given}")
    return [int(each) for each in given]


def clear_leading(sizes: list[int], strides: list[int]) -> None:
    """Gives leading dimensions that do not step the stride 0, but for the innermost."""
    for i, size in enumerate(sizes[:-1]):
        if size != 1:
            return
        strides[i] = 0


class Accesses(ABC):
    """What patterns, and sequences of them, say of a tensor's elements."""

    _tensor_dims: Sequence[int]

    @abstractmethod
    def accesses(self) -> tuple[Any, Any]:
        """Two int32 arrays of the tensor's shape: the number of the last access, -1 without, and how many."""

    def access_order(self) -> Any:
        """The number of the last access to each element, -1 without."""
        return self.accesses()[0]

    def access_count(self) -> Any:
        """How often each element is accessed."""
        return self.accesses()[1]

    def _must_be_flat(self) -> None:
        if len(self._tensor_dims) != 2:
            raise NotImplementedError(
                f"only tensors of one or two dimensions are drawn, and this has {len(self._tensor_dims)}"
            )


class TensorAccessPattern(Accesses):
    """The elements offset + Σ i·stride, for i below the sizes, last dimension fastest."""

    def __init__(
        self, tensor_dims: Sequence[int], offset: int, sizes: Sequence[int], strides: Sequence[int]
    ) -> None:
        self._tensor_dims = checked_dims(tensor_dims)
        self._offset = checked_offset(offset, self._tensor_dims)
        clean_sizes, clean_strides = checked_sizes_strides(sizes, strides)
        self._sizes, self._strides = clean_sizes or [], clean_strides or []

    @property
    def tensor_dims(self) -> Sequence[int]:
        """The tensor's dimensions: a tuple or a list, as they were given."""
        return copy(self._tensor_dims)

    @property
    def offset(self) -> int:
        """The first element's place."""
        return self._offset

    @property
    def sizes(self) -> list[int]:
        """How often each dimension steps, outermost first."""
        return list(self._sizes)

    @property
    def strides(self) -> list[int]:
        """How far each dimension steps, in elements."""
        return list(self._strides)

    @property
    def transformation_dims(self) -> list[tuple[int, int]]:
        """(size, stride) of each dimension."""
        return list(zip(self._sizes, self._strides))

    def _indices(self) -> Any:
        """Shape (number of accesses,) int64: the place of each access in order."""
        index: Any = np.array(self._offset, dtype=np.int64)
        for size, stride in zip(self._sizes, self._strides):
            index = index[..., None] + np.arange(size, dtype=np.int64) * stride
        return index.reshape(-1) % int(np.prod(self._tensor_dims))

    def accesses(self) -> tuple[Any, Any]:
        """Two int32 arrays of the tensor's shape: the number of the last access, -1 without, and how many."""
        indices = self._indices()
        count = int(np.prod(self._tensor_dims))
        order = np.full(count, -1, np.int32)
        order[indices] = np.arange(len(indices), dtype=np.int32)  # the last of equal places stays
        counts = np.bincount(indices, minlength=count).astype(np.int32)
        return order.reshape(self._tensor_dims), counts.reshape(self._tensor_dims)

    def access_generator(self) -> Iterator[int]:
        """The place of each access in the flat tensor, in order."""
        return iter(self._indices().tolist())

    def compare_access_orders(self, other: Any) -> bool:
        """Whether two patterns visit the same places in the same order."""
        if not isinstance(other, TensorAccessPattern):
            raise ValueError(
                f"an access order is compared with that of a TensorAccessPattern, not with {other!r}"
            )
        return np.array_equal(self._indices(), other._indices())

    def visualize(
        self,
        show_arrows: bool | None = None,
        title: str | None = None,
        file_path: str | None = None,
        show_plot: bool = True,
        plot_access_count: bool = False,
    ) -> None:
        """Draws the pattern; needs matplotlib. Only tensors of one or two dimensions."""
        from npuninja.python_designs.taplib.drawing import draw

        self._must_be_flat()
        order, counts = self.accesses()
        draw(
            order,
            counts if plot_access_count else None,
            title or str(self),
            show_arrows,
            file_path,
            show_plot,
        )

    def __str__(self) -> str:
        return (
            f"TensorAccessPattern({self._tensor_dims} offset={self._offset}, sizes={self._sizes}, "
            f"strides={self._strides})"
        )

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorAccessPattern) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return tuple(self._tensor_dims), self._offset, tuple(self._sizes), tuple(self._strides)
