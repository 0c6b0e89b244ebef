"""What every part of a program has in common: it becomes operations once, when the program is resolved."""

from __future__ import annotations

from typing import Any


class NotResolvedError(Exception):
    """The operation of a part is asked for before the program is resolved."""

    def __init__(
        self, message: str = "this part of the program has no operation yet: resolve the program first"
    ) -> None:
        super().__init__(message)


class HasOperation:
    """A part whose operation, `op`, is there once the program is resolved. Before, it raises `LACKING`."""

    LACKING: type[Exception] = ValueError
    _op: Any = None

    @property
    def op(self) -> Any:
        """The operation."""
        if self._op is None:
            raise self.LACKING(
                f"{getattr(self, 'name', self)} has no operation yet: resolve the program first"
            )
        return self._op

    @op.setter
    def op(self, op: Any) -> None:
        self._op = op


class _ByMethods(type):
    """Whether something is resolvable shows in its methods, as with a protocol; it need not inherit."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        return cls.__name__ == "Resolvable" and all(
            callable(getattr(type(instance), name, None)) for name in ("resolve", "tiles")
        )


class Resolvable(metaclass=_ByMethods):
    """A part that `Program.resolve_program` makes operations of; any object with its two methods is one."""

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the operations, unless they are there."""
        raise NotImplementedError

    def tiles(self) -> list[Any]:
        """The tiles it needs."""
        return []
