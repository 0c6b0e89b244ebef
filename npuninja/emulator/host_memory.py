"""Host memory of the emulated array: the buffers shared with the host, and what places in them are called."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from npuninja.emulator import layout
from npuninja.emulator.array import Array
from npuninja.emulator.faults import HostRange
from npuninja.emulator.shared_memory import FilePlace
from npuninja.errors import ToolError, UserError

#: Arguments of a sequence and host buffers that the engine has room for (engine/txn.c, engine/bd.c).
MAX_ARGUMENTS = 64
MAX_BUFFERS = 4096


class HostBuffer:
    """Memory that the host and the array share, without a copy.

    Attributes:
        view: the content, as writable bytes.
        nbytes: its size.
        address: its device address.
    """

    def __init__(self, array: Array, nbytes: int, place: FilePlace | None = None) -> None:
        self.nbytes = nbytes
        self.offset = array.allocate_ddr(nbytes) if place is None else array.share_ddr(nbytes, place)
        self.address = layout.DEVICE_DDR + self.offset
        self.is_shared = place is not None
        self._mapping = array.ddr_view(self.offset, nbytes) if place is None else place.view(nbytes)
        self.view = memoryview(self._mapping)
        self.number = array.call("add_host_buffer", self.offset, nbytes)


class HostMemory:
    """The buffers of one array, and those of them that are the arguments of the running sequence.

    Args:
        array: has the memory.
    """

    def __init__(self, array: Array) -> None:
        self._array = array
        self._buffers: list[HostBuffer] = []
        self._arguments: Sequence[HostBuffer] = ()

    def add(self, nbytes: int, place: FilePlace | None) -> HostBuffer:
        """A new buffer, of zeros or a part of a file.

        Raises:
            UserError: its size is below one byte.
            ToolError: there is no room for more.
        """
        if nbytes < 1:
            raise UserError(
                f"a host buffer of {nbytes} bytes was asked for", hint="a buffer has at least one byte"
            )
        if len(self._buffers) == MAX_BUFFERS:
            raise ToolError(
                f"the emulator has {MAX_BUFFERS} host buffers and no room for more", hint="free some of them"
            )
        buffer = HostBuffer(self._array, nbytes, place)
        self._buffers.append(buffer)
        return buffer

    def remove(self, buffer: HostBuffer) -> None:
        """Gives a buffer's memory back."""
        self._buffers.remove(buffer)
        self._array.call("remove_host_buffer", buffer.number)
        if buffer.is_shared:
            self._array.unshare_ddr(buffer.offset, buffer.nbytes)
        self._array.free_ddr(buffer.offset, buffer.nbytes)

    def take_arguments(self, buffers: Sequence[HostBuffer], starts: Sequence[int]) -> bytes:
        """Makes buffers a sequence's arguments; returns the engine's table, two words each: offset, bytes.

        Args:
            buffers: the arguments in order.
            starts: where in its buffer each begins; () for the beginning.

        Raises:
            UserError: too many, or one that is not of this memory.
        """
        if len(buffers) > MAX_ARGUMENTS:
            raise UserError(
                f"{len(buffers)} arguments were passed to run, the emulator takes up to {MAX_ARGUMENTS}"
            )
        if any(b not in self._buffers for b in buffers):
            raise UserError(
                "a buffer that this emulator did not allocate, or that was freed, was passed to run"
            )
        self._arguments = buffers
        parts = zip(buffers, starts or [0] * len(buffers))
        words = [word for b, start in parts for word in (b.offset + start, b.nbytes - start)]
        return struct.pack(f"<{len(words)}I", *words)

    def name_of(self, offset: int) -> str:
        """What the byte at an offset of host memory is, for messages."""
        for i, buffer in enumerate(self._arguments):
            if buffer.offset <= offset < buffer.offset + buffer.nbytes:
                return f"byte {offset - buffer.offset} of the buffer of argument {i}"
        return f"byte 0x{offset:x} of host memory"

    def ranges(self) -> list[HostRange]:
        """All buffers as ranges of device addresses, those of the running sequence first."""
        ranges = [
            HostRange(f"the buffer of argument {i}", b.address, b.nbytes)
            for i, b in enumerate(self._arguments)
        ]
        others = [b for b in self._buffers if b not in self._arguments]
        return ranges + [HostRange("a buffer of another run", b.address, b.nbytes) for b in others]
