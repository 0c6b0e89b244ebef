"""What the engine says about its actors: cores, DMA channels and the runtime sequence."""

from __future__ import annotations

import struct

from npuninja.emulator import layout
from npuninja.records import NamedTuple

#: `ActorState` in engine/scheduler.c: ten words, the wait (four words), the lock's value, words moved.
_STATE = struct.Struct("<10I4IixxxxQ")
STATE_BYTES = _STATE.size

#: `WaitKind` in engine/engine.h.
WAIT_NONE, WAIT_LOCK_GE, WAIT_LOCK_EQ, WAIT_DATA, WAIT_SINK = range(5)
WAIT_ARBITER, WAIT_ROUTE, WAIT_TOKEN, WAIT_QUEUE, WAIT_POLL = range(5, 10)
WAIT_STREAM, WAIT_CASCADE_IN, WAIT_CASCADE_OUT, WAIT_TURN = range(10, 14)
#: Channel states.
IDLE, LOADED, HEADER, MOVING = range(4)


class ActorState(NamedTuple):
    """One actor. Of a core, `state` is 1 when it has ended, `bd` its resume point, `tasks_done` 1 when it was
    left in the middle of its code, `words_moved` its steps; of the runtime sequence, `state` is 1 when it is
    done, `bd` the offset of the operation at which it is.
    """

    actor: int
    state: int
    bd: int
    bds_done: int
    tasks_done: int
    queued: int
    words_left: int
    words_arrived: int
    tokens: int
    base: int
    wait: int
    wait_a: int
    wait_b: int
    wait_c: int
    lock_value: int
    words_moved: int

    @property
    def name(self) -> str:
        """What a person calls the actor."""
        return layout.actor_name(self.actor)

    @property
    def is_channel(self) -> bool:
        """Whether it is a DMA channel."""
        return self.actor < layout.FIRST_CORE_ACTOR

    @property
    def is_core(self) -> bool:
        """Whether it is a core."""
        return layout.FIRST_CORE_ACTOR <= self.actor < layout.SEQUENCE_ACTOR

    @property
    def is_sequence(self) -> bool:
        """Whether it is the runtime sequence."""
        return self.actor == layout.SEQUENCE_ACTOR

    @property
    def waits(self) -> bool:
        """Whether it still has something to do and cannot."""
        if self.is_channel:
            return self.state != IDLE
        return not self.state and self.wait != WAIT_NONE


def read_states(data: bytes) -> list[ActorState]:
    """The records that the engine's `describe` wrote."""
    return [ActorState._make(fields) for fields in _STATE.iter_unpack(data)]
