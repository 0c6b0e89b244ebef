"""The buffer objects of one open device file.

An NPU does not see what the processor has in its caches, nor the processor what the NPU wrote while it has
old data there; `sync` brings one side's data to the other. Here the two sides are two places in the memory,
as soon as the program's XRT asks the driver to sync (`preload/settings.c` has it do so): whatever was not
synced is not seen, which on an NPU may or may not happen. An XRT that never asks gets one place for both.
"""

from __future__ import annotations

import bisect
import errno
from dataclasses import dataclass, field

from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.npu_memory import NpuMemory

#: Device address of offset 0 of the memory. Above 4 GiB, so that no address of the heap equals it.
_SHARED_ADDRESS = 0x1_0000_0000
MAX_BUFFERS = 65536
#: Pieces of the heap begin at pages, as the driver's do.
_HEAP_PAGE_BYTES = 4096


@dataclass
class AllocatedBuffer:
    """A buffer object.

    Attributes:
        kind: one of `amdxdna.BO_…`.
        offset: where it begins in the memory.
        nbytes: its size.
        address: its device address.
        users: handles, commands that work on it, and whether other processes may import it.
        device_offset: where the NPU's side of it begins; -1 as long as it has none.
        in_step: no command has worked on it since it was made or all of it was synced: then only the program
            can have changed it.
        tables: of the open files that know its address.
    """

    kind: int
    offset: int
    nbytes: int
    address: int
    users: int = 0
    device_offset: int = -1
    in_step: bool = True
    tables: list[Buffers] = field(default_factory=list)


