"""What is being built just now: the core whose program runs, and the runtime's program."""

from __future__ import annotations

from typing import Any

#: Tile operations of cores, the innermost last.
cores: list[Any] = []
#: Runtimes whose function runs, the innermost last.
runtimes: list[Any] = []


class IronRuntimeError(RuntimeError):
    """The runtime's program is used in a way that cannot be printed."""


def current_core() -> Any:
    """The tile operation of the core whose program is being built, or None."""
    return cores[-1] if cores else None


def current_runtime() -> Any:
    """The runtime whose function runs. Raises RuntimeError when there is none."""
    if not runtimes:
        raise RuntimeError(
            "fill(), drain() and TaskGroup() belong in the function given to Runtime(seq_fn, fn_args), "
            "and were called outside it"
        )
    return runtimes[-1]
