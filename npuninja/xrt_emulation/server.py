"""The emulated NPU as a server: each open device of a program under the preload library connects to it."""

from __future__ import annotations

import os
import secrets
import socket
import struct
import threading

from npuninja.xrt_emulation import amdxdna, wire
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.driver import DeviceFile
from npuninja.xrt_emulation.npu import Npu

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Server:
    """Listens at an abstract socket address, which no file has to be removed for.

    Attributes:
        name: of the socket.
    """

    def __init__(self, npu: Npu) -> None:
        self._npu = npu
        self.name = f"npuninja-emu-{secrets.token_hex(16)}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(b"\0" + self.name.encode())
        self._listener.listen(64)
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="npuninja-emu", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends all connections, waits until their contexts end, stops listening, frees the NPU's memory."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._lock:
            running = dict(self._connections)
        for connection in running.values():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended by itself
        for thread in running:
            thread.join()
        self._npu.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="npuninja-file", daemon=True
            )
            with self._lock:
                self._connections[thread] = connection
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                pid, uid, _ = _CREDENTIALS.unpack(
                    connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
                )
                if uid == os.getuid():
                    self._answer(connection, pid)
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]

    def _answer(self, connection: socket.socket, pid: int) -> None:
        file: DeviceFile | None = None
        try:
            while True:
                request = wire.receive(connection)
                if request is None:
                    return
                try:
                    if request.operation == wire.XCLBIN:
                        if request.descriptor >= 0:
                            self._npu.modules.add(request.descriptor)
                        wire.reply(connection, 0)
                    elif request.operation == wire.OPEN and file is None:
                        wire.check_version(request)
                        file = DeviceFile(self._npu, pid)
                        structure = wire.OPEN_S.pack(
                            wire.PROTOCOL_VERSION, 0, file.ended.offset, self._npu.timelines.offset
                        )
                        wire.reply(connection, 0, structure, descriptor=file.memory.descriptor)
                    elif file is not None:
                        self._ioctl(connection, file, request)
                    else:
                        return  # no client of ours
                finally:
                    if request.descriptor >= 0:
                        os.close(request.descriptor)
        except wire.Malformed as error:
            self._npu.journal.problem(f"process {pid} does not speak the protocol: {error}")
        finally:
            if file is not None:
                file.close()

    def _ioctl(self, connection: socket.socket, file: DeviceFile, request: wire.Request) -> None:
        pointed, descriptor = b"", -1
        try:
            if request.operation in (amdxdna.PRIME_HANDLE_TO_FD, amdxdna.SYNCOBJ_HANDLE_TO_FD):
                structure, descriptor = file.export(request)
            elif request.operation in (amdxdna.PRIME_FD_TO_HANDLE, amdxdna.SYNCOBJ_FD_TO_HANDLE):
                structure = file.import_(request)
            else:
                structure, pointed = file.ioctl(request)
        except DriverError as error:
            if error.reason:
                self._npu.journal.problem(error.reason)
            wire.reply(connection, error.number, request.structure)
        else:
            wire.reply(connection, 0, structure, pointed, descriptor)
