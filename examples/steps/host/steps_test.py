"""Both kernels of one XCLBIN in one runlist: what `scale` writes, `offset` reads. Plain pyxrt.

steps_test.py XCLBIN SCALE_INSTS OFFSET_INSTS
"""

import sys

import numpy as np
import pyxrt

TO_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
OPCODE, ELEMENTS = 3, 1024

device = pyxrt.device(0)
xclbin = pyxrt.xclbin(sys.argv[1])
device.register_xclbin(xclbin)
context = pyxrt.hw_context(device, xclbin.get_uuid())


class Step:
    """A kernel, and its instructions in the device's memory."""

    def __init__(self, name, path):
        self.kernel = pyxrt.kernel(context, name)
        with open(path, "rb") as stream:
            insts = stream.read()
        self.words = len(insts) // 4
        self.insts = pyxrt.bo(device, len(insts), pyxrt.bo.cacheable, self.kernel.group_id(1))
        self.insts.write(insts, 0)
        self.insts.sync(TO_DEVICE)

    def run(self, source, target):
        """A run that is not started yet."""
        run = pyxrt.run(self.kernel)
        for number, value in enumerate((OPCODE, self.insts, self.words, source, target)):
            run.set_arg(number, value)
        return run


scale, offset = Step("scale", sys.argv[2]), Step("offset", sys.argv[3])
buffers = [pyxrt.bo(device, 2 * ELEMENTS, pyxrt.bo.host_only, scale.kernel.group_id(3)) for _ in range(3)]
views = [np.frombuffer(buffer.map(), np.int16, ELEMENTS) for buffer in buffers]
views[0][:] = np.arange(-ELEMENTS, ELEMENTS, 2)
for buffer in buffers:
    buffer.sync(TO_DEVICE)

runs = pyxrt.runlist(context)
runs.add(scale.run(buffers[0], buffers[1]))
runs.add(offset.run(buffers[1], buffers[2]))
runs.execute()
runs.wait()
for buffer in buffers[1:]:
    buffer.sync(FROM_DEVICE)

scaled = views[0].astype(np.int32) * 3
if not np.array_equal(views[1], scaled) or not np.array_equal(views[2], scaled - 100):
    sys.exit(f"wrong: {views[2][:8]}, expected {(scaled - 100)[:8]}")
print("PASS!")
