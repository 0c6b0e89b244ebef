"""`Runtime` under its public name, which stands for two kinds of program."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.iron.runtime import BlockRuntime
from npuninja.python_designs.iron.sequence import SequenceRuntime


class Runtime:
    """`Runtime()` gives the older program of steps, `Runtime(function, arguments)` the newer one."""

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """Either kind."""
        if (arguments and callable(arguments[0])) or "seq_fn" in options:
            return SequenceRuntime(*arguments, **options)
        return BlockRuntime(*arguments, **options)
