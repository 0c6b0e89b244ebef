"""What can still release a lock: for reports, where a lock that nothing can release may be the cause."""

from __future__ import annotations

from collections.abc import Iterable

from npuninja.emulator import layout, state
from npuninja.emulator.chained_bds import chain_of
from npuninja.emulator.state import ActorState
from npuninja.emulator.stream_trace import ReadRegister


def _released_by_channel(read: ReadRegister, device: layout.Geometry, channel: ActorState) -> set[int]:
    """Locks that the chain of BDs at which a channel is releases."""
    tile = channel.actor // layout.CHANNELS_PER_TILE
    chain = chain_of(read, device, tile, channel.bd)
    return {bd.releases for bd in chain if bd.releases is not None}


def _core_reaches(core_tile: int, lock: int) -> bool:
    """Whether a core can use a lock: of its own tile, or its southern, western or northern neighbour."""
    tile = lock // layout.LOCKS_PER_TILE
    return tile in (core_tile, core_tile - 1, core_tile + 1, core_tile - layout.ROWS_PER_COLUMN)


def releasers(
    lock: int, states: Iterable[ActorState], read: ReadRegister, device: layout.Geometry
) -> list[int]:
    """The actors that may release `lock` in what they have left to do: channels by their BDs, and every core
    that has not ended and can reach the lock (what it does next is not known).
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
