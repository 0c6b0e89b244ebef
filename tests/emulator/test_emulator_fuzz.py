"""Whatever a register program or instruction stream holds, the emulator gives a report or error, no crash."""

from __future__ import annotations

import re
import struct

import pytest
from array_program import write_words
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npuninja.arch.registers import tile_address
from npuninja.emulator import EmulationError, Emulator
from npuninja.errors import UserError
from npuninja.formats import cdo

#: Where writes have effects: BDs, channels, locks, switches, multiplexers, control, memory, queues.
OFFSETS = st.one_of(
    st.sampled_from(
        [0x1DE04, 0x1DE14, 0x1D204, 0x1D214, 0xA0604, 0xA060C, 0xA0634, 0xA063C, 0x1F000, 0x1F004, 0xC0000]
    ),
    st.integers(0x1D000 // 4, 0x1D220 // 4).map(lambda n: 4 * n),
    st.integers(0xA0000 // 4, 0xA0700 // 4).map(lambda n: 4 * n),
    st.integers(0x3F000 // 4, 0x3F300 // 4).map(lambda n: 4 * n),
    st.integers(0xB0000 // 4, 0xB0300 // 4).map(lambda n: 4 * n),
    st.integers(0, 0xFFFFC // 4).map(lambda n: 4 * n),
)
ADDRESSES = st.builds(tile_address, st.integers(0, 1), st.integers(0, 5), OFFSETS)
WORDS = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 64),
    st.sampled_from([1 << 31, 3 << 30, 0x80000005, 0xC0000008]),
)
BLOCKS = st.lists(WORDS, min_size=1, max_size=9)


@st.composite
def valid_bds(draw):
    """A BD whose valid bit is set, at a place where there is one."""
    row = draw(st.integers(0, 5))
    words = draw(st.lists(WORDS, min_size=8, max_size=8))
    if row == 1:
        words[7] |= 1 << 31
        return write_words(tile_address(0, 1, 0xA0000 + 0x20 * draw(st.integers(0, 47))), words)
    words[5 if row else 7] |= 1 << 25
    return write_words(tile_address(0, row, 0x1D000 + 0x20 * draw(st.integers(0, 15))), words)


COMMANDS = st.lists(
    st.one_of(
        st.builds(cdo.Write, ADDRESSES, WORDS),
        st.builds(cdo.MaskWrite, ADDRESSES, WORDS, WORDS),
        st.builds(write_words, ADDRESSES, BLOCKS),
        valid_bds(),
    ),
    max_size=40,
)


#: Of an error for what a configuration wrote into the program memory of a core.
NO_PROGRAM = re.compile(r"core \(\d, \d\) has no AIE2 (machine code|program)\b")


@settings(deadline=None, max_examples=60)
@example(commands=[write_words(tile_address(0, 2, 0x20004), [0])], insts=[], with_buffer=False)
@example(commands=[write_words(tile_address(0, 2, 0x20000), [0])], insts=[], with_buffer=False)
@given(commands=COMMANDS, insts=st.lists(WORDS, max_size=30), with_buffer=st.booleans())
def test_random_configurations_and_streams(commands, insts, with_buffer) -> None:
    body = struct.pack(f"<{len(insts)}I", *insts)
    stream = struct.pack("<4I", 0x06030100, 0x102, 1, 16 + len(body)) + body
    with Emulator(2) as npu:
        buffers = [npu.allocate(4096)] if with_buffer else []
        caught: EmulationError | None = None
        refused = ""
        try:
            npu.configure(commands)
            npu.run(stream, buffers, time_limit_s=0.2)
        except EmulationError as error:
            caught = error
        except UserError as error:
            refused = error.message
    assert not refused or NO_PROGRAM.match(refused), refused
    if caught is not None:
        assert caught.report["kind"] == type(caught).__name__
        assert caught.render().startswith("error: ")


@settings(deadline=None, max_examples=40)
@given(data=st.binary(max_size=600))
def test_random_files_are_the_users(data) -> None:
    with pytest.raises(UserError, match=r"XCLBIN|file"):
        Emulator.from_xclbin(data)
