"""Opening the machine's NPU: by pyxrt in this process, or in one of the Python that pyxrt was built for."""

from __future__ import annotations

from npuninja.detect.pyxrt_import import check_node, find_other_pyxrt, find_pyxrt, import_pyxrt
from npuninja.device.api import Device
from npuninja.device.xrt import is_emulated, open_with
from npuninja.device.xrt_remote import RemoteXrtDevice
from npuninja.errors import NoDevice


def open_npu() -> Device:
    """Opens the machine's NPU, in a worker process when XRT's Python binding is for another Python than this
    one.

    Raises:
        NoDevice: there is none, or it cannot be used; the message says at which step.
    """
    check_node(needs_locked_memory=not is_emulated())
    try:
        path = find_pyxrt()
    except NoDevice:
        other = find_other_pyxrt()
        if other is None:
            raise
        return RemoteXrtDevice(other)
    return open_with(import_pyxrt(path))
