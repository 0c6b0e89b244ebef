"""MLIR types and constants in the C of a core.

Integers are signed C types of their width (i1 is 0 or 1), `index` is 64 bits wide as in the reference's
lowering. f16 and bf16 are kept as 16 bits and converted to float for each operation: no target of ours has
both in C. A memref is a pointer to its first element, offset included (MLIR's "bare pointer" convention).
"""

from __future__ import annotations

import math
import re
import struct

from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.ir.types import element_of

_SCALARS = {
    "i1": "unsigned char",
    "i8": "signed char",
    "i16": "short",
    "i32": "int",
    "i64": "long long",
    "index": "long long",
    "f16": "unsigned short",
    "bf16": "unsigned short",
    "f32": "float",
    "f64": "double",
}
#: Widths of the integer types in bits; `index` is i64 (emulator.md: the reference lowers it so).
INTEGER_BITS = {"i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64, "index": 64}
UNSIGNED = {
    "i1": "unsigned char",
    "i8": "unsigned char",
    "i16": "unsigned short",
    "i32": "unsigned int",
    "i64": "unsigned long long",
    "index": "unsigned long long",
}
#: Operations of `arith` on integers that are operators of C.
INTEGER_INFIX = {"addi": "+", "subi": "-", "muli": "*", "andi": "&", "ori": "|", "xori": "^"}
#: Predicates of integers: the comparison, and whether it is signed.
COMPARISONS = {
    **{"eq": ("==", True), "ne": ("!=", True)},
    **{
        sign + name: (operator, sign == "s")
        for sign in "su"
        for name, operator in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))
    },
}
#: Which of two integers an operation chooses: the comparison, and whether it is signed.
SELECTIONS = {"maxsi": (">", True), "minsi": ("<", True), "maxui": (">", False), "minui": ("<", False)}
FLOATS = ("f16", "bf16", "f32", "f64")
#: Integers with a sign of their own: a core loads, hands on and stores them; arithmetic is for those without.
_SIGNED_OF_THEIR_OWN = {
    **{f"si{bits}": _SCALARS[f"i{bits}"] for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": UNSIGNED[f"i{bits}"] for bits in (8, 16, 32, 64)},
}
#: Numbers with a common exponent, as the bytes that they are: a core hands them on and does not look inside.
_BLOCKS = {f'!aiex.bfp<"v{n}bfp16ebs{n}">': f"struct npu_block_{n + 1}" for n in (8, 16)}

_VECTOR = re.compile(r"vector<((?:\d+x)+)([a-z]+\d*)>")


def is_vector(type: str) -> bool:
    """Whether a type is a vector."""
    return type.startswith("vector<")


def vector_parts(type: str, user: Operation) -> tuple[int, str]:
    """How many elements a vector has in all, and their type. Raises UserError for scalable vectors."""
    match = _VECTOR.fullmatch(type)
    if match is None:
        raise UserError(f"core code cannot use type {type} in '{user.name}'", user.loc)
    return math.prod(int(n) for n in match[1].split("x") if n), match[2]


def vector_bits(type: str) -> int:
    """The size of a vector of numbers, 0 for one that core code does not know."""
    match = _VECTOR.fullmatch(type)
    if match is None or match[2] not in _ELEMENT_BYTES:
        return 0
    return 8 * _ELEMENT_BYTES[match[2]] * math.prod(int(n) for n in match[1].split("x") if n)


#: Bytes of a vector's elements. Truth values are bytes of 0 and -1, as C's comparisons give.
_ELEMENT_BYTES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "bf16": 2, "f16": 2, "f32": 4, "f64": 8}


def vector_type(count: int, element: str, user: Operation) -> str:
    """The C type of a vector: clang takes those of a power of two elements."""
    size = _ELEMENT_BYTES.get(element)
    if size is None or count & (count - 1):
        raise UserError(
            f"core code cannot use type vector<{count}x{element}> in '{user.name}'",
            user.loc,
            hint="do this in a kernel function, and call that from the core",
        )
    lane = "signed char" if element == "i1" else _SCALARS[element]
    return f"{lane} __attribute__((vector_size({count * size}), aligned(4)))"


