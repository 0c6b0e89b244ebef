"""The server's end of a connection: peers that are no preload library of ours."""

import io
import os
import socket
import struct
from pathlib import Path

import pytest

from npuninja.xrt_emulation import wire
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.server import Server


class Peer:
    """A server, and a connection to it."""

    def __init__(self):
        self.log = io.StringIO()
        self.server = Server(Npu(MODELS["npu1"], Journal(self.log), 1.0))
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.connect(b"\0" + self.server.name.encode())
        self.connection.settimeout(60)

    def send(self, operation, structure, pointed=b""):
        self.connection.send(
            struct.pack("<3I", operation, len(structure), len(pointed)) + structure + pointed
        )

    def receive(self):
        return self.connection.recv(wire.MAX_BYTES)

    def close(self):
        self.connection.close()
        self.server.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


def test_open(peer):
    peer.send(wire.OPEN, wire.OPEN_S.pack(wire.PROTOCOL_VERSION, 0, 0, 0))
    error, structure_bytes, _ = struct.unpack_from("<i2I", peer.receive())
    assert (error, structure_bytes) == (0, wire.OPEN_S.size)


@pytest.mark.parametrize(
    ("operation", "structure", "said"),
    [
        (
            wire.OPEN,
            wire.OPEN_S.pack(wire.PROTOCOL_VERSION + 1, 0, 0, 0),
            f"not of version {wire.PROTOCOL_VERSION}",
        ),
        (wire.OPEN, b"", f"not of version {wire.PROTOCOL_VERSION}"),
        (0x43, bytes(32), ""),  # an ioctl before the device is open
    ],
)
def test_peer_of_another_kind_is_left(peer, operation, structure, said):
    peer.send(operation, structure)
    assert peer.receive() == b""
    assert said in peer.log.getvalue()


def test_message_that_contradicts_itself(peer):
    peer.connection.send(struct.pack("<3I", wire.OPEN, 100, 100))
    assert peer.receive() == b""
    assert "does not speak the protocol: 12 bytes, its header says 212" in peer.log.getvalue()


def test_descriptors_that_come_unasked_are_closed(peer, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"not an XCLBIN")
    with path.open("rb") as stream:
        for _ in range(3):
            message = struct.pack("<3I", wire.XCLBIN, 0, 0)
            socket.send_fds(peer.connection, [message], [stream.fileno()])
            assert struct.unpack_from("<i", peer.receive()) == (0,)
        opened = wire.OPEN_S.pack(wire.PROTOCOL_VERSION, 0, 0, 0)
        socket.send_fds(
            peer.connection, [struct.pack("<3I", wire.OPEN, len(opened), 0) + opened], [stream.fileno()]
        )
        assert struct.unpack_from("<i", peer.receive()) == (0,)
    peer.send(wire.XCLBIN, b"")  # comes after all that belongs to the one before
    peer.receive()
    assert not [link for link in open_files() if link == str(path)]


def open_files():
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue  # the folder's own
    return links
