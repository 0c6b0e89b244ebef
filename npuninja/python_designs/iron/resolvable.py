"""What every part of a program has in common: it becomes operations once, when the program is resolved."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any


class NotResolvedError(Exception):
    """The operation of a part is asked for before the program is resolved."""

    def __init__(self, message: str = "Cannot get operation; class not resolved.") -> None:
        super().__init__(message)


class Resolvable(metaclass=ABCMeta):
    """A part that `Program.resolve_program` makes operations of.

    A class of the design's own counts as one when it has both methods, as with a protocol; it need not inherit.
    """

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        if cls is not Resolvable:
            return NotImplemented
        has_all = all(callable(getattr(other, name, None)) for name in ("resolve", "tiles"))
        return True if has_all else NotImplemented

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the operations, unless they are there."""
        raise NotImplementedError

    def tiles(self) -> list[Any]:
        """The tiles it needs."""
        return []
