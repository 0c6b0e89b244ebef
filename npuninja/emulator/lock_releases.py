"""What can still release a lock: for reports, where a lock that nobody can release any more is the cause to
look for.
"""

from __future__ import annotations

from collections.abc import Iterable

from npuninja.arch.devices import MEMTILE_LOCK_BASES
from npuninja.arch.registers import bd_offset, tile_address
from npuninja.emulator import layout, state
from npuninja.emulator.state import ActorState
from npuninja.emulator.stream_trace import ReadRegister

_MEMTILE_STEP = {"west": -layout.ROWS_PER_COLUMN, "own": 0, "east": layout.ROWS_PER_COLUMN}


def _next_and_release(
    read: ReadRegister, device: layout.Geometry, tile: int, bd: int
) -> tuple[int | None, int | None]:
    """The BD that follows a BD, and the number of the lock it releases (device.md: buffer descriptors)."""
    column, row = layout.tile_place(tile)
    kind = device.rows.kind(row)
    start = tile_address(column, row, bd_offset(kind, bd))
    if kind == "mem":
        chain, control = read(start + 4), read(start + 28)
        following = chain >> 20 & 63 if chain >> 19 & 1 else None
        if not control >> 24 & 0x7F:
            return following, None
        window, lock = divmod(control >> 16 & 0xFF, layout.LOCKS_PER_TILE)
        names = {base // layout.LOCKS_PER_TILE: name for name, base in MEMTILE_LOCK_BASES.items()}
        owner = tile + _MEMTILE_STEP[names.get(window, "own")]
        return following, layout.LOCKS_PER_TILE * owner + lock
    control = read(start + (20 if kind == "core" else 28))
    following = control >> 27 & 15 if control >> 26 & 1 else None
    releases = control >> 18 & 0x7F
    return following, layout.LOCKS_PER_TILE * tile + (control >> 13 & 15) if releases else None


def _released_by_channel(read: ReadRegister, device: layout.Geometry, channel: ActorState) -> set[int]:
    """Locks that the chain of BDs at which a channel stands releases."""
    tile = channel.actor // layout.CHANNELS_PER_TILE
    locks, seen = set(), set()
    bd: int | None = channel.bd
    while bd is not None and bd not in seen:
        seen.add(bd)
        bd, lock = _next_and_release(read, device, tile, bd)
        if lock is not None:
            locks.add(lock)
    return locks


def _core_reaches(core_tile: int, lock: int) -> bool:
    """Whether a core can use a lock: its own tile's, or those of its southern, western and northern
    neighbours.
    """
    tile = lock // layout.LOCKS_PER_TILE
    return tile in (core_tile, core_tile - 1, core_tile + 1, core_tile - layout.ROWS_PER_COLUMN)


def releasers(
    lock: int, states: Iterable[ActorState], read: ReadRegister, device: layout.Geometry
) -> list[int]:
    """The actors that may release `lock` in what they have left to do: channels by their BDs, and every core
    that has not
    ended and can reach the lock (what it does next is not known).
    """
    found = []
    for s in states:
        if s.is_channel:
            can = s.state != state.IDLE and lock in _released_by_channel(read, device, s)
        else:
            can = s.is_core and not s.state and _core_reaches(s.actor - layout.FIRST_CORE_ACTOR, lock)
        if can:
            found.append(s.actor)
    return found
