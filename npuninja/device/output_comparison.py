"""How one output compares with the reference, as records, and what outputs hold before a run."""

from __future__ import annotations

import hashlib
from typing import Any

from npuninja.device.manifest import Argument
from npuninja.records import NamedTuple

_POISON_SEED = b"npuninja"  # any bytes


def poison(nbytes: int) -> bytes:
    """What an output holds before the run: bytes that no kernel makes by chance, without a period."""
    return hashlib.shake_128(_POISON_SEED).digest(nbytes)


class Tolerance(NamedTuple):
    """How far an output may be from the reference: an element is right when any of the three holds.

    Attributes:
        atol: largest difference, with `rtol`: `|got - expected| <= atol + rtol * |expected|`.
        rtol: see there.
        ulp: floats only: how many representable numbers may lie between the two.
    """

    atol: float = 0.0
    rtol: float = 0.0
    ulp: int = 0

    def render(self) -> str:
        """For people: `atol 0.01, ulp 2`."""
        return ", ".join(f"{name} {value:g}" for name, value in zip(self._fields, self) if value)


class ElementDifference(NamedTuple):
    """One element that differs."""

    position: tuple[int, ...]
    got: str
    expected: str


class OutputComparison(NamedTuple):
    """How one output compares."""

    argument: Argument
    elements: int
    differing: int
    first: tuple[ElementDifference, ...]
    """The first differing elements; a few."""
    untouched_bytes: int
    """Differing bytes that still hold the poison, in elements where all bytes do."""
    all_zero: bool
    within: str = ""
    """The tolerance needed, and the largest difference; "" when all bytes are equal or without tolerance."""

    @property
    def good(self) -> bool:
        """Whether all bytes are right."""
        return self.differing == 0

    def fields(self) -> dict[str, Any]:
        """The comparison for --json."""
        return {
            "name": self.argument.name,
            "elements": self.elements,
            "differing": self.differing,
            "untouched_bytes": self.untouched_bytes,
            "within": self.within,
            "first": [{"index": d.position, "got": d.got, "expected": d.expected} for d in self.first],
        }

    def render(self) -> str:
        """The comparison as text, several lines when there are differences."""
        name = self.argument.name
        if self.good:
            return f"{name}: all {self.elements} elements are right" + (
                f" within {self.within}" if self.within else ""
            )
        share = 100 * self.differing / self.elements
        lines = [f"{name}: {self.differing} of {self.elements} elements differ ({share:.3g} %)"]
        lines += [f"  {name}{list(d.position)}: got {d.got}, expected {d.expected}" for d in self.first]
        if self.differing > len(self.first):
            lines.append(f"  … and {self.differing - len(self.first)} more")
        if self.untouched_bytes == self.argument.nbytes:
            lines.append(
                f"  nothing was written to {name}: it holds what the runner put there before the run"
            )
        elif self.untouched_bytes:
            lines.append(
                f"  {self.untouched_bytes} of {self.argument.nbytes} bytes of {name} were never written"
            )
        elif self.all_zero:
            lines.append(
                f"  {name} is all zeros: the kernel wrote nothing, or the transfer took the wrong buffer"
            )
        return "\n".join(lines)
