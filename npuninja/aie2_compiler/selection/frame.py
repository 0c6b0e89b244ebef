"""The frame of a function as the core gets it: a multiple of 32 bytes wherever that is possible."""

from __future__ import annotations

from npuninja.aie2_compiler.registers import NUMBERS
from npuninja.aie2_compiler.riscv import RiscvFunction

#: What `padda [sp]` and `paddb [sp]` can add is a multiple of it.
PADD_STEP_BYTES = 32
#: The number of RV32's stack pointer.
SP = 2
_STORES = ("sw", "sh", "sb")


def rounded_frame(function: RiscvFunction) -> tuple[int, int] | None:
    """Bytes of a function's frame, and the same as a multiple of 32, as real programs have it (aie2-isa, "ABI
    and ELF"). None where the stack pointer is set otherwise too: the frame then stays as it is.
    """
    steps: set[int] = set()
    for item in function.items:
        if isinstance(item, str) or not item.operands or NUMBERS.get(item.operands[0]) != SP:
            continue
        if item.mnemonic in _STORES:
            return None
        if item.mnemonic != "addi" or NUMBERS.get(item.operands[1]) != SP:
            return None
        steps.add(abs(int(item.operands[2], 0)))
    if len(steps) != 1:
        return None
    (size,) = steps
    for item in function.items:
        # The end of the frame as a base: a frame pointer, from which the compiler counts downwards.
        if (
            not isinstance(item, str)
            and item.mnemonic == "addi"
            and NUMBERS.get(item.operands[1]) == SP != NUMBERS.get(item.operands[0])
            and int(item.operands[2], 0) == size
        ):
            return None
    return size, -(-size // PADD_STEP_BYTES) * PADD_STEP_BYTES
