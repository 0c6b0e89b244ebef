"""Streams of 2023: a descriptor with its buffer, its queue, the wait; the unknown is refused by its word."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from npuninja.device.bare_run import arguments_used, instructions
from npuninja.errors import UserError
from npuninja.formats.register_write import Write
from npuninja.formats.stream_2023 import is_stream_2023, to_transaction
from npuninja.formats.txn import AddressPatch, BlockWrite, Sync, read_txn

PROLOGUE = [0x11, 0x01000405, 0x01000100, *range(14)]
BD = [0x400, 64, 0, 0, 0x80000000, 0, 0, 0x02000000]
WORDS = [
    *PROLOGUE,
    *(0x02000200, 0x2C00, 7),  # a register of tile (0, 2)
    *(0x06000112, 0, *BD),  # BD 2 of the shim, on host buffer 1
    *(0x02000000, 0x1D204, 0x80000002),
    *(0x03000000, 0x00010100),
]


def test_a_stream_is_a_transaction() -> None:
    data = struct.pack(f"<{len(WORDS)}I", *WORDS)
    assert is_stream_2023(data)
    assert read_txn(to_transaction(data, "a.seq")).operations == (
        Write(0x202C00, 7),
        BlockWrite(0x1D040, struct.pack("<8I", *BD)),
        AddressPatch(0x1D044, 1, 64),
        Write(0x1D204, 0x80000002),
        Sync(0, 0, 0, 0, 1, 1),
    )


def test_a_text_of_words_is_read_as_today_s_is(tmp_path: Path) -> None:
    path = tmp_path / "a.seq"
    path.write_text("\n".join(f"{word:08X}" for word in WORDS) + "\n")
    assert read_txn(instructions(str(path))).operations[0] == Write(0x202C00, 7)
    assert arguments_used(str(path)) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [([*PROLOGUE, 0x05000000], "operation 5 is not known"), (WORDS[:-1], "it ends within an operation")],
)
def test_what_is_not_known_is_refused_by_its_word(words: list[int], why: str) -> None:
    with pytest.raises(UserError, match=why):
        to_transaction(struct.pack(f"<{len(words)}I", *words), "a.seq")
