"""What preload library and XRT do for a program, without either: requests to the driver, in this process."""

import struct

from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.driver import DeviceFile
from npuninja.xrt_emulation.wire import Request

IOCTLS = {
    getattr(amdxdna, name): getattr(amdxdna, name + "_S")
    for name in (
        "GEM_CLOSE", "CREATE_HWCTX", "DESTROY_HWCTX", "CONFIG_HWCTX", "CREATE_BO", "GET_BO_INFO", "SYNC_BO", "EXEC_CMD",
        "GET_INFO", "GET_ARRAY", "SYNCOBJ_CREATE", "SYNCOBJ_DESTROY",
    )
}  # fmt: skip


class Client:
    """A program with one context, one compute unit and two data buffers."""

    def __init__(self, npu, pdi):
        self.file = DeviceFile(npu, 1)
        self.create(amdxdna.BO_DEV_HEAP, amdxdna.HEAP_BYTES)
        unit = self.create(amdxdna.BO_DEV, len(pdi))
        self.write(unit, pdi)
        fields = self.call(amdxdna.CREATE_HWCTX, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0)
        self.context = fields[9]
        units = amdxdna.CU_CONFIG_HEADER_S.pack(1, 0, 0, 0) + amdxdna.CU_CONFIG_S.pack(unit, 0)
        self.call(amdxdna.CONFIG_HWCTX, self.context, amdxdna.CONFIG_CU, 0, len(units), 0, pointed=units)
        self.insts = self.create(amdxdna.BO_DEV, 65536)
        self.data = [self.create(amdxdna.BO_SHARE, 4096) for _ in range(2)]
        self.command = self.create(amdxdna.BO_CMD, 4096)

    def call(self, operation, *fields, pointed=b""):
        layout = IOCTLS[operation]
        return layout.unpack(self.file.ioctl(Request(operation, layout.pack(*fields), pointed, -1))[0])

    def create(self, kind, size):
        return self.call(amdxdna.CREATE_BO, 0, 0, size, kind, 0)[4]

    def buffer(self, handle):
        return self.file._buffers.get(handle)

    def write(self, handle, data):
        self.file.memory.write(self.buffer(handle).offset, data)

    def run(self, insts):
        self.write(self.insts, insts)
        call = struct.pack("<2QI", 3, self.buffer(self.insts).address, len(insts) // 4)
        call += b"".join(struct.pack("<Q", self.buffer(handle).address) for handle in self.data)
        self.write(self.command, struct.pack("<2I", (len(call) // 4 + 1) << 12 | 1, 1) + call)
        exec_fields = (0, 0, self.context, amdxdna.SUBMIT_EXEC_BUF, 0, 0, 1, 0, 0)
        seq = self.call(amdxdna.EXEC_CMD, *exec_fields, pointed=struct.pack("<I", self.command))[8]
        context = self.file._contexts[self.context]
        while context.completed < seq:
            context._thread.join(0.0005)
        return self.file.memory.read(self.buffer(self.command).offset, 1)[0] & 0xF
