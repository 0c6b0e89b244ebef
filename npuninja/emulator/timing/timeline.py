"""What everything in the array does at which time in one run: modelled cycles on the order of an emulated run.

The order of lock changes, descriptors and operations is that of a run on the emulated array. Each actor (a core, a DMA
channel, the runtime sequence) has a clock; what it does takes the middle figure of the timing model's costs, and an
acquire goes on no earlier than the releases it takes its units from, a receiver no earlier than its sender, a wait of
the sequence no earlier than its token. A core's cycles, counted for the whole run, are spread evenly over its stretches
between an acquire and a release. So the length of a wait is an estimate; who waited for whom is what happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from npuninja.arch.families import FAMILIES, Rows
from npuninja.arch.registers import channel_queue, split_address
from npuninja.emulator import layout
from npuninja.emulator.deadlock import lock_symbols
from npuninja.emulator.emulator import Emulator
from npuninja.emulator.event_log import Event
from npuninja.emulator.timing import costs
from npuninja.emulator.timing.stages import core_part
from npuninja.emulator.timing.work import Work, count_work
from npuninja.formats import txn
from npuninja.records import NamedTuple

#: A longer run is shown up to here: more pieces than these say nothing more to a person.
MOST_SPANS = 60_000


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
    """Something that a trace unit could see, from `start` up to `end`; both are equal for what takes one cycle.

    `what` is one of `task`, `bd`, `task done`, `moves`, `lock stall`, `starved`, `held up` of a channel; `active`,
    `lock stall`, `acquire`, `release`, `event` of a core; `lock taken`, `lock given` of whoever changes a lock; `write` of the
    sequence. `detail` is the event's or the lock's number, or the place of the operation in the stream.
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
        """Who waits for whom, and how long: (actor, the one it waits for or -1, cycles), the longest first."""
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


def record(
    xclbin: bytes, insts: bytes, arguments: Sequence[bytes], *, kernel: str | None = None, name: str = "xclbin",
    time_limit_s: float = 20.0,
) -> tuple[Timeline, Work]:  # fmt: skip
    """Runs a design twice on the emulated array, to count and for the order, and models the timeline.

    Args:
        xclbin, insts, arguments, kernel, name: as in `count_work`.
        time_limit_s: of this machine's time, for each run.

    Raises:
        UserError, DeviceError: those of `count_work`.
    """
    work = count_work(xclbin, insts, arguments, kernel=kernel, name=name, time_limit_s=time_limit_s)
    rows = FAMILIES[work.family].rows
    with Emulator.from_xclbin(
        xclbin, kernel=kernel, name=name, rows=rows, log_events=True, checks=frozenset({"races"})
    ) as npu:
        buffers = [npu.allocate(len(content)) for content in arguments]
        for buffer, content in zip(buffers, arguments):
            buffer.view[:] = content
        npu.run(insts, buffers, time_limit_s)
        symbols = lock_symbols({core.tile: core.info for core in npu.cores()})
        events = list(npu.events)
    return model_timeline(events, txn.read_txn(insts).operations, work, symbols), work


def model_timeline(
    events: Sequence[Event], operations: Sequence[Any], work: Work, symbols: Mapping[int, str]
) -> Timeline:
    """The timeline of a log.

    Args:
        events: of a checked run, so that changes of locks are among them.
        operations: of the instruction stream, in order.
        work: what was counted in a run of the same design.
        symbols: names of locks by number.
    """
    return _Clocks(events, operations, work, symbols).timeline()


class _Open(NamedTuple):
    """A descriptor that a channel is at."""

    number: int
    words: int


