"""What XRT's states and messages mean, as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from npuninja import hints
from npuninja.errors import DeviceError

# ert_cmd_state of XRT (ert.h). Only COMPLETED is good, and it does not prove that a core did anything.
COMPLETED = 4
#: A command in one of these is no longer at work: COMPLETED, ERROR, ABORT, TIMEOUT, NORESPONSE.
ENDED = (COMPLETED, 5, 6, 8, 9)
STATES: dict[int, tuple[str, str, str]] = {
    1: ("NEW", "the command was never started", "report this"),
    2: (
        "QUEUED",
        "the command still waits in the driver",
        "another program holds the NPU; see which one has /dev/accel open",
    ),
    3: ("RUNNING", "the command did not end within the time limit", ""),
    5: (
        "ERROR",
        "the NPU refused the command",
        "XCLBIN and insts.bin must be of one build, arguments in their order",
    ),
    6: ("ABORT", "the command was aborted", "see the kernel log (`dmesg`) of the time of the run"),
    7: ("SUBMITTED", "the command is with the NPU and did not end within the time limit", ""),
    8: ("TIMEOUT", "the command did not end: the design hangs", ""),
    9: ("NORESPONSE", "the NPU's firmware does not answer", "reload the amdxdna module, or reboot"),
    10: ("SKERROR", "a soft kernel failed", "report this: no soft kernel is used"),
    11: ("SKCRASHED", "a soft kernel crashed", "report this: no soft kernel is used"),
}
HANG_STEP = (
    "a core that never releases a lock, a transfer without a partner, or a build for another NPU "
    "generation hangs so; build the design with the core kind wasm and run it with --device emu, "
    "which says what waits for what"
)


def state_error(state: int, time_limit_s: float) -> DeviceError:
    """The error for a command that ended in any state but COMPLETED."""
    name, sentence, step = STATES.get(
        state, (f"state {state}", "the command ended in a state unknown to us", "report this")
    )
    if name in ("RUNNING", "SUBMITTED", "TIMEOUT"):
        sentence += f" (limit {time_limit_s:g} s)"
    return DeviceError(f"{sentence} (ERT_CMD_STATE_{name})", hint=step or HANG_STEP)


@contextmanager
def translating(doing: str) -> Iterator[None]:
    """What pyxrt raises in it becomes the error of `translated`."""
    try:
        yield
    except RuntimeError as error:
        raise translated(error, doing) from error


def translated(error: Exception, doing: str) -> DeviceError:
    """The error for an exception of pyxrt.

    Args:
        error: what pyxrt raised.
        doing: what was attempted, as in "cannot create a context".
    """
    text = str(error).strip()
    for meaning in hints.matching(text, "run"):
        return DeviceError(f"{doing}: {meaning.says}", notes=((f"XRT says: {text}", None),), hint=meaning.do)
    return DeviceError(f"{doing}: {text}", hint="see the kernel log (`dmesg`) of the time of the run")
