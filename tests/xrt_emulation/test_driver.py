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
from npuninja.xrt_emulation.exports import Exports
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.npu_memory import NpuMemory
from npuninja.xrt_emulation.timelines import Timelines
from npuninja.xrt_emulation.wire import CONTEXTS, TIMELINES


@pytest.fixture
def memory():
    memory = NpuMemory()
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
    npu = Npu(MODELS["npu1"], Journal(log), 1.0)
    with pytest.raises(DriverError) as caught:
        Client(npu, read_aie_partition(section.data, "x").pdis[0].image)
    assert caught.value.number == errno.EINVAL
    assert "is in no XCLBIN or full ELF that was opened" in log.getvalue()


def test_memory_is_zero_when_it_is_used_again(memory, buffers):
    handle, first = buffers.create(amdxdna.BO_SHARE, 100_000)
    memory.write(first.offset, b"secret")
    assert buffers.drop(buffers.close(handle))
    other_handle, second = buffers.create(amdxdna.BO_SHARE, 100_000)
    assert second.offset == first.offset
    assert other_handle != handle
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
    memory = NpuMemory()
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
    handle, buffer = buffers.create(amdxdna.BO_SHARE, 8192)
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
    buffers.drop(buffers.close(handle))
    assert buffers.create(amdxdna.BO_SHARE, 8192)[1].offset in (buffer.offset, there)


def test_memory_of_a_command_stays_until_it_has_ended(buffers):
    handle, buffer = buffers.create(amdxdna.BO_CMD, 4096)
    assert buffers.hold(handle) is buffer
    assert not buffers.drop(buffers.close(handle))
    assert buffers.create(amdxdna.BO_CMD, 4096)[1].offset != buffer.offset
    assert buffers.drop(buffer)


class Sharing:
    """Two open files on one NPU."""

    def __init__(self):
        self.memory = NpuMemory()
        self.exports = Exports(self.memory)
        self.one, self.other = Buffers(self.memory), Buffers(self.memory)

    def close(self, *files):
        for file in files:
            self.exports.close(file)
            file.close_all()


@pytest.fixture
def sharing():
    sharing = Sharing()
    yield sharing
    sharing.close(sharing.one, sharing.other)
    assert not list(sharing.memory._data(0, 1 << 30))
    sharing.memory.close()


def test_imported_buffer_is_the_exported_one(sharing):
    _, buffer = sharing.one.create(amdxdna.BO_SHARE, 5000)
    descriptor = sharing.exports.descriptor(buffer, sharing.one)
    assert os.lseek(descriptor, 0, os.SEEK_END) == 5000  # which XRT asks for the size
    assert sharing.exports.descriptor(buffer, sharing.one) == descriptor
    handle = sharing.other.import_(sharing.exports.buffer(descriptor))
    assert sharing.other.get(handle) is buffer
    assert sharing.other.import_(buffer) == handle
    assert sharing.other.take(buffer.address) is buffer
    sharing.other.drop(buffer)


def test_shared_buffer_lives_as_long_as_somebody_uses_it(sharing):
    handle, buffer = sharing.one.create(amdxdna.BO_SHARE, 5000)
    sharing.memory.write(buffer.offset, b"here")
    imported = sharing.other.import_(sharing.exports.buffer(sharing.exports.descriptor(buffer, sharing.one)))
    assert not sharing.one.drop(sharing.one.close(handle))
    sharing.close(sharing.one)
    assert sharing.memory.read(buffer.offset, 4) == b"here"
    assert buffer.tables == [sharing.other]
    assert sharing.other.drop(sharing.other.close(imported))
    assert sharing.memory.read(buffer.offset, 4) == bytes(4)
    assert sharing.other.take(buffer.address) is None


def test_imported_buffer_is_forgotten_by_both(sharing):
    handle, buffer = sharing.one.create(amdxdna.BO_SHARE, 5000)
    imported = sharing.other.import_(buffer)
    sharing.one.drop(sharing.one.close(handle))
    sharing.other.drop(sharing.other.close(imported))
    _, again = sharing.one.create(amdxdna.BO_SHARE, 5000)
    assert again.address == buffer.address
    assert sharing.one.take(again.address) is again
    assert sharing.other.take(again.address) is None
    sharing.one.drop(again)


