"""Why nothing moves: who waits for what, in words, with the source line of each core's wait."""

from __future__ import annotations

from typing import Any, Mapping

from npuninja.emulator import layout, state
from npuninja.emulator.errors import Deadlock, Note
from npuninja.emulator.lock_releases import releasers
from npuninja.emulator.state import ActorState
from npuninja.emulator.stream_trace import ReadRegister, origins, port_name
from npuninja.errors import Location
from npuninja.formats.core_image import CoreInfo, Wait

#: Waiters that are put into words; a large design has hundreds.
_SHOWN_WAITERS = 20
#: More possible releasers than this are not named: then they are most of the neighbourhood.
_NAMED_RELEASERS = 2
#: `RouteError` in engine/engine.h: no way for a stream.
ROUTE_ERRORS = {
    1: "the switch's port {slave} of tile {tile} is not enabled",
    2: "nothing takes the stream from port {slave} of tile {tile}",
    3: "port {slave} of tile {tile} has no rule for the packet",
    4: "port {master} of tile {tile} leads out of the array",
    5: "the shim multiplexer of tile {tile} does not join the stream with the DMA",
    6: "port {slave} of tile {tile} takes packets, and the stream has no header",
}


def lock_symbols(cores: Mapping[int, CoreInfo]) -> dict[int, str]:
    """The names of locks by number, as the cores' modules tell them."""
    return {lock.number: lock.symbol for info in cores.values() for lock in info.locks}


class Waiters:
    """Describes actors that wait.

    Args:
        states: of all actors.
        cores: what each core's module says, by tile number.
        read: reads a register.
        device: which tiles there are.
    """

    def __init__(
        self,
        states: list[ActorState],
        cores: Mapping[int, CoreInfo],
        read: ReadRegister,
        device: layout.Geometry,
    ) -> None:
        self._states = {s.actor: s for s in states}
        self._cores = cores
        self._read = read
        self._device = device
        self._lock_symbols = lock_symbols(cores)
        for s in states:
            wait = self._wait_of_core(s)
            if wait is not None and wait.lock:
                self._lock_symbols[s.wait_a] = wait.lock

    def waiting(self) -> list[ActorState]:
        """Those that still have something to do: the runtime sequence, then what may be the cause, then the
        others.
        """
        waiting = [s for s in self._states.values() if s.waits]
        return sorted(waiting, key=lambda s: (not s.is_sequence, not self.is_cause(s), s.is_channel, s.actor))

    def is_cause(self, s: ActorState) -> bool:
        """Whether an actor waits for something that no other actor at work can bring."""
        if s.wait in (state.WAIT_LOCK_GE, state.WAIT_LOCK_EQ):
            return not self._releasers(s)
        if s.wait == state.WAIT_DATA:
            senders = [o.actor for o in origins(self._read, self._device, s.actor) if o.actor is not None]
            return all(self._is_idle(sender) for sender in senders)
        if s.wait == state.WAIT_SINK:
            return s.wait_a >= layout.CHANNELS or self._is_idle(s.wait_a)
        if s.wait == state.WAIT_TOKEN:
            return self._is_idle(s.wait_a)
        return s.wait in (state.WAIT_ROUTE, state.WAIT_POLL)

    def _is_idle(self, channel: int) -> bool:
        found = self._states.get(channel)
        return found is None or found.state == state.IDLE

    def _wait_of_core(self, s: ActorState) -> Wait | None:
        if not s.is_core:
            return None
        info = self._cores.get(s.actor - layout.FIRST_CORE_ACTOR)
        return next((w for w in info.waits if w.point == s.bd), None) if info is not None else None

    def location(self, s: ActorState) -> Location | None:
        """Where a core waits, in the design's file."""
        wait = self._wait_of_core(s)
        return Location(wait.file, wait.line, wait.column) if wait is not None else None

    def sentence(self, s: ActorState) -> str:
        """Who waits for what."""
        what = self._reason(s)
        if not s.is_channel:
            return f"{s.name} {what}"
        buffer = self._buffer(s)
        return f"{s.name}, BD {s.bd}{buffer}, {what}"

    def _reason(self, s: ActorState) -> str:
        kind = s.wait
        if kind in (state.WAIT_LOCK_GE, state.WAIT_LOCK_EQ):
            sign = ">=" if kind == state.WAIT_LOCK_GE else "=="
            lock = layout.lock_name(s.wait_a, self._lock_symbols)
            note = " (acquiring 0 always means ==)" if s.is_channel and not s.wait_b else ""
            names = [layout.actor_name(actor) for actor in self._releasers(s)]
            if not names:
                note += ", and nobody who is left releases it"
            elif len(names) <= _NAMED_RELEASERS:
                note += f", to be released by {' or '.join(names)}"
            return f"waits for {lock} {sign} {s.wait_b}, it is {s.lock_value}{note}"
        if kind == state.WAIT_DATA:
            return f"waits for {s.words_left} more words from the stream: {self._senders(s)}"
        if kind == state.WAIT_SINK:
            return f"has {s.words_left} words left to send, which {self._receiver(s.wait_a)} does not take"
        if kind == state.WAIT_ARBITER:
            tile, arbiter = divmod(s.wait_a, 8)
            owner = self._states.get(s.wait_b)
            holder = (
                f", which a packet of {owner.name} holds" if owner is not None and s.wait_b != s.actor else ""
            )
            return f"waits for arbiter {arbiter} of the switch of tile {layout.tile_place(tile)}{holder}"
        if kind == state.WAIT_ROUTE:
            return "cannot send: " + route_error(s.wait_a, s.wait_b, s.wait_c, self._device)
        if kind == state.WAIT_TOKEN:
            return (
                f"waits until {layout.actor_name(s.wait_a)} completes a task: {self._why_no_token(s.wait_a)}"
            )
        if kind == state.WAIT_QUEUE:
            return f"wants room in the task queue of {layout.actor_name(s.wait_a)} (on an NPU the task would be lost)"
        if kind == state.WAIT_POLL:
            value = self._read(s.wait_a)
            return f"polls register 0x{s.wait_a:08x} until its bits 0x{s.wait_b:x} are 0x{s.wait_c:x}, it is 0x{value:x}"
        return "has not begun"

    def _releasers(self, s: ActorState) -> list[int]:
        """Who may still release the lock that an actor waits for, itself left out."""
        return [
            actor
            for actor in releasers(s.wait_a, self._states.values(), self._read, self._device)
            if actor != s.actor
        ]

    def ended_cores(self) -> list[ActorState]:
        """Cores that have come to their end."""
        return [s for s in self._states.values() if s.is_core and s.state]

    def _buffer(self, s: ActorState) -> str:
        """` (buffer 'x')`, when a core knows the buffer of the channel's BD."""
        tile = s.actor // layout.CHANNELS_PER_TILE
        offset = s.base - layout.tile_engine_address(tile)
        info = self._cores.get(tile)
        if info is None or not 0 <= offset < 0x10000:
            return ""
        for buffer in info.buffers:
            if buffer.address <= 0x70000 + offset < buffer.address + buffer.size_bytes:
                return f" (buffer '{buffer.symbol}')"
        return ""

    def _senders(self, s: ActorState) -> str:
        phrases = []
        for origin in origins(self._read, self._device, s.actor):
            if origin.actor is None:
                phrases.append(origin.reason)
                continue
            sender = self._states.get(origin.actor)
            name = layout.actor_name(origin.actor)
            if sender is None or sender.state == state.IDLE:
                done = (
                    f"has no task left after {sender.tasks_done}"
                    if sender is not None
                    else "never had a task"
                )
                phrases.append(f"{name} {done}")
            else:
                phrases.append(f"{name} sends to it, and waits itself")
        return "; ".join(phrases) or "nothing sends to it"

    def _receiver(self, sink: int) -> str:
        if sink >= layout.CHANNELS:
            return f"tile {layout.tile_place(sink & 63)}"
        receiver = self._states.get(sink)
        name = layout.actor_name(sink)
        if receiver is None or receiver.state == state.IDLE:
            return f"{name} (which has no task)"
        return name

    def _why_no_token(self, actor: int) -> str:
        channel = self._states.get(actor)
        if channel is None or (channel.state == state.IDLE and not channel.tasks_done):
            return "it has no task"
        if channel.state == state.IDLE:
            return f"it is idle after {channel.tasks_done} tasks, and no token of them is left"
        return f"it is at BD {channel.bd} with {channel.words_left} words to go"

    def data(self, s: ActorState) -> dict[str, Any]:
        """The same as `sentence`, as data."""
        result: dict[str, Any] = {"actor": s.name, "why": self.sentence(s), "may_be_cause": self.is_cause(s)}
        if s.is_channel:
            column, row, direction, channel = layout.channel_place(s.actor)
            result.update(
                tile=[column, row], direction=direction, channel=channel, bd=s.bd, words_left=s.words_left
            )
        elif s.is_core:
            result["tile"] = list(layout.tile_place(s.actor - layout.FIRST_CORE_ACTOR))
        else:
            result["offset"] = s.bd
        if s.wait in (state.WAIT_LOCK_GE, state.WAIT_LOCK_EQ):
            column, row, lock = layout.lock_place(s.wait_a)
            result["lock"] = {
                "tile": [column, row],
                "id": lock,
                "symbol": self._lock_symbols.get(s.wait_a),
                "value": s.lock_value,
                "wanted": s.wait_b,
                "comparison": ">=" if s.wait == state.WAIT_LOCK_GE else "==",
                "releasers": [layout.actor_name(actor) for actor in self._releasers(s)],
            }
        where = self.location(s)
        if where is not None:
            result["location"] = str(where)
        return result


