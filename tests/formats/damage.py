"""Damages binary files: readers must answer with a UserError or a result, never another exception."""

from __future__ import annotations

from typing import Callable

from hypothesis import strategies as st

from npuninja.errors import UserError


@st.composite
def damaged(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """One of the files, cut off, or with some words replaced by arbitrary or extreme numbers."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 4, 0)))
        value = draw(
            st.one_of(
                st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data)]),
                st.integers(0, 2**32 - 1),
            )
        )
        data[at : at + 4] = value.to_bytes(4, "little")
    cut = draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))
    return bytes(data[:cut])


def reads_or_refuses(read: Callable[[bytes], object], data: bytes) -> None:
    """Calls `read` on damaged data; a UserError must name the file and say something."""
    refusal = None
    try:
        read(data)
    except UserError as error:
        refusal = error
    assert refusal is None or (
        refusal.message and refusal.location is not None and refusal.location.file == "file"
    )
