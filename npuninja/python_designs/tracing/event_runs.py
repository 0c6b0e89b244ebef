"""Tables of events as runs: a number, then the names of that event and those that follow it without a gap."""

from __future__ import annotations

from enum import IntEnum


def enum_of(name: str, runs: str) -> type[IntEnum]:
    """The events of one kind of module, from runs of names."""
    cases: dict[str, int] = {}
    number = 0
    for word in runs.split():
        if word.isdigit():
            number = int(word)
        else:
            cases[word] = number
            number += 1
    return IntEnum(name, cases)  # type: ignore[return-value]
