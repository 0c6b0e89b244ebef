"""What the log-mel designs need and how long they would take on an NPU: estimates from what is built."""

from pathlib import Path

import numpy as np
import pytest
from mel_builds import manifest_of
from mel_clip import test_clip as make_clip
from mel_layout import DESIGNS, MAX_FRAMES

from npuninja.device.manifest import read_manifest
from npuninja.emulator.timing import count_work, time_work
from npuninja.emulator.timing.operations import instructions, kind_of_operation
from npuninja.formats.core_image import read_core_info
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import read_wasm

PROGRAM_MEMORY_BYTES = 16 * 1024
# A bundle of AIE2 has 2 to 16 bytes; the mean over 51 000 bundles of kernels by Peano is 4.7. One instruction
# in each bundle is the worst of scheduling.
BUNDLE_BYTES = 4.7


def core_module(name):
    path = Path(manifest_of(name)).parent / "core_0_2.wasm"
    return read_wasm(path.read_bytes(), str(path))


@pytest.mark.parametrize("name", ["mel", "mel128", "mel_4core"])
def test_program_is_estimated_to_fit(name):
    counts: dict[str, int] = {}
    for function in functions(core_module(name)):
        for instruction in function.instructions:
            kind = kind_of_operation(instruction.opcode)
            counts[kind] = counts.get(kind, 0) + 1
    assert counts["integer"] > 500
    assert instructions(counts).middle * BUNDLE_BYTES < PROGRAM_MEMORY_BYTES


@pytest.mark.parametrize(
    ("name", "limit_bytes"), [("mel", 6500), ("mel128", 6500), ("mel_vector", 16000), ("mel_4core", 6500)]
)
def test_data_is_as_small_as_said(name, limit_bytes):
    """Tables and the frames being worked on; buffers and stack come on top."""
    info = read_core_info(core_module(name), name)
    assert info.stack_bytes == 2048
    behind_buffers = max(buffer.address + buffer.size_bytes for buffer in info.buffers)
    assert 0 < info.data_end - behind_buffers <= limit_bytes


def test_four_cores_are_modelled_beyond_220_times_realtime():
    """Pessimistic end, the slower clock, everything included; a frame is 10 ms of audio."""
    manifest = read_manifest(manifest_of("mel_4core"))
    arguments = [
        make_clip("mel_4core", np.random.default_rng(1)).tobytes(),
        bytes(manifest.arguments[1].nbytes),
    ]
    work = count_work(manifest.read(manifest.xclbin), manifest.read(manifest.insts), arguments)
    report = time_work(work, clock_hz=1.0e9, elements=DESIGNS["mel_4core"].padded(MAX_FRAMES), unit="frame")
    assert 10_000 / report.element_us.pessimistic >= 220
    assert report.element_us.optimistic < report.element_us.pessimistic
