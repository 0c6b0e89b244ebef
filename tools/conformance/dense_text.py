"""One spelling for the values of `dense<…>`: a list, one number for all, or bytes as a hexadecimal string."""

from __future__ import annotations

import re
import struct

#: Bits of an element in memory.
_BITS = {
    "i1": 8,
    "i8": 8,
    "i16": 16,
    "i32": 32,
    "i64": 64,
    "index": 64,
    "bf16": 16,
    "f16": 16,
    "f32": 32,
    "f64": 64,
}
_SHAPE = re.compile(r"(?:memref|tensor|vector)<((?:\d+x)*)([a-z]+\d*)")
_LITERAL = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+\.\d*(?:[eE][-+]?\d+)?|\d+|inf|nan)|true|false")


def canonical_values(tokens: list[str]) -> list[str]:
    """The tokens of `… : type = dense<…>` with the values as unsigned numbers, one when all are equal.

    What cannot be read stays as it is.
    """
    if "dense" not in tokens:
        return tokens
    at = tokens.index("dense")
    found = _SHAPE.search("".join(tokens[:at]))
    if found is None or found[2] not in _BITS:
        return tokens
    end = _closing(tokens, at)
    try:
        values = _numbers("".join(tokens[at + 2 : end]), found[2])
    except (ValueError, OverflowError, struct.error):
        return tokens
    if len(set(values)) == 1:
        values = values[:1]
    return [*tokens[:at], "dense", "<", *map(str, values), ">", *tokens[end + 1 :]]


def _closing(tokens: list[str], start: int) -> int:
    depth = 0
    for i in range(start + 1, len(tokens)):
        depth += (tokens[i] == "<") - (tokens[i] == ">")
        if depth == 0:
            return i
    return len(tokens)


def _numbers(text: str, element: str) -> list[int]:
    bits = _BITS[element]
    if text.startswith('"0x'):
        raw, step = bytes.fromhex(text[3:-1]), bits // 8
        return [int.from_bytes(raw[i : i + step], "little") for i in range(0, len(raw), step)]
    return [_number(word, element, bits) for word in _LITERAL.findall(text)]


def _number(word: str, element: str, bits: int) -> int:
    if word in ("true", "false"):
        return int(word == "true")
    if "f" not in element or word.lower().startswith("0x"):
        return int(word, 0) & (1 << bits) - 1
    value = float(word)
    if element in ("f64", "f16"):
        return int.from_bytes(struct.pack("<d" if element == "f64" else "<e", value), "little")
    single = int.from_bytes(struct.pack("<f", value), "little")
    # bf16 is the upper half of a float, rounded to the even neighbour.
    return single if bits == 32 else (single + 0x7FFF + (single >> 16 & 1)) >> 16
