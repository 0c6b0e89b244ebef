"""What the runner asks of a device, real or emulated.

A device is opened for one design. Host and device share its buffers; `view` is the host's side, valid until
`close`. `start` passes the buffers' content to the device and begins runs, `wait` waits for their end and
brings the content back; in between, more may be started, and the buffers belong to the device.
"""

from __future__ import annotations

from typing import Any, Protocol, Sequence

from npuninja.records import NamedTuple


class Capabilities(NamedTuple):
    """What a device's answers are worth."""

    name: str
    """"npu", "emu" or "null"."""
    timing: str
    """How its times are labelled: "measured" (of an NPU), "emulated" (of the emulation on this machine)."""
    description: str
    """One phrase for people."""


class Buffer(Protocol):
    """Memory that host and device share."""

    @property
    def nbytes(self) -> int:
        """Its size."""

    @property
    def view(self) -> memoryview:
        """The content, as writable bytes."""


class Program(NamedTuple):
    """A design to be loaded."""

    xclbin_path: str
    xclbin: bytes
    insts: bytes
    kernel: str
    """Name of the kernel in the XCLBIN."""
    core_kind: str
    """"wasm", "aie2" or "aie2p"."""
    full_elf: str = ""
    """The ELF with its configurations and instructions; "" when there is none."""
    full_elf_kernel: str = ""
    """What the sequence is called in it."""


class StartedRuns(NamedTuple):
    """Runs in flight: what `Device.start` gives and `Device.wait` takes, once."""

    way: str
    """How they were given to the device, a phrase for people."""
    handle: Any
    """The device's own."""


class Device(Protocol):
    """One opened device.

    Attributes:
        capabilities: what it is.
    """

    capabilities: Capabilities

    def load(self, program: Program) -> None:
        """Makes the design ready to run; once, before `allocate`.

        Raises:
            UserError: the program is not for this device.
            DeviceError: the device refuses it.
        """

    def allocate(self, nbytes: int, position: int) -> Buffer:
        """Memory for the argument `position` (from 0) of the runtime sequence."""

    def instruct(self, insts: bytes) -> None:
        """Puts other instructions of the same length in place of the loaded ones; all else stays."""

    def add(self, program: Program) -> int:
        """Makes another kernel or stream of the XCLBIN that is loaded ready; returns its number for `start`.

        Raises:
            UserError: the program is not for this device.
            DeviceError: the device refuses it.
        """

    def start(self, runs: Sequence[Sequence[Buffer]], programs: Sequence[int] = ()) -> StartedRuns:
        """Begins runs of the loaded design without waiting; they run in the order of starting.

        The design's state (memories, locks) stays from run to run of one kernel, as on hardware; for another
        kernel the array is loaded again.

        Args:
            runs: the buffers of each run. Use different buffers if you fill them while a run is in flight.
            programs: each run's program, as `add` numbers them; 0, the default, is the loaded one.

        Raises:
            DeviceError: the device refuses.
        """

    def wait(self, started: StartedRuns, time_limit_s: float) -> float:
        """Waits until all that one `start` began has ended; returns the seconds from start to end.

        Raises:
            DeviceError: a run failed, or not all ended within `time_limit_s` from now; then close the device.
        """

    def run(self, buffers: Sequence[Buffer], time_limit_s: float) -> float:
        """`start` of one run, and `wait`."""
        return self.wait(self.start([buffers]), time_limit_s)

    def remarks(self) -> list[str]:
        """What the user should know about the last run although it succeeded, a sentence each."""

    def report(self) -> dict[str, Any] | None:
        """Facts about the last run for --json, or None when the device says nothing."""

    def close(self) -> None:
        """Gives everything back; views of buffers must not be used afterwards."""
