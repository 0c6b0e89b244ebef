"""The file behind the emulated device: a program that has it cannot take its memory from under the server."""

from __future__ import annotations

import os

import pytest

from npuninja.xrt_emulation.npu_memory import NpuMemory


@pytest.mark.parametrize("size", [0, 4096, 1 << 45])
def test_the_device_cannot_be_cut_short_or_grown(size):
    memory = NpuMemory()
    with pytest.raises(OSError, match=r"not permitted|too large|Invalid"):
        os.ftruncate(memory.descriptor, size)


def test_buffers_of_programs_end_at_the_limit():
    memory = NpuMemory()
    try:
        memory.limit_bytes = 128 << 10
        first = memory.allocate(1)
        memory.allocate(65536)
        with pytest.raises(MemoryError, match="131072 of 131072 are used"):
            memory.allocate(1)
        memory.free(first, 1)
        assert memory.allocate(1) == first
    finally:
        memory.close()
