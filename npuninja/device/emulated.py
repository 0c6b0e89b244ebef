"""The emulated array as a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from npuninja.arch.families import SHARED_ROWS, Rows, of_generation
from npuninja.device.api import Buffer, Capabilities, Device, Program, StartedRuns
from npuninja.device.memory_limit import RUN_LIMIT_BYTES
from npuninja.errors import Error, InternalError, UserError

#: What the emulated array can do, and an NPU with an XCLBIN can not.
LOADS_BY_NUMBER = (
    "the runtime sequence loads a configuration while it runs (load_pdi); on an NPU that is done from a "
    "full ELF (full-elf = true) and XRT; this XCLBIN and instruction stream run on the emulated array only"
)

if TYPE_CHECKING:
    from npuninja.device.emulated_queue import EmulatedQueue
    from npuninja.emulator import Emulator, HostBuffer
    from npuninja.emulator.run_report import RunReport
    from npuninja.emulator.trace_units.writer import TraceWriter


class EmulatedDevice(Device):
    """Runs a design on `npuninja.emulator`, from its XCLBIN and instructions alone."""

    capabilities = Capabilities("emu", "emulated", "emulated array, no NPU involved")

    def __init__(self, checks: frozenset[str] = frozenset(), schedule: int = 0) -> None:
        self._checks = checks
        self._schedule = schedule
        self._emulator: Emulator | None = None
        self._queue: EmulatedQueue | None = None
        self._programs: list[tuple[str, bytes]] = []
        self._report: RunReport | None = None
        self._traces: TraceWriter | None = None
        self.keep_kernel_output = False
        self.memory_limit_bytes = RUN_LIMIT_BYTES

    def load(self, program: Program) -> None:
        """Configures a fresh array from the XCLBIN."""
        if program.core_kind not in ("wasm", "aie2"):
            raise UserError(
                f"the design was built for {program.core_kind} cores, "
                "and the emulated array runs wasm and aie2 cores only",
                hint="build it with the core kind wasm, or run it on an NPU (--device npu)",
            )
        from npuninja.device.emulated_queue import EmulatedQueue
        from npuninja.emulator import Emulator  # wasmtime takes 50 ms, and other devices do not need it
        from npuninja.emulator.trace_units.units import switches_on

        traced = switches_on(program.insts)
        self._emulator = Emulator.from_xclbin(
            program.xclbin,
            kernel=program.kernel,
            name=program.xclbin_path,
            rows=_rows_of(program),
            # The order of the changes of locks is what a trace's times are modelled from.
            checks=self._checks | ({"races"} if traced else set()),
            log_events=traced,
            schedule=self._schedule,
        )
        self._emulator.limit_memory(self.memory_limit_bytes)
        if traced:
            from npuninja.emulator.timing.work import count_work
            from npuninja.emulator.trace_units.writer import TraceWriter

            npu, name = self._emulator, program.xclbin_path
            writer = TraceWriter(
                lambda insts, before: count_work(
                    program.xclbin, insts, before, kernel=program.kernel, name=name
                )
            )
            npu.at_end = lambda insts, events, before: writer.write(npu, insts, events, before)
            self._traces = writer
        self._emulator.kernel_output.wanted = self.keep_kernel_output
        self._queue = EmulatedQueue(self._emulator)
        self._programs = [(program.kernel, program.insts)]

    def allocate(self, nbytes: int, position: int) -> Buffer:
        """Memory in the emulated DDR; ends after the runs that are in flight."""
        if self._emulator is None or self._queue is None:
            raise InternalError("allocate before load")
        with self._queue.idle():
            return self._emulator.allocate(nbytes)

    def instruct(self, insts: bytes) -> None:
        """Takes other instructions for the runs to come."""
        self._programs[0] = self._programs[0][0], insts

    def add(self, program: Program) -> int:
        """Remembers a kernel and its stream.

        Raises:
            UserError: it writes a trace, which is logged from the first run on or not at all.
        """
        from npuninja.emulator.trace_units.units import switches_on

        if switches_on(program.insts):
            raise UserError(
                "a sequence that writes a trace does not go into a runlist with others",
                hint="run it alone, with --kernel and --sequence",
            )
        self._programs.append((program.kernel, program.insts))
        return len(self._programs) - 1

    def start(self, runs: Sequence[Sequence[Buffer]], programs: Sequence[int] = ()) -> StartedRuns:
        """Queues the runs. The array works on the buffers' memory itself, so there is nothing to copy."""
        if self._queue is None:
            raise InternalError("start before load")
        jobs = [
            (*self._programs[number], _own(buffers))
            for number, buffers in zip(programs or [0] * len(runs), runs)
        ]
        return StartedRuns("one after the other", self._queue.add(jobs))

    def wait(self, started: StartedRuns, time_limit_s: float) -> float:
        """Waits, with the reason when it takes too long or fails."""
        if self._queue is None:
            raise InternalError("wait after close")
        seconds, self._report = self._queue.wait(started.handle, time_limit_s)
        return seconds

    def remarks(self) -> list[str]:
        """Transfers that the sequence did not wait for, writes beyond buffers, and nearly full stacks."""
        if self._report is None:
            return []
        loaded = self._emulator is not None and self._emulator.loaded_by_number
        traced = self._traces.last.remarks if self._traces and self._traces.last else ()
        return [*self._report.remarks(), *([LOADS_BY_NUMBER] if loaded else []), *traced]

    def kernel_output(self) -> list[tuple[int, int, str]]:
        """The lines that kernels printed since the last call: column, row, text."""
        return self._emulator.kernel_output.take() if self._emulator is not None else []

    def findings(self) -> list[Error]:
        """What the checks found in the last run, whether it ended well or not."""
        asked = self._emulator is not None and "races" in self._checks
        return list(self._emulator.races()) if asked and self._emulator is not None else []

    def report(self) -> dict[str, Any] | None:
        """Words and tasks of the channels, steps and stacks of the cores."""
        return self._report.to_json() if self._report else None

    def close(self) -> None:
        """Takes the array down; runs in flight are given up."""
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        if self._emulator is not None:
            self._emulator.close()
            self._emulator = None


def _rows_of(program: Program) -> Rows:
    """The rows of the instructions' family; what is no instruction stream is reported by the run."""
    family = of_generation(program.insts[2]) if len(program.insts) > 2 else None
    return family.rows if family is not None else SHARED_ROWS


def _own(buffers: Sequence[Buffer]) -> list[HostBuffer]:
    """The buffers as those of the emulator, which all come from `allocate`."""
    from npuninja.emulator import HostBuffer

    own = [buffer for buffer in buffers if isinstance(buffer, HostBuffer)]
    if len(own) != len(buffers):
        raise InternalError("a buffer of another device")
    return own
