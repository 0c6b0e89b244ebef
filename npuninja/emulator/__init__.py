"""The emulated NPU: runs XCLBIN and instructions without hardware, and says why when they do not run.

npu = Emulator.from_xclbin(xclbin)
buffer = npu.allocate(nbytes)
report = npu.run(insts, [buffer])
"""

from npuninja.emulator.emulator import Emulator
from npuninja.emulator.errors import (
    BadAccess,
    CoreFault,
    Deadlock,
    EmulationError,
    HostOverrun,
    InvalidAccess,
    InvalidBD,
    LockFault,
    NoRoute,
    NotModelled,
    QueueOverflow,
    StackOverflow,
    TimeLimit,
)
from npuninja.emulator.host_memory import HostBuffer
from npuninja.emulator.run_report import RunReport

__all__ = [
    "BadAccess",
    "CoreFault",
    "Deadlock",
    "EmulationError",
    "Emulator",
    "HostBuffer",
    "HostOverrun",
    "InvalidAccess",
    "InvalidBD",
    "LockFault",
    "NoRoute",
    "NotModelled",
    "QueueOverflow",
    "RunReport",
    "StackOverflow",
    "TimeLimit",
]
