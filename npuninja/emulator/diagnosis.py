"""Why a run did not end well: a trap, a deadlock, time that is up, races, as the errors that say so."""

from __future__ import annotations

from collections.abc import Mapping

import wasmtime

from npuninja import TYPE_CHECKING
from npuninja.emulator import layout
from npuninja.emulator.array import Array, unexpected
from npuninja.emulator.checks.accesses import bad_access
from npuninja.emulator.checks.races import Race, RaceReader
from npuninja.emulator.core_faults import core_trap, endless, own_frames
from npuninja.emulator.cores import EmulatedCore
from npuninja.emulator.deadlock import Waiters
from npuninja.emulator.errors import EmulationError, TimeLimit
from npuninja.emulator.faults import FAULT_ACCESS, MACHINE_CORE_FAULT, Known, engine_fault
from npuninja.emulator.host_memory import HostMemory
from npuninja.emulator.run_report import channel_counts
from npuninja.emulator.state import ActorState
from npuninja.errors import Location

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore

#: Channels that are named when the array does not come to rest.
_BUSIEST = 3


class Diagnosis:
    """Reads the state of an array after it stopped.

    Args:
        array: the array.
        cores: its cores by tile, as they are at the time.
        machine_cores: the same for cores of machine code.
        host: its buffers.
        checks: what is watched.
    """

    def __init__(
        self,
        array: Array,
        cores: Mapping[int, EmulatedCore],
        machine_cores: Mapping[int, MachineCore],
        host: HostMemory,
        checks: frozenset[str],
    ) -> None:
        self._array = array
        self._cores = cores
        self._machine_cores = machine_cores
        self._host = host
        self._checks = checks
        self.interrupted_after_s: float | None = None
        """The time limit of the caller, where that is what interrupted the run."""

    def explain(self, trap: wasmtime.Trap, time_limit_s: float, counted: list[ActorState]) -> EmulationError:
        """The error that a trap of the engine or of a core stands for.

        Args:
            trap: what ended the run.
            time_limit_s: the limit of the run.
            counted: what every actor had done before the run.
        """
        self._array.store.set_epoch_deadline(1 << 30)  # what follows may take its time
        record = self._array.fault()
        if record[0] == MACHINE_CORE_FAULT:
            return self._machine_cores[record[1]].fault()
        if record[0] == FAULT_ACCESS and record[1] in self._machine_cores:
            _, _, _, address, size, site = record[:6]
            return self._machine_cores[record[1]].bad_access(address, size, site)
        if record[0] == FAULT_ACCESS:
            touching = self._cores[record[1]]
            return bad_access(record[1:], touching, touching.frames(trap), self._cores)
        if record[0]:
            known = Known(
                self._host.ranges(),
                {tile: core.info for tile, core in self._cores.items()},
                self._array.device,
            )
            return engine_fault(record, known)
        tile = self._array.current_actor() - layout.FIRST_CORE_ACTOR
        core = self._cores.get(tile)
        if trap.trap_code == wasmtime.TrapCode.INTERRUPT:
            time_limit_s = time_limit_s if self.interrupted_after_s is None else self.interrupted_after_s
            if tile in self._machine_cores:
                return self._machine_cores[tile].endless(time_limit_s)
            if core is None:
                return self.still_moving(time_limit_s, counted)
            return endless(core, trap, time_limit_s)
        if core is None:
            raise unexpected(trap) from trap
        return core_trap(core, trap, "memory" in self._checks)

    def waiters(self) -> Waiters:
        """What waits for what at this moment."""
        cores = {tile: core.info for tile, core in self._cores.items()}
        return Waiters(self._array.states(), cores, self._array.read32, self._array.device, self._left_at)

    def _left_at(self, tile: int) -> Location | None:
        """Where a core waits that was left in the middle of its code."""
        core = self._cores.get(tile)
        frames = own_frames(core.suspended_frames()) if core is not None else []
        return frames[0][1] if frames else None

    def still_moving(self, time_limit_s: float, counted: list[ActorState]) -> TimeLimit:
        """The error of a run whose time is up while the array moves; `counted` as for `explain`."""
        waiters = self.waiters()
        waiting = [s for s in waiters.waiting() if s.is_sequence or s.is_core]
        counts = sorted(channel_counts(counted, self._array.states()), key=lambda c: -c.bds)
        busy = [(f"{c.name} completed {c.bds} BDs in this run", None) for c in counts[:_BUSIEST]]
        return TimeLimit(
            f"the sequence is not done after {time_limit_s:g} s, and the array still moves",
            notes=(*busy, *[(waiters.sentence(s), waiters.location(s)) for s in waiting]),
            hint="raise the time limit, or look for a chain of BDs that repeats without waiting for a lock",
            report={"time_limit_s": time_limit_s, "waiters": [waiters.data(s) for s in waiting]},
        )

    def races(self) -> list[Race]:
        """What the check `races` found since the last run began, also when it failed."""
        machine_code = {tile: core.where for tile, core in self._machine_cores.items()}
        reader = RaceReader(
            self._cores, self._array.read32, self._host.name_of, self._array.device, machine_code
        )
        return reader.races(self._array.race_records())
