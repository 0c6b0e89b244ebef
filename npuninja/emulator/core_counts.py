"""What the cores have done in a run, and what their data memory looks like after it."""

from __future__ import annotations

from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.emulator import layout
from npuninja.emulator.array import Array
from npuninja.emulator.core_faults import full_stack
from npuninja.emulator.cores import EmulatedCore
from npuninja.emulator.run_report import CoreCount
from npuninja.emulator.state import ActorState
from npuninja.emulator.stray_writes import StrayWrite, stray_writes

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore


def core_counts(
    array: Array,
    cores: Mapping[int, EmulatedCore],
    machine_cores: Mapping[int, MachineCore],
    before: list[ActorState],
    now: list[ActorState],
) -> tuple[tuple[CoreCount, ...], tuple[StrayWrite, ...]]:
    """The cores' counts by tile, and bytes that were written where no buffer is.

    Args:
        array: has the memories.
        cores, machine_cores: its cores by tile.
        before, now: what every actor had done before the run, and has now.

    Raises:
        EmulationError: a core has used all of its stack, and what lies after it may be another's.
    """
    steps = {s.actor: s.words_moved for s in before}
    counts: list[CoreCount] = []
    strays: list[StrayWrite] = []
    for s in now:
        if not s.is_core:
            continue
        tile = s.actor - layout.FIRST_CORE_ACTOR
        done = s.words_moved - steps.get(s.actor, 0)
        if tile in machine_cores:
            counts.append(_machine_count(array, machine_cores[tile], done, bool(s.state)))
            continue
        core = cores[tile]
        memory = array.data_memory(tile)
        used = core.stack_used_bytes(memory)
        if used == core.info.stack_bytes and core.stack_may_meet_neighbour:
            raise full_stack(core)
        strays += stray_writes(core.info, memory)
        counts.append(CoreCount(*layout.tile_place(tile), done, bool(s.state), used, core.info.stack_bytes))
    return tuple(counts), tuple(strays)


def _machine_count(array: Array, core: MachineCore, steps: int, ended: bool) -> CoreCount:
    stack = core.stack(array.read32)
    return CoreCount(
        *layout.tile_place(core.tile),
        steps,
        ended,
        stack_used_bytes=stack.used_bytes,
        stack_bytes=stack.room_bytes,
        issue_cycles=core.issue_cycles(),
        stall_cycles=core.stall_cycles(),
        behind_stack=stack.behind,
    )
