"""Sorting in the order that `std::sort` of the GNU C++ library gives.

The reference sorts buffers by size with `std::sort`, which is not stable for more than 16 items; which of two
equal buffers comes first decides their addresses. This is the same algorithm: quicksort with the median of
three as pivot down to 16 items, then one insertion sort. The heap sort that limits the depth is left out: it
starts at 2·log2(n) levels, which sizes of buffers do not reach.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Callable, TypeVar

    T = TypeVar("T")


_THRESHOLD = 16


def sorted_like_std_sort(items: list[T], less: Callable[[T, T], bool]) -> list[T]:
    """A sorted copy of `items`; `less` is a strict weak order."""
    result = list(items)
    _quicksort(result, 0, len(result), less)
    _insertion_sort(result, less)
    return result


def _quicksort(v: list[T], first: int, last: int, less: Callable[[T, T], bool]) -> None:
    while last - first > _THRESHOLD:
        cut = _partition(v, first, last, less)
        _quicksort(v, cut, last, less)
        last = cut


def _partition(v: list[T], first: int, last: int, less: Callable[[T, T], bool]) -> int:
    """Moves the median of three to `first`, partitions the rest around it, returns the upper part's start."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if less(v[a], v[b]):
        median = b if less(v[b], v[c]) else c if less(v[a], v[c]) else a
    else:
        median = a if less(v[a], v[c]) else c if less(v[b], v[c]) else b
    v[first], v[median] = v[median], v[first]
    low, high = first + 1, last
    while True:
        while less(v[low], v[first]):
            low += 1
        high -= 1
        while less(v[first], v[high]):
            high -= 1
        if low >= high:
            return low
        v[low], v[high] = v[high], v[low]
        low += 1


def _insertion_sort(v: list[T], less: Callable[[T, T], bool]) -> None:
    for i in range(1, len(v)):
        item = v[i]
        at = i
        if i < _THRESHOLD and less(item, v[0]):
            at = 0
        else:
            while at and less(item, v[at - 1]):
                at -= 1
        v[at + 1 : i + 1] = v[at:i]
        v[at] = item
