"""What checked runs find, for people. `engine/checks.c` watches; `docs/checks.md` says what for.

`races` makes sentences of accesses that nothing orders, `accesses` of those that reach the wrong memory,
`regions` gives the engine what a core may touch.
"""

from __future__ import annotations

#: What `npuninja run --check` takes, and the engine's bit of each (engine/checks.h).
CHECKS = {"races": 1, "memory": 2}


def check_bits(names: frozenset[str]) -> int:
    """The checks by name as the engine takes them."""
    return sum(CHECKS[name] for name in names)
