"""Hypothesis strategies for CDO commands that the array's configuration can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from npuninja.formats.cdo import (
    MAX_FILL_WORDS,
    BlockWrite,
    Command,
    Delay,
    Fill,
    MaskPoll,
    MaskWrite,
    Nop,
    Write,
)

_word = st.one_of(st.sampled_from([0, 1, 2, 0x80000000, 0xFFFFFFFF]), st.integers(0, 2**32 - 1))
_address = st.one_of(
    st.integers(0, 2**30 - 1).map(lambda n: 4 * n),
    st.integers(2**30, 2**40).map(lambda n: 4 * n),
    st.integers(0, 2**32 - 1),
)
_sizes = st.one_of(st.integers(0, 12), st.sampled_from([250, 251, 252, 253, 254, 255, 256, 1000]))


@st.composite
def _block(draw: st.DrawFn) -> BlockWrite:
    return BlockWrite(draw(_address), bytes(draw(st.binary(min_size=4, max_size=4))) * draw(_sizes))


def commands() -> st.SearchStrategy[Command]:
    """One command."""
    return st.one_of(
        st.builds(Write, _address, _word),
        st.builds(MaskWrite, _address, _word, _word),
        st.builds(MaskPoll, _address, _word, _word, _word),
        _block(),
        _block(),
        st.builds(Fill, _address, st.integers(0, MAX_FILL_WORDS), _word),
        st.builds(Delay, _word),
        st.builds(Nop, _sizes.map(lambda n: bytes(4 * n))),
    )


def command_lists() -> st.SearchStrategy[list[Command]]:
    """What a CDO file holds: a NOP and then anything."""
    return st.lists(commands(), max_size=12).map(lambda rest: [Nop(), *rest])
