"""Where the registers of RV32 live on an AIE2 core, and which registers serve for the rest.

r31 and r27 have uses of their own (`divs`, `sel`); sp, lr and the pointers are no general registers.
"""

from __future__ import annotations

#: The compiler leaves x25 to x27 alone (stages/_aie2_flags.py), so what is left from x5 on fits r0 to r23.
GENERAL = (*range(5, 25), *range(28, 32))
#: x1, which is a general register between being saved and being read again.
RETURN_ADDRESS = "r24"
ZERO = "r30"  # is 0 from `__start` on
CONDITION = "r27"
TEMPORARIES = ("r25", "r26", "r28", "r29", "r31")
POINTERS = tuple(f"p{i}" for i in range(8))
OFFSETS = tuple(f"dj{i}" for i in range(8))
STACK, LINK = "sp", "lr"

_NAMES = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{i}" for i in range(8)),
    *(f"s{i}" for i in range(2, 12)),
    *(f"t{i}" for i in range(3, 7)),
)
NUMBERS = {
    **{name: i for i, name in enumerate(_NAMES)},
    **{f"x{i}": i for i in range(32)},
    "fp": 8,
}

#: AIE2 reaches slots of the stack by negative offsets from sp only (aie2-isa, "Addresses"); RV32 counts
#: upwards from its stack pointer. So the core's sp is that pointer plus this, all the time.
STACK_BIAS_BYTES = 8192


def home(number: int) -> str:
    """The register of AIE2 that holds a register of RV32: 0, 1 or one of `GENERAL`."""
    if number < 2:
        return RETURN_ADDRESS if number else ZERO
    return f"r{GENERAL.index(number)}"