class _Clocks:
    def __init__(
        self, events: Sequence[Event], operations: Sequence[Any], work: Work, symbols: Mapping[int, str]
    ) -> None:
        self.events = events
        self.operations = deque(o for o in operations if not isinstance(o, txn.LoadPdi))
        self.rows: Rows = FAMILIES[work.family].rows
        self.symbols = symbols
        self.spans: list[Span] = []
        self.clock: dict[int, float] = {}
        self.last: dict[int, int] = {}
        self.units: dict[int, deque[tuple[float, int]]] = {}
        self.open: dict[int, _Open] = {}
        self.words: dict[int, int] = {}
        self.sent: dict[int, list[tuple[int, float, int]]] = {}
        self.pushes: dict[int, deque[tuple[float, int]]] = {}
        self.tokens: dict[int, deque[tuple[float, int]]] = {}
        self.idle: dict[int, bool] = {}
        self.begun = False
        self.marks: list[Mark] = []
        self.locks: list[LockChange] = []
        self.pending: dict[int, list[int]] = {}
        self.done = 0
        self.holding: dict[int, bool] = {}
        self.sources = {c.actor: c.sources for c in work.channels if c.direction == "S2MM"}
        self.receivers: dict[int, list[int]] = {}
        for receiver, sources in self.sources.items():
            for source in sources:
                self.receivers.setdefault(source, []).append(receiver)
        self.stretch = self._stretches(work)

    def _stretches(self, work: Work) -> dict[int, float]:
        """The cycles of each stretch of a core between an acquire and a release."""
        number: dict[int, int] = {}
        holds: dict[int, bool] = {}
        for event in self.events:
            if event.kind == "lock" and event.actor >= layout.FIRST_CORE_ACTOR:
                if event.extra > 0 and holds.get(event.actor, True):
                    number[event.actor] = number.get(event.actor, 0) + 1
                holds[event.actor] = event.extra < 0
        found = {}
        for core in work.cores:
            actor = layout.FIRST_CORE_ACTOR + layout.tile_number(*core.place)
            found[actor] = core_part(core, None).cycles.middle / max(number.get(actor, 1), 1)
        return found

    def timeline(self) -> Timeline:
        cut = False
        for event in self.events:
            if len(self.spans) >= MOST_SPANS:
                cut = True
                break
            getattr(self, f"_{event.kind}")(event)
        ends = [n for n, s in enumerate(self.spans) if s.actor == layout.SEQUENCE_ACTOR] or range(
            len(self.spans)
        )
        last = max(ends, key=lambda n: self.spans[n].end, default=-1)
        cycles = max((s.end for s in self.spans), default=0.0)
        return Timeline(
            tuple(self.spans), self._critical(last), cycles, cut, tuple(self.marks), tuple(self.locks)
        )

    def _see(self, actor: int, what: str, start: float | None = None, detail: int = 0) -> None:
        """A mark up to the actor's clock; without `start`, one of a single cycle."""
        now = self.clock.get(actor, 0.0)
        if start is None or now > start:
            self.marks.append(Mark(actor, what, now if start is None else start, now, detail))

    def _mark(self, event: Event) -> None:
        self.pending.setdefault(event.actor, []).append(event.detail)

    def _place_marks(self, actor: int, start: float) -> None:
        """Event instructions of a stretch: where in it they stood is not known, so they are spread over it."""
        found, end = self.pending.pop(actor, []), self.clock.get(actor, 0.0)
        for number, event in enumerate(found):
            share = number / (len(found) - 1) if len(found) > 1 else 0.0
            at = start + share * max(end - start - 1, 0.0)
            self.marks.append(Mark(actor, "event", at, at, event))

    def _critical(self, at: int) -> tuple[int, ...]:
        """Back from the last span: from a wait to what ended it, else to what the actor did before."""
        path: list[int] = []
        seen: set[int] = set()
        while at >= 0 and at not in seen:
            seen.add(at)
            span = self.spans[at]
            if span.kind == "wait" and span.cause >= 0:
                at = span.cause
                continue
            path.append(at)
            at = span.before
        return tuple(reversed(path))

    def _add(self, actor: int, kind: str, end: float, says: str, cause: int = -1) -> int:
        """A span from the actor's clock on, to which the clock is set."""
        start = self.clock.get(actor, 0.0)
        if end <= start and kind == "wait":
            return self.last.get(actor, -1)
        self.spans.append(Span(actor, kind, start, max(end, start), says, cause, self.last.get(actor, -1)))
        self.clock[actor] = max(end, start)
        self.last[actor] = len(self.spans) - 1
        return len(self.spans) - 1

    def _wait(self, actor: int, until: float, says: str, cause: int) -> None:
        self._add(actor, "wait", until, says, cause)

    def _bd_start(self, event: Event) -> None:
        channel = event.actor
        self.open[channel] = _Open(event.detail, event.extra)
        if not self.idle.pop(channel, True):
            return
        op = self.operations[0] if self.operations else None
        if self.pushes.get(channel):
            at, cause = self.pushes[channel].popleft()
        elif self._pushed(op) == channel:  # the operation starts it, and is in the log behind that
            self.begun = True
            at, cause = (
                self.clock.get(layout.SEQUENCE_ACTOR, 0.0) + _cost(op)[0],
                self.last.get(layout.SEQUENCE_ACTOR, -1),
            )
        else:
            return
        self._wait(channel, at, "has no task", cause)
        self._see(channel, "task")

    def _bd_end(self, event: Event) -> None:
        channel = event.actor
        bd = self.open.pop(channel, _Open(event.detail, 0))
        _, row, direction, _ = layout.channel_place(channel)
        shim = self.rows.kind(row) == "shim"
        rate = (costs.SHIM_WORD_CYCLES[direction] if shim else costs.TILE_WORD_CYCLES).middle
        start = self.clock.get(channel, 0.0)
        end = start + bd.words * rate + costs.BD_CYCLES.middle
        total = self.words[channel] = self.words.get(channel, 0) + bd.words
        if direction == "S2MM":
            came, cause = self._came(channel, total)
            if came > end:
                self._wait(channel, came - (end - start), "waits for data", cause)
                self._see(channel, "starved", start)
                end = came
        else:
            took, cause = self._taken(channel)
            if took > end:
                self._wait(channel, took - (end - start), "waits for its receiver", cause)
                self._see(channel, "held up", start)
                end = took
        says = f"BD {bd.number}: {4 * bd.words} bytes"
        moving = self.clock.get(channel, 0.0)
        span = self._add(channel, "move", end, says)
        self._see(channel, "moves", moving)
        self._see(channel, "bd", detail=bd.number)
        if direction == "MM2S":
            self.sent.setdefault(channel, []).append((total, end, span))

    def _came(self, channel: int, words: int) -> tuple[float, int]:
        """When a receiver can have its first `words` words, and the span that sends the last of them."""
        latest, cause = 0.0, -1
        for source in self.sources.get(channel, ()):
            share = words if len(self.sources[channel]) == 1 else words // len(self.sources[channel])
            found = next(((t, n) for sent, t, n in self.sent.get(source, ()) if sent >= share), None)
            if found is None:  # the sender is in the middle of a longer descriptor
                missing = share - self.words.get(source, 0)
                found = self.clock.get(source, 0.0) + max(missing, 0), self.last.get(source, -1)
            if found[0] > latest:
                latest, cause = found
        return latest, cause

    def _taken(self, channel: int) -> tuple[float, int]:
        """When the receivers of a sender are at the descriptor that its last words go to."""
        latest, cause = 0.0, -1
        for receiver in self.receivers.get(channel, ()):
            if self.clock.get(receiver, 0.0) > latest and receiver in self.open:
                latest, cause = self.clock[receiver], self.last.get(receiver, -1)
        return latest, cause

    def _task_end(self, event: Event) -> None:
        self.idle[event.actor] = True
        self._see(event.actor, "task done")
        if event.extra:
            at = self.clock.get(event.actor, 0.0), self.last.get(event.actor, -1)
            self.tokens.setdefault(event.actor, deque()).append(at)

    def _lock(self, event: Event) -> None:
        actor, lock, change = event.actor, event.detail, event.extra
        if change > 0:
            if (
                actor >= layout.FIRST_CORE_ACTOR
                and actor < layout.SEQUENCE_ACTOR
                and self.holding.get(actor, True)
            ):
                start = self.clock.get(actor, 0.0)
                self._add(actor, "work", start + self.stretch.get(actor, 0.0), "computes")
                self._see(actor, "active", start)
                self._place_marks(actor, start)
            self.holding[actor] = False
            freed = self.clock.get(actor, 0.0), self.last.get(actor, -1)
            self.units.setdefault(lock, deque()).extend([freed] * change)
            self._see(actor, "release", detail=lock)
            self._see(actor, "lock given", detail=lock)
            self.locks.append(LockChange(lock, actor, freed[0], change))
            return
        taken = self.units.setdefault(lock, deque())
        ready, cause = 0.0, -1
        for _ in range(min(-change, len(taken))):
            released, by = taken.popleft()
            if released > ready:
                ready, cause = released, by
        says = f"waits for {layout.lock_name(lock, dict(self.symbols))}"
        asked = self.clock.get(actor, 0.0)
        self.marks.append(Mark(actor, "acquire", asked, asked, lock))
        self._wait(actor, ready, says, cause)
        self._see(actor, "lock stall", asked, lock)
        self._see(actor, "lock taken", detail=lock)
        self.locks.append(LockChange(lock, actor, self.clock.get(actor, 0.0), change))
        self.holding[actor] = True

    def _core_wait(self, event: Event) -> None:
        """What a core waits for is seen when it goes on."""

    def _core_end(self, event: Event) -> None:
        if self.holding.get(event.actor, True) and event.actor not in self.last:
            self._add(event.actor, "work", self.stretch.get(event.actor, 0.0), "computes, and ends")

    def _operation(self, event: Event) -> None:
        actor, op = layout.SEQUENCE_ACTOR, self.operations.popleft() if self.operations else None
        cost, says = _cost(op)
        if isinstance(op, txn.Sync):
            direction = "MM2S" if op.direction else "S2MM"
            channel = layout.channel_number(op.column, op.row, direction, op.channel)
            if self.tokens.get(channel):
                at, cause = self.tokens[channel].popleft()
                self._wait(actor, at, f"waits for {layout.actor_name(channel)} to be done", cause)
        span = self._add(actor, "operation", self.clock.get(actor, 0.0) + cost, says)
        self._see(actor, "write", detail=self.done)
        self.done += 1
        channel_of_push = self._pushed(op)
        if self.begun:
            self.begun = False
        elif channel_of_push is not None:
            queue = self.pushes.setdefault(channel_of_push, deque())
            queue.append((self.clock[actor], span))

    def _pushed(self, op: Any) -> int | None:
        """The channel whose task queue an operation writes to."""
        if not isinstance(op, (txn.Write, txn.MaskWrite)):
            return None
        column, row, offset = split_address(op.address)
        kind = self.rows.kind(row)
        for direction in ("S2MM", "MM2S"):
            for channel in range(6 if kind == "mem" else 2):
                if offset == channel_queue(kind, direction, channel):
                    return layout.channel_number(column, row, direction, channel)
        return None


def _cost(op: Any) -> tuple[float, str]:
    """The modelled cycles of an operation, and what it is called."""
    if isinstance(op, txn.Write):
        return costs.WRITE_US.middle * costs.CYCLES_PER_US, f"write {op.address:#x}"
    if isinstance(op, txn.MaskWrite):
        return costs.MASK_WRITE_US.middle * costs.CYCLES_PER_US, f"masked write {op.address:#x}"
    if isinstance(op, txn.BlockWrite):
        words = len(op.data) // 4
        return (
            costs.BLOCK_BASE_US.middle + words * costs.BLOCK_WORD_US.middle
        ) * costs.CYCLES_PER_US, f"{words} words to {op.address:#x}"
    if isinstance(op, txn.AddressPatch):
        return costs.ADDRESS_PATCH_US.middle * costs.CYCLES_PER_US, f"address of argument {op.argument}"
    if isinstance(op, txn.Sync):
        return costs.LATER_SYNC_US.middle * costs.CYCLES_PER_US, "wait"
    if isinstance(op, txn.MaskPoll):
        return costs.POLL_US.middle * costs.CYCLES_PER_US, f"poll {op.address:#x}"
    return 0.0, type(op).__name__
