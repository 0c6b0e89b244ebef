"""Mutations that know a file's kind: its sums are right again, its lengths, offsets and counts nearly so.

A bit that is turned anywhere fails at the first checksum. These come after it.
"""

from __future__ import annotations

import copy
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

#: Values that are wrong in any place of JSON or TOML that expects another.
ODD_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1 << 63,
        1 << 70,
        1e308,
        -0.0,
        "",
        "x" * 3000,
        "../../etc/passwd",
        "/dev/zero",
        "a\0b",
    ),
    *(
        "\ud800",
        "\x1b]0;x\x07",
        "\u202ename",
        [],
        {},
        [[]],
        [[[[[[[[[[]]]]]]]]]],
        {"": {}},
        "NaN",
        [None] * 50,
    ),
)
_JSON_DEPTH = 2000


def nearby(rng: random.Random, value: int, size: int, at: int) -> int:
    """A number in the place of one that may be a length, an offset or a count in a file of `size` bytes."""
    return rng.choice(
        (
            *(
                0,
                1,
                value + 1,
                value - 1,
                value * 2,
                value + 4,
                value // 2,
                size,
                size - 1,
                size + 1,
                size - at,
            ),
            *(size - at + 1, size // 4, size // 4 + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 32) - 4),
            *((1 << 32) - at, (1 << 30) + 1, 0xFFFF, (1 << 64) - 1, (1 << 63), (1 << 64) - at),
        )
    )


def fields(data: bytes, rng: random.Random) -> bytes:
    """Changes one to three aligned numbers that are small enough to be about the file itself."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        width = rng.choice((2, 4, 4, 4, 8))
        if len(out) < width:
            continue
        for _ in range(20):
            at = rng.randrange(len(out) // width) * width
            value = int.from_bytes(out[at : at + width], "little")
            if value <= 2 * len(out):
                break
        made = nearby(rng, value, len(out), at) % (1 << 8 * width)
        out[at : at + width] = made.to_bytes(width, "little")
    return bytes(out)


def _summed(data: bytes, offset: int, words: int, sum_of: Callable[[tuple[int, ...]], int]) -> bytes:
    if len(data) < offset + 4 * words:
        return data
    found = struct.unpack_from(f"<{words - 1}I", data, offset)
    end = offset + 4 * (words - 1)
    return data[:end] + struct.pack("<I", sum_of(found)) + data[end + 4 :]


def cdo_words(data: bytes, rng: random.Random) -> bytes:
    """Numbers of a CDO, whose header then has the right length and sum."""
    from npuninja.formats.cdo import HEADER_WORDS, checksum

    out = bytearray(fields(data, rng))
    if len(out) >= 4 * HEADER_WORDS and rng.randrange(4):
        out[12:16] = struct.pack("<I", max(0, len(out) // 4 - HEADER_WORDS))
    return _summed(bytes(out), 0, HEADER_WORDS, checksum)


def pdi_words(data: bytes, rng: random.Random) -> bytes:
    """Numbers of a PDI's headers, whose sums are right again."""
    from npuninja.formats import pdi

    out = fields(data, rng) if rng.randrange(2) else bytearray(data)
    out = bytearray(out)
    header = rng.choice(((0x10, 32), (0x90, 16), (0xD0, 32)))
    at = header[0] + 4 * rng.randrange(header[1])
    if at + 4 <= len(out):
        value = int.from_bytes(out[at : at + 4], "little")
        out[at : at + 4] = (nearby(rng, value, len(out), at) % (1 << 32)).to_bytes(4, "little")
    done = bytes(out)
    for offset, words in ((0x10, 32), (0x90, 16), (0xD0, 32)):
        done = _summed(done, offset, words, pdi.checksum)
    return done


def xclbin_headers(data: bytes, rng: random.Random) -> bytes:
    """An XCLBIN whose length is right, with wrong headers of sections or a section mutated inside."""
    out = bytearray(data)
    count = int.from_bytes(out[0x1C0:0x1C4], "little") if len(out) > 0x1C4 else 0
    if 0 < count < 64 and len(out) >= 0x1C8 + 40 * count:
        at = 0x1C8 + 40 * rng.randrange(count)
        kind = rng.randrange(4)
        if kind == 0:
            out[at : at + 4] = rng.randrange(40).to_bytes(4, "little")
        elif kind == 1:
            field = at + rng.choice((24, 32))
            value = int.from_bytes(out[field : field + 8], "little")
            out[field : field + 8] = (nearby(rng, value, len(out), field) % (1 << 64)).to_bytes(8, "little")
        else:
            start, size = struct.unpack_from("<QQ", out, at + 24)
            part = bytes(out[start : start + min(size, 1 << 16)])
            out[start : start + len(part)] = fields(part, rng)[: len(part)].ljust(len(part), b"\0")
    if len(out) > 0x138:
        out[0x130:0x138] = len(out).to_bytes(8, "little")
    return bytes(out)


def txn_words(data: bytes, rng: random.Random) -> bytes:
    """A stream whose header has the right size, and often the right count."""
    out = bytearray(fields(data, rng))
    if len(out) >= 16:
        out[12:16] = len(out).to_bytes(4, "little")
        if rng.randrange(2):
            out[8:12] = data[8:12]
    return bytes(out)


def _leb128(value: int) -> bytes:
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def wasm_sections(data: bytes, rng: random.Random) -> bytes:
    """A module with sections dropped, repeated, in another order, with other counts, all of right size."""
    at, found = 8, []
    while at < len(data):
        kind, at = data[at], at + 1
        size = shift = 0
        while at < len(data):
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append((kind, data[at : at + size]))
        at += size
    if not found:
        return data
    number = rng.randrange(len(found))
    kind, content = found[number]
    choice = rng.randrange(6)
    if choice == 0:
        del found[number]
    elif choice == 1:
        found.insert(rng.randrange(len(found) + 1), (kind, content))
    elif choice == 2:
        count = rng.choice((0, 1, 2, 127, 128, 1000, 0xFFFF, 0xFFFFFFF, 0xFFFFFFFF, 1 << 35))
        found[number] = (kind, _leb128(count) + content[1:])
    elif choice == 3:
        found[number] = (rng.randrange(16), content)
    elif choice == 4 and content:
        place = rng.randrange(len(content))
        found[number] = (kind, content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :])
    else:
        place = rng.randrange(len(content) + 1)
        found[number] = (kind, content[:place])
    return data[:8] + b"".join(bytes([k]) + _leb128(len(c)) + c for k, c in found)


