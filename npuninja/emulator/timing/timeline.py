"""What everything in the array does in one run, and when: modelled cycles on an emulated run's order.

`clocks` makes it.
"""

from __future__ import annotations

from npuninja.emulator import layout
from npuninja.records import NamedTuple


class Span(NamedTuple):
    """One piece of an actor's time.

    Attributes:
        actor: its number.
        kind: `work` of a core, `move` of a channel, `operation` of the sequence, or `wait`.
        start, end: modelled cycles from the begin of the sequence.
        says: for people.
        cause: the span that a wait ended with, as an index; -1 when none is known.
        before: the span of the same actor before it; -1 for the first.
    """

    actor: int
    kind: str
    start: float
    end: float
    says: str
    cause: int
    before: int


class Mark(NamedTuple):
    """Something that a trace unit could see, from `start` up to `end`; they are equal for a single cycle.

    `what` is one of `task`, `bd`, `task done`, `moves`, `lock stall`, `starved`, `held up` of a channel;
    `active`, `lock stall`, `acquire`, `release`, `event` of a core; `lock taken`, `lock given` of what
    changes a lock; `write` of the sequence. `detail` is event or lock number, or the operation's place.
    """

    actor: int
    what: str
    start: float
    end: float
    detail: int = 0


class LockChange(NamedTuple):
    """A lock's value changes by `change`, at modelled cycles `at`, by an actor."""

    lock: int
    actor: int
    at: float
    change: int


class Timeline(NamedTuple):
    """A run.

    Attributes:
        spans: all pieces, in the order in which they were found.
        critical: indices of those that decide the length of the run, from its begin on.
        cycles: the length of the run.
        cut: whether the run was longer than is shown.
        marks: what trace units could see.
        locks: every change of a lock, in the order of the run.
    """

    spans: tuple[Span, ...]
    critical: tuple[int, ...]
    cycles: float
    cut: bool
    marks: tuple[Mark, ...] = ()
    locks: tuple[LockChange, ...] = ()

    def busy(self, actor: int) -> float:
        """The cycles in which an actor did not wait."""
        return sum(s.end - s.start for s in self.spans if s.actor == actor and s.kind != "wait")

    def actors(self) -> list[int]:
        """Those that did something: the sequence, then tile by tile channels and core."""
        found = {s.actor for s in self.spans}
        return sorted(found, key=_order)

    def waits(self) -> list[tuple[int, int, float]]:
        """What waits for what, and how long: (actor, the one it waits for or -1, cycles), longest first."""
        total: dict[tuple[int, int], float] = {}
        for span in self.spans:
            if span.kind == "wait":
                key = (span.actor, self.spans[span.cause].actor if span.cause >= 0 else -1)
                total[key] = total.get(key, 0.0) + span.end - span.start
        return sorted(((*key, cycles) for key, cycles in total.items()), key=lambda row: -row[2])


def _order(actor: int) -> tuple[int, int, int]:
    if actor >= layout.SEQUENCE_ACTOR:
        return (-1, 0, 0)
    if actor >= layout.FIRST_CORE_ACTOR:
        return (0, actor - layout.FIRST_CORE_ACTOR, 1 << 20)
    return (0, actor // layout.CHANNELS_PER_TILE, actor)
