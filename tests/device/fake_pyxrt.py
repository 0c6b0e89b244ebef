"""Stands in for pyxrt: host and device memory differ until a sync, as on hardware. Doubles the first buffer.

`calls` records what was called; `behaviour` changes what happens.
"""

import struct
import time
from enum import Enum

calls = []
behaviour = {"names": ["MLIR_AIE:MLIRAIE", "SLOW:MLIRAIE"], "state": 4}


class ert_cmd_state(Enum):  # noqa: N801  (pyxrt's names)
    ERT_CMD_STATE_NEW = 1
    ERT_CMD_STATE_COMPLETED = 4
    ERT_CMD_STATE_ERROR = 5
    ERT_CMD_STATE_ABORT = 6
    ERT_CMD_STATE_TIMEOUT = 8


class xclBOSyncDirection:  # noqa: N801
    XCL_BO_SYNC_BO_TO_DEVICE = 0
    XCL_BO_SYNC_BO_FROM_DEVICE = 1


def _fail(where):
    if behaviour.get("fail") == where:
        raise RuntimeError(behaviour["message"])


class _Kernel:
    def __init__(self, name):
        self.name = name

    def get_name(self):
        return self.name


class xclbin:  # noqa: N801
    def __init__(self, path):
        _fail("xclbin")
        with open(path, "rb") as stream:
            assert stream.read(7) == b"xclbin2"

    def get_kernels(self):
        return [_Kernel(name) for name in behaviour["names"]]

    def get_uuid(self):
        return "uuid"


class xrt_info_device:  # noqa: N801
    name = "name"


class device:  # noqa: N801
    def __init__(self, index):
        _fail("device")
        assert index == 0

    def get_info(self, what):
        assert what == xrt_info_device.name
        return behaviour.get("npu", "RyzenAI-npu1")

    def register_xclbin(self, file):
        calls.append("register_xclbin")


class hw_context:  # noqa: N801
    def __init__(self, handle, uuid):
        _fail("hw_context")
        calls.append(("hw_context", uuid))


class bo:  # noqa: N801
    cacheable, host_only = 16777216, 536870912

    def __init__(self, handle, size, flags, group):
        _fail("bo")
        self.host = bytearray(4096 * (-(-size // 4096)))  # XRT gives whole pages
        self.on_device = bytearray(len(self.host))
        calls.append(("bo", size, flags, group))

    def map(self):
        return memoryview(self.host)

    def write(self, data, offset):
        self.host[offset : offset + len(data)] = data

    def sync(self, direction):
        if direction == xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE:
            self.on_device[:] = self.host
        else:
            self.host[:] = self.on_device


class run:  # noqa: N801
    def __init__(self, of):
        self.kernel = of
        self.arguments = {}

    def set_arg(self, number, value):
        self.arguments[number] = value

    def wait(self, milliseconds):
        calls.append(("wait", milliseconds))
        if behaviour.get("slow") == "really":
            time.sleep(milliseconds / 1000)
        if behaviour.get("slow"):  # what XRT does when the time is over before the command
            raise RuntimeError("qds_device::wait() unexpected command state")
        return ert_cmd_state(behaviour["state"])


class runlist:  # noqa: N801
    def __init__(self, context):
        assert isinstance(context, hw_context)
        self.runs = []

    def add(self, one):
        self.runs.append(one)

    def execute(self):
        calls.append(("runlist", len(self.runs)))
        for one in self.runs:
            arguments = [one.arguments[number] for number in sorted(one.arguments)]
            one.kernel.execute(*arguments)

    def wait(self):
        calls.append("runlist.wait")
        if "runlist_says" in behaviour:
            raise RuntimeError(behaviour["runlist_says"])


class kernel:  # noqa: N801
    def __init__(self, context, name):
        calls.append(("kernel", name))
        if name.startswith("SLOW:"):
            behaviour["slow"] = "really"

    def group_id(self, argument):
        return 1000 + argument

    def execute(self, opcode, instructions, words, *buffers):
        source, target, *_ = buffers
        assert any(target.on_device), "the poisoned output was not synchronised"
        for i in range(64):
            (value,) = struct.unpack_from("<I", source.on_device, 4 * i)
            struct.pack_into("<I", target.on_device, 4 * i, 2 * value & 0xFFFFFFFF)

    def __call__(self, opcode, instructions, words, *buffers):
        _fail("call")
        calls.append(("call", opcode, words, len(buffers)))
        self.execute(opcode, instructions, words, *buffers)
        return run(self)
