"""What can go wrong in an emulated run. Each error's `report` has the same facts as data, for `--json`."""

from __future__ import annotations

from typing import Any, TypeVar

from npuninja.errors import DeviceError, Location, WrongResult

#: A sentence and where its cause is in a source file, if that is known.
Note = tuple[str, "Location | None"]


class EmulationError(DeviceError):
    """A run on the emulated array ended badly. The array's state is lost: make a new `Emulator`.

    Attributes:
        report: a dictionary that JSON can hold; key `kind` names the error.
    """

    def __init__(
        self,
        message: str,
        location: Location | None = None,
        *,
        hint: str | None = None,
        notes: tuple[Note, ...] = (),
        report: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, location, hint=hint, notes=notes)
        self.report: dict[str, Any] = {"kind": type(self).__name__, "message": message, **(report or {})}
        if location:
            self.report["location"] = str(location)
        if hint:
            self.report["hint"] = hint


_Found = TypeVar("_Found", bound=EmulationError)


def finding(error: _Found) -> _Found:
    """The same error as what a check was to find: design or kernel is wrong, and the run did its work."""
    error.exit_code = WrongResult.exit_code
    return error


class Deadlock(EmulationError):
    """Nothing can move and the runtime sequence is not done. `report["waiters"]` says what waits for what."""


class TimeLimit(EmulationError):
    """The time limit passed, in a core that does not come back or in an array that never comes to rest."""


class CoreFault(EmulationError):
    """A core's code trapped: wild address, division by zero, …"""


class StackOverflow(CoreFault):
    """A core's stack grew past its end."""


class BadAccess(EmulationError):
    """A checked core reached memory that it should not: outside its buffers, another's buffer, what nothing
    has written, an address that is not aligned. The design or kernel is wrong, whatever its result is.
    """

    exit_code = 1


class LockFault(EmulationError):
    """A lock's value left the range that hardware can hold."""


class InvalidBD(EmulationError):
    """A DMA channel met a buffer descriptor that is not valid, or that leads out of the tile."""


class QueueOverflow(EmulationError):
    """More tasks were given to a DMA channel than its queue holds."""


class NoRoute(EmulationError):
    """A packet met a switch port that has no rule for it."""


class HostOverrun(EmulationError):
    """A shim DMA reached outside the host's buffers."""


class NotModelled(EmulationError):
    """The design uses something this emulator does not have. It stops rather than guess."""


class InvalidAccess(EmulationError):
    """A register access outside the device, or an instruction stream that cannot be read."""
