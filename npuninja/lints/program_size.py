"""How much program memory an emulated core's program would take on an NPU: an estimate, with its band.

Counted are the operations of the linked WebAssembly, without what only moves values on its stack and without
structure (blocks, ends). An AIE2 bundle is 2 to 16 bytes long and holds one to six operations: full bundles
take about 2.5 bytes an operation. After a jump five bundles run before it is taken; where nothing fits they
are `nop`s of two bytes. An operation alone in its bundle takes 4 to 8 bytes. Other compilers unroll and
inline differently. Nobody has compared this with Peano's programs: the band follows from the encoding.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.errors import Location, Warnings
from npuninja.formats.wasm_code import FunctionCode
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

_LOW_BYTES_AN_OPERATION, _HIGH_BYTES_AN_OPERATION = 2.5, 6.0
_HIGH_BYTES_A_JUMP = 10.0  # five delay slots
# Entry and exit of a core, and its start-up code.
_FIXED_BYTES = 200
# unreachable, nop, block, loop, else, end, drop; local and global get, set, tee; constants.
_MOVES = frozenset({0x00, 0x01, 0x02, 0x03, 0x05, 0x0B, 0x1A, *range(0x20, 0x25), *range(0x41, 0x45)})
_JUMPS = frozenset({0x04, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11})


class ProgramSize(NamedTuple):
    """The least and the most that are likely, in bytes."""

    low_bytes: int
    high_bytes: int

    @property
    def middle_bytes(self) -> int:
        """Between the two, nearer to the lower."""
        return int((self.low_bytes * self.high_bytes) ** 0.5)

    def __str__(self) -> str:
        return f"{self.low_bytes / 1024:.1f} to {self.high_bytes / 1024:.1f} KiB"


def estimate(functions: Sequence[FunctionCode]) -> ProgramSize:
    """The estimate for the functions of a linked core."""
    opcodes = [i.opcode for function in functions for i in function.instructions]
    operations = sum(opcode not in _MOVES for opcode in opcodes)
    jumps = sum(opcode in _JUMPS for opcode in opcodes)
    return ProgramSize(
        _FIXED_BYTES + int(operations * _LOW_BYTES_AN_OPERATION),
        _FIXED_BYTES + int(operations * _HIGH_BYTES_AN_OPERATION + jumps * _HIGH_BYTES_A_JUMP),
    )


def check_program_size(
    core: str, functions: Sequence[FunctionCode], place: Location, warnings: Warnings
) -> None:
    """Warns of a program that is more likely than not too large for an NPU's core.

    Args:
        core: for people, `core (0, 2)`.
        functions: of the linked core.
        place: of the core in the design.
        warnings: where to add.
    """
    size = estimate(functions)
    if size.middle_bytes > PROGRAM_MEMORY_BYTES:
        warnings.add(
            f"{core} would take about {size} of program memory on an NPU (estimated from its emulated "
            f"program), and there are {PROGRAM_MEMORY_BYTES // 1024} KiB: make the kernels smaller, "
            "or give them to several cores",
            place,
        )
