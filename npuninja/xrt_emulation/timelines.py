"""Fences that a program makes itself: timelines of the kernel (drm_syncobj), which count up.

Where XRT uses them: `xrt::fence`, which its shim waits for and signals by itself between the commands of a
queue. A timeline is a number in the NPU's memory, so that programs wait and signal without a message. Source
of semantics and layouts: include/uapi/drm/drm.h of Linux.
"""

from __future__ import annotations

import errno
import os
from collections import Counter

from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.exports import Identity, identity_of
from npuninja.xrt_emulation.npu_memory import NpuMemory
from npuninja.xrt_emulation.wire import CONTEXTS, TIMELINES

_NUMBER_BYTES = 8


class Timelines:
    """All of them; handles are the same in every open file, and follow those of the contexts' timelines.

    Attributes:
        offset: where their numbers begin in the memory.
    """

    def __init__(self, memory: NpuMemory) -> None:
        self._memory = memory
        self.offset = memory.allocate(TIMELINES * _NUMBER_BYTES)
        self._free = list(reversed(range(TIMELINES)))
        self._holders: dict[int, Counter[object]] = {}  # for each place that is taken: handles by open file
        self._exports: dict[Identity, tuple[int, int, object]] = {}  # descriptor, place, open file

    def create(self, file: object) -> int:
        """A new one, at 0; gives its handle. Raises DriverError."""
        with self._memory.lock:
            if not self._free:
                raise DriverError(errno.ENOMEM, f"all {TIMELINES} fences are in use")
            place = self._free.pop()
            self._memory.write(self._offset_of(place), bytes(_NUMBER_BYTES))
            self._holders[place] = Counter([file])
            return CONTEXTS + place

    def destroy(self, handle: int, file: object) -> None:
        """Takes one handle away. Raises DriverError."""
        with self._memory.lock:
            place = self._place(handle, file)
            self._holders[place][file] -= 1
            self._free_unused(place)

    def descriptor(self, handle: int, file: object) -> int:
        """A descriptor that stands for a timeline: ours, and good until the open file is closed."""
        with self._memory.lock:
            place = self._place(handle, file)
            for descriptor, known, owner in self._exports.values():
                if (known, owner) == (place, file):
                    return descriptor
            descriptor = os.memfd_create("npuninja-emu-fence", os.MFD_CLOEXEC)
            self._exports[identity_of(descriptor)] = descriptor, place, file
            return descriptor

    def import_(self, descriptor: int, file: object) -> int:
        """One more handle of the timeline that a descriptor stands for. Raises DriverError."""
        with self._memory.lock:
            found = self._exports.get(identity_of(descriptor))
            if found is None:
                raise DriverError(errno.EINVAL, "a fence was imported that no program exported from this NPU")
            self._holders[found[1]][file] += 1
            return CONTEXTS + found[1]

    def close(self, file: object) -> None:
        """An open file is closed: its handles and exports go."""
        with self._memory.lock:
            for identity, (descriptor, place, owner) in list(self._exports.items()):
                if owner is file:
                    del self._exports[identity]
                    os.close(descriptor)
                    self._free_unused(place)
            for place, holders in list(self._holders.items()):
                del holders[file]
                self._free_unused(place)

    def _place(self, handle: int, file: object) -> int:
        place = handle - CONTEXTS
        if not self._holders.get(place, Counter())[file]:
            raise DriverError(errno.ENOENT, f"there is no fence {handle}")
        return place

    def _free_unused(self, place: int) -> None:
        exported = any(known == place for _, known, _ in self._exports.values())
        if place in self._holders and not exported and not self._holders[place].total():
            del self._holders[place]
            self._free.append(place)

    def _offset_of(self, place: int) -> int:
        return self.offset + place * _NUMBER_BYTES