def _places(value: Any) -> list[tuple[Any, ...]]:
    """The way to each value in lists and dictionaries, outer ones first; some are too deep for recursion."""
    found: list[tuple[Any, ...]] = []
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if path:
            found.append(path)
        items = (
            inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        )
        waiting += [((*path, key), one) for key, one in reversed(list(items))]
    return found


def json_values(data: bytes, rng: random.Random) -> bytes:
    """JSON with values of other kinds, without a key, with a key twice, or nested deeply."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = _places(content)
    if not places:
        return data
    for _ in range(rng.randrange(1, 3)):
        path = rng.choice(places)
        holder = content
        try:
            for key in path[:-1]:
                holder = holder[key]
            if rng.randrange(4):
                holder[path[-1]] = copy.deepcopy(
                    rng.choice(ODD_VALUES)
                )  # it may be changed in the next round
            else:
                del holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps(content)
    kind = rng.randrange(12)
    if kind == 0:
        text = text.replace("null", "[" * _JSON_DEPTH + "]" * _JSON_DEPTH, 1)
    elif kind == 1:
        text = re.sub(r'"(\w+)": ', r'"\1": 0, "\1": ', text, count=1)
    elif kind == 2:
        text = re.sub(r"\b\d+\b", "9" * 4400, text, count=1)
    elif kind == 3:
        text = re.sub(r"\b\d+\b", "NaN", text, count=1)
    return text.encode("utf-8", "surrogatepass")


_TEXT_PIECES = (
    *(
        "9" * 400,
        "-1",
        "0x7fffffffffffffff",
        "18446744073709551616",
        "1e400",
        "\u202e",
        "\x00",
        "\u00a0",
        "i0",
        "i16777216",
    ),
    *(
        "memref<0xi8>",
        "memref<4294967296x4294967296xi8>",
        "%0",
        "@a::@b",
        "[" * 70,
        "(" * 70,
        "{" * 70,
        "]",
        ">",
        "<",
        "dense<0>",
    ),
    *("-", "*", "?", "= ", '"\\', "'", '"""', "#", "[[a]]", "a.b.c = 1", "true", "1979-05-27", "= {}", "="),
)