def test_what_cannot_be_exported_or_imported(sharing, tmp_path):
    _, command = sharing.one.create(amdxdna.BO_CMD, 4096)
    with pytest.raises(DriverError, match="only buffers of data"):
        sharing.exports.descriptor(command, sharing.one)
    _, buffer = sharing.one.create(amdxdna.BO_SHARE, 4096)
    kept = os.dup(sharing.exports.descriptor(buffer, sharing.one))
    sharing.close(sharing.one)
    with open(tmp_path / "file", "wb") as stream:
        for descriptor in (kept, stream.fileno()):
            with pytest.raises(DriverError, match="no program exported"):
                sharing.exports.buffer(descriptor)
    os.close(kept)


@pytest.fixture
def timelines(memory):
    return Timelines(memory)


def test_timelines_have_handles_behind_those_of_contexts(timelines, memory):
    first, second = timelines.create("one"), timelines.create("one")
    assert (first, second) == (CONTEXTS, CONTEXTS + 1)
    memory.write(timelines.offset, b"\7")
    timelines.destroy(first, "one")
    assert timelines.create("other") == first
    assert memory.read(timelines.offset, 8) == bytes(8)
    for handle, file in ((first, "one"), (second, "other"), (5, "one"), (CONTEXTS + 7, "one")):
        with pytest.raises(DriverError, match="there is no fence"):
            timelines.destroy(handle, file)


def test_timeline_lives_as_long_as_somebody_can_use_it(timelines):
    handle = timelines.create("one")
    descriptor = timelines.descriptor(handle, "one")
    assert timelines.descriptor(handle, "one") == descriptor
    timelines.destroy(handle, "one")
    assert timelines.create("one") == handle + 1  # it can still be imported
    for _ in range(2):
        assert timelines.import_(descriptor, "other") == handle
    timelines.close("one")
    timelines.destroy(handle, "other")
    assert timelines.create("one") == handle + 1
    timelines.close("other")
    assert timelines.create("one") == handle


def test_timelines_that_cannot_be(timelines):
    with open(os.devnull) as stream, pytest.raises(DriverError, match="no program exported"):
        timelines.import_(stream.fileno(), "one")
    for _ in range(TIMELINES):
        timelines.create("one")
    with pytest.raises(DriverError, match=f"all {TIMELINES} fences are in use"):
        timelines.create("other")


def test_addresses_lead_to_buffers(buffers):
    buffers.create(amdxdna.BO_DEV_HEAP, amdxdna.HEAP_BYTES)
    for kind in (amdxdna.BO_DEV, amdxdna.BO_SHARE, amdxdna.BO_DEV):
        _, buffer = buffers.create(kind, 5000)
        assert buffers.take(buffer.address) is buffer
        assert buffers.take(buffer.address + 4999) is buffer
        assert buffers.take(buffer.address + 5000) is None
    assert buffers.take(0) is None


def test_heap_has_holes_again(buffers):
    with pytest.raises(DriverError, match="before the heap"):
        buffers.create(amdxdna.BO_DEV, 1)
    _, heap = buffers.create(amdxdna.BO_DEV_HEAP, 1 << 20)
    pieces = [buffers.create(amdxdna.BO_DEV, 1 << 18) for _ in range(4)]
    with pytest.raises(DriverError, match="no room"):
        buffers.create(amdxdna.BO_DEV, 1)
    buffers.drop(buffers.close(pieces[1][0]))
    assert buffers.create(amdxdna.BO_DEV, 1 << 18)[1].address == heap.address + (1 << 18)


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


def test_handles_that_do_not_exist(buffers):
    for ask in (buffers.get, buffers.hold, buffers.close):
        with pytest.raises(DriverError) as caught:
            ask(7)
        assert caught.value.number == errno.ENOENT
