"""Why nothing moves: what waits for what, in words, with the source line of each core's wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Mapping

from npuninja.arch.devices import DATA_WINDOW_BYTES
from npuninja.arch.registers import ACCUMULATOR_CONTROL, tile_address
from npuninja.emulator import layout, state
from npuninja.emulator.errors import Deadlock, Note
from npuninja.emulator.lock_releases import releasers
from npuninja.emulator.state import ActorState
from npuninja.emulator.stream_trace import ReadRegister, origins, port_name
from npuninja.errors import Location
from npuninja.formats.core_abi import OWN_DATA
from npuninja.formats.core_image import CoreInfo, Wait

#: `SINK_CORE` in engine/engine.h: a receiver that is a core, by its tile.
SINK_CORE = 0x2000
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
    """The names of locks by number, as the cores' modules have them."""
    return {lock.number: lock.symbol for info in cores.values() for lock in info.locks}


class Waiters:
    """Describes actors that wait.

    Args:
        states: of all actors.
        cores: what each core's module says, by tile number.
        read: reads a register.
        device: which tiles there are.
        left: by tile number, where in its code a core waits that was left in the middle of it.
    """

    def __init__(
        self,
        states: list[ActorState],
        cores: Mapping[int, CoreInfo],
        read: ReadRegister,
        device: layout.Geometry,
        left: Callable[[int], Location | None] = lambda tile: None,
    ) -> None:
        self._states = {s.actor: s for s in states}
        self._cores = cores
        self._read = read
        self._device = device
        self._left = left
        self._lock_symbols = lock_symbols(cores)
        for s in states:
            wait = self._wait_of_core(s)
            if wait is not None and wait.lock:
                self._lock_symbols[s.wait_a] = wait.lock

    def waiting(self) -> list[ActorState]:
        """Those with something left to do: the sequence, then what may be the cause, then the others."""
        waiting = [s for s in self._states.values() if s.waits]
        return sorted(waiting, key=lambda s: (not s.is_sequence, not self.is_cause(s), s.is_channel, s.actor))

    def is_cause(self, s: ActorState) -> bool:
        """Whether an actor waits for something that no other actor at work can bring."""
        if s.wait in (state.WAIT_LOCK_GE, state.WAIT_LOCK_EQ):
            return not self._releasers(s)
        if s.wait in (state.WAIT_DATA, state.WAIT_STREAM):
            senders = [o.actor for o in origins(self._read, self._device, s.actor) if o.actor is not None]
            return all(self._is_idle(sender) for sender in senders)
        if s.wait == state.WAIT_CASCADE_IN:
            return self._cascade_source(s) is None or self._is_idle(self._cascade_source(s) or 0)
        if s.wait == state.WAIT_CASCADE_OUT:
            return s.wait_b >= layout.TILES or self._is_idle(layout.FIRST_CORE_ACTOR + s.wait_b)
        if s.wait == state.WAIT_SINK:
            return self._is_idle(_receiving_actor(s.wait_a))
        if s.wait == state.WAIT_TOKEN:
            return self._is_idle(s.wait_a)
        return s.wait in (state.WAIT_ROUTE, state.WAIT_POLL)

    def _is_idle(self, actor: int) -> bool:
        found = self._states.get(actor)
        if found is not None and found.is_core:
            return bool(found.state)
        return found is None or found.state == state.IDLE

    def _cascade_source(self, s: ActorState) -> int | None:
        """The core whose cascade a core takes; None when none is set to send there."""
        tile = s.actor - layout.FIRST_CORE_ACTOR
        source = tile - layout.ROWS_PER_COLUMN if s.wait_a else tile + 1
        if source < 0 or not self._device.is_core_tile(source):
            return None
        control = self._read(tile_address(*layout.tile_place(source), ACCUMULATOR_CONTROL))
        return layout.FIRST_CORE_ACTOR + source if control >> 1 & 1 == s.wait_a else None

    def _wait_of_core(self, s: ActorState) -> Wait | None:
        if not s.is_core or s.tasks_done:
            return None
        info = self._cores.get(s.actor - layout.FIRST_CORE_ACTOR)
        return next((w for w in info.waits if w.point == s.bd), None) if info is not None else None

    def location(self, s: ActorState) -> Location | None:
        """Where a core waits, in the design's file."""
        if s.is_core and s.tasks_done:
            return self._left(s.actor - layout.FIRST_CORE_ACTOR)
        wait = self._wait_of_core(s)
        return Location(wait.file, wait.line, wait.column) if wait is not None else None

    def sentence(self, s: ActorState) -> str:
        """What waits for what."""
        what = self._reason(s)
        if not s.is_channel:
            return f"{s.name} {what}"
        buffer = self._buffer(s)
        return f"{s.name}, BD {s.bd}{buffer}, {what}"

    def _reason(self, s: ActorState) -> str:
        reason = _REASONS.get(s.wait)
        return reason(self, s) if reason else "has not begun"

    def _lock(self, s: ActorState) -> str:
        sign = ">=" if s.wait == state.WAIT_LOCK_GE else "=="
        lock = layout.lock_name(s.wait_a, self._lock_symbols)
        note = " (acquiring 0 always means ==)" if s.is_channel and not s.wait_b else ""
        names = [layout.actor_name(actor) for actor in self._releasers(s)]
        if not names:
            note += ", and nothing that is left releases it"
        elif len(names) <= _NAMED_RELEASERS:
            note += f", to be released by {' or '.join(names)}"
        return f"waits for {lock} {sign} {s.wait_b}, it is {s.lock_value}{note}"

    def _data(self, s: ActorState) -> str:
        return f"waits for {s.words_left} more words from the stream: {self._senders(s)}"

    def _stream(self, s: ActorState) -> str:
        return f"waits for a word from its stream: {self._senders(s)}"

    def _cascade_in(self, s: ActorState) -> str:
        return f"waits for its cascade from {'west' if s.wait_a else 'north'}: {self._cascade_sender(s)}"

    def _cascade_out(self, s: ActorState) -> str:
        side = "east" if s.wait_a else "south"
        if s.wait_b >= layout.TILES:
            return (
                f"puts into its cascade to {side}, where no core takes it (aie.cascade_flow sets both sides)"
            )
        return f"puts into its cascade to {side}, which {self._receiver_core(s.wait_b)} does not take"

    def _turn(self, s: ActorState) -> str:
        if s.wait_a:
            return "reads registers of its tile, or writes what is in them, again and again"
        return f"asks again and again whether its stream has a word or room: {self._senders(s)}"

    def _sink(self, s: ActorState) -> str:
        if s.is_core:
            return f"puts a word into its stream, which {self._receiver(s.wait_a)} does not take"
        return f"has {s.words_left} words left to send, which {self._receiver(s.wait_a)} does not take"

    def _arbiter(self, s: ActorState) -> str:
        tile, arbiter = divmod(s.wait_a, 8)
        owner = self._states.get(s.wait_b)
        holder = (
            f", which a packet of {owner.name} holds" if owner is not None and s.wait_b != s.actor else ""
        )
        return f"waits for arbiter {arbiter} of the switch of tile {layout.tile_place(tile)}{holder}"

    def _route(self, s: ActorState) -> str:
        return "cannot send: " + route_error(s.wait_a, s.wait_b, s.wait_c, self._device)

    def _token(self, s: ActorState) -> str:
        return f"waits until {layout.actor_name(s.wait_a)} completes a task: {self._why_no_token(s.wait_a)}"

    def _queue(self, s: ActorState) -> str:
        return (
            f"wants room in the task queue of {layout.actor_name(s.wait_a)} (on an NPU the task "
            "would be lost)"
        )

    def _poll(self, s: ActorState) -> str:
        value = self._read(s.wait_a)
        return (
            f"polls register 0x{s.wait_a:08x} until its bits 0x{s.wait_b:x} are 0x{s.wait_c:x}, "
            f"it is 0x{value:x}"
        )

    def _releasers(self, s: ActorState) -> list[int]:
        """What may still release the lock that an actor waits for, itself left out."""
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
        if info is None or not 0 <= offset < DATA_WINDOW_BYTES:
            return ""
        for buffer in info.buffers:
            if buffer.address <= OWN_DATA + offset < buffer.address + buffer.size_bytes:
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
            if origin.actor >= layout.FIRST_CORE_ACTOR:
                phrases.append(self._core_sender(origin.actor))
            elif sender is None or sender.state == state.IDLE:
                done = (
                    f"has no task left after {sender.tasks_done}"
                    if sender is not None
                    else "never had a task"
                )
                phrases.append(f"{name} {done}")
            else:
                phrases.append(f"{name} sends to it, and waits itself")
        return "; ".join(phrases) or "nothing sends to it"

    def _core_sender(self, actor: int) -> str:
        sender = self._states.get(actor)
        name = layout.actor_name(actor)
        if sender is None:
            return f"{name} has no program"
        return f"{name} has ended" if sender.state else f"{name} sends to it, and waits itself"

    def _cascade_sender(self, s: ActorState) -> str:
        source = self._cascade_source(s)
        return "no core is set to send there" if source is None else self._core_sender(source)

    def _receiver_core(self, tile: int) -> str:
        receiver = self._states.get(layout.FIRST_CORE_ACTOR + tile)
        name = layout.actor_name(layout.FIRST_CORE_ACTOR + tile)
        if receiver is None:
            return f"{name} (which has no program)"
        return f"{name} (which has ended)" if receiver.state else name

    def _receiver(self, sink: int) -> str:
        if sink & SINK_CORE:
            return self._receiver_core(sink & 63)
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
        """An actor's wait as data for JSON, with its sentence."""
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


