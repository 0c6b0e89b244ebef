"""The emulated array as a host sees it: configured once from an XCLBIN, then run as often as wanted."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence

from npuninja.arch.families import SHARED_ROWS, Rows
from npuninja.arch.registers import (
    CORE_CONTROL,
    CORE_CONTROL_ENABLE,
    tile_address,
)
from npuninja.emulator import layout
from npuninja.emulator.array import RUN_DEADLOCK, RUN_DONE, RUN_LOAD_PDI, RUN_MORE, RUN_START_CORE, Array
from npuninja.emulator.array_access import ArrayAccess
from npuninja.emulator.checks import check_bits
from npuninja.emulator.configuration import LoadedDesign, loaded_cores, read_design
from npuninja.emulator.core_counts import core_counts
from npuninja.emulator.deadlock import deadlock
from npuninja.emulator.errors import InvalidAccess
from npuninja.emulator.event_log import Event
from npuninja.emulator.faults import without_program
from npuninja.emulator.host_memory import HostBuffer
from npuninja.emulator.run_report import RunReport, channel_counts, unfinished_transfers
from npuninja.emulator.started_cores import StartedCores
from npuninja.emulator.state import ActorState
from npuninja.emulator.watchdog import Watchdog
from npuninja.errors import UserError
from npuninja.formats import txn
from npuninja.formats.cdo import Command
from npuninja.machine_code.program import program_pieces

#: Rounds of the scheduler between two looks at the clock; a round gives every actor one turn.
_ROUNDS = 1024
#: Rounds the array gets after a sequence to come to rest.
_SETTLE_ROUNDS = 4096
#: A core that is busy when time is up gets this long to come back before it is interrupted.
_GRACE_S = 0.2


class Emulator(ArrayAccess):
    """An emulated array with one design in it.

    Memories, locks and cores keep their state from one run to the next, as in a hardware context. After an
    error the state is lost and every further run fails.

    Args:
        columns: of the device, 1 to 8.
        rows: what the tiles of each row are; by default as in all NPUs so far.
        modules: core modules by sha256; the cores whose program memory holds their stubs are started.
        pdis: commands of configurations that the runtime sequence can load, by their number.
        log_events: keeps a log of what happened in `events`.
        checks: what is watched in every run, of `npuninja.emulator.checks.CHECKS`.
        schedule: 0 for the usual order of turns; another number below 2^32 is the seed of a drawn order.
        count_bundles: cores of machine code are interpreted and count how often each bundle is issued.
    """

    def __init__(
        self,
        columns: int,
        modules: Mapping[bytes, bytes] | None = None,
        pdis: Mapping[int, Sequence[Command]] | None = None,
        *,
        rows: Rows = SHARED_ROWS,
        log_events: bool = False,
        checks: frozenset[str] = frozenset(),
        schedule: int = 0,
        count_bundles: bool = False,
    ) -> None:
        self._design: LoadedDesign | None = None
        self._loaded: Sequence[Command] = ()
        array = Array(layout.Geometry(columns, rows))
        if checks and not array.call("can_check"):
            raise UserError(
                f"an array of {columns} columns and {rows.number} rows is too large for checks",
                hint="run the design without --check",
            )
        super().__init__(array, StartedCores(array, modules or {}, checks, count_bundles), checks)
        array.call("set_checks", check_bits(checks))
        array.call("set_schedule", schedule)
        array.call("log_events", int(log_events))
        self._watchdog = Watchdog(array.engine.increment_epoch)
        weakref.finalize(self, self._watchdog.close)
        self.at_end: Callable[[bytes, Sequence[Event], Sequence[bytes]], None] | None = None
        """Called when a sequence is done, with its stream, its events, and what its buffers held before."""
        self.loaded_by_number = False
        """Whether a sequence has loaded a PDI by its number."""
        self._cores_just_started = False
        self._pdis = {number: tuple(commands) for number, commands in (pdis or {}).items()}
        self._last_number = -1
        self.left_out: list[int] = []
        """PDIs that the last sequence was to load right after themselves, which a firmware leaves out."""
        self._log_events = log_events
        self.events: list[Event] = []

    @classmethod
    def from_xclbin(
        cls,
        xclbin: bytes,
        *,
        kernel: str | None = None,
        name: str = "xclbin",
        rows: Rows = SHARED_ROWS,
        log_events: bool = False,
        checks: frozenset[str] = frozenset(),
        schedule: int = 0,
        count_bundles: bool = False,
    ) -> Emulator:
        """A fresh array with a PDI of an XCLBIN loaded.

        Args:
            xclbin: the file's bytes.
            kernel: the kernel whose PDI is meant; by default the first PDI.
            name: of the file, for errors.
            rows, log_events, checks, schedule, count_bundles: see the class.

        Raises:
            UserError: the file is damaged or no XCLBIN of an NPU design, or a core's module is missing in it.
            DeviceError: the configuration cannot be executed.
        """
        design = read_design(xclbin, name)
        first = design.first_pdi(kernel)
        emulator = cls(
            design.columns,
            design.modules,
            design.loadable,
            rows=rows,
            log_events=log_events,
            checks=checks,
            schedule=schedule,
            count_bundles=count_bundles,
        )
        emulator._cores.file = name
        emulator._design, emulator._loaded = design, first
        try:
            emulator.configure(first)
        except BaseException:
            emulator.close()
            raise
        return emulator

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Configuration.

    def take_kernel(self, kernel: str) -> None:
        """Loads the array with the PDI of a kernel of the XCLBIN, unless the last run was that kernel's:
        an NPU then leaves it as it is.

        Raises:
            UserError: the XCLBIN has no such kernel, or a core's module is missing in it.
            DeviceError: the configuration cannot be executed.
        """
        wanted = self._design.first_pdi(kernel) if self._design is not None else self._loaded
        if wanted is not self._loaded and self._failure is None:
            self._load(wanted)
            self._loaded = wanted

    def configure(self, commands: Iterable[Command]) -> None:
        """Executes a CDO's commands, and starts the cores that it loads."""
        commands = tuple(commands)
        loaded = loaded_cores(commands, self.device.rows)
        for tile in loaded:
            self._cores.forget(tile)
        self._guard(lambda: self._array.apply(commands))
        pieces = program_pieces(commands, self.device.rows)
        for tile in sorted(loaded):
            self._cores.start(tile, pieces[layout.tile_place(tile)])
        for tile in self.device.tiles():
            if not self.device.is_core_tile(tile) or tile in self._cores:
                continue
            control = tile_address(*layout.tile_place(tile), CORE_CONTROL)
            if self._array.read32(control) & CORE_CONTROL_ENABLE:
                raise self._fail(without_program(tile))
        self._cores_just_started = True

    def offer(self, number: int, commands: Sequence[Command]) -> None:
        """Adds a configuration that the runtime sequence can load by a number."""
        self._pdis[number] = tuple(commands)

    # --- Running.

    def run(
        self,
        insts: bytes,
        buffers: Sequence[HostBuffer],
        time_limit_s: float = 10.0,
        *,
        starts: Sequence[int] = (),
    ) -> RunReport:
        """Executes a runtime sequence.

        Args:
            insts: the instruction stream (insts.bin).
            buffers: the sequence's arguments in order.
            time_limit_s: of this machine's time.
            starts: where in its buffer each argument begins; by default at the beginning.

        Raises:
            UserError: the stream is no instruction stream.
            DeviceError: the run failed: one of `npuninja.emulator.errors` says how, `report` has the data.
        """
        if self._failure is not None:
            raise InvalidAccess(
                f"the array's state was lost in an earlier run: {self._failure.message}",
                hint="load the design again",
            )
        started = time.perf_counter()
        txn.read_header(insts, "instructions")
        self.left_out = []
        first_event = len(self.events)
        before = (
            [bytes(b.view[s:]) for b, s in zip(buffers, starts or [0] * len(buffers))] if self.at_end else []
        )
        table = self._host.take_arguments(buffers, starts)
        self._guard(lambda: self._array.begin(insts, table, len(buffers)))
        self._array.store.set_epoch_deadline(1)
        self._watchdog.arm(time_limit_s + _GRACE_S)
        try:
            self._let_cores_start(started, time_limit_s)
            self._run_sequence(started, time_limit_s)
            at_end = self._array.states()
            self._settle(started, time_limit_s)
            if self.at_end is not None:
                self.at_end(insts, self.events[first_event:], before)
                self._settle(started, time_limit_s)
            if self.checks:
                self._array.call("check_run_end")
        finally:
            self._watchdog.disarm()
        wall_time_s = time.perf_counter() - started
        return self._report(wall_time_s, at_end)

    def interrupt(self, after_s: float | None = None) -> None:
        """From another thread: what the array executes at this moment ends with `TimeLimit`.

        Args:
            after_s: the time limit that the error names; by default that of the run.
        """
        self._diagnosis.interrupted_after_s = after_s
        self._array.engine.increment_epoch()

    def _run_sequence(self, started: float, time_limit_s: float) -> None:
        while True:
            status = self._guard(lambda: self._array.call("run", _ROUNDS), time_limit_s)
            self._collect_events()
            self._cores.translate_busy()
            if status == RUN_DONE:
                return
            if status == RUN_DEADLOCK or time.perf_counter() - started > time_limit_s:
                # What follows asks the engine, and may be interrupted no more: time may be up meanwhile.
                self._array.store.set_epoch_deadline(1 << 30)
            if status == RUN_DEADLOCK:
                raise self._fail(deadlock(self._diagnosis.waiters()))
            if status == RUN_START_CORE:
                self._guard(self._cores.start_wanted)
            elif status == RUN_LOAD_PDI:
                self._load_pdi(self._array.call("wanted_pdi"))
                self._let_cores_start(started, time_limit_s)
            elif time.perf_counter() - started > time_limit_s:
                raise self._fail(self._diagnosis.still_moving(time_limit_s, self._counted))

    def _let_cores_start(self, started: float, time_limit_s: float) -> None:
        """Cores reach their first wait before a sequence does anything: an NPU's firmware, which loads a
        configuration, takes microseconds to its first instruction; a core runs a thousand in each. Not when
        accesses are checked: those that nothing orders are to meet.
        """
        if self._cores_just_started and not self.checks:
            self._settle(started, time_limit_s)
        self._cores_just_started = False

    def _settle(self, started: float, time_limit_s: float) -> None:
        for _ in range(_SETTLE_ROUNDS // _ROUNDS):
            status = self._guard(lambda: self._array.call("settle", _ROUNDS), time_limit_s)
            self._collect_events()
            self._cores.translate_busy()
            if status == RUN_START_CORE:
                self._guard(self._cores.start_wanted)
            elif status != RUN_MORE or time.perf_counter() - started > time_limit_s:
                return

    def _load_pdi(self, number: int) -> None:
        if number not in self._pdis:
            known = ", ".join(map(str, sorted(self._pdis))) or "none that a stream can load by its number"
            raise self._fail(
                InvalidAccess(
                    f"the sequence loads PDI {number}, and there is {known}",
                    hint="build all devices as one design with npuninja; on an NPU, "
                    "XRT finds the PDIs in a full ELF only",
                )
            )
        self.loaded_by_number = True
        if number == self._last_number:
            # A firmware leaves out a load of the PDI that was loaded last (MLIR-AIE AIEX.td, npu.load_pdi).
            self.left_out.append(number)
            return
        self._load(self._pdis[number])
        self._last_number = number

    def _load(self, commands: Sequence[Command]) -> None:
        self._last_number = -1
        self._array.reset()
        self._cores.forget_all()
        self.configure(commands)

    def _collect_events(self) -> None:
        if self._log_events:
            self.events += self._array.take_events()

    def _report(self, wall_time_s: float, at_end: list[ActorState]) -> RunReport:
        unfinished = unfinished_transfers(at_end, self._array.read32, self.device)
        before, self._counted = self._counted, self._array.states()
        cores, strays = self._guard(
            lambda: core_counts(self._array, self._cores.emulated, self._cores.machine, before, self._counted)
        )
        return RunReport(
            wall_time_s=wall_time_s,
            channels=channel_counts(before, self._counted),
            cores=cores,
            unfinished=unfinished,
            stray_writes=strays,
            races=tuple(self.races()),
            lock_set_again=self._array.take_lock_set_again(),
        )

    def close(self) -> None:
        """Takes the array down. Views of buffers must not be used any more."""
        self._watchdog.close()
        self._cores.emulated.clear()
        self._cores.machine.clear()
        self._array.close()
