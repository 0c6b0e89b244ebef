"""What all open files of the emulated NPU share."""

from __future__ import annotations

import threading

from npuninja.xrt_emulation.core_modules import CoreModules
from npuninja.xrt_emulation.exports import Exports
from npuninja.xrt_emulation.hardware_context import HardwareContext
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import NpuModel
from npuninja.xrt_emulation.npu_memory import NpuMemory
from npuninja.xrt_emulation.partitions import Partitions
from npuninja.xrt_emulation.timelines import Timelines


class Npu:
    """One emulated NPU.

    Args:
        model: which one.
        journal: where it reports.
        time_limit_s: for one command, after which the driver gives up.
    """

    def __init__(self, model: NpuModel, journal: Journal, time_limit_s: float) -> None:
        self.model = model
        self.journal = journal
        self.time_limit_s = time_limit_s
        self.partitions = Partitions(model)
        self.modules = CoreModules()
        self.memory = NpuMemory()
        self.exports = Exports(self.memory)
        self.timelines = Timelines(self.memory)
        self._lock = threading.Lock()
        self._contexts: list[tuple[int, HardwareContext]] = []

    def register(self, pid: int, context: HardwareContext) -> None:
        """A context of a process has come."""
        with self._lock:
            self._contexts.append((pid, context))

    def unregister(self, context: HardwareContext) -> None:
        """A context has gone."""
        with self._lock:
            self._contexts = [pair for pair in self._contexts if pair[1] is not context]

    def contexts(self) -> list[tuple[int, HardwareContext]]:
        """All contexts, each with the process it belongs to."""
        with self._lock:
            return list(self._contexts)

    def close(self) -> None:
        """Gives the memory back, after all files are closed."""
        self.memory.close()
