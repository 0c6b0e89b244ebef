"""The scratchpad, PDIs that a sequence loads, and the ends of pages, on an array without cores."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from array_program import Program, Sequence

from npuninja.arch.registers import tile_address
from npuninja.emulator import Emulator, HostOverrun, InvalidAccess, NotModelled
from npuninja.emulator.layout import ARGUMENT_MARK
from npuninja.formats import cdo, txn

CORE = (0, 2)
PLACE = tile_address(*CORE, 0x400)


def stream(*operations: txn.TxnOperation) -> bytes:
    return txn.write_txn(txn.Transaction(4, 6, 1, 1, operations))


def scratchpad(argument: int = 0, size_bytes: int = 8, before: int = 0) -> txn.CreateScratchpad:
    """As a stream for the array has it: an argument in the place of an address."""
    return txn.CreateScratchpad(0, size_bytes, ARGUMENT_MARK << 32 | before << 8 | argument)


def run(npu: Emulator, words: list[int], *operations: txn.TxnOperation) -> None:
    buffer = npu.allocate(4 * len(words))
    buffer.view[:] = struct.pack(f"<{len(words)}I", *words)
    npu.run(stream(*operations), [buffer])


def words_at(npu: Emulator) -> tuple[int, int]:
    return npu.read32(PLACE), npu.read32(PLACE + 4)


@pytest.mark.parametrize(
    ("function", "argument", "change"), [(0, 3, 42 * 4 * 3), (1, 4, 42 * 4 + 4), (2, 8, 42 * 4 - 8)]
)
def test_a_word_of_the_scratchpad_is_added(function: int, argument: int, change: int) -> None:
    with Emulator(1) as npu:
        npu.write32(PLACE, 0xFFFFFFFF)
        npu.write32(PLACE + 4, 0xABCD0001)
        run(npu, [7, 168], scratchpad(), txn.UpdateFromScratchpad(1, function, argument, PLACE))
        total = (1 << 32 | 0xFFFFFFFC) + change
        assert words_at(npu) == (total & 0xFFFFFFFC, 0xABCD0000 | total >> 32)


def test_the_scratchpad_may_begin_within_its_buffer() -> None:
    with Emulator(1) as npu:
        npu.write32(PLACE, 0)
        npu.write32(PLACE + 4, 0)
        run(npu, [1, 2, 40], scratchpad(0, 4, 8), txn.UpdateFromScratchpad(0, 1, 0, PLACE))
        assert words_at(npu) == (40, 0)


BAD = {
    "beyond its size": (scratchpad(), txn.UpdateFromScratchpad(2, 1, 0, PLACE)),
    "before there is one": (txn.UpdateFromScratchpad(0, 1, 0, PLACE),),
    "an unknown function": (scratchpad(), txn.UpdateFromScratchpad(0, 3, 0, PLACE)),
    "larger than its buffer": (scratchpad(0, 128),),
    "larger than the controller has": (scratchpad(0, 132),),
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_scratchpad_cannot_do_is_an_error(name: str) -> None:
    with Emulator(1) as npu, pytest.raises(InvalidAccess):
        run(npu, [0, 0], *BAD[name])


UNKNOWN = {
    "whose memory XRT gives with a full ELF": (txn.CreateScratchpad(0, 8, 0),),
    "more than 32 bits": (scratchpad(), txn.UpdateFromScratchpad(0, 0, 1 << 31, PLACE)),
    "below zero": (scratchpad(), txn.UpdateFromScratchpad(0, 2, 9, PLACE)),
}


@pytest.mark.parametrize("said", UNKNOWN)
def test_what_is_not_known_of_the_firmware_is_said(said: str) -> None:
    with Emulator(1) as npu, pytest.raises(NotModelled, match=said):
        run(npu, [4, 0], *UNKNOWN[said])


def test_a_pdi_that_is_loaded_already_is_left_out() -> None:
    """Another one between them has the array configured again; data memories keep what they have."""
    with Emulator(1, pdis={1: [cdo.Write(PLACE, 5)], 2: []}) as npu:
        npu.run(stream(txn.LoadPdi(1, 0, 0), txn.Write(PLACE, 6), txn.LoadPdi(1, 0, 0)), [])
        assert (npu.read32(PLACE), npu.left_out) == (6, [1])
        npu.run(stream(txn.LoadPdi(2, 0, 0)), [])
        assert (npu.read32(PLACE), npu.left_out) == (6, [])
        npu.run(stream(txn.LoadPdi(1, 0, 0)), [])
        assert (npu.read32(PLACE), npu.left_out) == (5, [])


@pytest.mark.parametrize(("page_bytes", "words"), [(1, 64), (1, 65), (4096, 65), (4096, 1024), (4096, 1025)])
def test_a_buffer_goes_on_to_the_end_of_its_page_where_a_driver_gives_pages(
    page_bytes: int, words: int
) -> None:
    p = Program()
    p.circuit((0, 0, "DMA", 0), [], ("DMA", 0))
    s = Sequence()
    s.transfer(0, "S2MM", 0, 1, 1, words)
    s.transfer(0, "MM2S", 0, 0, 0, words)
    s.sync(0, "S2MM", 0)
    with p.emulator() as npu:
        npu.allow_page_ends(page_bytes)
        source, target = npu.allocate(8192), npu.allocate(256)
        source.view[:] = np.arange(2048, dtype="<i4").tobytes()
        if words > 64 and (page_bytes == 1 or words > 1024):
            with pytest.raises(HostOverrun):
                npu.run(s.bytes(), [source, target])
            return
        npu.run(s.bytes(), [source, target])
        assert bytes(target.view) == bytes(source.view[:256])
        said = f"goes {4 * words - 256} bytes beyond the buffer of argument 1"
        assert said in npu.beyond_end() if words > 64 else npu.beyond_end() == ""
