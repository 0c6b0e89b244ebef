"""Where each register of AIE2 lies in the runtime's register bank (runtime/core.h has the same offsets).

Overlapping registers (a pair and its halves, x0 and wl0) overlap in the bank: nothing has to be kept equal.
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
_ALL = 0xFFFFFFFF
_SINGLE = {
    **{
        "sp": (_SP, _ADDRESS_MASK),
        "lr": (292, _ADDRESS_MASK),
        "ls": (296, _ADDRESS_MASK),
        "le": (300, _ADDRESS_MASK),
    },
    **{"lc": (304, _ALL), "dp": (308, _ADDRESS_MASK), "core_id": (_CORE_ID, _ALL)},
    **{name: (_CR + 4 * number, (1 << bits) - 1) for number, (name, bits) in enumerate(CONTROL.items())},
    **{name: (_SR + 4 * number, _ALL) for number, name in enumerate(STATUS)},
}
#: By what a numbered register is called: where number 0 lies, how far it is to the next one, bytes, mask.
_NUMBERED = {
    "r": (_SCALARS, 4, 4, _ALL),
    "l": (_SCALARS + 64, 8, 8, _ALL),  # pairs, from r16 on
    **{
        kind: (at, 4, 4, _ADDRESS_MASK)
        for kind, at in (("p", _P), ("m", _M), ("dn", _DN), ("dj", _DJ), ("dc", _DC))
    },
    "d": (_M, 4, 4, _ADDRESS_MASK),  # m, dn, dj and dc of one number together
    "s": (_S, 4, 4, 0),
    "q": (_Q, 16, 16, 0),
    **{"x": (_W, 64, 64, 0), "wl": (_W, 64, 32, 0), "wh": (_W + 32, 64, 32, 0), "y": (_W, 128, 128, 0)},
    **{"amll": (_AM, 128, 32, 0), "amlh": (_AM + 32, 128, 32, 0), "amhl": (_AM + 64, 128, 32, 0)},
    **{
        "amhh": (_AM + 96, 128, 32, 0),
        "bml": (_AM, 128, 64, 0),
        "bmh": (_AM + 64, 128, 64, 0),
        "cm": (_AM, 128, 128, 0),
    },
}
_NAME = re.compile(r"([a-z]+)(\d+)(?:_3d)?")


class RegisterPlace(NamedTuple):
    """A register: its offset in the bank, its bytes, the bits that a scalar keeps (0: a shift register)."""

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
    """The place of a register by its name in the table. Raises InternalError for one without a place."""
    if name in _SINGLE:
        at, mask = _SINGLE[name]
        return RegisterPlace(at, 4, mask)
    found = _NAME.fullmatch(name)
    if found is not None and found[1] in _NUMBERED:
        first, step, size, mask = _NUMBERED[found[1]]
        return RegisterPlace(first + step * int(found[2]), size, mask)
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
