"""What a finished run leaves behind, as data."""

from __future__ import annotations

from typing import Any

from npuninja.emulator import layout, state
from npuninja.emulator.checks.races import Race
from npuninja.emulator.state import ActorState
from npuninja.emulator.stray_writes import StrayWrite
from npuninja.emulator.stream_trace import ReadRegister, origins
from npuninja.records import NamedTuple

NEARLY_FULL = 0.75  # of a stack


class ChannelCount(NamedTuple):
    """What a DMA channel did in one run."""

    column: int
    row: int
    direction: str
    channel: int
    words: int
    bds: int
    tasks: int

    @property
    def name(self) -> str:
        """What a person calls the channel."""
        return layout.actor_name(layout.channel_number(*self[:4]))


class CoreCount(NamedTuple):
    """What a core did: steps of this run, whether it has ended, and the most stack it used since the start.

    A core of machine code has also the bundles it issued since the start (exact), its stalls by kind
    (modelled), and what lies after its stack; `stack_bytes` is the room up to there.
    """

    column: int
    row: int
    steps: int
    ended: bool
    stack_used_bytes: int
    stack_bytes: int
    issue_cycles: int | None = None
    stall_cycles: dict[str, int] | None = None
    behind_stack: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Its fields; those of machine code only where the core has any."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class RunReport(NamedTuple):
    """One run of the runtime sequence.

    Attributes:
        wall_time_s: time the emulation took on this machine; it says nothing about an NPU.
        channels: DMA channels that moved something.
        cores: all cores.
        unfinished: what was still at work in shim channels when the sequence was done. On an NPU the host may
            read such a buffer before it is complete: the sequence lacks a wait.
        stray_writes: what cores' tiles hold outside every buffer since loading: a kernel writes too far.
        races: what a run with the check `races` found.
        lock_set_again: channel, descriptor, lock, value and number taken of the first lock set while
            descriptors of its tile had taken of it; () for none.
    """

    wall_time_s: float
    channels: tuple[ChannelCount, ...]
    cores: tuple[CoreCount, ...]
    unfinished: tuple[str, ...]
    stray_writes: tuple[StrayWrite, ...] = ()
    races: tuple[Race, ...] = ()
    lock_set_again: tuple[int, ...] = ()

    @property
    def overfilled(self) -> list[str]:
        """What `lock_set_again` means, as a sentence."""
        if not self.lock_set_again:
            return []
        channel, bd, lock, value, taken = self.lock_set_again
        return [
            f"{layout.lock_name(lock)} was set to {value} while BD {bd} of {layout.actor_name(channel)} had "
            f"taken {taken} of it, so that more objects are on their way than there are buffers, and some "
            "may be overwritten, on an NPU too: reset the channel before the lock is set"
        ]

    def remarks(self) -> list[str]:
        """Transfers that were not waited for, writes beyond buffers, stacks nearly full or too large."""
        remarks = [
            f"{transfer} when the runtime sequence ended: on an NPU the host may read that buffer too early; "
            "wait for it in the sequence (dma_wait)"
            for transfer in self.unfinished
        ]
        remarks += self.overfilled
        remarks += [f"{s.sentence}; an index in the kernel may be too large" for s in self.stray_writes]
        # The compiler for wasm keeps more in registers than Peano does, so on an NPU it is rather more.
        remarks += [
            f"core ({c.column}, {c.row}) used {c.stack_used_bytes} of its {c.stack_bytes} bytes of stack, "
            "and will use more on an NPU"
            for c in self.cores
            if c.issue_cycles is None and c.stack_used_bytes >= NEARLY_FULL * c.stack_bytes
        ]
        remarks += [
            f"the stack of core ({c.column}, {c.row}) takes {c.stack_used_bytes} bytes and reaches over "
            f"{c.behind_stack}, {c.stack_bytes} bytes after its start: they overwrite each other, on an "
            "NPU too; give the core a larger stack"
            for c in self.cores
            if c.issue_cycles is not None and c.stack_used_bytes > c.stack_bytes
        ]
        return remarks

    def to_json(self) -> dict[str, Any]:
        """The report as data for JSON."""
        return {
            "status": "completed",
            "wall_time_s": self.wall_time_s,
            "channels": [c._asdict() for c in self.channels],
            "cores": [c.to_json() for c in self.cores],
            "unfinished": list(self.unfinished),
            "stray_writes": [s._asdict() for s in self.stray_writes],
            "races": [race.data for race in self.races],
        }


def unfinished_transfers(
    states: list[ActorState], read: ReadRegister, device: layout.Geometry
) -> tuple[str, ...]:
    """Sentences about shim channels that still wait for data to write to the host.

    Channels that no MM2S channel can send to are left out: a trace buffer is never full.
    """
    return tuple(
        f"{s.name} had not finished BD {s.bd}"
        for s in states
        if s.is_channel
        and s.state != state.IDLE
        and _writes_host(s.actor, device)
        and any(origin.actor is not None for origin in origins(read, device, s.actor))
    )


def _writes_host(actor: int, device: layout.Geometry) -> bool:
    _, row, direction, _ = layout.channel_place(actor)
    return device.rows.kind(row) == "shim" and direction == "S2MM"


def channel_counts(before: list[ActorState], after: list[ActorState]) -> tuple[ChannelCount, ...]:
    """What each channel did between two states."""
    old = {s.actor: s for s in before}
    counts = []
    for s in after:
        if not s.is_channel:
            continue
        start = old.get(s.actor)
        words = s.words_moved - (start.words_moved if start else 0)
        bds = s.bds_done - (start.bds_done if start else 0)
        tasks = s.tasks_done - (start.tasks_done if start else 0)
        if words or bds:
            counts.append(ChannelCount(*layout.channel_place(s.actor), words, bds, tasks))
    return tuple(counts)
