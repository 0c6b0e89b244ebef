"""How many instructions of a scalar core an operation of WebAssembly stands for.

A wasm module of a core is the same C as the AIE program, compiled by the same front end and optimiser; what
differs is the machine. So operations are translated class by class into scalar instructions of 32 bits, as
RV32 or the scalar unit of an AIE core has them, and only those are weighed in cycles
(`costs.INSTRUCTION_CYCLES`). Opcodes: WebAssembly core specification, chapter 5.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from npuninja.emulator.timing.band import NOTHING, Band, exactly, total
from npuninja.formats.wasm_code import BULK, MEMORY_COPY, MEMORY_FILL, SIMD

#: Instructions that one operation of a class stands for. A scalar unit of 32 bits has no float (Peano calls
#: library functions), divides by steps, and reads before it writes 8 or 16 bits. A vector operation is one
#: instruction at best; a compiler that does not vectorise for AIE needs one for each lane, which is the
#: middle and the pessimistic end.
INSTRUCTIONS: dict[str, Band] = {
    "free": NOTHING,  # constants, locals, structure: registers and immediates
    "integer": exactly(1),
    "load": exactly(1),
    "store": exactly(1),
    "narrow store": Band(1, 1, 2),
    "branch": exactly(1),
    "call": Band(2, 6, 12),  # and the return, with their delay slots and saved registers
    "bit count": Band(1, 4, 12),
    "divide": Band(32, 40, 80),
    "64-bit": Band(2, 3, 4),
    "64-bit shift": Band(4, 8, 12),
    "64-bit multiply": Band(4, 10, 30),
    "64-bit divide": Band(100, 300, 1000),
    "float": Band(10, 60, 150),
    "double": Band(20, 120, 400),
    "math function": Band(100, 1000, 4000),
    "copied byte": Band(0.25, 0.75, 3),  # 64 bits, a word, a byte at a time
    "filled byte": Band(0.125, 0.5, 2),
    "vector load or store": Band(1, 4, 16),  # where no arithmetic tells the lanes' size, see with_lanes
    "vector move": Band(1, 4, 16),  # logic, shuffles and selections
    "vector lane": exactly(1),  # splat, extract, replace
    "vector x16": Band(1, 16, 16),
    "vector x8": Band(1, 8, 8),
    "vector x4": Band(1, 4, 4),
    "vector loop x16": Band(
        1, 48, 48
    ),  # a branch of a vectorised loop: without vectors, a branch, a count and an
    "vector loop x8": Band(1, 24, 24),  # address for each lane
    "vector loop x4": Band(1, 12, 12),
    "vector 64-bit": Band(2, 6, 8),
    "vector float": Band(4, 240, 600),
    "vector double": Band(4, 240, 800),
}


def instructions(counts: Mapping[str, int]) -> Band:
    """The instructions for so many operations of each class."""
    return total(INSTRUCTIONS[kind].times(count) for kind, count in counts.items())


_UNTYPED = ("vector load or store", "vector move")
_LANES = ("x16", "x8", "x4")


def with_lanes(counts: Mapping[str, int]) -> dict[str, int]:
    """The operations of a piece of straight code, its vector loads, stores, moves and loops given lanes.

    They have none of their own. The narrowest lanes of the arithmetic around them are those of the data.
    """
    lanes = next((lanes for lanes in _LANES if f"vector {lanes}" in counts), None)
    if lanes is None:
        return dict(counts)
    result: Counter[str] = Counter()
    for kind, count in counts.items():
        typed = (
            f"vector {lanes}" if kind in _UNTYPED else f"vector loop {lanes}" if kind == "branch" else kind
        )
        result[typed] += count
    return dict(result)


# First opcode of a run of opcodes of one class.
_SCALAR = (
    (0x00, "free"),  # unreachable, nop, block, loop
    (0x04, "branch"),  # if
    (0x05, "free"),  # else, end
    (0x0C, "branch"),  # br, br_if, br_table
    (0x0F, "free"),  # return: counted with the call
    (0x10, "call"),
    (0x12, "free"),
    (0x1A, "free"),  # drop
    (0x1B, "integer"),  # select
    (0x1D, "free"),  # locals, globals, tables
    (0x28, "load"),
    (0x29, "64-bit"),
    (0x2A, "load"),
    (0x2B, "64-bit"),
    (0x2C, "load"),
    (0x30, "64-bit"),
    (0x36, "store"),
    (0x37, "64-bit"),
    (0x38, "store"),
    (0x39, "64-bit"),
    (0x3A, "narrow store"),
    (0x3C, "narrow store"),  # i64.store8, i64.store16
    (0x3E, "store"),
    (0x3F, "free"),  # memory.size, memory.grow, constants
    (0x45, "integer"),
    (0x50, "64-bit"),
    (0x5B, "float"),
    (0x61, "double"),
    (0x67, "bit count"),
    (0x6A, "integer"),
    (0x6D, "divide"),
    (0x71, "integer"),
    (0x79, "bit count"),
    (0x7C, "64-bit"),
    (0x7E, "64-bit multiply"),
    (0x7F, "64-bit divide"),
    (0x83, "64-bit"),
    (0x86, "64-bit shift"),
    (0x8B, "float"),
    (0x99, "double"),
    (0xA7, "free"),  # i32.wrap_i64
    (0xA8, "float"),
    (0xAA, "double"),
    (0xAC, "integer"),  # i64.extend_i32
    (0xAE, "float"),
    (0xB0, "double"),
    (0xB2, "float"),
    (0xB7, "double"),
    (0xBC, "free"),  # reinterpretations
    (0xC0, "integer"),  # sign extensions
    (0xC2, "64-bit"),
)
_VECTOR = (
    (0, "vector load or store"),
    (12, "free"),  # v128.const
    (13, "vector move"),
    (15, "vector lane"),
    (35, "vector x16"),
    (45, "vector x8"),
    (55, "vector x4"),
    (65, "vector float"),
    (71, "vector double"),
    (77, "vector move"),
    (84, "vector lane"),
    (92, "vector load or store"),
    (94, "vector double"),
    (96, "vector x16"),
    (103, "vector float"),
    (107, "vector x16"),
    (116, "vector double"),
    (118, "vector x16"),
    (122, "vector double"),
    (123, "vector x16"),
    (124, "vector x8"),
    (126, "vector x4"),
    (128, "vector x8"),
    (148, "vector double"),
    (149, "vector x8"),
    (160, "vector x4"),
    (192, "vector 64-bit"),
    (224, "vector float"),
    (236, "vector double"),
    (248, "vector float"),
)
_TRUNCATIONS = 8  # saturating ones after the prefix of bulk memory


def kind_of_operation(opcode: int) -> str:
    """The class of an operation as `npuninja.formats.wasm_code` numbers it.

    Copying and filling memory cost by the byte: their class is that of the call, bytes are counted apart.
    """
    if opcode >= SIMD:
        return _look_up(_VECTOR, opcode - SIMD)
    if opcode in (MEMORY_COPY, MEMORY_FILL):
        return "call"
    if opcode >= BULK:
        number = opcode - BULK
        return "free" if number >= _TRUNCATIONS else "double" if number & 2 else "float"
    return _look_up(_SCALAR, opcode)


def _look_up(table: tuple[tuple[int, str], ...], number: int) -> str:
    """The class of the last run that begins at or before `number`."""
    found = table[0][1]
    for first, kind in table:
        if first > number:
            break
        found = kind
    return found
