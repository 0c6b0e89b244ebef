"""The dialect `index`: what its operations are in `arith`, on an index."""

from __future__ import annotations

#: Operation, without its dialect -> the one of `arith` that does the same.
ARITH_OF_INDEX = {
    "casts": "index_cast",
    "castu": "index_castui",
    "cmp": "cmpi",
    **{name: name + "i" for name in ("add", "sub", "mul", "and", "or", "xor", "shl")},
    **{
        name + sign: f"{name}{sign}i"
        for name in ("div", "ceildiv", "rem", "max", "min", "shr")
        for sign in ("s", "u")
    },
    "floordivs": "floordivsi",
}
