"""The emulated array as a device."""

from __future__ import annotations

import time
from typing import Any, Sequence

from npuninja.device.api import Buffer, Capabilities, Program
from npuninja.diag.errors import InternalError, UserError


class EmulatedDevice:
    """Runs a design on `npuninja.emulator`, from its XCLBIN and instructions alone."""

    capabilities = Capabilities("emu", "emulated", "emulated array, no NPU involved")

    def __init__(self) -> None:
        self._emulator: Any = None
        self._insts = b""
        self.last_report: Any = None
        """The emulator's RunReport of the last run."""

    def load(self, program: Program) -> None:
        """Configures a fresh array from the XCLBIN."""
        if program.core_kind != "wasm":
            raise UserError(
                f"the design was built for {program.core_kind} cores, and the emulated array runs wasm cores only",
                hint="build it with the core kind wasm, or run it on an NPU (--device npu)",
            )
        from npuninja.emulator import Emulator  # wasmtime takes 50 ms, and other devices do not need it

        self._emulator = Emulator.from_xclbin(program.xclbin)
        self._insts = program.insts

    def allocate(self, nbytes: int, position: int) -> Buffer:
        """Memory in the emulated DDR."""
        if self._emulator is None:
            raise InternalError("allocate before load")
        buffer: Buffer = self._emulator.allocate(nbytes)
        return buffer

    def run(self, buffers: Sequence[Buffer], time_limit_s: float) -> float:
        """Executes the instructions. The array works on the buffers' memory itself, so there is nothing to copy."""
        start = time.perf_counter()
        self.last_report = self._emulator.run(self._insts, list(buffers), time_limit_s=time_limit_s)
        return time.perf_counter() - start

    def close(self) -> None:
        """Takes the array down."""
        if self._emulator is not None:
            self._emulator.close()
            self._emulator = None
