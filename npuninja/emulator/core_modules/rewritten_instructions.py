"""A function of a core's module as it is run: where its accesses go, and that they are reported."""

from __future__ import annotations

from typing import Protocol

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.added_functions import HALF_MARK
from npuninja.emulator.core_modules.address_map import KERNELS, READ_MARKS, WRITE_MARKS
from npuninja.emulator.core_modules.bound_accesses import WRITES_BIT, BoundAccesses
from npuninja.errors import UserError
from npuninja.formats.wasm_code import (
    BULK,
    CALL,
    GLOBAL_SET,
    I32_STORE,
    MEMORY_COPY,
    MEMORY_FILL,
    SIMD,
    WasmInstruction,
)
from npuninja.formats.wasm_module import unsigned_leb128
from npuninja.records import NamedTuple

_MEMORY_INIT, _DATA_DROP = BULK | 8, BULK | 9
_MEMORY_GROW = 0x40

#: Opcode -> bytes of the access.
_LOADS = {
    **{0x28: 4, 0x29: 8, 0x2A: 4, 0x2B: 8, 0x2C: 1, 0x2D: 1, 0x2E: 2, 0x2F: 2},
    **{0x30: 1, 0x31: 1, 0x32: 2, 0x33: 2, 0x34: 4, 0x35: 4},
    **{SIMD: 16, **{SIMD | n: 8 for n in range(1, 7)}, SIMD | 7: 1, SIMD | 8: 2, SIMD | 9: 4, SIMD | 10: 8},
    **{SIMD | 92: 4, SIMD | 93: 8},
}
#: Loads into a lane: the vector lies above the address.
_LANE_LOADS = {SIMD | 84: 1, SIMD | 85: 2, SIMD | 86: 4, SIMD | 87: 8}
#: Opcode -> (bytes, type of the value).
_STORES = {
    **{
        0x36: (4, "i32"),
        0x37: (8, "i64"),
        0x38: (4, "f32"),
        0x39: (8, "f64"),
        0x3A: (1, "i32"),
        0x3B: (2, "i32"),
    },
    **{0x3C: (1, "i64"), 0x3D: (2, "i64"), 0x3E: (4, "i64"), SIMD | 11: (16, "v128")},
    **{SIMD | 88: (1, "v128"), SIMD | 89: (2, "v128"), SIMD | 90: (4, "v128"), SIMD | 91: (8, "v128")},
}
_VALUES = ("i32", "i64", "f32", "f64", "v128")

# What the engine is given with an access (engine/checks.c): site, log2 of the bytes, log2 of the promised
# alignment, and whether it is a kernel's.
SITE_BITS = 20
_SIZE_SHIFT, _ALIGN_SHIFT, _KERNEL_BIT = 20, 23, 1 << 26


class CodePlace(NamedTuple):
    """Where an instruction was: number of its function, offset in the original's code section."""

    function: int
    offset: int


class _Needs(Protocol):
    """What the functions of a module need of what writes the module."""

    checked: bool
    epoch: tuple[int, int, int, int]

    def site(self, place: CodePlace) -> int: ...

    def engine(self, name: str) -> bytes: ...

    def helper(self, name: str) -> bytes: ...

    def kernel_parameters(self, number: int) -> tuple[str, ...] | None: ...

    def is_stack_pointer(self, number: int) -> bool: ...

    def unknown(self, what: str) -> UserError: ...


