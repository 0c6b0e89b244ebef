"""Instruction streams: the reference's survive reading and writing, sizes are honoured, damage is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import CONFORMANCE
from damage import damaged, reads_or_refuses
from hypothesis import given
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.formats import txn
from npuninja.formats.txn import Transaction, TxnOperation, read_txn, write_txn

STREAMS = sorted(CONFORMANCE.glob("*/*insts*.hex"))


def stream_bytes(path: Path) -> bytes:
    return b"".join(struct.pack("<I", int(word, 16)) for word in path.read_text().split())


def test_there_are_reference_streams() -> None:
    assert len(STREAMS) > 40


@pytest.mark.parametrize("path", STREAMS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_reference_stream_survives(path: Path) -> None:
    data = stream_bytes(path)
    transaction = read_txn(data, path.name)
    assert transaction.generation in (3, 4)
    assert (transaction.rows, transaction.memtile_rows) == (6, 1)
    assert not [op for op in transaction.operations if isinstance(op, txn.Other)]
    assert write_txn(transaction) == data


_word = st.integers(0, 2**32 - 1)
_long = st.integers(0, 2**64 - 1)
_byte = st.integers(0, 255)
_operations: st.SearchStrategy[TxnOperation] = st.one_of(
    st.builds(txn.Write, _long, _word),
    st.builds(txn.MaskWrite, _long, _word, _word),
    st.builds(txn.MaskPoll, _long, _word, _word, st.booleans()),
    st.builds(txn.BlockWrite, _word, st.integers(0, 20).map(lambda n: bytes(range(4)) * n), _byte, _byte),
    st.builds(txn.LoadPdi, st.integers(0, 65535), _word, _long),
    st.builds(txn.CreateScratchpad, _byte, _word, _long),
    st.builds(txn.UpdateFromScratchpad, _byte, st.integers(0, 2), _word, _word),
    st.builds(txn.Preempt, _byte),
    st.builds(txn.Noop),
    st.builds(txn.Sync, _byte, _byte, _byte, _byte, _byte, _byte),
    st.builds(txn.AddressPatch, _long, _long, _long),
    st.builds(
        txn.Other,
        st.just(0x84),
        st.integers(0, 5).map(lambda n: struct.pack("<2I", 0x84, 8 + 4 * n) + bytes(4 * n)),
    ),
)


@given(_byte, _byte, _byte, _byte, st.lists(_operations, min_size=1, max_size=10))
def test_operations_survive(
    generation: int, rows: int, columns: int, memtiles: int, operations: list[TxnOperation]
) -> None:
    transaction = Transaction(generation, rows, columns, memtiles, tuple(operations))
    assert read_txn(write_txn(transaction)) == transaction


def stream(*words: int, count: int = 1) -> bytes:
    return struct.pack("<4I", 0x06030100, 0x104, count, 16 + 4 * len(words)) + struct.pack(
        f"<{len(words)}I", *words
    )


def test_masked_write_of_32_bytes_is_stepped_over_by_its_size() -> None:
    data = stream(3, 0, 0x1D200, 0, 0xF00, 0x1F00, 32, 0, 0, 0, 0x1D204, 0, 7, 24, count=2)
    assert read_txn(data).operations == (txn.MaskWrite(0x1D200, 0x1F00, 0xF00), txn.Write(0x1D204, 7))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\0\1\3\6", "ends too early"),
        (stream(count=0), "has no operations"),
        (stream(0, 0, 0, 0, 0, 24)[:-4], "says it has 40 bytes, the file has 36"),
        (stream(0, 0, 0, 0, 0, 20), "WRITE32.* has size 20, expected at least 24"),
        (stream(1, 0, 0, 18), "BLOCKWRITE.* has size 18"),
        (stream(9, 0, 0, 0), "unknown number 0x09"),
        (stream(5, 5), "end at 0x14, the file at 0x18"),
        (struct.pack("<4I", 0x11, 0, 0, 16), "not a TXN"),
    ],
)
def test_wrong_streams_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_txn(data, "insts.bin")


@given(damaged([stream_bytes(p) for p in STREAMS[:4]]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: read_txn(d, "file"), data)
