"""The log of a run: what happened in which order, without times. Equal input gives an equal log."""

from __future__ import annotations

from npuninja.emulator import layout
from npuninja.records import NamedTuple

#: `LOG_…` in engine/engine.h.
_KINDS = {
    1: "bd_start",
    2: "bd_end",
    3: "task_end",
    4: "core_wait",
    5: "core_end",
    6: "operation",
    7: "lock",
    8: "mark",
}


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: `bd_start`, `bd_end`, `task_end`, `core_wait`, `core_end`, `operation`, or in a checked run
            `lock`: its value changes; `mark`: a core executes an event instruction.
        actor: number of the actor (`npuninja.emulator.layout`).
        detail: BD; of `mark` which of the two; of `task_end` the task's first BD; of `core_wait` the
            resume point; of `operation` its byte offset; of `lock` its number.
        extra: of `bd_start` the words of the stream; of `lock` the change; of `task_end` whether a token
            was sent; of `core_wait` the step function's low word; of `operation` its code.
    """

    kind: str
    actor: int
    detail: int
    extra: int

    def __str__(self) -> str:
        name = layout.actor_name(self.actor)
        if self.kind == "lock":
            return f"{name}: {layout.lock_name(self.detail)} {self.extra:+d}"
        if self.kind == "operation":
            return f"{name}: operation 0x{self.extra:02x} at byte {self.detail}"
        if self.kind == "core_wait":
            return f"{name}: waits for {layout.lock_name(self.extra & 0xFFFF)} at point {self.detail}"
        if self.kind == "mark":
            return f"{name}: event {self.detail}"
        if self.kind == "core_end":
            return f"{name}: end"
        token = ", token" if self.kind == "task_end" and self.extra else ""
        return f"{name}: {self.kind.replace('_', ' ')} {self.detail}{token}"


def read_event(what: int, actor: int, a: int, b: int) -> Event:
    """An event from the engine's record."""
    kind = _KINDS[what]
    return Event(kind, actor, a, b - (1 << 32) if kind == "lock" and b >> 31 else b)
