"""Memory that wasm instances see at addresses of their own: one file in memory, mapped over theirs.

The only part that depends on the platform. Linux has memfd; elsewhere an unlinked temporary file does. Both
need mmap with MAP_FIXED, which Windows has not.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import weakref

from npuninja.errors import InternalError, ToolError
from npuninja.records import NamedTuple

PAGE_BYTES = mmap.PAGESIZE

_MAP_SHARED = 0x01
_MAP_PRIVATE = 0x02
_MAP_FIXED = 0x10
_MAP_ANONYMOUS = 0x1000 if sys.platform == "darwin" else 0x20
_PROT_NONE = 0
_PROT_READ_WRITE = 3
_FAILED = ctypes.c_void_p(-1).value


def _system_calls() -> ctypes.CDLL:
    if sys.platform == "win32":
        raise ToolError(
            "the emulator needs memory mapping at fixed addresses, which Windows does not offer",
            hint="run the build and the emulator in WSL",
        )
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int64,
    ]
    library.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return library


def _check(failed: bool, what: str) -> None:
    if failed:
        raise ToolError(f"cannot {what}: {os.strerror(ctypes.get_errno())}", hint="is there enough memory?")


class FilePlace(NamedTuple):
    """A place in somebody else's file: its descriptor, which stays theirs, and an offset."""

    descriptor: int
    offset: int

    def map_at(self, address: int, size_bytes: int) -> None:
        """Puts what is there at `address` of this process, in place of what is mapped there."""
        flags = _MAP_SHARED | _MAP_FIXED
        got = _system_calls().mmap(address, size_bytes, _PROT_READ_WRITE, flags, self.descriptor, self.offset)
        _check(got == _FAILED, "map a shared buffer")

    def view(self, size_bytes: int) -> mmap.mmap:
        """What is there as a writable buffer, valid as long as the object lives."""
        return mmap.mmap(self.descriptor, size_bytes, offset=self.offset)


class SharedMemory:
    """A growing file without a name. Offsets and sizes are multiples of `PAGE_BYTES`."""

    def __init__(self) -> None:
        self._calls = _system_calls()
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("npuninja")
        else:
            self.descriptor, path = tempfile.mkstemp(prefix="npuninja-")
            os.unlink(path)
        self.size_bytes = 0
        self._close = weakref.finalize(self, os.close, self.descriptor)

    def reserve(self, size_bytes: int) -> None:
        """Makes the file at least this long; new bytes are zero and take memory once they are touched."""
        if size_bytes > self.size_bytes:
            os.ftruncate(self.descriptor, size_bytes)
            self.size_bytes = size_bytes

    def map_at(self, address: int, offset: int, size_bytes: int) -> None:
        """Puts a part of the file at `address` of this process, in place of what is mapped there."""
        if offset + size_bytes > self.size_bytes:
            raise InternalError(
                f"shared memory ends at 0x{self.size_bytes:x}, asked for 0x{offset + size_bytes:x}"
            )
        flags = _MAP_SHARED | _MAP_FIXED
        got = self._calls.mmap(address, size_bytes, _PROT_READ_WRITE, flags, self.descriptor, offset)
        _check(got == _FAILED, "map the array's memory")

    def map_private(self, address: int, size_bytes: int) -> None:
        """Puts fresh zeros at `address` that no other mapping sees."""
        flags = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_FIXED
        got = self._calls.mmap(address, size_bytes, _PROT_READ_WRITE, flags, -1, 0)
        _check(got == _FAILED, "map a core's state")

    def forbid(self, address: int, size_bytes: int) -> None:
        """Takes all access from a range; a core that touches it traps."""
        _check(self._calls.mprotect(address, size_bytes, _PROT_NONE) != 0, "protect a core's memory")

    def view(self, offset: int, size_bytes: int) -> mmap.mmap:
        """A part of the file as a writable buffer, valid as long as the object lives."""
        return mmap.mmap(self.descriptor, size_bytes, offset=offset)

    def discard(self, offset: int, size_bytes: int) -> bool:
        """Gives a part's memory back to the system; it reads as zeros then. False where impossible."""
        if not hasattr(self._calls, "fallocate"):
            return False
        wide = ctypes.c_int64
        keep_size_and_punch = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE
        return bool(
            self._calls.fallocate(self.descriptor, keep_size_and_punch, wide(offset), wide(size_bytes)) == 0
        )

    def close(self) -> None:
        """Closes the file; what is mapped stays mapped."""
        self._close()
