"""What every XRT program does: opens the device, loads a design, makes its buffers. Plain pyxrt."""

import json
import os

import numpy
import pyxrt

TO_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
OPCODE = 3


class Design:
    """A design in a hardware context, with a buffer for each argument."""

    def __init__(self, manifest, device=None):
        with open(manifest) as stream:
            self.fields = json.load(stream)
        folder = os.path.dirname(manifest)
        self.device = device or pyxrt.device(0)
        xclbin = pyxrt.xclbin(os.path.join(folder, self.fields["files"]["xclbin"]["path"]))
        self.device.register_xclbin(xclbin)
        self.context = pyxrt.hw_context(self.device, xclbin.get_uuid())
        self.kernel = pyxrt.kernel(self.context, "MLIR_AIE")
        with open(os.path.join(folder, self.fields["files"]["insts"]["path"]), "rb") as stream:
            insts = stream.read()
        self.words = len(insts) // 4
        self.insts = pyxrt.bo(self.device, len(insts), pyxrt.bo.cacheable, self.kernel.group_id(1))
        self.insts.write(insts, 0)
        self.insts.sync(TO_DEVICE)
        self.sizes = [argument["bytes"] for argument in self.fields["arguments"]]
        self.buffers = [self.buffer(number, size) for number, size in enumerate(self.sizes)]

    def buffer(self, number, size):
        return pyxrt.bo(self.device, size, pyxrt.bo.host_only, self.kernel.group_id(3 + number))

    def fill(self, number, data):
        view = numpy.frombuffer(self.buffers[number].map(), numpy.uint8)
        view[: self.sizes[number]] = numpy.frombuffer(data, numpy.uint8)
        self.buffers[number].sync(TO_DEVICE)

    def content(self, number):
        self.buffers[number].sync(FROM_DEVICE)
        return bytes(self.buffers[number].map())[: self.sizes[number]]

    def start(self):
        return self.kernel(OPCODE, self.insts, self.words, *self.buffers)

    def run(self, limit_ms=20000):
        return self.start().wait(limit_ms).name.removeprefix("ERT_CMD_STATE_")
