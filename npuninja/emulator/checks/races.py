"""Accesses that nothing orders, as findings with both places and what would order them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from npuninja.arch.devices import DATA_WINDOW_BYTES, DATA_WINDOWS
from npuninja.arch.registers import TILE_BYTES
from npuninja.emulator import layout
from npuninja.emulator.chained_bds import read_bd
from npuninja.emulator.core_faults import own_frames
from npuninja.emulator.cores import NEIGHBOUR_STEPS, EmulatedCore
from npuninja.emulator.deadlock import lock_symbols
from npuninja.errors import Location, WrongResult
from npuninja.records import NamedTuple

#: A record of engine/checks.c: kind, which of the two write, actor and site of each, address, how often.
RECORD = struct.Struct("<8I")
MEMORY, HOST, HOST_READS, BD_REWRITTEN, BD_LATE = range(1, 6)
_KINDS = {MEMORY: "memory", HOST: "host", HOST_READS: "host reads", BD_REWRITTEN: "bd", BD_LATE: "bd"}
#: What orders two accesses to host memory.
_WAIT = (
    "wait in the sequence for {named} (issue_token and dma_wait, "
    "or dma_await_task) before the transfer of {other} is started"
)
#: Of what a sequence does too early, what happens and what helps.
_OF_SEQUENCE = {
    HOST_READS: (
        "{named} writes {buffer}, and the sequence ends without having waited for it: "
        "the host may read too early",
        "give the transfer issue_token = true and wait for it (dma_wait, npu.sync or dma_await_task)",
    ),
    BD_REWRITTEN: (
        "the sequence rewrites {bd}, and nothing tells it that {name} has finished with it",
        "give each transfer in flight an id of its own, or wait for the one before (dma_wait); free a task "
        "(dma_free_task, the end of a TaskGroup) only after the wait for what needs its data",
    ),
    BD_LATE: (
        "{name} loads {bd}, and nothing tells whether before or after the sequence wrote it",
        "write a BD before the task that uses it is started, and wait for the task before writing it again",
    ),
}


class Race(WrongResult):
    """Two accesses, one of them a write, that nothing orders; `data` is the same as a dictionary."""

    def __init__(
        self,
        message: str,
        location: Location | None,
        *,
        hint: str,
        notes: tuple[tuple[str, Location | None], ...],
        data: dict[str, Any],
    ) -> None:
        super().__init__(message, location, hint=hint, notes=notes)
        self.data = data


class _Side(NamedTuple):
    """One of the two: its name, what it does, where in the sources; `key` tells it from others."""

    actor: int
    named: str
    verb: str
    location: Location | None
    callers: tuple[tuple[str, Location | None], ...]
    site: int

    @property
    def key(self) -> tuple[object, ...]:
        place = (self.location.file, self.location.line) if self.location else self.site
        return (self.actor, self.verb, place)


class RaceReader:
    """Makes findings of the engine's records.

    Args:
        cores: the checked cores by tile.
        read: a register of the array.
        host_name: a phrase for an offset in host memory.
        device: which tiles there are.
        machine_code: by tile, of cores of machine code: a phrase for an address of their program.
    """

    def __init__(
        self,
        cores: Mapping[int, EmulatedCore],
        read: Callable[[int], int],
        host_name: Callable[[int], str],
        device: layout.Geometry,
        machine_code: Mapping[int, Callable[[int], str]] | None = None,
    ) -> None:
        self._device = device
        self._machine_code = machine_code or {}
        self._cores = cores
        self._read = read
        self._host_name = host_name
        self._symbols = lock_symbols({tile: core.info for tile, core in cores.items()})

    def races(self, records: bytes) -> list[Race]:
        """A finding for each pair of places, in the order they were met."""
        found: dict[tuple[object, ...], Race] = {}
        for kind, writes, first, first_site, second, second_site, address, _ in RECORD.iter_unpack(records):
            a = self._side(first, first_site, writes & 1, kind)
            b = self._side(second, second_site, writes >> 1, kind)
            buffer = self._buffer(kind, address)
            places = (a.key,) if kind == BD_REWRITTEN else (b.key,) if kind == BD_LATE else (a.key, b.key)
            key = (kind, buffer, *sorted(places, key=repr))
            if key not in found:
                found[key] = self._finding(kind, a, b, buffer)
        return list(found.values())

    def _finding(self, kind: int, a: _Side, b: _Side, buffer: str) -> Race:
        # The place in a source file comes first: that is where one can do something.
        first, second = (b, a) if a.location is None and b.location is not None else (a, b)
        notes: list[tuple[str, Location | None]] = []
        if kind in (MEMORY, HOST):
            what = (
                f"{first.named} {first.verb} {buffer} and {second.named} {second.verb} it, "
                "and nothing orders the two"
            )
            hint = (
                self._order(a, b)
                if kind == MEMORY
                else _WAIT.format(named=a.named, other=layout.actor_name(b.actor))
            )
            notes = [(f"the other: {second.named} {second.verb} it", second.location), *second.callers]
        else:
            first = a if kind == HOST_READS else first
            side = b if kind == BD_LATE else a
            tile = layout.tile_place(side.actor // layout.CHANNELS_PER_TILE)
            what, hint = _OF_SEQUENCE[kind]
            what = what.format(
                named=a.named,
                buffer=buffer,
                bd=f"BD {side.site} of tile {tile}",
                name=layout.actor_name(side.actor),
            )
        data = {
            "kind": _KINDS[kind],
            "buffer": buffer,
            "accesses": [
                {
                    "actor": layout.actor_name(s.actor),
                    "does": s.verb,
                    "place": str(s.location) if s.location else s.named,
                }
                for s in (a, b)
            ],
            "order": hint,
        }
        notes = [*first.callers, *notes]
        return Race(f"race: {what}", first.location, hint=hint, notes=tuple(notes), data=data)

    # --- The two sides of a race.

    def _side(self, actor: int, site: int, writes: int, kind: int) -> _Side:
        verb = "writes" if writes else "reads"
        tile = actor - layout.FIRST_CORE_ACTOR
        if actor == layout.SEQUENCE_ACTOR:
            named = f"the runtime sequence (byte {site} of the instructions)" if site else "the host"
            return _Side(actor, named, verb, None, (), site)
        if actor < layout.FIRST_CORE_ACTOR:
            return _Side(actor, f"{layout.actor_name(actor)} (BD {site})", verb, None, (), site)
        core = self._cores.get(tile)
        frames = own_frames(core.site_frames(site)) if core else []
        name = layout.actor_name(actor)
        if tile in self._machine_code:
            return _Side(actor, f"{name} at {self._machine_code[tile](2 * site)}", verb, None, (), site)
        if not frames:
            return _Side(actor, name, verb, None, (), site)
        callers = tuple((f"inlined into {caller}", place) for caller, place in frames[1:])
        return _Side(actor, f"{name} in {frames[0][0]}", verb, frames[0][1], callers, site)

    # --- The memory that both touch.

    def _buffer(self, kind: int, address: int) -> str:
        if kind in (HOST, HOST_READS):
            return self._host_name(address - layout.DDR_BASE)
        if kind != MEMORY:
            return ""
        tile, offset = divmod(address - layout.ARRAY_BASE, TILE_BYTES)
        for other, core in self._cores.items():
            for window, start in DATA_WINDOWS.items():
                if other + NEIGHBOUR_STEPS.get(window, 0) != tile:
                    continue
                for buffer in core.info.buffers:
                    at = buffer.address - start
                    if 0 <= at < DATA_WINDOW_BYTES and at <= offset < at + max(buffer.size_bytes, 1):
                        return f"buffer '{buffer.symbol}' of tile {layout.tile_place(tile)}"
        for core in self._cores.values():
            for kept in core.info.tile_buffers:
                if (
                    layout.tile_number(kept.column, kept.row) == tile
                    and 0 <= offset - kept.address < kept.size_bytes
                ):
                    return f"buffer '{kept.symbol}' of tile {layout.tile_place(tile)}"
        own = self._cores.get(tile)
        if own is not None and offset < own.info.stack_bytes:
            return f"the stack of core {layout.tile_place(tile)}"
        return f"byte 0x{offset:x} of tile {layout.tile_place(tile)}"

    # --- What would order them.

    def _locks(self, side: _Side) -> tuple[int | None, int | None]:
        """The locks that a channel's BD acquires and releases; none of a shim's, which the host orders."""
        tile = side.actor // layout.CHANNELS_PER_TILE
        if self._device.kind(tile) == "shim":
            return None, None
        bd = read_bd(self._read, self._device, tile, side.site)
        return bd.acquires, bd.releases

    def _name(self, lock: int) -> str:
        return layout.lock_name(lock, self._symbols)

    def _order(self, a: _Side, b: _Side) -> str:
        channels = [s for s in (a, b) if s.actor < layout.FIRST_CORE_ACTOR]
        if len(channels) == 2:
            return self._order_of_channels(a, b)
        if channels:
            return self._order_with_channel(channels[0], b if channels[0] is a else a)
        name, other = layout.actor_name(a.actor), layout.actor_name(b.actor)
        if layout.SEQUENCE_ACTOR in (a.actor, b.actor):
            core = other if a.actor == layout.SEQUENCE_ACTOR else name
            return f"set a lock in the sequence (aiex.set_lock) after the write, and acquire it in {core}"
        return (
            f"{name} must release a lock after its access, "
            f"and {other} acquire it before{self._common_locks(a, b)}"
        )

    def _order_with_channel(self, channel: _Side, other: _Side) -> str:
        if other.actor == layout.SEQUENCE_ACTOR:
            return f"let the sequence wait for {channel.named}, or set a lock that its BD acquires"
        core = layout.actor_name(other.actor)
        taken, given = self._locks(channel)
        if taken is None and given is None:
            return (
                "the BD has no lock: give it an acquire and a release, "
                f"and let {core} take and give the same locks"
            )
        parts = []
        if given is not None:
            parts.append(f"acquire {self._name(given)} (which the BD releases) before it touches the buffer")
        if taken is not None:
            parts.append(
                f"release {self._name(taken)} (which the BD acquires) only when it has finished with it, "
                "once each time"
            )
        return f"{core} must {' and '.join(parts)}"

    def _order_of_channels(self, a: _Side, b: _Side) -> str:
        for x, y in ((a, b), (b, a)):
            given, taken = self._locks(x)[1], self._locks(y)[0]
            if given is not None and given == taken:
                return f"{self._name(given)} has more units than there are buffers, or is released too often"
        if a.actor == b.actor:
            return "the channel's BDs need a lock each time they use the buffer"
        return f"let the BD of {a.named} release a lock that the BD of {b.named} acquires"

    def _common_locks(self, a: _Side, b: _Side) -> str:
        waits = []
        for side in (a, b):
            core = self._cores.get(side.actor - layout.FIRST_CORE_ACTOR)
            waits.append({w.lock for w in core.info.waits if w.lock} if core else set())
        common = sorted(waits[0] & waits[1])
        return f" (both use {', '.join(repr(name) for name in common[:4])})" if common else ""