def tokens(data: bytes, rng: random.Random) -> bytes:
    """A text with words exchanged, left out, put twice, or replaced by odd ones."""
    words = re.findall(r"\w+|\s+|.", data.decode("utf-8", "replace"), re.DOTALL)
    if len(words) < 2:
        return data
    for _ in range(rng.randrange(1, 5)):
        at, other = rng.randrange(len(words)), rng.randrange(len(words))
        kind = rng.randrange(5)
        if kind == 0:
            words[at], words[other] = words[other], words[at]
        elif kind == 1:
            words[at] = ""
        elif kind == 2:
            words[at] += words[other]
        elif kind == 3:
            words[at] = rng.choice(_TEXT_PIECES)
        elif words[at].isdigit():
            value = int(words[at]) if len(words[at]) < 300 else 7
            words[at] = str(nearby(rng, value, len(data), at))
    return "".join(words).encode("utf-8", "surrogatepass")


_NAMES = (
    *(
        "../x",
        "/x",
        "x-1/../../y",
        "x-1/a\nb",
        "x-1/\u202ea",
        "x-1/con",
        "x-1/A",
        "x-1/a",
        "",
        ".",
        "x-1/" + "a/" * 200,
    ),
    *("x-1/a\\b", "x-1/\x1b[2Ja", "x-1/a:b", "y-1/a", "x-1", "x-1/"),
)


def zip_entries(data: bytes, rng: random.Random) -> bytes:
    """An archive with an entry of another name, kind, content, compression, or twice, or wrong fields."""
    if not rng.randrange(3):
        return fields(data, rng)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return fields(data, rng)
    if not entries:
        return data
    stream = io.BytesIO()
    chosen = rng.randrange(len(entries))
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")  # names that are there twice
        for number, (info, content) in enumerate(entries):
            if number == chosen:
                kind = rng.randrange(7)
                if kind == 0:
                    info.filename = rng.choice(_NAMES)
                elif kind == 1:
                    info.external_attr = rng.choice((0o120777, 0o060666, 0o010666, 0o040755, 0o104755)) << 16
                elif kind == 2:
                    info.compress_type = zipfile.ZIP_DEFLATED
                    content = content * rng.choice((1, 50))
                elif kind == 3:
                    content = json_values(content, rng)
                elif kind == 4:
                    content = fields(content, rng)
                elif kind == 5:
                    archive.writestr(info, content)
                else:
                    continue
            archive.writestr(info, content)
    return stream.getvalue()


def chunks(data: bytes, rng: random.Random) -> bytes:
    """A RIFF file whose chunks have wrong sizes, other names, or come twice; a .npy with another head."""
    if data[:6] == b"\x93NUMPY":
        size = int.from_bytes(data[8:10], "little")
        head = tokens(data[10 : 10 + size], rng)
        length = len(head) if rng.randrange(4) else nearby(rng, len(head), len(data), 8)
        return data[:8] + (length & 0xFFFF).to_bytes(2, "little") + head + data[10 + size :]
    out = bytearray(fields(data, rng))
    at = rng.choice((0, 8, 12, 36))
    if not rng.randrange(3):
        out[at : at + 4] = rng.choice(
            (b"RIFF", b"RIFX", b"RF64", b"WAVE", b"fmt ", b"data", b"fact", b"LIST", b"ds64")
        )
    if not rng.randrange(4):
        out[12:12] = (
            rng.choice((b"LIST", b"fmt ", b"data", b"junk"))
            + nearby(rng, 4, len(out), 12).to_bytes(16, "little")[:4]
        )
    return bytes(out)


#: What each reader's files are: mutations to choose from.
STRUCTURES: dict[str, tuple[Mutation, ...]] = {
    "cdo": (cdo_words,),
    "pdi": (pdi_words,),
    "txn": (txn_words, fields),
    "xclbin": (xclbin_headers, fields),
    "inspect": (xclbin_headers, fields),
    "line_table": (fields,),
    "instruction_elf": (txn_words, fields),
    "full_elf": (fields, txn_words),
    "assembler": (tokens,),
    "public_key": (tokens,),
    "program": (xclbin_headers, fields),
    "aie_partition": (fields,),
    "emulation_data": (fields,),
    "elf": (fields,),
    "wasm": (wasm_sections, fields),
    "mlir": (tokens,),
    "toolchain": (tokens,),
    "ninja_log": (tokens,),
    "depfile": (tokens,),
    "manifest": (json_values, tokens),
    "graph": (json_values,),
    "record": (json_values, tokens),
    "remote": (json_values,),
    "build_plan": (json_values,),
    "npy": (chunks,),
    "wav": (chunks,),
    "trace": (fields,),
    "packet": (fields,),
    "signature": (tokens,),
    "package": (zip_entries,),
    "assembly": (tokens,),
    "linker_script": (tokens,),
    "hex_words": (tokens,),
}
