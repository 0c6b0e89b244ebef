"""Runs in flight through XRT: started together, waited for together.

Several runs are one command for the driver as a `runlist`, if this pyxrt has it (2.25 does). Its `wait` has
no time limit in Python and stops other threads, and its runs' states are not reliable meanwhile
(xrt/experimental/xrt_kernel.h). So the last run follows the list: commands of one context end in the order
given, and the last one's `wait` has a limit.
"""

from __future__ import annotations

import ctypes
import time
from typing import Any, Sequence

from npuninja.device import xrt_messages
from npuninja.records import NamedTuple

OPCODE_TRANSACTION = 3  # AIE2_EXEC_BUFFER_KERNEL_OP_TXN
_SHORTEST_LIST = 2  # a list of one run saves nothing


class XrtCall(NamedTuple):
    """A run to come: its kernel, its instructions' buffer and number of words, its buffer objects."""

    kernel: Any
    instructions: Any
    words: int
    buffers: Sequence[Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Those of the kernel, in order; without instructions it is one of a full ELF, which has them."""
        if self.instructions is None:
            return tuple(self.buffers)
        return OPCODE_TRANSACTION, self.instructions, self.words, *self.buffers


class XrtRuns:
    """Runs of kernels of one context.

    Args:
        pyxrt: XRT's Python binding.
        context: of the design.
        calls: the runs, in order.

    Attributes:
        way: how they are started, a phrase for people.
    """

    def __init__(self, pyxrt: Any, context: Any, calls: Sequence[XrtCall]) -> None:
        self._pyxrt = pyxrt
        self._context = context
        self._calls = calls
        self._list: Any = None
        self._listed: list[Any] = []  # runs in the list
        self._single: list[Any] = []  # runs after it
        self._started_s = 0.0
        before_last, has_list = len(calls) - 1, hasattr(pyxrt, "runlist")
        self._in_list = before_last if has_list and before_last >= _SHORTEST_LIST else 0
        if self._in_list:
            self.way = f"a runlist of {self._in_list} and a run after it"
        else:
            self.way = "a command each" + ("" if has_list else ", as this pyxrt has no runlist")

    def begin(self) -> None:
        """Gives all runs to the driver. Raises DeviceError."""
        direction = self._pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
        with xrt_messages.translating("the run failed"):
            for handle in self._distinct():
                handle.sync(direction)
            if self._in_list:
                self._list = self._pyxrt.runlist(self._context)
            for call in self._calls[: self._in_list]:
                self._listed.append(self._prepared(call))
                self._list.add(self._listed[-1])
            self._started_s = time.perf_counter()
            if self._in_list:
                self._list.execute()
            for call in self._calls[self._in_list :]:
                self._single.append(self._begun(call))

    def _prepared(self, call: XrtCall) -> Any:
        run = self._pyxrt.run(call.kernel)
        for number, value in enumerate(call.arguments):
            run.set_arg(number, value)
        return run

    def _begun(self, call: XrtCall) -> Any:
        if call.instructions is not None:
            return call.kernel(*call.arguments)
        run = self._prepared(call)
        run.start()
        return run

    def wait(self, time_limit_s: float) -> float:
        """Waits for all of them; gives the seconds from `begin` to the end. Raises DeviceError."""
        deadline_s = time.perf_counter() + time_limit_s
        with xrt_messages.translating("the run failed"):
            for run in self._single:
                left_ms = max(1, round((deadline_s - time.perf_counter()) * 1000))
                state = int(run.wait(left_ms).value)
                if state != xrt_messages.COMPLETED:
                    if self._list is not None and state in xrt_messages.ENDED:
                        self._list.wait()  # raises the reason, if it lies there
                    raise xrt_messages.state_error(state, time_limit_s)
            if self._list is not None:
                self._list.wait()  # at once, because what came after it has ended
            seconds = time.perf_counter() - self._started_s
            for handle in self._distinct():
                handle.sync(self._pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE)
        return seconds

    def _distinct(self) -> list[Any]:
        """Every buffer object once."""
        return list({id(handle): handle for call in self._calls for handle in call.buffers}.values())

    def keep_for_ever(self) -> None:
        """Never destructs runs that may still be at work: XRT would abort the whole process."""
        for handle in (self._list, *self._listed, *self._single):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(handle))
