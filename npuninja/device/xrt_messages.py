"""What XRT's states and messages mean, as sentences."""

from __future__ import annotations

import re
from typing import NamedTuple

from npuninja.diag.errors import DeviceError


class Meaning(NamedTuple):
    """A stable part of a message, what happened, and what to do."""

    pattern: str
    sentence: str
    next_step: str


# ert_cmd_state of XRT (ert.h). Only COMPLETED is good, and it does not prove that a core did anything.
COMPLETED = 4
STATES: dict[int, tuple[str, str, str]] = {
    1: ("NEW", "the command was never started", "report this"),
    2: ("QUEUED", "the command still waits in the driver", "another program holds the NPU; see who has /dev/accel open"),
    3: ("RUNNING", "the command did not end within the time limit", ""),
    5: ("ERROR", "the NPU refused the command", "XCLBIN and insts.bin must be of one build, arguments in their order"),
    6: ("ABORT", "the command was aborted", "see the kernel log (`dmesg`) of the time of the run"),
    7: ("SUBMITTED", "the command is with the NPU and did not end within the time limit", ""),
    8: ("TIMEOUT", "the command did not end: the design hangs", ""),
    9: ("NORESPONSE", "the NPU's firmware does not answer", "reload the amdxdna module, or reboot"),
    10: ("SKERROR", "a soft kernel failed", "report this: no soft kernel is used"),
    11: ("SKCRASHED", "a soft kernel crashed", "report this: no soft kernel is used"),
}
HANG_STEP = (
    "a core that never releases a lock, a transfer without a partner, or a build for another NPU generation hangs so; "
    "build the design with the core kind wasm and run it with --device emu, which says who waits for what"
)

MESSAGES: tuple[Meaning, ...] = (
    Meaning(
        r"load_axlf: Operation not supported",
        "the NPU does not take XCLBINs by load_xclbin",
        "report this: the runner registers the XCLBIN instead",
    ),
    Meaning(
        r"No valid DPU kernel found in xclbin",
        "the XCLBIN's EMBEDDED_METADATA has no DPU kernel",
        "build the design again",
    ),
    Meaning(
        r"No such kernel|No such compute unit",
        "the XCLBIN has no kernel of that name",
        "build the design again; the manifest names the kernel",
    ),
    Meaning(
        r"unsupported buffer type|err=95",
        "the driver refuses this kind of buffer",
        "report this: data is host_only, instructions are cacheable",
    ),
    Meaning(
        r"CREATE_?(HW)?CTX.*(err=|errno )-?28|No space left",
        "the NPU has not enough free columns for this design",
        "end other programs that use the NPU, or build for a device with fewer columns",
    ),
    Meaning(
        r"CREATE_?(HW)?CTX.*(err=|errno )-?2\b",
        "the NPU takes no more contexts (npu1 has 6)",
        "end other programs that use the NPU",
    ),
    Meaning(
        r"CREATE_?(HW)?CTX.*(err=|errno )-?22",
        "the NPU refuses the design: it is for another NPU generation or has more columns than there are",
        "build it for this NPU (`npuninja doctor` tells which one it is)",
    ),
    Meaning(
        r"CREATE_?(HW)?CTX",
        "the NPU gave no context",
        "end other programs that use the NPU; see the kernel log (`dmesg`)",
    ),
    Meaning(
        r"Timer expired|err=-?62",
        "the NPU's firmware did not answer in time",
        "reload the amdxdna module, or reboot",
    ),
    Meaning(
        r"EXEC_CMD IOCTL failed \(err=-5\)",
        "the NPU is stuck from an earlier run",
        "reload the amdxdna module, or reboot",
    ),
    Meaning(
        r"err=-11|Resource temporarily unavailable",
        "too little memory may be locked",
        "`ulimit -l unlimited`, or set memlock in /etc/security/limits.d/",
    ),
    Meaning(
        r"No such device with index|0 devices found",
        "XRT finds no NPU",
        "`npuninja doctor` looks where it is lost",
    ),
    Meaning(
        r"unexpected command state",
        "XRT saw the command in a state it does not expect: the design hangs",
        HANG_STEP,
    ),
    Meaning(r"No such file", "XRT does not find the XCLBIN", "give the path with its ending"),
    Meaning(
        r"buffer too small to contain header",
        "the file is no XCLBIN",
        "build the design again",
    ),
)


def state_error(state: int, time_limit_s: float) -> DeviceError:
    """The error for a command that ended in any state but COMPLETED."""
    name, sentence, step = STATES.get(state, (f"state {state}", "the command ended in a state unknown to us", "report this"))
    if name in ("RUNNING", "SUBMITTED", "TIMEOUT"):
        sentence += f" (limit {time_limit_s:g} s)"
    return DeviceError(f"{sentence} (ERT_CMD_STATE_{name})", hint=step or HANG_STEP)


def translated(error: Exception, doing: str) -> DeviceError:
    """The error for an exception of pyxrt.

    Args:
        error: what pyxrt raised.
        doing: what was attempted, as in "cannot create a context".
    """
    text = str(error).strip()
    for meaning in MESSAGES:
        if re.search(meaning.pattern, text):
            return DeviceError(f"{doing}: {meaning.sentence}", notes=((f"XRT says: {text}", None),), hint=meaning.next_step)
    return DeviceError(f"{doing}: {text}", hint="see the kernel log (`dmesg`) of the time of the run")
