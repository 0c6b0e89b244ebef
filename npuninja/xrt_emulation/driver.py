"""One open device file: what the amdxdna driver does with its ioctls."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable

from npuninja.errors import Error
from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.array_context import ArrayContext
from npuninja.xrt_emulation.buffers import Buffers
from npuninja.xrt_emulation.hardware_context import HardwareContext
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.npu_memory import EndedCommands
from npuninja.xrt_emulation.queries import get_array, get_info
from npuninja.xrt_emulation.wire import CONTEXTS, Request

#: The structure as the driver leaves it, and what is written where it points to.
Answer = tuple[bytes, bytes]
_MAX_UNITS = 32


class DeviceFile:
    """The driver's side of one open `/dev/accel/accel0`.

    Args:
        npu: the hardware, shared with other files.
        pid: of the process that opened it.
    """

    def __init__(self, npu: Npu, pid: int) -> None:
        self._npu = npu
        self._pid = pid
        self.memory = npu.memory
        self.ended = EndedCommands(self.memory)
        self._buffers = Buffers(self.memory)
        self._contexts: dict[int, HardwareContext] = {}
        self._next_context = 1
        self._handlers: dict[int, tuple[struct.Struct, Callable[[tuple[int, ...], bytes], Answer]]] = {
            amdxdna.CREATE_BO: (amdxdna.CREATE_BO_S, self._create_bo),
            amdxdna.GET_BO_INFO: (amdxdna.GET_BO_INFO_S, self._bo_info),
            amdxdna.SYNC_BO: (amdxdna.SYNC_BO_S, self._sync_bo),
            amdxdna.GEM_CLOSE: (amdxdna.GEM_CLOSE_S, self._close_bo),
            amdxdna.CREATE_HWCTX: (amdxdna.CREATE_HWCTX_S, self._create_context),
            amdxdna.CONFIG_HWCTX: (amdxdna.CONFIG_HWCTX_S, self._configure_context),
            amdxdna.DESTROY_HWCTX: (amdxdna.DESTROY_HWCTX_S, self._destroy_context),
            amdxdna.SYNCOBJ_CREATE: (amdxdna.SYNCOBJ_CREATE_S, self._create_timeline),
            amdxdna.SYNCOBJ_DESTROY: (amdxdna.SYNCOBJ_DESTROY_S, self._destroy_timeline),
            amdxdna.EXEC_CMD: (amdxdna.EXEC_CMD_S, self._execute),
            amdxdna.GET_INFO: (amdxdna.GET_INFO_S, self._get_info),
            amdxdna.GET_ARRAY: (amdxdna.GET_ARRAY_S, self._get_array),
        }

    def ioctl(self, request: Request) -> Answer:
        """Does what a request asks. Raises DriverError with the errno that the driver would give."""
        found = self._handlers.get(request.operation)
        if found is None:
            raise DriverError(errno.EOPNOTSUPP, f"the ioctl 0x{request.operation:02x} is not emulated")
        layout, handler = found
        return handler(_unpack(layout, request), request.pointed)

    # --- Buffers.

    def _create_bo(self, fields: tuple[int, ...], pointed: bytes) -> Answer:
        flags, table, size, kind, _ = fields
        handle, buffer = self._buffers.create(kind, size)
        where = struct.pack("<Q", buffer.offset)[: len(pointed)]
        return amdxdna.CREATE_BO_S.pack(flags, table, size, kind, handle), where

    def _bo_info(self, fields: tuple[int, ...], _: bytes) -> Answer:
        buffer = self._buffers.get(fields[2])
        in_heap = buffer.kind == amdxdna.BO_DEV
        map_offset = amdxdna.INVALID_ADDRESS if in_heap else buffer.offset
        # The library turns an offset in the memory into the address at which the program has mapped the heap.
        address = buffer.offset if in_heap else 0
        return amdxdna.GET_BO_INFO_S.pack(0, 0, fields[2], 0, map_offset, address, buffer.address), b""

    def _sync_bo(self, fields: tuple[int, ...], _: bytes) -> Answer:
        handle, direction, offset, size = fields
        buffer = self._buffers.get(handle)
        if offset + size > buffer.nbytes:
            raise DriverError(
                errno.EINVAL, f"sync of bytes {offset} to {offset + size} of a buffer of {buffer.nbytes}"
            )
        if direction not in (amdxdna.SYNC_TO_DEVICE, amdxdna.SYNC_FROM_DEVICE):
            raise DriverError(errno.EINVAL, f"sync in the unknown direction {direction}")
        self._buffers.sync(buffer, direction, offset, size)
        return amdxdna.SYNC_BO_S.pack(handle, direction, offset, size), b""

    def _close_bo(self, fields: tuple[int, ...], _: bytes) -> Answer:
        self._buffers.drop(self._buffers.close(fields[0]))
        return amdxdna.GEM_CLOSE_S.pack(*fields), b""

    # --- What other processes may have too: buffers and fences as descriptors.

    def export(self, request: Request) -> tuple[bytes, int]:
        """Answers PRIME_HANDLE_TO_FD and SYNCOBJ_HANDLE_TO_FD: structure, and a descriptor that stays ours.

        Raises:
            DriverError: there is no such handle, or it cannot be exported.
        """
        if request.operation == amdxdna.PRIME_HANDLE_TO_FD:
            handle, flags, _ = _unpack(amdxdna.PRIME_S, request)
            descriptor = self._npu.exports.descriptor(self._buffers.get(handle), self._buffers)
            return amdxdna.PRIME_S.pack(handle, flags, -1), descriptor
        handle, flags, _, pad, point = _unpack(amdxdna.SYNCOBJ_HANDLE_S, request)
        return amdxdna.SYNCOBJ_HANDLE_S.pack(handle, flags, -1, pad, point), self._npu.timelines.descriptor(
            handle, self
        )

    def import_(self, request: Request) -> bytes:
        """Answers PRIME_FD_TO_HANDLE and SYNCOBJ_FD_TO_HANDLE, whose descriptor came with it.

        Raises:
            DriverError: it stands for nothing.
        """
        if request.descriptor < 0:
            raise DriverError(errno.EBADF, "an import without a descriptor")
        if request.operation == amdxdna.PRIME_FD_TO_HANDLE:
            _, flags, _ = _unpack(amdxdna.PRIME_S, request)
            buffer = self._npu.exports.buffer(request.descriptor)
            return amdxdna.PRIME_S.pack(self._buffers.import_(buffer), flags, -1)
        _, flags, _, pad, point = _unpack(amdxdna.SYNCOBJ_HANDLE_S, request)
        return amdxdna.SYNCOBJ_HANDLE_S.pack(
            self._npu.timelines.import_(request.descriptor, self), flags, -1, pad, point
        )

    def _create_timeline(self, fields: tuple[int, ...], _: bytes) -> Answer:
        return amdxdna.SYNCOBJ_CREATE_S.pack(self._npu.timelines.create(self), fields[1]), b""

    def _destroy_timeline(self, fields: tuple[int, ...], _: bytes) -> Answer:
        if (
            fields[0] >= CONTEXTS
        ):  # the timeline of a context ends with it; dropping it before changes nothing
            self._npu.timelines.destroy(fields[0], self)
        return amdxdna.SYNCOBJ_DESTROY_S.pack(*fields), b""

    # --- Contexts.

    def _create_context(self, fields: tuple[int, ...], _: bytes) -> Answer:
        ext, flags, qos, umq, log, max_opc, tiles, mem, doorbell, _handle, _syncobj = fields
        core_rows = len(self._npu.model.rows.of_kind("core"))
        if tiles % core_rows:
            raise DriverError(
                errno.EINVAL, f"a context of {tiles} tiles was asked for, not whole columns of {core_rows}"
            )
        handle = self._new_context_handle()
        partition = self._npu.partitions.enter(tiles // core_rows)
        array = ArrayContext(
            partition.columns, self._buffers, self.memory, self._npu.modules, self._npu.model.name
        )
        context = HardwareContext(
            handle,
            partition,
            array,
            self._buffers,
            self.memory,
            self.ended,
            self._npu.journal,
            self._npu.time_limit_s,
        )
        self._contexts[handle] = context
        self._npu.register(self._pid, context)
        # The library waits for commands by the context's number, so that is the number of its timeline too.
        answer = (ext, flags, qos, umq, log, max_opc, tiles, mem, doorbell, handle, handle)
        return amdxdna.CREATE_HWCTX_S.pack(*answer), b""

    def _new_context_handle(self) -> int:
        """A number that is free; the one that was used longest ago."""
        for _ in range(CONTEXTS):
            handle, self._next_context = self._next_context, self._next_context % (CONTEXTS - 1) + 1
            if handle not in self._contexts:
                return handle
        raise DriverError(errno.ENOENT, "the program has too many hardware contexts")

    def _context(self, handle: int) -> HardwareContext:
        if handle not in self._contexts:
            raise DriverError(errno.EINVAL, f"there is no hardware context {handle}")
        return self._contexts[handle]

    def _configure_context(self, fields: tuple[int, ...], pointed: bytes) -> Answer:
        context = self._context(fields[0])
        if fields[1] != amdxdna.CONFIG_CU:
            raise DriverError(errno.EOPNOTSUPP, "debug buffers of a hardware context are not emulated")
        header = amdxdna.CU_CONFIG_HEADER_S.size
        count = struct.unpack_from("<H", pointed)[0] if len(pointed) >= header else 0
        if not 0 < count <= _MAX_UNITS or len(pointed) < header + count * amdxdna.CU_CONFIG_S.size:
            raise DriverError(errno.EINVAL, "a list of compute units is damaged")
        images = []
        for number in range(count):
            handle, _ = amdxdna.CU_CONFIG_S.unpack_from(pointed, header + number * amdxdna.CU_CONFIG_S.size)
            buffer = self._buffers.get(handle)
            images.append(self.memory.read(buffer.offset, buffer.nbytes))
        try:
            context.configure(images)
        except Error as error:
            self._npu.journal.failure(f"context {context.handle} cannot be configured", error)
            raise DriverError(errno.EINVAL) from error
        return amdxdna.CONFIG_HWCTX_S.pack(*fields), b""

    def _destroy_context(self, fields: tuple[int, ...], _: bytes) -> Answer:
        context = self._context(fields[0])
        del self._contexts[context.handle]
        self._end(context)
        return amdxdna.DESTROY_HWCTX_S.pack(*fields), b""

    def _end(self, context: HardwareContext) -> None:
        context.close()
        self._npu.unregister(context)
        self._npu.partitions.leave(context.partition)

    def _execute(self, fields: tuple[int, ...], pointed: bytes) -> Answer:
        context = self._context(fields[2])
        if fields[3] != amdxdna.SUBMIT_EXEC_BUF:
            raise DriverError(
                errno.EOPNOTSUPP, "waiting for and signalling of fences in a command queue is not emulated"
            )
        if len(pointed) != 4 or fields[6] != 1:
            raise DriverError(errno.EINVAL, f"{fields[6]} command buffers in one call, expected 1")
        (handle,) = struct.unpack("<I", pointed)
        seq = context.submit(self._buffers.hold(handle))
        return amdxdna.EXEC_CMD_S.pack(*fields[:8], seq), pointed

    # --- Questions.

    def _get_info(self, fields: tuple[int, ...], pointed: bytes) -> Answer:
        parameter, _, pointer = fields
        data = get_info(self._npu, parameter, pointed)
        return amdxdna.GET_INFO_S.pack(parameter, len(data), pointer), data

    def _get_array(self, fields: tuple[int, ...], pointed: bytes) -> Answer:
        parameter, element_bytes, elements, pad, pointer = fields
        found = get_array(self._npu, parameter, element_bytes, elements)
        size = len(found[0]) if found else element_bytes
        return amdxdna.GET_ARRAY_S.pack(parameter, size, len(found), pad, pointer), b"".join(found)

    def close(self) -> None:
        """The client has gone: its contexts end, its memory is given back."""
        for context in self._contexts.values():
            self._end(context)
        self._contexts.clear()
        self._npu.timelines.close(self)
        self._npu.exports.close(self._buffers)
        self._buffers.close_all()
        self.ended.close()


def _unpack(layout: struct.Struct, request: Request) -> tuple[int, ...]:
    if len(request.structure) != layout.size:
        raise DriverError(
            errno.EINVAL,
            f"the ioctl 0x{request.operation:02x} has {len(request.structure)} bytes, expected {layout.size}",
        )
    return layout.unpack(request.structure)
