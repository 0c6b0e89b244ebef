"""Where each register of AIE2 lies in the runtime's register bank (runtime/core.h has the same offsets).

Overlapping registers (a pair and its halves, x0 and wl0) overlap in the bank, so nothing has to be kept equal.
"""

from __future__ import annotations

import re
from functools import cache

from npuninja.errors import InternalError
from npuninja.records import NamedTuple

BANK_BYTES = 2432
_SCALARS, _P, _M, _DN, _DJ, _DC, _SP, _S = 0, 128, 160, 192, 224, 256, 288, 312
_CORE_ID, _CR, _SR, _Q, _W, _AM = 328, 332, 380, 448, 512, 1280
_ADDRESS_MASK = 0xFFFFF

#: Control registers in the order of class mCRm, and how many bits each keeps.
CONTROL = {
    "crVaddSign": 1, "crF2FMask": 32, "crF2IMask": 32, "crFPMask": 32, "crMCDEn": 1, "crPackSign": 1, "crRnd": 4,
    "crSCDEn": 1, "crSRSSign": 1, "crSat": 2, "crUPSSign": 1, "crUnpackSign": 1,
}  # fmt: skip
STATUS = (
    "srCarry", "srSRS_of", "srUPS_of", "srSparse_of", "srCompr_uf", "srFPFlags", "srF2FFlags", "srF2IFlags", "srSS0",
    "srMS0",
)  # fmt: skip
_SINGLE = {"sp": _SP, "lr": 292, "ls": 296, "le": 300, "lc": 304, "dp": 308, "core_id": _CORE_ID}
_ARRAYS = {"r": _SCALARS, "p": _P, "m": _M, "dn": _DN, "dj": _DJ, "dc": _DC}
_NUMBERED = re.compile(r"(qwl|qwh|qx|amll|amlh|amhl|amhh|bml|bmh|cm|wl|wh|dn|dj|dc|[a-z])(\d+)(_3d)?")
_ACC_PARTS = {"amll": (0, 32), "amlh": (32, 32), "amhl": (64, 32), "amhh": (96, 32), "bml": (0, 64), "bmh": (64, 64),
              "cm": (0, 128)}  # fmt: skip


class RegisterPlace(NamedTuple):
    """A register: its offset in the bank, its bytes, and the bits that a scalar one keeps (0: a shift register)."""

    offset: int
    size_bytes: int
    mask: int

    @property
    def is_vector(self) -> bool:
        """Whether it lies among the vector registers."""
        return _W <= self.offset < _AM

    @property
    def is_accumulator(self) -> bool:
        """Whether it lies among the accumulators."""
        return self.offset >= _AM


@cache
def place_of(name: str) -> RegisterPlace:
    """The place of a register by the name the table has for it. Raises InternalError for one without a place."""
    if name in _SINGLE:
        return RegisterPlace(_SINGLE[name], 4, 0xFFFFFFFF if name in ("lc", "core_id") else _ADDRESS_MASK)
    if name in CONTROL:
        return RegisterPlace(_CR + 4 * list(CONTROL).index(name), 4, (1 << CONTROL[name]) - 1)
    if name in STATUS:
        return RegisterPlace(_SR + 4 * STATUS.index(name), 4, 0xFFFFFFFF)
    found = _NUMBERED.fullmatch(name)
    if found is not None:
        kind, number = found[1], int(found[2])
        if kind in _ARRAYS:
            return RegisterPlace(_ARRAYS[kind] + 4 * number, 4, 0xFFFFFFFF if kind == "r" else _ADDRESS_MASK)
        if kind == "s":
            return RegisterPlace(_S + 4 * number, 4, 0)
        if kind == "l":
            return RegisterPlace(_SCALARS + 4 * (16 + 2 * number), 8, 0xFFFFFFFF)
        if kind == "d":
            return RegisterPlace(_M + 4 * number, 4, _ADDRESS_MASK)
        if kind == "q":
            return RegisterPlace(_Q + 16 * number, 16, 0)
        if kind in ("x", "wl"):
            return RegisterPlace(_W + 64 * number, 64 if kind == "x" else 32, 0)
        if kind == "wh":
            return RegisterPlace(_W + 64 * number + 32, 32, 0)
        if kind == "y":
            return RegisterPlace(_W + 128 * number, 128, 0)
        if kind in _ACC_PARTS:
            start, size = _ACC_PARTS[kind]
            return RegisterPlace(_AM + 128 * number + start, size, 0)
    raise InternalError(f"no place is known for the register '{name}'")


#: Registers that a person can set and see, in the order they are printed.
NAMES = (
    *(f"r{i}" for i in range(32)),
    *(f"p{i}" for i in range(8)),
    *(f"{kind}{i}" for kind in ("m", "dn", "dj", "dc") for i in range(8)),
    *("sp", "lr", "ls", "le", "lc", "dp", "s0", "s1", "s2", "s3"),
    *CONTROL,
    *STATUS,
    "core_id",
)
VECTOR_NAMES = (
    *(f"{half}{i}" for i in range(12) for half in ("wl", "wh")),
    *(f"{part}{i}" for i in range(9) for part in ("bml", "bmh")),
    *(f"q{i}" for i in range(4)),
)
