"""WebAssembly modules as bytes: one function's instructions; a module of functions, imports and a table.

Source: WebAssembly core specification, chapter 5. Only what the translator of machine code emits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Union

from npuninja import TYPE_CHECKING
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats.wasm_module import name_bytes, section_bytes, unsigned_leb128

if TYPE_CHECKING:
    from typing import Any, Sequence

I32 = 0x7F

ADD, SUB, MUL, AND, OR, XOR = b"\x6a", b"\x6b", b"\x6c", b"\x71", b"\x72", b"\x73"
SHL, SHR_S, SHR_U, CLZ, EXTEND8, EXTEND16 = b"\x74", b"\x75", b"\x76", b"\x67", b"\xc0", b"\xc1"
EQZ, EQ, NE, LT_S, LT_U, GT_S, GT_U = b"\x45", b"\x46", b"\x47", b"\x48", b"\x49", b"\x4a", b"\x4b"
GE_S, GE_U, CHOOSE = b"\x4e", b"\x4f", b"\x1b"
LOAD, LOAD8_S, LOAD8_U, LOAD16_S, LOAD16_U = b"\x28", b"\x2c", b"\x2d", b"\x2e", b"\x2f"
STORE, LOAD64, STORE64, ADD64 = b"\x36", b"\x29", b"\x37", b"\x7c"

#: The same few numbers and variables come again and again; a program that fills its memory has some 1,500.
_KEPT = 4096

#: A number in unsigned LEB128.
unsigned = lru_cache(maxsize=_KEPT)(unsigned_leb128)


def signed(value: int) -> bytes:
    """A number in signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


#: What puts one value on the stack: a local's number, instructions (`constant`), or an instruction and what
#: it takes, as in `(ADD, local, constant(4))`; CHOOSE takes the value if the condition is not zero, the value
#: if it is zero, and the condition.
WasmExpression = Union[int, bytes, "tuple[Any, ...]"]


@lru_cache(maxsize=_KEPT)
def _local_get(local: int) -> bytes:
    return b"\x20" + unsigned(local)


@lru_cache(maxsize=_KEPT)
def _local_set(local: int) -> bytes:
    return b"\x21" + unsigned(local)


@lru_cache(maxsize=_KEPT)
def constant(value: int) -> bytes:
    """An i32 constant, given signed or unsigned."""
    return b"\x41" + signed(value - (1 << 32) if value >> 31 == 1 else value)


@lru_cache(maxsize=_KEPT)
def _access(opcode: bytes, offset: int) -> bytes:
    """A load or store at an address plus `offset`, with no promise about alignment."""
    return opcode + b"\0" + unsigned(offset)


def loaded(address: WasmExpression, offset: int = 0, opcode: bytes = LOAD) -> WasmExpression:
    """What is at an address plus `offset`."""
    return _access(opcode, offset), address


@lru_cache(maxsize=_KEPT)
def word_at(address: int) -> bytes:
    """The word at a fixed address."""
    return constant(0) + _access(LOAD, address)


class WrittenFunction:
    """The code of one function without parameters: i32 locals, instructions."""

    def __init__(self, parameters: int = 0) -> None:
        self.code = bytearray()
        self.parameters = parameters
        self.locals = parameters

    def put(self, *expressions: WasmExpression) -> None:
        """Puts values on the stack, in this order."""
        for one in expressions:
            if isinstance(one, int):
                self.code += _local_get(one)
            elif isinstance(one, bytes):
                self.code += one
            else:
                self.put(*one[1:])
                self.code += one[0]

    def set(self, local: int) -> None:
        """Sets a local variable."""
        self.code += _local_set(local)

    def new(self) -> int:
        """A new local variable with the value on the stack."""
        local = self.locals
        self.locals = local + 1
        self.code += _local_set(local)
        return local

    def let(self, value: WasmExpression) -> int:
        """A new local variable with a value."""
        self.put(value)
        return self.new()

    def store(
        self, address: WasmExpression, value: WasmExpression, offset: int = 0, opcode: bytes = STORE
    ) -> None:
        """Stores a value at an address plus `offset`."""
        self.put(address, value)
        self.code += _access(opcode, offset)

    def store_at(self, address: int, value: WasmExpression) -> None:
        """Stores a word at a fixed address."""
        self.store(constant(0), value, address)

    def vector(self, opcode: int, offset: int) -> None:
        """A v128 load (0) or store (11) at an address plus `offset`."""
        self.code += bytes((0xFD, opcode, 0))
        self.code += unsigned(offset)

    def call(self, function: int, *arguments: WasmExpression) -> None:
        """A call by number; what it gives is on the stack."""
        self.put(*arguments)
        self.code.append(0x10)
        self.code += unsigned(function)

    def when(self, *condition: WasmExpression) -> None:
        """Begins what happens when the condition, or else the value on the stack, is not zero."""
        self.put(*condition)
        self.code += b"\x04\x40"

    def end(self) -> None:
        """Ends a case, a block or a loop."""
        self.code.append(0x0B)

    def leave(self, value: WasmExpression) -> None:
        """Leaves the function with a value."""
        self.put(value)
        self.code.append(0x0F)

    def body(self) -> bytes:
        """The function as the code section has it."""
        count = self.locals - self.parameters
        head = unsigned(1) + unsigned(count) + bytes((I32,)) if count else unsigned(0)
        content = head + bytes(self.code) + b"\x0b"
        return unsigned(len(content)) + content


def _vector(items: Sequence[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(items)


def write_module(
    types: Sequence[tuple[int, int]],
    imports: Sequence[tuple[str, int]],
    memory_pages: int,
    functions: Sequence[tuple[int, bytes]],
    exported: dict[str, int],
    table: Sequence[int],
) -> bytes:
    """A module that imports `env.memory` and functions.

    Args:
        types: of functions, as (i32 parameters, i32 results).
        imports: functions of `env`: name and number of the type.
        memory_pages: of the imported memory, exactly.
        functions: the own ones: number of the type and body.
        exported: name -> number of a function, imported ones counted.
        table: functions in the own table, from 1 on.
    """
    type_items = [
        b"\x60" + unsigned(p) + bytes((I32,)) * p + unsigned(r) + bytes((I32,)) * r for p, r in types
    ]
    pages = unsigned(memory_pages)
    memory = name_bytes("env") + name_bytes("memory") + b"\x02\x01" + pages + pages
    import_items = [memory, *(name_bytes("env") + name_bytes(n) + b"\x00" + unsigned(t) for n, t in imports)]
    element = b"\x00\x41\x01\x0b" + _vector([unsigned(f) for f in table])
    return b"".join(
        (
            WASM_MAGIC,
            section_bytes(1, _vector(type_items)),
            section_bytes(2, _vector(import_items)),
            section_bytes(3, _vector([unsigned(t) for t, _ in functions])),
            section_bytes(4, _vector([b"\x70\x00" + unsigned(len(table) + 1)])),
            section_bytes(7, _vector([name_bytes(n) + b"\x00" + unsigned(f) for n, f in exported.items()])),
            section_bytes(9, _vector([element])),
            section_bytes(10, _vector([body for _, body in functions])),
        )
    )