class LocalVariables:
    """Local variables that a function gets in addition, one of each name."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._names: list[tuple[str, str]] = []

    def number(self, name: str, kind: str) -> int:
        """The variable `name` of a type."""
        key = (name, kind)
        if key not in self._names:
            self._names.append(key)
        return self._first + self._names.index(key)

    @property
    def kinds(self) -> list[bytes]:
        """Their types, as a declaration has them."""
        return [e.TYPE_BYTES[kind] for _, kind in self._names]


class InstructionWriter:
    """Rewrites the instructions of one function."""

    def __init__(
        self, writer: _Needs, number: int, is_entry: bool, locals_: LocalVariables, bound: BoundAccesses
    ) -> None:
        self._writer = writer
        self._bound = bound
        self._number = number
        self._entry = is_entry
        self._locals = locals_
        self._shift = 0 if is_entry else KERNELS

    def prologue(self) -> bytes:
        """What comes before the first instruction."""
        if not (self._entry and self._writer.checked):
            return self._bound.prologue()
        return self._writer.engine("core_begin") + self._writer.helper("set_epoch")

    def instruction(self, instruction: WasmInstruction, code: bytes) -> bytes:
        """What replaces an instruction of bytes `code`. UserError for one that no core's module has."""
        opcode, numbers = instruction.opcode, instruction.immediates
        if opcode in (MEMORY_COPY, MEMORY_FILL):
            return self._bulk(instruction)
        if opcode in (_MEMORY_INIT, _DATA_DROP):
            raise self._writer.unknown("memory.init or data.drop")
        if opcode == _MEMORY_GROW:
            raise self._writer.unknown("memory.grow")
        if opcode in _LOADS or opcode in _LANE_LOADS or opcode in _STORES:
            if len(numbers) != 2 or numbers[0] >= 32:
                raise self._writer.unknown("an access to another memory")
            return self._access(instruction, code)
        if self._writer.checked and opcode == GLOBAL_SET and self._writer.is_stack_pointer(numbers[0]):
            new = self._locals.number("new", "i32")
            old = e.get_global(numbers[0])
            moved = e.tee(new) + old + self._writer.helper("stack_moved")
            return moved + e.get(new) + code
        if self._writer.checked and self._entry and opcode == CALL:
            return self._kernel_call(instruction, code)
        return code

    def _packed(self, instruction: WasmInstruction, size: int = 1, align: int = 0) -> int:
        """An access at a new site, as the engine takes it."""
        site = self._writer.site(CodePlace(self._number, instruction.offset))
        packed = site | (size.bit_length() - 1) << _SIZE_SHIFT | align << _ALIGN_SHIFT
        return packed | (0 if self._entry else _KERNEL_BIT)

    def _bulk(self, instruction: WasmInstruction) -> bytes:
        what = "copy" if instruction.opcode == MEMORY_COPY else "fill"
        if any(instruction.immediates):
            raise self._writer.unknown("a second memory")
        helper = self._writer.helper(f"{what}_core" if self._entry else f"{what}_kernel")
        if not self._writer.checked:
            return e.const(0) + helper
        packed = self._packed(instruction)
        return self._bound.test_range(instruction.offset, packed) + e.const(packed) + helper

    def _kernel_call(self, instruction: WasmInstruction, code: bytes) -> bytes:
        """A call of the core's function: the engine learns what the kernel is given."""
        parameters = self._writer.kernel_parameters(instruction.immediates[0])
        if parameters is None or not set(parameters) <= set(_VALUES):
            return code
        numbers = [self._locals.number(f"argument {i}", kind) for i, kind in enumerate(parameters)]
        out = b"".join(map(e.set_, reversed(numbers)))
        for number, kind in zip(numbers, parameters):
            if kind == "i32":
                out += e.get(number) + self._writer.engine("core_grant")
        again = self._writer.helper("set_epoch")
        out += e.const(self._packed(instruction)) + self._writer.engine("core_call") + again
        out += b"".join(map(e.get, numbers)) + code
        return out + self._writer.engine("core_return") + again

    def _access(self, instruction: WasmInstruction, code: bytes) -> bytes:
        opcode, (align, offset) = instruction.opcode, instruction.immediates
        is_lane = SIMD | 84 <= opcode < SIMD | 92
        head = code[:1] if opcode < SIMD else code[: 1 + len(unsigned_leb128(opcode & 0xFFF))]
        moved = offset + self._shift
        if moved >> 32:
            moved = 0xFFFFFFFF  # nothing is there, with or without the shift
        plain = head + unsigned_leb128(align) + unsigned_leb128(moved) + (code[-1:] if is_lane else b"")
        if not self._writer.checked:
            return plain
        address = self._locals.number("address", "i32")
        if opcode in _LOADS:
            test = self._test(instruction, _LOADS[opcode], address, READ_MARKS, "slow_read")
            return e.tee(address) + test + e.get(address) + plain
        if opcode in _LANE_LOADS:
            size, kind, marks, slow = _LANE_LOADS[opcode], "v128", READ_MARKS, "slow_read"
        else:
            (size, kind), marks, slow = _STORES[opcode], WRITE_MARKS, "slow_write"
        value = self._locals.number("value", kind)
        around = e.get(address) + e.get(value) + plain
        if self._entry and opcode == I32_STORE:
            where = e.get(address) + e.const(offset) + e.I32_ADD + e.get(value)
            slow_way = (
                where + e.const(self._packed(instruction, size, align)) + self._writer.helper("slow_store")
            )
            return e.set_(value) + e.set_(address) + slow_way + around
        test = self._test(instruction, size, address, marks, slow)
        return e.set_(value) + e.tee(address) + test + around

    def _test(self, instruction: WasmInstruction, size: int, address: int, marks: int, slow: str) -> bytes:
        """With the address on the stack: asks the engine unless the words are marked in this epoch."""
        align, offset = instruction.immediates
        one, two, four, half = map(e.get_global, self._writer.epoch)
        at = min(offset + marks, 0xFFFFFFFF)
        if size == 16:
            differs = e.access(e.V128_LOAD, at) + four + e.V128_XOR + e.V128_ANY_TRUE
        elif size == 8:
            differs = e.access(e.I64_LOAD, at) + two + e.I64_NE
        elif size == 4:
            differs = e.access(e.I32_LOAD, at) + one + e.I32_NE
        elif size == 2:
            differs = e.access(e.I32_LOAD16_U, at) + e.const(HALF_MARK) + e.I32_AND + half + e.I32_NE
        else:
            whole = e.const(offset) + e.I32_ADD + e.const(0xFFFFFFFC) + e.I32_AND
            differs = whole + e.access(e.I32_LOAD, marks) + one + e.I32_NE
        packed = self._packed(instruction, size, min(align, 7))
        full = e.get(address) + e.const(offset) + e.I32_ADD + e.const(packed)
        asked = differs + e.IF + full + self._writer.helper(slow) + e.END
        packed |= WRITES_BIT if marks == WRITE_MARKS else 0
        return asked + self._bound.test(instruction.offset, address, offset, size, packed)
