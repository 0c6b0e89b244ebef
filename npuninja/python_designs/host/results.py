"""What a run gives."""

from __future__ import annotations

from npuninja.records import NamedTuple


class KernelResult(NamedTuple):
    """The end of a run: time in nanoseconds, by the host's clock (emulated: the emulator's)."""

    npu_time: int
    ret: str = "ERT_CMD_STATE_COMPLETED"