def c_type(type: str, user: Operation) -> str:
    """The C type of a value. UserError at `user` for a type that core code cannot use."""
    if type.startswith("memref<"):
        return element_type(type, user) + " *"
    if is_vector(type):
        return vector_type(*vector_parts(type, user), user)
    found = _SCALARS.get(type) or _SIGNED_OF_THEIR_OWN.get(type)
    if found is None:
        raise UserError(
            f"core code cannot use type {type} in '{user.name}'",
            user.loc,
            hint="do this in a kernel function, and call that from the core"
            if type.startswith("vector<")
            else f"types of core code: {', '.join(_SCALARS)}, and memrefs of them",
        )
    return found


def element_type(type: str, user: Operation) -> str:
    """The C type of a memref's elements."""
    element = element_of(type)
    found = _SCALARS.get(element) or _SIGNED_OF_THEIR_OWN.get(element) or _BLOCKS.get(element)
    if found is None or element == "index":
        raise UserError(f"core code cannot use memory of {element} in '{user.name}'", user.loc)
    return found


def integer_literal(value: int, type: str) -> str:
    """`value` as a C constant of the type, wrapped to its width."""
    bits = INTEGER_BITS[type]
    value &= (1 << bits) - 1
    if bits == 1:
        return str(value)
    if value >> (bits - 1):
        value -= 1 << bits
    suffix = "LL" if bits == 64 else ""
    if value == -(1 << (bits - 1)):  # has no literal of its own in C
        return f"({value + 1}{suffix} - 1)"
    return f"({value}{suffix})" if value < 0 else f"{value}{suffix}"


def float_literal(text: str, type: str) -> str:
    """A float constant in C from its MLIR text (decimal, or 0x and bits); for f16 and bf16 its 16 bits."""
    if type == "bf16":
        return hex(_bf16_bits(text))
    if type == "f16":
        return hex(int(text, 16) if _is_bits(text) else _f16_bits(float(text)))
    if type == "f32":
        value = (
            struct.unpack("<f", struct.pack("<I", int(text, 16)))[0] if _is_bits(text) else _f32(float(text))
        )
        return _finite(value, "f")
    value = struct.unpack("<d", struct.pack("<Q", int(text, 16)))[0] if _is_bits(text) else float(text)
    return _finite(value, "")


def _is_bits(text: str) -> bool:
    return re.match(r"0[xX]", text) is not None


def _finite(value: float, suffix: str) -> str:
    if math.isnan(value):
        return f'__builtin_nan{suffix}("")'
    if math.isinf(value):
        return f"({'-' if value < 0 else ''}__builtin_inf{suffix}())"
    return f"({value.hex()}{suffix})"


def _f32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _f16_bits(value: float) -> int:
    try:
        return int.from_bytes(struct.pack("<e", value), "little")
    except OverflowError:
        return 0xFC00 if value < 0 else 0x7C00


def _bf16_bits(text: str) -> int:
    if _is_bits(text):
        return int(text, 16)
    value = float(text)
    if math.isnan(value):
        return 0x7FC0
    if math.isinf(value) or value == 0:
        return int.from_bytes(struct.pack("<f", value), "little") >> 16
    # One rounding, to nearest even, on the exact value: 8 bits of precision, exponents as f32's.
    mantissa, exponent = math.frexp(abs(value))
    lowest = max(exponent - 8, -133)
    steps = round(math.ldexp(mantissa, exponent - lowest))
    try:
        magnitude = int.from_bytes(struct.pack("<f", math.ldexp(steps, lowest)), "little")
    except OverflowError:
        magnitude = 0x7F800000
    return magnitude >> 16 | (0x8000 if value < 0 else 0)