def route_error(error: int, tile: int, port: int, device: layout.Geometry) -> str:
    """Why a stream finds no way, in words."""
    kind = device.kind(tile)
    names = {"slave": port_name(kind, port, master=False), "master": port_name(kind, port, master=True)}
    return ROUTE_ERRORS[error].format(tile=layout.tile_place(tile), **names)


def deadlock(waiters: Waiters) -> Deadlock:
    """The error for a standstill."""
    waiting = waiters.waiting()
    ended = waiters.ended_cores()
    causes = sum(waiters.is_cause(s) for s in waiting)
    notes: list[Note] = [(waiters.sentence(s), waiters.location(s)) for s in waiting[:_SHOWN_WAITERS]]
    if len(waiting) > _SHOWN_WAITERS:
        notes.append((f"{len(waiting) - _SHOWN_WAITERS} more wait; the JSON report has them all", None))
    notes += [(f"{s.name} has ended", None) for s in ended]
    if causes:
        hint = "those that come first wait for something that nobody at work can bring; the others follow from them"
    else:
        hint = "they wait for each other in a circle: look for locks taken in different order, or for too few buffers"
    if ended:
        hint = (
            "a core that has ended serves nobody: its loop must run as often as all runs of the sequence together need, or "
            "for ever"
        )
    return Deadlock(
        f"deadlock: nothing can move any more, and {len(waiting)} actors wait",
        notes=tuple(notes),
        hint=hint,
        report={"waiters": [waiters.data(s) for s in waiting], "ended_cores": [s.name for s in ended]},
    )
