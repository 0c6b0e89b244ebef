"""Floating-point constants of LLVM IR as an LLVM before 23 reads them.

Newer ones write `inf` and `nan`, `f0x3DE147AE` for a float's bits, and a decimal that is right in the
constant's own type. Older ones read a decimal only where a double holds it exactly, and else the bits: `0x`
and 16 digits of the double that a float or a double is, `0xH` and 4 of a half, `0xR` and 4 of a bfloat.
"""

from __future__ import annotations

import re
import struct

_TYPES = ("half", "bfloat", "float", "double")
#: Strings, comments and names, which have no constants; constants; type names and other words; ends of lines.
_TOKEN = re.compile(
    r'"[^"\n]*"|;[^\n]*|[%@!#$](?:[\w.$-]+|"[^"\n]*")'
    r"|(?P<bits>f0x[0-9A-Fa-f]{8})(?![\w.$-])"
    r"|(?P<special>[+-]?(?:inf|nan))(?![\w.$-])"
    r"|(?P<word>[A-Za-z_][\w.$-]*)"
    r"|0x\w+"
    r"|(?P<decimal>[+-]?\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))(?![\w.])"
    r"|[+-]?\d+\w*"
    r"|(?P<end>\n)"
)


def older_floats(text: str) -> str:
    """The text with its constants so. One without a type of its own has the last type that its line names."""
    type = ""

    def spelled(match: re.Match[str]) -> str:
        nonlocal type
        token = match[0]
        if match["end"]:
            type = ""
        elif match["word"]:
            type = token if token in _TYPES else type
        elif match["bits"]:
            return _wide(struct.unpack(">f", bytes.fromhex(token[3:]))[0])
        elif match["special"]:
            return _bits(type or "double", float(token))
        elif match["decimal"] and type:
            return _bits(type, float(token)) if type == "bfloat" or not _exact(type, float(token)) else token
        return token

    return _TOKEN.sub(spelled, text)


def _wide(value: float) -> str:
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


def _exact(type: str, value: float) -> bool:
    """Whether a type holds a double as it is; too large a number is left to the reader's own complaint."""
    if type == "double":
        return True
    code = ">e" if type == "half" else ">f"
    try:
        return bool(struct.unpack(code, struct.pack(code, value))[0] == value)
    except OverflowError:
        return True


def _bits(type: str, value: float) -> str:
    """The bits of a number in a type, rounded to the nearest, ties to even."""
    if type == "half":
        return f"0xH{struct.unpack('>H', struct.pack('>e', value))[0]:04X}"
    if type == "bfloat":
        bits: int = struct.unpack(">I", struct.pack(">f", value))[0]
        return f"0xR{(bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF:04X}"
    return _wide(struct.unpack(">f", struct.pack(">f", value))[0] if type == "float" else value)
