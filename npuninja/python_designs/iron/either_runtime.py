"""`Runtime` under its public name, which stands for two kinds of program."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct import generation
from npuninja.python_designs.iron.runtime import BlockRuntime
from npuninja.python_designs.iron.sequence import SequenceRuntime


class Runtime:
    """`Runtime()` gives the older program of steps, `Runtime(function, arguments)` the newer one."""

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """A `SequenceRuntime` when a function is given, else a `BlockRuntime`."""
        if (arguments and callable(arguments[0])) or "seq_fn" in options:
            return SequenceRuntime(*arguments, **options)
        if generation.is_third():
            raise TypeError(
                "Runtime() missing its function, seq_fn: Runtime(function, arguments) since summer 2026; "
                "`with rt.sequence(...)` is of the generations before (--generation)"
            )
        return BlockRuntime(*arguments, **options)
