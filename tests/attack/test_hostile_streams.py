"""Instruction streams that mean harm, run without a manifest: each is refused or ends, with a reason."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from npuninja.device.bare_run import arguments_used, instructions
from npuninja.emulator import Emulator
from npuninja.errors import Error

SHIM_BD, SHIM_QUEUE = 0x1D000, 0x1D214


def stream(
    *operations: bytes, count: int | None = None, size: int | None = None, shape: tuple[int, int] = (1, 6)
) -> bytes:
    body = b"".join(operations)
    count = len(operations) if count is None else count
    size = 16 + len(body) if size is None else size
    return struct.pack("<6BHII", 0, 1, 3, shape[1], shape[0], 1, 0, count, size) + body


def write(address: int, value: int) -> bytes:
    return struct.pack("<IIQII", 0, 0, address, value, 24)


def block(address: int, data: bytes, size: int | None = None) -> bytes:
    return struct.pack("<IIII", 1, 0, address, 16 + len(data) if size is None else size) + data


def poll(address: int, value: int) -> bytes:
    return struct.pack("<IIQIII", 4, 0, address, value, 0xFFFFFFFF, 28)


def wait(place: int, channel: int) -> bytes:
    return struct.pack("<IIII", 0x80, 16, place, channel)


STREAMS = {
    "no bytes": b"",
    "three bytes": b"abc",
    "all ones": b"\xff" * 4096,
    "more operations than bytes": stream(write(SHIM_BD, 1), count=0xFFFFFFFF),
    "a size after the end": stream(write(SHIM_BD, 1), size=0xFFFFFFFF),
    "an operation of no size": stream(struct.pack("<IIQII", 0, 0, SHIM_BD, 1, 0)),
    "an operation of nearly 4 GiB": stream(struct.pack("<IIQII", 0, 0, SHIM_BD, 1, 0xFFFFFFFC)),
    "a block of nearly 2 GiB": stream(block(SHIM_BD, bytes(16), 0x7FFFFFF0)),
    "a column that is not there": stream(write(100 << 25 | SHIM_BD, 1)),
    "an address of 64 bits": stream(write(0xFFFFFFFFFFFFFF00, 1)),
    "a block over the end of the array": stream(block(5 << 20 | 0xFFFF0, bytes(4096))),
    "a wait for what never comes": stream(wait(0x1, 0x00010100)),
    "a poll of what never is": stream(poll(SHIM_BD, 5)),
    "a transfer from where no buffer is": stream(
        block(SHIM_BD, struct.pack("<8I", 0xFFFF, 0x40, 0, 0, 0, 0, 0, 1 << 25)), write(SHIM_QUEUE, 0), wait(0x1, 0x00010100)
    ),
    "a chain that goes round": stream(
        block(SHIM_BD, struct.pack("<8I", 16, 0, 0, 0, 0, 0, 0, 1 << 26 | 1 << 25)), write(SHIM_QUEUE, 0), wait(0x1, 0x00010100)
    ),
}  # fmt: skip


def run(path: Path) -> None:
    """As a run without a manifest does it: the arguments are counted, then it goes to the array."""
    arguments_used(str(path))
    with Emulator(1, {}) as npu:
        npu.configure([])
        npu.run(instructions(str(path)), [npu.allocate(64)], time_limit_s=1)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_means_harm_ends_with_a_reason(name: str, tmp_path: Path) -> None:
    path = tmp_path / "insts.bin"
    path.write_bytes(STREAMS[name])
    with pytest.raises(Error) as caught:
        run(path)
    assert caught.value.exit_code in (2, 4), caught.value.render()
    assert caught.value.message