def _receiving_actor(sink: int) -> int:
    """The actor of a stream's receiver; for control packets a number that no actor has."""
    if sink & SINK_CORE:
        return layout.FIRST_CORE_ACTOR + (sink & 63)
    return sink if sink < layout.CHANNELS else layout.SEQUENCE_ACTOR + 1


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
        hint = (
            "those that come first wait for something that no running actor can give; "
            "the others follow from them"
        )
    else:
        hint = (
            "they wait for each other in a circle: look for locks taken in different order, "
            "or for too few buffers"
        )
    if ended:
        hint = (
            "a core that has ended takes and gives nothing: "
            "its loop must run as often as all runs of the sequence together need, or for ever"
        )
    return Deadlock(
        f"deadlock: nothing can move any more, and {len(waiting)} actors wait",
        notes=tuple(notes),
        hint=hint,
        report={"waiters": [waiters.data(s) for s in waiting], "ended_cores": [s.name for s in ended]},
    )


_REASONS: dict[int, Callable[[Waiters, ActorState], str]] = {
    state.WAIT_LOCK_GE: Waiters._lock,
    state.WAIT_LOCK_EQ: Waiters._lock,
    state.WAIT_DATA: Waiters._data,
    state.WAIT_STREAM: Waiters._stream,
    state.WAIT_CASCADE_IN: Waiters._cascade_in,
    state.WAIT_CASCADE_OUT: Waiters._cascade_out,
    state.WAIT_TURN: Waiters._turn,
    state.WAIT_SINK: Waiters._sink,
    state.WAIT_ARBITER: Waiters._arbiter,
    state.WAIT_ROUTE: Waiters._route,
    state.WAIT_TOKEN: Waiters._token,
    state.WAIT_QUEUE: Waiters._queue,
    state.WAIT_POLL: Waiters._poll,
}
