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
