"""The lanes of a run's timeline: host, runtime sequence, DMA channels, cores, streams, locks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from npuninja.arch.families import FAMILIES
from npuninja.emulator import layout
from npuninja.emulator.timing.timeline import LockChange, Timeline
from npuninja.emulator.timing.work import Work
from npuninja.records import NamedTuple

#: Kinds of pieces, in the order of their colours on the page.
KINDS = ("work", "move", "operation", "wait", "free", "taken")
#: Groups of lanes, each of which the page shows or hides.
GROUPS = ("host", "sequence", "DMA channels", "cores", "streams", "locks")


class LanePiece(NamedTuple):
    """A piece of a lane.

    Attributes:
        kind: one of `KINDS`.
        start, end: modelled cycles.
        says: for people.
        cause: index, among all pieces, of the one that it ended with; -1: none is known.
        critical: whether it decides the length of the run.
    """

    kind: str
    start: float
    end: float
    says: str
    cause: int = -1
    critical: bool = False


class Lane(NamedTuple):
    """A lane: its name, its group, and its pieces by the number that they have among all."""

    name: str
    group: str
    pieces: dict[int, LanePiece]


class LockFacts(NamedTuple):
    """A lock of the design: its symbol, and its value before the run."""

    symbol: str
    value: int


def lanes_of(timeline: Timeline, work: Work, locks: Mapping[int, LockFacts]) -> list[Lane]:
    """All lanes of a run; the numbers of the actors' pieces are those of the timeline's spans."""
    critical = set(timeline.critical)
    lanes = {actor: Lane(layout.actor_name(actor), _group(actor), {}) for actor in timeline.actors()}
    for number, s in enumerate(timeline.spans):
        lanes[s.actor].pieces[number] = LanePiece(s.kind, s.start, s.end, s.says, s.cause, number in critical)
    added = [_host(timeline, work), *_streams(timeline, work), *_locks(timeline, locks)]
    number = len(timeline.spans)
    numbered = []
    for name, group, pieces in added:
        numbered.append(Lane(name, group, dict(enumerate(pieces, number))))
        number += len(pieces)
    return sorted([*lanes.values(), *numbered], key=lambda lane: GROUPS.index(lane.group))


_Added = tuple[str, str, list[LanePiece]]


def _group(actor: int) -> str:
    if actor >= layout.SEQUENCE_ACTOR:
        return "sequence"
    return "cores" if actor >= layout.FIRST_CORE_ACTOR else "DMA channels"


def _host(timeline: Timeline, work: Work) -> _Added:
    """The host starts the sequence and waits for its end; what its call takes beyond that is not drawn: it is
    known as a band only.
    """
    ends = [
        (s.end, number) for number, s in enumerate(timeline.spans) if s.actor == layout.SEQUENCE_ACTOR
    ] or [(s.end, number) for number, s in enumerate(timeline.spans)]
    end, last = max(ends, default=(0.0, -1))
    least, middle, most = FAMILIES[work.family].host_call_us
    says = (
        f"waits for the runtime sequence; its call takes {middle:g} us ({least:g} to {most:g}, measured on "
        f"{work.family}) in addition, which is not in this picture"
    )
    return "the host", "host", [LanePiece("wait", 0.0, end, says, last)] if timeline.spans else []


def _streams(timeline: Timeline, work: Work) -> list[_Added]:
    """For each sending channel its stream: when words move, and when the receiver takes none."""
    receivers: dict[int, list[int]] = {}
    for channel in work.channels:
        for source in channel.sources:
            receivers.setdefault(source, []).append(channel.actor)
    found = []
    for sender in sorted(receivers):
        moves = [
            LanePiece(
                s.kind, s.start, s.end, s.says if s.kind == "move" else "held up: the receiver takes no words"
            )
            for s in timeline.spans
            if s.actor == sender and (s.kind == "move" or s.says == "waits for its receiver")
        ]
        ends = ", ".join(layout.actor_name(receiver) for receiver in receivers[sender])
        found.append((f"stream {layout.actor_name(sender)} → {ends}", "streams", moves))
    return found


def _locks(timeline: Timeline, locks: Mapping[int, LockFacts]) -> list[_Added]:
    """For each lock that changes: its value from change to change, and whose change it was."""
    changes: dict[int, list[LockChange]] = {}
    for change in timeline.locks:
        changes.setdefault(change.lock, []).append(change)
    found = []
    for lock, of_lock in sorted(changes.items()):
        # At one time, what gives units comes before what takes them: the units taken are those.
        ordered = sorted(of_lock, key=lambda c: (c.at, c.change < 0))
        facts = locks.get(lock)
        symbols = {lock: facts.symbol} if facts and facts.symbol else None
        pieces = _values(ordered, facts.value if facts else None, timeline.cycles)
        found.append((layout.lock_name(lock, symbols), "locks", pieces))
    return found


def _values(changes: list[LockChange], value: int | None, end: float) -> list[LanePiece]:
    """A lock's value from change to change, where it is known at first."""
    pieces = []
    start, says = 0.0, "as the design starts it"
    for at, actor, amount in [*((c.at, c.actor, c.change) for c in changes), (end, -1, 0)]:
        if at > start:
            kind = "taken" if value == 0 or (value is None and says.startswith("taken")) else "free"
            shown = f"value {value}" if value is not None else "value not known"
            pieces.append(LanePiece(kind, start, at, f"{shown}, {says}"))
        start = max(at, start)
        value = None if value is None else value + amount
        what = "taken" if amount < 0 else "given"
        says = f"{what} by {layout.actor_name(actor)}" if actor >= 0 else ""
    return pieces


def lanes_json(lanes: list[Lane], cycles: float) -> str:
    """The lanes for the page's script: of each piece lane, kind, start, end, text, cause, critical.

    A piece's place in the list is its number.
    """
    texts: dict[str, int] = {}
    rows: dict[int, list[int]] = {}
    for number, lane in enumerate(lanes):
        for at, p in lane.pieces.items():
            text = texts.setdefault(p.says, len(texts))
            rows[at] = [
                number,
                KINDS.index(p.kind),
                round(p.start),
                round(p.end),
                text,
                p.cause,
                int(p.critical),
            ]
    content: dict[str, Any] = {
        "lanes": [lane.name for lane in lanes],
        "groups": [GROUPS.index(lane.group) for lane in lanes],
        "group_names": GROUPS,
        "texts": list(texts),
        "spans": [rows[at] for at in sorted(rows)],
        "cycles": round(cycles),
    }
    # Inside a <script>, whose end no text of it may look like.
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
