"""The emulated driver by itself: buffers, and a context that cannot be made."""

import errno
import io
import os
from pathlib import Path

import pytest
from design_chain import Chain
from driver_client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.xclbin import AIE_PARTITION, read_xclbin
from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.buffers import Buffers
from npuninja.xrt_emulation.client_memory import ClientMemory
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.npu import Npu


@pytest.fixture
def memory():
    memory = ClientMemory()
    yield memory
    memory.close()


@pytest.fixture
def buffers(memory):
    return Buffers(memory)


def test_modules_that_were_not_seen(wasm_build):
    manifest = Path(Chain(wasm_build, "self_test").run())
    section = read_xclbin((manifest.parent / "design.xclbin").read_bytes(), "x").section(AIE_PARTITION)
    assert section is not None
    log = io.StringIO()
    with pytest.raises(DriverError) as caught:
        Client(Npu(MODELS["npu1"], Journal(log), 1.0), read_aie_partition(section.data, "x").pdis[0].image)
    assert caught.value.number == errno.EINVAL
    assert "is in no XCLBIN that was opened" in log.getvalue()


def test_memory_is_zero_when_it_is_used_again(memory, buffers):
    first = buffers.create(amdxdna.BO_SHARE, 100_000)
    memory.write(first.offset, b"secret")
    assert buffers.drop(buffers.close(first.handle))
    second = buffers.create(amdxdna.BO_SHARE, 100_000)
    assert second.offset == first.offset
    assert second.handle != first.handle
    assert memory.read(second.offset, 6) == bytes(6)


PIECE = 1 << 16  # bytes of memory at a time; the kernel keeps holes by pages
COUNT = 12


@settings(max_examples=60)
@given(
    here=st.sets(st.integers(0, COUNT - 1)), there=st.sets(st.integers(0, COUNT - 1)),
    start=st.integers(0, COUNT * PIECE - 1), nbytes=st.integers(1, COUNT * PIECE),
)  # fmt: skip
def test_copies_of_memory_with_holes(here, there, start, nbytes):
    nbytes = min(nbytes, COUNT * PIECE - start)
    memory = ClientMemory()
    try:
        one, other = memory.allocate(COUNT * PIECE), memory.allocate(COUNT * PIECE)
        for base, pieces, value in ((one, here, b"\1"), (other, there, b"\2")):
            for number in pieces:
                memory.write(base + number * PIECE, value * PIECE)
        source, before = memory.read(one, COUNT * PIECE), memory.read(other, COUNT * PIECE)
        memory.copy(one + start, other + start, nbytes)
        after = memory.read(other, COUNT * PIECE)
        assert after == before[:start] + source[start : start + nbytes] + before[start + nbytes :]
        assert memory.read(one, COUNT * PIECE) == source
        assert memory.differ(one, other, COUNT * PIECE) == (source != after)
    finally:
        memory.close()


def test_copies_of_what_nobody_wrote_take_no_memory(memory):
    def taken():
        return os.fstat(memory.descriptor).st_blocks

    one, other = memory.allocate(1 << 34), memory.allocate(1 << 34)
    memory.write(one, b"a")
    memory.write(one + (1 << 33), b"b")
    before = taken()
    memory.copy(one, other, 1 << 34)
    assert memory.read(other + (1 << 33), 1) == b"b"
    assert taken() <= 2 * before


def test_two_sides_of_a_buffer(memory, buffers):
    buffer = buffers.create(amdxdna.BO_SHARE, 8192)
    assert buffers.device_side(buffer) == buffer.offset  # nobody asked for a sync yet
    buffers.sync(buffer, amdxdna.SYNC_TO_DEVICE, 0, 4096)
    there = buffers.device_side(buffer)
    assert there != buffer.offset
    memory.write(buffer.offset, b"host")
    assert memory.read(there, 4) == bytes(4)
    assert buffers.use(buffer)
    assert not buffers.use(buffer)  # the NPU may have changed it
    buffers.sync(buffer, amdxdna.SYNC_TO_DEVICE, 0, 8192)
    assert memory.read(there, 4) == b"host"
    assert not buffers.use(buffer)
    memory.write(there + 5000, b"npu")
    buffers.sync(buffer, amdxdna.SYNC_FROM_DEVICE, 4096, 4096)
    assert memory.read(buffer.offset + 5000, 3) == b"npu"
    buffers.drop(buffers.close(buffer.handle))
    assert buffers.create(amdxdna.BO_SHARE, 8192).offset in (buffer.offset, there)


def test_memory_of_a_command_stays_until_it_has_ended(buffers):
    buffer = buffers.create(amdxdna.BO_CMD, 4096)
    assert buffers.hold(buffer.handle) is buffer
    assert not buffers.drop(buffers.close(buffer.handle))
    assert buffers.create(amdxdna.BO_CMD, 4096).offset != buffer.offset
    assert buffers.drop(buffer)


def test_addresses_lead_to_buffers(buffers):
    buffers.create(amdxdna.BO_DEV_HEAP, amdxdna.HEAP_BYTES)
    for kind in (amdxdna.BO_DEV, amdxdna.BO_SHARE, amdxdna.BO_DEV):
        buffer = buffers.create(kind, 5000)
        assert buffers.take(buffer.address) is buffer
        assert buffers.take(buffer.address + 4999) is buffer
        assert buffers.take(buffer.address + 5000) is None
    assert buffers.take(0) is None


def test_heap_has_holes_again(buffers):
    with pytest.raises(DriverError, match="before the heap"):
        buffers.create(amdxdna.BO_DEV, 1)
    heap = buffers.create(amdxdna.BO_DEV_HEAP, 1 << 20)
    pieces = [buffers.create(amdxdna.BO_DEV, 1 << 18) for _ in range(4)]
    with pytest.raises(DriverError, match="no room"):
        buffers.create(amdxdna.BO_DEV, 1)
    buffers.drop(buffers.close(pieces[1].handle))
    assert buffers.create(amdxdna.BO_DEV, 1 << 18).address == heap.address + (1 << 18)


@pytest.mark.parametrize(
    ("kind", "size", "number"),
    [
        (0, 4096, errno.EINVAL),
        (9, 4096, errno.EINVAL),
        (1, 0, errno.EINVAL),
        (1, 1 << 40, errno.EINVAL),
        (2, 1 << 27, errno.EINVAL),
    ],
)
def test_buffers_that_cannot_be(buffers, kind, size, number):
    with pytest.raises(DriverError) as caught:
        buffers.create(kind, size)
    assert caught.value.number == number


def test_handles_that_are_none(buffers):
    for ask in (buffers.get, buffers.hold, buffers.close):
        with pytest.raises(DriverError) as caught:
            ask(7)
        assert caught.value.number == errno.ENOENT
