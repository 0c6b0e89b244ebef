"""WebAssembly modules as bytes: instructions of one function, and a module of functions with imports and a table.

Source: WebAssembly core specification, chapter 5. Only what the translator of machine code emits.
"""

from __future__ import annotations

from functools import cache
from typing import Sequence, Union

from npuninja.formats.wasm_module import unsigned_leb128
from npuninja.records import NamedTuple

I32, I64 = 0x7F, 0x7E
BLOCK_VOID = 0x40

ADD, SUB, MUL, AND, OR, XOR, SHL, SHR_S, SHR_U = 0x6A, 0x6B, 0x6C, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76
EQZ, EQ, NE, LT_S, LT_U, GT_S, GT_U = range(0x45, 0x4C)
GE_S, GE_U = 0x4E, 0x4F
CLZ, EXTEND8, EXTEND16, CHOOSE = 0x67, 0xC0, 0xC1, 0x1B
LOAD, LOAD8_S, LOAD8_U, LOAD16_S, LOAD16_U = 0x28, 0x2C, 0x2D, 0x2E, 0x2F
STORE, LOAD64, STORE64, ADD64 = 0x36, 0x29, 0x37, 0x7C


#: A number in unsigned LEB128; the same few come again and again.
unsigned = cache(unsigned_leb128)


@cache
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


class Number(NamedTuple):
    """An i32 constant in an expression, given signed or unsigned."""

    value: int


class Load(NamedTuple):
    """A load in an expression, from an address plus `offset`, with no promise about alignment."""

    address: Expression
    offset: int = 0
    opcode: int = LOAD


#: What puts one value on the stack: a local variable by its number, a constant, a load, or an opcode and what it takes, as in
#: `(ADD, local, Number(4))`; CHOOSE takes the value if not zero, the one if zero, the condition.
Expression = Union[int, Number, Load, "tuple[Expression, ...]"]


def word_at(address: int) -> Load:
    """The word at a fixed address."""
    return Load(Number(0), address)


class WrittenFunction:
    """The code of one function without parameters: i32 locals, instructions."""

    def __init__(self, parameters: int = 0) -> None:
        self.code = bytearray()
        self.parameters = parameters
        self.locals = parameters

    def local(self) -> int:
        """A new local variable."""
        self.locals += 1
        return self.locals - 1

    def op(self, *opcodes: int) -> None:
        """Instructions without immediates."""
        self.code += bytes(opcodes)

    def put(self, *expressions: Expression) -> None:
        """Puts values on the stack, in this order."""
        for one in expressions:
            if isinstance(one, int):
                self.code.append(0x20)
                self.code += unsigned(one)
            elif isinstance(one, Number):
                self.code.append(0x41)
                self.code += signed(one.value - (1 << 32) if one.value >> 31 == 1 else one.value)
            elif isinstance(one, Load):
                self.put(one.address)
                self.memory(one.opcode, one.offset)
            else:
                opcode, *operands = one
                assert isinstance(opcode, int)
                self.put(*operands)
                self.code.append(opcode)

    def set(self, local: int) -> None:
        """Sets a local variable."""
        self.code.append(0x21)
        self.code += unsigned(local)

    def new(self) -> int:
        """A new local variable with the value on the stack."""
        local = self.local()
        self.set(local)
        return local

    def let(self, value: Expression) -> int:
        """A new local variable with a value."""
        self.put(value)
        return self.new()

    def store(self, address: Expression, value: Expression, offset: int = 0, opcode: int = STORE) -> None:
        """Stores a value at an address plus `offset`."""
        self.put(address, value)
        self.memory(opcode, offset)

    def store_at(self, address: int, value: Expression) -> None:
        """Stores a word at a fixed address."""
        self.store(Number(0), value, address)

    def memory(self, opcode: int, offset: int) -> None:
        """A load or store at an address plus `offset`, with no promise about alignment."""
        self.code.append(opcode)
        self.code.append(0)
        self.code += unsigned(offset)

    def vector(self, opcode: int, offset: int) -> None:
        """A v128 load (0) or store (11) at an address plus `offset`."""
        self.code += bytes((0xFD, opcode, 0))
        self.code += unsigned(offset)

    def call(self, function: int, *arguments: Expression) -> None:
        """A call by number; what it gives is on the stack."""
        self.put(*arguments)
        self.code.append(0x10)
        self.code += unsigned(function)

    def when(self, *condition: Expression) -> None:
        """Begins what happens when the condition, or else the value on the stack, is not zero."""
        self.put(*condition)
        self.code += bytes((0x04, BLOCK_VOID))

    def end(self) -> None:
        """Ends a case, a block or a loop."""
        self.code.append(0x0B)

    def leave(self, value: Expression) -> None:
        """Returns a value."""
        self.put(value)
        self.code.append(0x0F)

    def body(self) -> bytes:
        """The function as the code section has it."""
        count = self.locals - self.parameters
        head = unsigned(1) + unsigned(count) + bytes((I32,)) if count else unsigned(0)
        content = head + bytes(self.code) + b"\x0b"
        return unsigned(len(content)) + content


def _section(number: int, content: bytes) -> bytes:
    return bytes((number,)) + unsigned(len(content)) + content


def _vector(items: Sequence[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(items)


def _name(text: str) -> bytes:
    return unsigned(len(text)) + text.encode()


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
    memory = _name("env") + _name("memory") + b"\x02\x01" + unsigned(memory_pages) + unsigned(memory_pages)
    import_items = [memory, *(_name("env") + _name(n) + b"\x00" + unsigned(t) for n, t in imports)]
    element = b"\x00\x41\x01\x0b" + _vector([unsigned(f) for f in table])
    return b"".join(
        (
            b"\0asm\1\0\0\0",
            _section(1, _vector(type_items)),
            _section(2, _vector(import_items)),
            _section(3, _vector([unsigned(t) for t, _ in functions])),
            _section(4, _vector([b"\x70\x00" + unsigned(len(table) + 1)])),
            _section(7, _vector([_name(n) + b"\x00" + unsigned(f) for n, f in exported.items()])),
            _section(9, _vector([element])),
            _section(10, _vector([body for _, body in functions])),
        )
    )