class Buffers:
    """All buffers of an open file. Safe to use from several threads."""

    def __init__(self, memory: NpuMemory) -> None:
        self._memory = memory
        self._lock = memory.lock
        self._by_handle: dict[int, AllocatedBuffer] = {}
        self._addresses: list[int] = []
        self._by_address: dict[int, AllocatedBuffer] = {}
        self._heap: AllocatedBuffer | None = None
        self._next_handle = 1
        self._two_sides = False

    def create(self, kind: int, nbytes: int) -> tuple[int, AllocatedBuffer]:
        """A new buffer of zeros, and its handle. Raises DriverError."""
        with self._lock:
            self._check_number()
            if not 0 < nbytes <= 1 << 36:
                raise DriverError(errno.EINVAL, f"a buffer of {nbytes} bytes was asked for")
            if kind == amdxdna.BO_DEV:
                offset, address = self._in_heap(nbytes)
            elif kind == amdxdna.BO_DEV_HEAP:
                offset, address = self._new_heap(nbytes)
            elif kind in (amdxdna.BO_SHARE, amdxdna.BO_CMD):
                offset = self._allocate(nbytes)
                address = _SHARED_ADDRESS + offset
            else:
                raise DriverError(errno.EINVAL, f"a buffer of the unknown type {kind} was asked for")
            buffer = AllocatedBuffer(kind, offset, nbytes, address)
            return self._enter(buffer), buffer

    def import_(self, buffer: AllocatedBuffer) -> int:
        """Gives the client its handle of another file's buffer, or makes one. Raises DriverError."""
        with self._lock:
            self._check_number()
            known = next((handle for handle, own in self._by_handle.items() if own is buffer), None)
            return known if known is not None else self._enter(buffer)

    def _check_number(self) -> None:
        if len(self._by_handle) >= MAX_BUFFERS:
            raise DriverError(errno.ENOMEM, f"the program has {MAX_BUFFERS} buffers")

    def _enter(self, buffer: AllocatedBuffer) -> int:
        handle, self._next_handle = self._next_handle, self._next_handle + 1
        self._by_handle[handle] = buffer
        buffer.users += 1
        if self not in buffer.tables:
            buffer.tables.append(self)
            if buffer.kind == amdxdna.BO_DEV_HEAP:
                self._heap = buffer
            else:
                bisect.insort(self._addresses, buffer.address)
                self._by_address[buffer.address] = buffer
        return handle

    def _allocate(self, nbytes: int) -> int:
        try:
            return self._memory.allocate(nbytes)
        except MemoryError as error:
            raise DriverError(errno.ENOMEM, f"no room for {error}") from error

    def _new_heap(self, nbytes: int) -> tuple[int, int]:
        if self._heap is not None:
            raise DriverError(errno.EBUSY, "a second heap was asked for")
        if nbytes > amdxdna.HEAP_BYTES:
            raise DriverError(
                errno.EINVAL, f"a heap of {nbytes} bytes was asked for, the device has {amdxdna.HEAP_BYTES}"
            )
        return self._allocate(nbytes), amdxdna.HEAP_ADDRESS

    def _in_heap(self, nbytes: int) -> tuple[int, int]:
        """First fit between the buffers that are in the heap."""
        heap = self._heap
        if heap is None:
            raise DriverError(errno.EINVAL, "a buffer of the device was asked for before the heap")
        start = heap.address
        for address in self._addresses:
            if not heap.address <= address < heap.address + heap.nbytes:
                break  # sorted, and the heap comes first
            if address - start >= nbytes:
                break
            start = -(-(address + self._by_address[address].nbytes) // _HEAP_PAGE_BYTES) * _HEAP_PAGE_BYTES
        if start + nbytes > heap.address + heap.nbytes:
            raise DriverError(
                errno.ENOMEM, f"no room for {nbytes} bytes in the device's heap of {heap.nbytes}"
            )
        return heap.offset + start - heap.address, start

    def get(self, handle: int) -> AllocatedBuffer:
        """The buffer of a handle. Raises DriverError ENOENT."""
        with self._lock:
            found = self._by_handle.get(handle)
        if found is None:
            raise DriverError(errno.ENOENT, f"there is no buffer {handle}")
        return found

    def take(self, address: int) -> AllocatedBuffer | None:
        """The buffer that holds a device address, with one more user; None when there is none."""
        with self._lock:
            place = bisect.bisect_right(self._addresses, address)
            if not place:
                return None
            buffer = self._by_address[self._addresses[place - 1]]
            if address >= buffer.address + buffer.nbytes:
                return None
            buffer.users += 1
            return buffer

    def hold(self, handle: int) -> AllocatedBuffer:
        """The buffer of a handle, with one more user. Raises DriverError ENOENT."""
        with self._lock:
            buffer = self.get(handle)
            buffer.users += 1
            return buffer

    def drop(self, buffer: AllocatedBuffer) -> bool:
        """Takes one user away; True when it was the last one and the memory is free again."""
        with self._lock:
            buffer.users -= 1
            if buffer.users:
                return False
            for table in buffer.tables:
                table._forget(buffer)
            if buffer.kind != amdxdna.BO_DEV:
                self._memory.free(buffer.offset, buffer.nbytes)
            if buffer.device_offset >= 0:
                self._memory.free(buffer.device_offset, buffer.nbytes)
            return True

    def _forget(self, buffer: AllocatedBuffer) -> None:
        if buffer.kind == amdxdna.BO_DEV_HEAP:
            self._heap = None
        else:
            self._addresses.remove(buffer.address)
            del self._by_address[buffer.address]

    def device_side(self, buffer: AllocatedBuffer) -> int:
        """Where in the memory the NPU sees a buffer. Raises DriverError ENOMEM."""
        with self._lock:
            if buffer.device_offset >= 0:
                return buffer.device_offset
            if not self._two_sides or buffer.kind == amdxdna.BO_CMD:  # the driver reads commands, not the NPU
                return buffer.offset
            if buffer.kind == amdxdna.BO_DEV and self._heap is not None:
                return self.device_side(self._heap) + buffer.offset - self._heap.offset
            buffer.device_offset = self._allocate(buffer.nbytes)
            return buffer.device_offset

    def sync(self, buffer: AllocatedBuffer, direction: int, offset: int, nbytes: int) -> None:
        """Brings a part of a buffer from the program's side to the NPU's, or back."""
        self._two_sides = True
        device_side = self.device_side(buffer)
        if device_side == buffer.offset:
            return
        here, there = buffer.offset + offset, device_side + offset
        if direction == amdxdna.SYNC_TO_DEVICE:
            self._memory.copy(here, there, nbytes)
        else:
            self._memory.copy(there, here, nbytes)
        if nbytes == buffer.nbytes:
            buffer.in_step = True

    def use(self, buffer: AllocatedBuffer) -> bool:
        """A command will work on a buffer; gives whether the program has changed it and not synced it."""
        device_side, in_step, buffer.in_step = self.device_side(buffer), buffer.in_step, False
        return (
            in_step
            and device_side != buffer.offset
            and self._memory.differ(buffer.offset, device_side, buffer.nbytes)
        )

    def close(self, handle: int) -> AllocatedBuffer:
        """Takes the client's handle away. Raises DriverError ENOENT."""
        with self._lock:
            buffer = self.get(handle)
            del self._by_handle[handle]
            return buffer

    def close_all(self) -> None:
        """The client has gone. What others use stays theirs."""
        with self._lock:
            for handle in list(self._by_handle):
                self.drop(self.close(handle))
            for buffer in self._by_address.values():
                buffer.tables.remove(self)
            self._by_address.clear()
            self._addresses.clear()
