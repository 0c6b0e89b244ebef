"""A figure that is not known exactly: an optimistic, a middle and a pessimistic value."""

from __future__ import annotations

from collections.abc import Iterable

from npuninja.records import NamedTuple


class Band(NamedTuple):
    """Three values of one quantity, the smallest cost first."""

    optimistic: float
    middle: float
    pessimistic: float

    def plus(self, other: Band) -> Band:
        """The sum of two costs, end by end."""
        return Band(*(a + b for a, b in zip(self, other)))

    def times(self, factor: float | Band) -> Band:
        """The cost so many times, end by end when the factor is a band too."""
        factors = factor if isinstance(factor, Band) else exactly(factor)
        return Band(*(a * b for a, b in zip(self, factors)))

    def fields(self) -> dict[str, float]:
        """The three values by name, for JSON."""
        return self._asdict()


def exactly(value: float) -> Band:
    """A value that is known."""
    return Band(value, value, value)


def total(bands: Iterable[Band]) -> Band:
    """The sum of costs, end by end."""
    result = NOTHING
    for band in bands:
        result = result.plus(band)
    return result


def largest(bands: Iterable[Band]) -> Band:
    """The largest value at each end; nothing when there are none."""
    columns = list(zip(NOTHING, *bands))
    return Band(*(max(column) for column in columns))


NOTHING = Band(0.0, 0.0, 0.0)
