"""Clocks of actors on the order of an emulated run, from which a timeline is made.

The order of lock changes, descriptors and operations is that of an emulated run. Each actor (core, DMA
channel, runtime sequence) has a clock; what it does takes the middle figure of the timing model's costs, and
an acquire goes on no earlier than the releases it takes its units from, a receiver no earlier than its
sender, a wait of the sequence no earlier than its token. A core's cycles, counted for the whole run, are
spread evenly over its stretches between acquire and release. So a wait's length is an estimate; what waited
for what is as it happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from npuninja.arch.families import FAMILIES, Rows
from npuninja.emulator import layout
from npuninja.emulator.deadlock import lock_symbols
from npuninja.emulator.emulator import Emulator
from npuninja.emulator.event_log import Event
from npuninja.emulator.timing import costs
from npuninja.emulator.timing.stages import core_part
from npuninja.emulator.timing.timeline import LockChange, Mark, Span, Timeline
from npuninja.emulator.timing.work import Work, count_work, pushed_channel
from npuninja.formats import txn
from npuninja.records import NamedTuple

#: A longer run is shown up to here: more pieces than these say nothing more to a person.
MOST_SPANS = 60_000


def record(
    xclbin: bytes, insts: bytes, arguments: Sequence[bytes], *, kernel: str | None = None,
    name: str = "xclbin", time_limit_s: float = 20.0,
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
        npu.run(insts, npu.allocate_filled(arguments), time_limit_s)
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
        now = self._now(actor)
        if start is None or now > start:
            self.marks.append(Mark(actor, what, now if start is None else start, now, detail))

    def _mark(self, event: Event) -> None:
        self.pending.setdefault(event.actor, []).append(event.detail)

    def _place_marks(self, actor: int, start: float) -> None:
        """Event instructions of a stretch, spread over it: where in it they stood is not known."""
        found, end = self.pending.pop(actor, []), self._now(actor)
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
        start = self._now(actor)
        if end <= start and kind == "wait":
            return self.last.get(actor, -1)
        self.spans.append(
            Span(actor, kind, start, max(end, start), says=says, cause=cause, before=self.last.get(actor, -1))
        )
        self.clock[actor] = max(end, start)
        self.last[actor] = len(self.spans) - 1
        return len(self.spans) - 1

    def _now(self, actor: int) -> float:
        return self.clock.get(actor, 0.0)

    def _reached(self, actor: int) -> tuple[float, int]:
        """An actor's clock, and the span that it ends."""
        return self._now(actor), self.last.get(actor, -1)

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
        elif self._pushed(op) == channel:  # the operation starts it, and is in the log after that
            self.begun = True
            begun, cause = self._reached(layout.SEQUENCE_ACTOR)
            at = begun + _cost(op)[0]
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
        start = self._now(channel)
        end = start + bd.words * rate + costs.BD_CYCLES.middle
        total = self.words[channel] = self.words.get(channel, 0) + bd.words
        if direction == "S2MM":
            (other, cause), says, seen = self._came(channel, total), "waits for data", "starved"
        else:
            (other, cause), says, seen = self._taken(channel), "waits for its receiver", "held up"
        if other > end:
            self._wait(channel, other - (end - start), says, cause)
            self._see(channel, seen, start)
            end = other
        says = f"BD {bd.number}: {4 * bd.words} bytes"
        moving = self._now(channel)
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
                found = self._now(source) + max(missing, 0), self.last.get(source, -1)
            if found[0] > latest:
                latest, cause = found
        return latest, cause

    def _taken(self, channel: int) -> tuple[float, int]:
        """When the receivers of a sender are at the descriptor that its last words go to."""
        latest, cause = 0.0, -1
        for receiver in self.receivers.get(channel, ()):
            if self._now(receiver) > latest and receiver in self.open:
                latest, cause = self._reached(receiver)
        return latest, cause

    def _task_end(self, event: Event) -> None:
        self.idle[event.actor] = True
        self._see(event.actor, "task done")
        if event.extra:
            self.tokens.setdefault(event.actor, deque()).append(self._reached(event.actor))

    def _lock(self, event: Event) -> None:
        if event.extra > 0:
            self._release(event.actor, event.detail, event.extra)
        else:
            self._acquire(event.actor, event.detail, event.extra)

    def _release(self, actor: int, lock: int, change: int) -> None:
        is_core = layout.FIRST_CORE_ACTOR <= actor < layout.SEQUENCE_ACTOR
        if is_core and self.holding.get(actor, True):
            start = self._now(actor)
            self._add(actor, "work", start + self.stretch.get(actor, 0.0), "computes")
            self._see(actor, "active", start)
            self._place_marks(actor, start)
        self.holding[actor] = False
        freed = self._reached(actor)
        self.units.setdefault(lock, deque()).extend([freed] * change)
        self._see(actor, "release", detail=lock)
        self._see(actor, "lock given", detail=lock)
        self.locks.append(LockChange(lock, actor, freed[0], change))

    def _acquire(self, actor: int, lock: int, change: int) -> None:
        taken = self.units.setdefault(lock, deque())
        ready, cause = 0.0, -1
        for _ in range(min(-change, len(taken))):
            released, by = taken.popleft()
            if released > ready:
                ready, cause = released, by
        says = f"waits for {layout.lock_name(lock, dict(self.symbols))}"
        asked = self._now(actor)
        self.marks.append(Mark(actor, "acquire", asked, asked, lock))
        self._wait(actor, ready, says, cause)
        self._see(actor, "lock stall", asked, lock)
        self._see(actor, "lock taken", detail=lock)
        self.locks.append(LockChange(lock, actor, self._now(actor), change))
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
        span = self._add(actor, "operation", self._now(actor) + cost, says)
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
        is_write = isinstance(op, (txn.Write, txn.MaskWrite))
        return pushed_channel(op.address, self.rows) if is_write else None


#: By the kind of an operation its microseconds, and what it is called.
_COSTS: dict[type, Callable[[Any], tuple[float, str]]] = {
    txn.Write: lambda op: (costs.WRITE_US.middle, f"write {op.address:#x}"),
    txn.MaskWrite: lambda op: (costs.MASK_WRITE_US.middle, f"masked write {op.address:#x}"),
    txn.BlockWrite: lambda op: (
        costs.BLOCK_BASE_US.middle + len(op.data) // 4 * costs.BLOCK_WORD_US.middle,
        f"{len(op.data) // 4} words to {op.address:#x}",
    ),
    txn.AddressPatch: lambda op: (costs.ADDRESS_PATCH_US.middle, f"address of argument {op.argument}"),
    txn.Sync: lambda op: (costs.LATER_SYNC_US.middle, "wait"),
    txn.MaskPoll: lambda op: (costs.POLL_US.middle, f"poll {op.address:#x}"),
}


def _cost(op: Any) -> tuple[float, str]:
    """The modelled cycles of an operation, and what it is called."""
    us, says = _COSTS.get(type(op), lambda op: (0.0, type(op).__name__))(op)
    return us * costs.CYCLES_PER_US, says
