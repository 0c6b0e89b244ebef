"""Buffers that a program exports, for itself or for others to import: what the kernel calls a dma-buf.

Source: DRM_IOCTL_PRIME_HANDLE_TO_FD and DRM_IOCTL_PRIME_FD_TO_HANDLE in include/uapi/drm/drm.h of Linux.
"""

from __future__ import annotations

import errno
import fcntl
import os

from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.buffers import AllocatedBuffer, Buffers
from npuninja.xrt_emulation.npu_memory import NpuMemory

#: Of the file behind a descriptor: device and inode.
Identity = tuple[int, int]


class Exports:
    """Files that stand for buffers. Each is empty and as long as its buffer, which is what XRT's shim asks of
    it; the buffer's content is where it was. Nobody can see when the last descriptor of a file is closed, so
    an export keeps its buffer until the open device file that exported it is closed.
    """

    def __init__(self, memory: NpuMemory) -> None:
        self._lock = memory.lock
        self._files: dict[Identity, tuple[int, AllocatedBuffer, Buffers]] = {}

    def descriptor(self, buffer: AllocatedBuffer, owner: Buffers) -> int:
        """A descriptor that stands for a buffer; it stays ours. Raises DriverError."""
        if buffer.kind != amdxdna.BO_SHARE:
            raise DriverError(errno.EOPNOTSUPP, "only buffers of data can be exported")
        with self._lock:
            for descriptor, known, _ in self._files.values():
                if known is buffer:
                    return descriptor
            descriptor = os.memfd_create("npuninja-emu-export", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(descriptor, buffer.nbytes)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
            buffer.users += 1
            self._files[identity_of(descriptor)] = descriptor, buffer, owner
            return descriptor

    def buffer(self, descriptor: int) -> AllocatedBuffer:
        """The buffer that a descriptor stands for. Raises DriverError."""
        with self._lock:
            found = self._files.get(identity_of(descriptor))
        if found is None:
            raise DriverError(errno.EINVAL, "a buffer was imported that no program exported from this NPU")
        return found[1]

    def close(self, owner: Buffers) -> None:
        """An open device file is closed: what it exported cannot be imported any more."""
        with self._lock:
            for identity, (descriptor, buffer, exporter) in list(self._files.items()):
                if exporter is owner:
                    del self._files[identity]
                    os.close(descriptor)
                    owner.drop(buffer)


def identity_of(descriptor: int) -> Identity:
    """What is the same for all descriptors of a file, in whichever process."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
