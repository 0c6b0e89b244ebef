"""Makes new files of old ones: bits, numbers, pieces cut out, put twice, exchanged, taken from others."""

from __future__ import annotations

import random

#: Numbers at which readers change their mind.
EDGES = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    31,
    63,
    64,
    127,
    128,
    255,
    256,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
#: Words of the text formats.
WORDS = (
    b"\xa0", b"\x0c", b"\x00", b"\xff", b"\xc3\x28", b"[" * 300, b"{" * 300, b'"', b"\\", b"9" * 5000, b"-", b"0x", b"NaN",
    b"1e999", b"#a = [#a, #a]\n", b"memref<", b"affine_map<(d0) -> (", b"dense<", b": i99999999999", b"/" * 50, b" " * 200,
    b"\n", b"\xed\xa0\x80", b"../../x", b"\x1b[2J",
)  # fmt: skip
MAX_BYTES = 1 << 16


def mutate(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """A file like `data`, changed in one to eight places."""
    out = bytearray(data)
    for _ in range(1 << rng.randrange(4)):
        _change(out, others, rng)
    return bytes(out[:MAX_BYTES])


def _change(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(out) + 1)
    size = min(1 << rng.randrange(9), len(out) - at)
    kind = rng.randrange(9)
    if kind == 0 and at < len(out):
        out[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(out):
        out[at] = rng.choice(EDGES) & 255
    elif kind == 2 and len(out) >= 4:
        at = rng.randrange(len(out) // 4) * 4
        out[at : at + 4] = rng.choice(EDGES).to_bytes(4, rng.choice(("little", "big")))
    elif kind == 3:
        del out[at : at + size]
    elif kind == 4:
        out[at:at] = out[at : at + size] * rng.randrange(1, 4)
    elif kind == 5:
        out[at:at] = rng.choice(WORDS)
    elif kind == 6:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        out[at : at + size] = other[start : start + size]
    elif kind == 7:
        del out[at:]
    else:
        out[at : at + size] = bytes(rng.randrange(256) for _ in range(size))
