"""Lint: a kernel computes with scalar floats, which the cores of an NPU do in library functions."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import Warnings
from npuninja.file_kinds import HEADERS_IN_OBJECTS
from npuninja.formats.wasm_code import BULK, CALL, SIMD
from npuninja.lints.kernel_code import KernelFunction

if TYPE_CHECKING:
    from typing import Sequence

# The instruction of the emulated core, and the function that Peano's compiler calls instead (compiler-rt).
_COMPARISONS = ("eq", "ne", "lt", "gt", "le", "ge")
_ARITHMETIC = ("add", "sub", "mul", "div")
_OPERATIONS: dict[int, str] = {
    **dict(enumerate((f"__{name}{kind}f2" for kind in "sd" for name in _COMPARISONS), 0x5B)),
    **dict(
        enumerate(("ceilf", "floorf", "truncf", "rintf", "sqrtf", *(f"__{n}sf3" for n in _ARITHMETIC)), 0x8D)
    ),
    **dict(enumerate(("fminf", "fmaxf"), 0x96)),
    **dict(enumerate(("ceil", "floor", "trunc", "rint", "sqrt", *(f"__{n}df3" for n in _ARITHMETIC)), 0x9B)),
    **dict(enumerate(("fmin", "fmax"), 0xA4)),
    **dict(enumerate(("__fixsfsi", "__fixunssfsi", "__fixdfsi", "__fixunsdfsi"), 0xA8)),
    **dict(enumerate(("__fixsfdi", "__fixunssfdi", "__fixdfdi", "__fixunsdfdi"), 0xAE)),
    **dict(enumerate(("__floatsisf", "__floatunsisf", "__floatdisf", "__floatundisf", "__truncdfsf2"), 0xB2)),
    **dict(
        enumerate(("__floatsidf", "__floatunsidf", "__floatdidf", "__floatundidf", "__extendsfdf2"), 0xB7)
    ),
    **dict(enumerate((f"__fix{sign}{kind}fsi" for kind in "sd" for sign in ("", "uns")), BULK)),
    **dict(enumerate((f"__fix{sign}{kind}fdi" for kind in "sd" for sign in ("", "uns")), BULK | 4)),
    # Loops made into vector instructions for the emulated core; Peano's compiler makes none for floats.
    **dict(enumerate(("sqrtf", *(f"__{n}sf3" for n in _ARITHMETIC), "fminf", "fmaxf"), SIMD | 0xE3)),
    **dict(enumerate(("sqrt", *(f"__{n}df3" for n in _ARITHMETIC), "fmin", "fmax"), SIMD | 0xEF)),
    **dict(enumerate(("__fixsfsi", "__fixunssfsi", "__floatsisf", "__floatunsisf"), SIMD | 0xF8)),
}
_HELPER = re.compile(r"__\w+[sdt]f[23]?$|__float\w+|__fix\w+")

# Our headers, as objects name them: an NPU does their work in its vector unit.
# Scalars of C++ are the exception: a bfloat16 is a class here.
_SCALARS = tuple(HEADERS_IN_OBJECTS + name for name in ("npu/scalars.h", "cmath", "math.h"))


def check_soft_float(
    functions: Sequence[KernelFunction], library: frozenset[str], warnings: Warnings
) -> None:
    """Warns once for each function that computes with scalar floats or calls the float library.

    Args:
        functions: of one kernel object.
        library: names of the library's functions.
        warnings: where to add.
    """
    for function in functions:
        names: dict[str, int] = {}
        first = None
        for instruction in function.code.instructions:
            name = _OPERATIONS.get(instruction.opcode)
            if instruction.opcode == CALL:
                callee = function.callee(instruction)
                name = callee if callee in library or _HELPER.match(callee) else None
            if name is not None:
                place = function.place_of(instruction.offset)
                if not place.line and function.location.line:
                    continue  # merged from several places, which are counted elsewhere or are in a header
                if place.file.startswith(HEADERS_IN_OBJECTS):
                    if place.file not in _SCALARS or function.location.file.startswith(HEADERS_IN_OBJECTS):
                        continue
                    place = function.location
                first = first or place
                names[name] = names.get(name, 0) + 1
        if names:
            listed = ", ".join(sorted(names, key=lambda n: -names[n])[:4]) + (", …" if len(names) > 4 else "")
            warnings.add(
                f"{function.name} computes with scalar floats: on an NPU each operation is a call of a "
                f"library function ({listed}), which is slow; use fixed point, or vectors",
                first,
            )
