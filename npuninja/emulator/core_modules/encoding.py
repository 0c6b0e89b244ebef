"""WebAssembly instructions as bytes, for code that is put into a module (core specification, chapter 5)."""

from __future__ import annotations

from typing import Final

from npuninja.machine_code.wasm_writer import constant, unsigned

I32, I64, F32, F64, V128 = b"\x7f", b"\x7e", b"\x7d", b"\x7c", b"\x7b"
TYPE_BYTES: Final = {"i32": I32, "i64": I64, "f32": F32, "f64": F64, "v128": V128}
#: A zero of each type.
ZEROS: Final = {
    "i32": b"\x41\0", "i64": b"\x42\0", "f32": b"\x43" + bytes(4), "f64": b"\x44" + bytes(8), "v128": b"\xfd\x0c" + bytes(16),
}  # fmt: skip
_ZEROS_BY_TYPE = {TYPE_BYTES[kind][0]: zero for kind, zero in ZEROS.items()}
IF, ELSE, END, LOOP, BLOCK = b"\x04\x40", b"\x05", b"\x0b", b"\x03\x40", b"\x02\x40"
RETURN, UNREACHABLE, NOP, DROP = b"\x0f", b"\x00", b"\x01", b"\x1a"
I32_EQZ, I32_EQ, I32_NE, I32_LT_U, I32_GT_U, I32_GE_U = b"\x45", b"\x46", b"\x47", b"\x49", b"\x4b", b"\x4f"
I32_ADD, I32_SUB, I32_AND, I32_OR = b"\x6a", b"\x6b", b"\x71", b"\x72"
I64_NE, I64_SHL, I64_SHR_U, I64_OR = b"\x52", b"\x86", b"\x88", b"\x84"
I32_WRAP, I64_EXTEND_U = b"\xa7", b"\xad"
I8X16_SPLAT, I32X4_SPLAT, V128_XOR, V128_ANY_TRUE = b"\xfd\x0f", b"\xfd\x11", b"\xfd\x51", b"\xfd\x53"
I32_LOAD, I64_LOAD, I32_LOAD8_U, I32_LOAD16_U = b"\x28", b"\x29", b"\x2d", b"\x2f"
I32_STORE, I64_STORE, I32_STORE8 = b"\x36", b"\x37", b"\x3a"
V128_LOAD, V128_STORE = b"\xfd\x00", b"\xfd\x0b"
MEMORY_FILL = b"\xfc\x0b\x00"
#: i32.const
const = constant


def get(local: int) -> bytes:
    """The instruction `local.get`."""
    return b"\x20" + unsigned(local)


def set_(local: int) -> bytes:
    """The instruction `local.set`."""
    return b"\x21" + unsigned(local)


def tee(local: int) -> bytes:
    """The instruction `local.tee`."""
    return b"\x22" + unsigned(local)


def get_global(number: int) -> bytes:
    """The instruction `global.get`."""
    return b"\x23" + unsigned(number)


def set_global(number: int) -> bytes:
    """The instruction `global.set`."""
    return b"\x24" + unsigned(number)


def call(function: int) -> bytes:
    """The instruction `call`."""
    return b"\x10" + unsigned(function)


def branch(depth: int) -> bytes:
    """The instruction `br`."""
    return b"\x0c" + unsigned(depth)


def branch_if(depth: int) -> bytes:
    """The instruction `br_if`."""
    return b"\x0d" + unsigned(depth)


def zeros(kinds: bytes) -> bytes:
    """A zero for each of these types."""
    return b"".join(_ZEROS_BY_TYPE[kind] for kind in kinds)


def access(opcode: bytes, offset: int, align: int = 0) -> bytes:
    """A load or store with its alignment (a power of two) and constant offset."""
    return opcode + unsigned(align) + unsigned(offset)


def vector(items: list[bytes]) -> bytes:
    """A vector: the number of items, and the items."""
    return unsigned(len(items)) + b"".join(items)


def body(local_types: list[bytes], code: bytes) -> bytes:
    """A function's entry in the code section: size, local variables, instructions."""
    content = vector([b"\x01" + kind for kind in local_types]) + code + END
    return unsigned(len(content)) + content
