"""`XrtDevice` in a process of the Python that pyxrt was built for, asked by `npuninja.device.xrt_remote`.

Requests and replies are JSON objects on a SEQPACKET socket, one at a time; data lies in files in memory whose
descriptors come with the requests. The process ends when the socket's other end closes, and with it XRT's
contexts; also while it waits for a run, when XRT lets no other thread go on.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from npuninja.detect.pyxrt_import import import_pyxrt
from npuninja.device.api import Program, StartedRuns
from npuninja.device.xrt import XrtBuffer, XrtDevice, open_with
from npuninja.errors import Error

MESSAGE_BYTES = 65536


class _RequestWorker:
    """Does what requests ask: `do_VERB` takes the request's fields and a descriptor, -1 for none."""

    def __init__(self, pyxrt_path: str, channel: socket.socket) -> None:
        self._path = pyxrt_path
        self._channel = channel
        self._device: XrtDevice | None = None
        self._buffers: list[tuple[XrtBuffer, mmap.mmap]] = []
        self._started: dict[int, tuple[StartedRuns, list[int]]] = {}
        self._starts = 0

    @property
    def device(self) -> XrtDevice:
        assert self._device is not None, "the first request is open"
        return self._device

    def do_open(self, _: dict[str, Any], __: int) -> dict[str, Any]:
        self._device = open_with(import_pyxrt(self._path))
        return {}

    def do_load(self, fields: dict[str, Any], descriptor: int) -> dict[str, Any]:
        self.device.load(_program(fields, descriptor))
        return {}

    def do_add(self, fields: dict[str, Any], descriptor: int) -> dict[str, Any]:
        return {"number": self.device.add(_program(fields, descriptor))}

    def do_instruct(self, fields: dict[str, Any], descriptor: int) -> dict[str, Any]:
        self.device.instruct(os.pread(descriptor, fields["insts_bytes"], 0))
        return {}

    def do_allocate(self, fields: dict[str, Any], descriptor: int) -> dict[str, Any]:
        buffer = self.device.allocate(fields["nbytes"], fields["position"])
        self._buffers.append((buffer, mmap.mmap(descriptor, buffer.nbytes)))
        return {"number": len(self._buffers) - 1}

    def do_start(self, fields: dict[str, Any], _: int) -> dict[str, Any]:
        runs = [[self._buffers[number] for number in row] for row in fields["runs"]]
        numbers = sorted({number for row in fields["runs"] for number in row})
        for number in numbers:
            buffer, shared = self._buffers[number]
            buffer.view[:] = shared
        started = self.device.start([[buffer for buffer, _ in row] for row in runs], fields["programs"])
        self._starts += 1
        self._started[self._starts] = started, numbers
        return {"way": started.way, "number": self._starts}

    def do_wait(self, fields: dict[str, Any], _: int) -> dict[str, Any]:
        started, numbers = self._started.pop(fields["number"])
        with _ending_with(self._channel):
            seconds = self.device.wait(started, fields["time_limit_s"])
        for number in numbers:
            buffer, shared = self._buffers[number]
            shared[:] = buffer.view
        return {"seconds": seconds}

    def close(self) -> None:
        """Closes the device, with all its buffers."""
        if self._device is not None:
            self._device.close()


def _program(fields: dict[str, Any], descriptor: int) -> Program:
    with open(fields["xclbin_path"], "rb") as stream:
        xclbin = stream.read()
    insts = os.pread(descriptor, fields["insts_bytes"], 0)
    given = {name: fields[name] for name in Program._fields if name in fields}
    return Program(xclbin=xclbin, insts=insts, **given)


@contextmanager
def _ending_with(channel: socket.socket) -> Iterator[None]:
    """Meanwhile nothing but its end comes on the channel: the kernel then ends this process by a signal."""
    flags = fcntl.fcntl(channel, fcntl.F_GETFL)
    fcntl.fcntl(channel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        if select.select([channel], [], [], 0)[0]:
            os._exit(0)  # it has ended before
        yield
    finally:
        fcntl.fcntl(channel, fcntl.F_SETFL, flags)


def serve(channel: socket.socket, pyxrt_path: str) -> None:
    """Answers requests until the other end closes."""
    worker = _RequestWorker(pyxrt_path, channel)
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
        if not data:
            worker.close()
            return
        request = json.loads(data)
        try:
            reply = getattr(worker, "do_" + request["verb"])(request, descriptors[0] if descriptors else -1)
        except Error as error:
            reply = {
                "error": type(error).__name__,
                "message": error.message,
                "location": error.location,
                "hint": error.hint,
                "notes": error.notes,
            }
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        channel.send(json.dumps(reply).encode())


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _channel:
        serve(_channel, sys.argv[2])
