"""`--memory-limit`: sizes as people write them; buffers beyond it are refused before memory is taken."""

from __future__ import annotations

import argparse

import pytest

from npuninja.device.bare_run import read_buffer
from npuninja.device.memory_limit import RUN_LIMIT_BYTES, memory_size
from npuninja.emulator import Emulator, layout
from npuninja.errors import ToolError, UserError


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("64KiB", 65536), ("512 MiB", 512 << 20), ("2g", 2 * 10**9), ("1GB", 10**9), ("3k", 3000)],
)
def test_sizes(text, size):
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5G", "MiB", "1TiB", "9" * 30, "0x10", "1MB2"])
def test_what_is_no_size(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a size"):
        memory_size(text)


def test_buffers_end_at_the_limit():
    with Emulator(1) as npu:
        npu.limit_memory(256 << 10)
        npu.allocate(200 << 10)  # whole pages of 64 KiB
        with pytest.raises(ToolError, match="no room for 65536 bytes more of emulated DDR: 262144 of 262144"):
            npu.allocate(1)


def test_the_default_is_what_the_array_has():
    assert RUN_LIMIT_BYTES >= layout.DDR_END - layout.DDR_BASE > RUN_LIMIT_BYTES - (1 << 20)


def test_an_output_of_a_run_without_a_manifest_is_refused_unmade():
    with pytest.raises(UserError, match="more than the memory limit of 4096 bytes"):
        read_buffer("output", "1000000000000:x", 4096)
