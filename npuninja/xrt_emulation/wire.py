"""Messages between preload library and server; the other side, `preload/wire.h`, has the same numbers."""

from __future__ import annotations

import array
import os
import socket
import struct

from npuninja.records import NamedTuple

PROTOCOL_VERSION = 2
MAX_BYTES = 65536
OPEN = 0x1000
XCLBIN = 0x1001
#: Structure of OPEN: version, pad, where its contexts' words and the timelines' numbers begin in memory.
OPEN_S = struct.Struct("<2I2Q")
#: These words: for each context the number of the last command that has ended.
CONTEXTS = 1024
#: Numbers of timelines; the handle of a timeline is `CONTEXTS` and its place among them.
TIMELINES = 8192

_REQUEST = struct.Struct("<3I")
_REPLY = struct.Struct("<i2I")
MAX_DESCRIPTORS = 4


class Request(NamedTuple):
    """What the library asks: an ioctl's number, its structure, what that points to; a descriptor or -1."""

    operation: int
    structure: bytes
    pointed: bytes
    descriptor: int


class Malformed(Exception):
    """The peer does not speak this protocol."""


def receive(connection: socket.socket) -> Request | None:
    """The next request, or None when the client has gone.

    Raises:
        Malformed: it is no request; descriptors that came with it are closed.
    """
    try:
        space = socket.CMSG_SPACE(MAX_DESCRIPTORS * 4)
        data, control, flags, _ = connection.recvmsg(MAX_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    except OSError:
        return None
    if not data:
        return None
    descriptors = array.array("i")
    for level, kind, content in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % 4])
    try:
        return _request(data, flags, descriptors)
    except Malformed:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def _request(data: bytes, flags: int, descriptors: array.array[int]) -> Request:
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(data) < _REQUEST.size or len(descriptors) > 1:
        raise Malformed("not a request")
    operation, structure_bytes, pointed_bytes = _REQUEST.unpack_from(data)
    end = _REQUEST.size + structure_bytes
    if len(data) != end + pointed_bytes:
        raise Malformed(f"{len(data)} bytes, its header says {end + pointed_bytes}")
    return Request(operation, data[_REQUEST.size : end], data[end:], descriptors[0] if descriptors else -1)


def check_version(request: Request) -> None:
    """Raises Malformed for an OPEN of another version's library."""
    if len(request.structure) != OPEN_S.size or OPEN_S.unpack(request.structure)[0] != PROTOCOL_VERSION:
        raise Malformed(f"its preload library is not of version {PROTOCOL_VERSION}")


def reply(
    connection: socket.socket, error: int, structure: bytes = b"", pointed: bytes = b"", descriptor: int = -1
) -> None:
    """Answers. A client that has gone meanwhile is noticed at the next `receive`."""
    message = [_REPLY.pack(error, len(structure), len(pointed)), structure, pointed]
    rights = (
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))] if descriptor >= 0 else []
    )
    try:
        connection.sendmsg(message, rights, socket.MSG_NOSIGNAL)
    except OSError:
        return
