"""The array of an emulator as its host reaches it: registers, memories, buffers, cores, what went wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import wasmtime

from npuninja.emulator import layout
from npuninja.emulator.array import Array
from npuninja.emulator.checks.races import Race
from npuninja.emulator.cores import EmulatedCore
from npuninja.emulator.diagnosis import Diagnosis
from npuninja.emulator.errors import EmulationError
from npuninja.emulator.host_memory import HostBuffer, HostMemory
from npuninja.emulator.kernel_output import KernelOutput
from npuninja.emulator.shared_memory import FilePlace
from npuninja.emulator.started_cores import StartedCores
from npuninja.emulator.state import ActorState

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore

_Done = TypeVar("_Done")


class ArrayAccess:
    """An array with its cores and buffers.

    Args:
        array: the engine with its memory.
        cores: those that are started.
        checks: what is watched in every run, of `npuninja.emulator.checks.CHECKS`.
    """

    def __init__(self, array: Array, cores: StartedCores, checks: frozenset[str]) -> None:
        self.checks = checks
        self._array = array
        self._cores = cores
        self._host = HostMemory(array)
        self._diagnosis = Diagnosis(array, cores.emulated, cores.machine, self._host, checks)
        self._failure: EmulationError | None = None
        #: What every actor had done when the last run had ended.
        self._counted: list[ActorState] = []

    @property
    def columns(self) -> int:
        """Columns of the array."""
        return self._array.device.columns

    @property
    def device(self) -> layout.Geometry:
        """Which tiles the array has."""
        return self._array.device

    # --- Registers, memories, cores.

    def read32(self, address: int) -> int:
        """A register or memory word at an address of the array (`npuninja.arch.registers.tile_address`)."""
        return self._guard(lambda: self._array.read32(address))

    def write32(self, address: int, value: int) -> None:
        """Writes a register or memory word of the array."""
        self._guard(lambda: self._array.write32(address, value))

    def states(self) -> list[ActorState]:
        """What every actor that ever did something is doing now."""
        return self._array.states()

    def cores(self) -> list[EmulatedCore]:
        """The cores that were started, by tile."""
        return [core for _, core in sorted(self._cores.emulated.items())]

    def machine_cores(self) -> list[MachineCore]:
        """The cores of machine code, by tile."""
        return [core for _, core in sorted(self._cores.machine.items())]

    def send_trace(self, tile: int, slave: int, words: Sequence[int]) -> int:
        """Sends a trace unit's packet from a slave port of a tile's switch; gives how many words arrived."""
        place = self._array.call("trace_packet")
        self._array.engine_memory(place, 4 * len(words))[:] = struct.pack(f"<{len(words)}I", *words)
        return int(self._guard(lambda: self._array.call("send_trace", tile, slave)))

    def data_memory(self, column: int, row: int) -> memoryview:
        """The data memory of a tile, as writable bytes; valid until the next `allocate`."""
        return self._array.data_memory(layout.tile_number(column, row))

    @property
    def kernel_output(self) -> KernelOutput:
        """What kernels print, kept when that is wanted."""
        return self._array.kernel_output

    # --- Buffers.

    def limit_memory(self, limit_bytes: int) -> None:
        """Host buffers take at most so many bytes together; what is there stays."""
        self._array.ddr_limit_bytes = limit_bytes

    def clear_memories(self) -> None:
        """Fills all data memories with zeros, as opening a hardware context does on an NPU (MLIR-AIE, test
        scratchpad_regwrite). Without it a pattern in them shows what was never written.
        """
        for tile in self.device.tiles():
            if self.device.memory_bytes(tile):
                memory = self._array.data_memory(tile)
                memory[:] = bytes(len(memory))

    def allow_page_ends(self, page_bytes: int) -> None:
        """Host buffers go on to the end of their last page, as a driver's do; `beyond_end` tells of it."""
        self._array.call("set_host_page", page_bytes)

    def beyond_end(self) -> str:
        """A transfer of the last run that went beyond its argument, within the last page; "" for none."""
        place = self._array.call("host_beyond")
        channel, number, argument, count = struct.unpack("<4I", self._array.engine_memory(place, 16))
        return (
            f"BD {number} of {layout.actor_name(channel)} goes {count} bytes beyond the "
            f"buffer of argument {argument}; they are in its last page, so an NPU moves them "
            "too, and nothing says what is in them"
            if count
            else ""
        )

    def allocate(self, nbytes: int) -> HostBuffer:
        """A host buffer of zeros. Raises UserError for a size below one, ToolError when DDR is full."""
        return self._host.add(nbytes, None)

    def allocate_filled(self, contents: Iterable[bytes]) -> list[HostBuffer]:
        """A host buffer with each of these contents. Errors are those of `allocate`."""
        buffers = []
        for content in contents:
            buffers.append(self.allocate(len(content)))
            buffers[-1].view[:] = content
        return buffers

    def share(self, nbytes: int, place: FilePlace) -> HostBuffer:
        """A host buffer in a part of somebody's file, without a copy. Errors are those of `allocate`.

        The part begins at a page of 64 KiB and is the buffer's alone to the end of its last such page.
        """
        return self._host.add(nbytes, place)

    def free(self, buffer: HostBuffer) -> None:
        """Gives a buffer back. Its view must not be used any more."""
        self._host.remove(buffer)

    # --- Errors.

    def _guard(self, action: Callable[[], _Done], time_limit_s: float = 0.0) -> _Done:
        """Does something in the engine; a trap becomes the error it stands for."""
        try:
            return action()
        except wasmtime.Trap as trap:
            raise self._fail(self._diagnosis.explain(trap, time_limit_s, self._counted)) from None
        except EmulationError as error:
            raise self._fail(error) from None

    def _fail(self, error: EmulationError) -> EmulationError:
        self._failure = error
        return error

    def races(self) -> list[Race]:
        """What the check `races` found since the last run began, also when it failed."""
        return self._diagnosis.races() if "races" in self.checks else []
