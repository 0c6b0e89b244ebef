"""The memory of the emulated NPU: all buffers of all open device files, in one file that clients map."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import threading
from collections.abc import Iterator

from npuninja.errors import InternalError, ToolError, in_words
from npuninja.formats.wasm_module import WASM_PAGE_BYTES
from npuninja.xrt_emulation.wire import CONTEXTS

#: Size of the file. It is sparse: only what is touched takes memory.
FILE_BYTES = 1 << 40
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE = 1, 2
_FUTEX_WAKE = 1
#: How far the comparison of two parts looks: it is for a hint, and done before a run.
_COMPARED_BYTES = 1 << 20
_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}


def _calls() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    library.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    return library


class NpuMemory:
    """A file in memory with an allocator. Pieces begin at pages of 64 KiB, so that the array can map them.

    Attributes:
        descriptor: of the file.
        lock: for all that keeps account of pieces; whatever allocates or frees holds it.

    Raises:
        ToolError: there is no room for it among this process's addresses.
    """

    def __init__(self) -> None:
        self._calls = _calls()
        self.descriptor = os.memfd_create(
            f"npuninja-emu-{os.getpid()}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        )
        os.ftruncate(self.descriptor, FILE_BYTES)
        # Programs have this descriptor as their device. One that cut it short would take the memory from all.
        fcntl.fcntl(
            self.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        )
        try:
            self._mapping = mmap.mmap(self.descriptor, FILE_BYTES)
        except OSError as error:
            os.close(self.descriptor)
            raise ToolError(
                f"the emulated NPU's memory cannot be mapped: {in_words(error)}",
                hint="it takes addresses, and little memory: "
                "is the address space limited? `ulimit -v unlimited`",
            ) from error
        self.lock = threading.RLock()
        self._end = 0
        self._used_bytes = 0
        #: More than that is not given to buffers.
        self.limit_bytes = FILE_BYTES
        self._free: dict[int, list[int]] = {}
        self._begin = ctypes.c_char.from_buffer(self._mapping)
        self._address = ctypes.addressof(self._begin)
        self._futex = _SYS_FUTEX[os.uname().machine]

    def allocate(self, nbytes: int) -> int:
        """The offset of `nbytes` zeros. Raises MemoryError when the file is full."""
        size = _whole(nbytes)
        if self._used_bytes + size > self.limit_bytes:
            raise MemoryError(
                f"{nbytes} bytes of buffers: "
                f"{self._used_bytes} of {self.limit_bytes} are used (--memory-limit)"
            )
        self._used_bytes += size
        if self._free.get(size):
            return self._free[size].pop()
        if self._end + size > FILE_BYTES:
            raise MemoryError(f"{nbytes} bytes of buffers")
        offset = self._end
        self._end += size
        return offset

    def free(self, offset: int, nbytes: int) -> None:
        """Gives back what `allocate` gave for this size; the memory itself at once."""
        size = _whole(nbytes)
        if self._calls.fallocate(self.descriptor, _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE, offset, size):
            raise InternalError(f"cannot give memory back: {os.strerror(ctypes.get_errno())}")
        self._used_bytes -= size
        self._free.setdefault(size, []).append(offset)

    def read(self, offset: int, nbytes: int) -> bytes:
        """A copy of a part."""
        return os.pread(self.descriptor, nbytes, offset)

    def write(self, offset: int, data: bytes) -> None:
        """Writes bytes at an offset."""
        os.pwrite(self.descriptor, data, offset)

    def copy(self, source: int, target: int, nbytes: int) -> None:
        """Copies a part over another one. What was never written takes no memory there either."""
        at = 0
        for start, end in self._data(source, nbytes):
            self._make_zero(target + at, start - at)
            ctypes.memmove(self._address + target + start, self._address + source + start, end - start)
            at = end
        self._make_zero(target + at, nbytes - at)

    def _make_zero(self, offset: int, nbytes: int) -> None:
        """Makes a part zero; memory that it takes is kept, because it will be used again."""
        for start, end in self._data(offset, nbytes):
            ctypes.memset(self._address + offset + start, 0, end - start)

    def _data(self, offset: int, nbytes: int) -> Iterator[tuple[int, int]]:
        """Where a part takes memory: beginning and end of each piece, counted from `offset`."""
        at, end = offset, offset + nbytes
        while at < end:
            start = min(self._seek(at, os.SEEK_DATA), end)
            at = min(self._seek(start, os.SEEK_HOLE), end)
            if start < at:
                yield start - offset, at - offset

    def _seek(self, offset: int, what: int) -> int:
        """Where data or a hole begins, at or after an offset."""
        try:
            return os.lseek(self.descriptor, offset, what)
        except OSError:  # ENXIO: there is no data any more
            return FILE_BYTES

    def differ(self, one: int, other: int, nbytes: int) -> bool:
        """Whether two parts differ, as far as a look at their beginning shows."""
        nbytes = min(nbytes, _COMPARED_BYTES)
        if all(self._seek(offset, os.SEEK_DATA) >= offset + nbytes for offset in (one, other)):
            return False  # nothing wrote to either
        return bool(self._calls.memcmp(self._address + one, self._address + other, nbytes))

    def store_and_wake(self, offset: int, word: int) -> None:
        """Stores a word and wakes the threads that wait for it to change (futex)."""
        address = self._address + offset
        ctypes.c_uint32.from_address(
            address
        ).value = word  # one store: a reader sees the old or the new number
        self._calls.syscall(self._futex, ctypes.c_void_p(address), _FUTEX_WAKE, 1 << 30, None, None, 0)

    def close(self) -> None:
        """Drops the file; a process that has it mapped keeps it."""
        del self._begin
        self._mapping.close()
        os.close(self.descriptor)


class EndedCommands:
    """A piece of the memory with a word for each context of an open device file: its last command that has
    ended.

    Attributes:
        offset: of the piece.
    """

    def __init__(self, memory: NpuMemory) -> None:
        self._memory = memory
        with memory.lock:
            self.offset = memory.allocate(4 * CONTEXTS)

    def set(self, context: int, seq: int) -> None:
        """Tells the client that a context has ended its command `seq`, and wakes those that wait for it."""
        self._memory.store_and_wake(self.offset + 4 * context, seq & 0xFFFFFFFF)

    def close(self) -> None:
        """Gives the piece back."""
        with self._memory.lock:
            self._memory.free(self.offset, 4 * CONTEXTS)


def _whole(nbytes: int) -> int:
    return -(-max(nbytes, 1) // WASM_PAGE_BYTES) * WASM_PAGE_BYTES
