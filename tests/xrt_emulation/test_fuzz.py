"""Requests, command packets and instruction streams that nobody would send: an error, nothing else."""

import errno
import io
import random
import struct
from pathlib import Path

import pytest
from design_chain import Chain
from driver_client import IOCTLS, Client

from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.xclbin import AIE_PARTITION, read_xclbin
from npuninja.xrt_emulation import amdxdna, packets
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.driver import DeviceFile
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.packets import MalformedPacket, read_packet
from npuninja.xrt_emulation.wire import Request

SMALL = [0, 1, 2, 3, 4, 5, 8, 16, 64, 4096, 65536]
LARGE = [0x7FFFFFFF, 0xFFFFFFFF, amdxdna.HEAP_ADDRESS, 0x1_0001_0000, 1 << 63, (1 << 64) - 1]
REQUESTS, PACKETS, STREAMS = 60_000, 39_000, 1_000


class Log(io.StringIO):
    """Keeps what would be a bug."""

    def write(self, text):
        return super().write(text) if "bug" in text else len(text)


@pytest.fixture
def npu():
    return Npu(MODELS["npu1"], Journal(Log()), time_limit_s=0.5)


def said(npu):
    return npu.journal._stream.getvalue()


def test_requests(npu):
    rng = random.Random(1)
    file = DeviceFile(npu, 1)
    good, numbers = 0, set()
    for number in range(REQUESTS):
        if number % 10_000 == 9_999:
            file.close()
            file = DeviceFile(npu, 1)
        operation = rng.choice([*IOCTLS, *IOCTLS, rng.randrange(0x2000)])
        layout = IOCTLS.get(operation)
        if layout is None or rng.random() < 0.05:
            structure = rng.randbytes(rng.randrange(80))
        else:
            widths = [8 if code == "Q" else 4 for code in expanded(layout.format)]
            fields = [
                rng.choice(SMALL if rng.random() < 0.8 else LARGE) & ((1 << 8 * width) - 1)
                for width in widths
            ]
            structure = layout.pack(*fields)
        pointed = struct.pack("<8I", *(rng.choice(SMALL) for _ in range(8)))[
            : rng.choice([0, 4, 8, 16, 24, 32])
        ]
        try:
            answer, written = file.ioctl(Request(operation, structure, pointed, -1))
        except DriverError as error:
            numbers.add(error.number)
        else:
            good += 1
            assert len(answer) == len(structure)
            assert len(written) <= max(len(pointed), 4096)
    file.close()
    assert good > REQUESTS // 10
    assert numbers == {errno.EINVAL, errno.ENOENT, errno.ENOMEM, errno.EOPNOTSUPP, errno.ENOSPC, errno.EBUSY}
    assert not npu.contexts()
    assert not said(npu)


def expanded(form):
    codes, count = [], ""
    for character in form.lstrip("<"):
        if character.isdigit():
            count += character
        else:
            codes += [character] * int(count or 1)
            count = ""
    return codes


def test_packets():
    rng = random.Random(2)
    good = 0
    for _ in range(PACKETS):
        opcode, words = rng.choice([0, 0, 19, 20, rng.randrange(32)]), rng.randrange(24)
        header = (
            opcode << 23 | rng.choice([words, words, rng.randrange(2048)]) << 12 | rng.randrange(4) << 10 | 1
        )
        body = [rng.choice([1, 3, *SMALL, *LARGE]) & 0xFFFFFFFF for _ in range(words)]
        if rng.random() < 0.5:
            body = [1, 3, 0, *body]  # compute unit and opcode as they should be
        data = struct.pack(f"<{len(body) + 1}I", header, *body)
        try:
            read_packet(data[: rng.choice([len(data), rng.randrange(len(data) + 1)])])
            good += 1
        except MalformedPacket:
            continue
    assert good > PACKETS // 100


def test_instruction_streams(wasm_build, npu):
    manifest = Path(Chain(wasm_build, "self_test").run())
    rng = random.Random(3)
    with (manifest.parent / "design.xclbin").open("rb") as stream:
        npu.modules.add(stream.fileno())
        section = read_xclbin(stream.read(), "x").section(AIE_PARTITION)
    assert section is not None
    (pdi,) = read_aie_partition(section.data, "x").pdis
    insts = (manifest.parent / "insts.bin").read_bytes()
    client = Client(npu, pdi.image)
    states = set()
    for _ in range(STREAMS):
        damaged = bytearray(insts)
        for _ in range(rng.randrange(3)):
            place = rng.randrange(len(damaged) // 4) * 4
            damaged[place : place + 4] = struct.pack(
                "<I", rng.choice([*SMALL, *LARGE, rng.randrange(1 << 32)]) & 0xFFFFFFFF
            )
        states.add(
            client.run(bytes(damaged[: rng.choice([len(damaged)] * 3 + [rng.randrange(len(damaged))])]))
        )
    client.run(insts)
    assert client.run(insts) == packets.STATE_COMPLETED
    client.file.close()
    assert {packets.STATE_COMPLETED, packets.STATE_ERROR, packets.STATE_TIMEOUT} <= states
    assert not said(npu)
