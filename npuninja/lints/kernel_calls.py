"""Lint: a kernel uses its arguments in another way than the design passes them."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, Warnings
from npuninja.formats import wasm_code
from npuninja.formats.wasm_code import DROP, GLOBAL_SET, NOP, SELECT, SIMD, FunctionCode, WasmInstruction
from npuninja.formats.wasm_module import I32_CONST
from npuninja.lints.kernel_code import KernelFunction
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator, Sequence

#: An argument that is passed: the bytes of a memref, None for one of unknown size, the type of a number.
PassedArgument = int | None | str


class _StackValue(NamedTuple):
    """A value on the stack as far as it is known: argument number (-1: none) plus a constant."""

    argument: int
    constant: int


class _ArgumentAccess(NamedTuple):
    """An access of a number of bytes at a constant distance from an argument."""

    argument: int
    start: int
    end: int
    offset: int


# Bytes that a load or store moves, by opcode; i32.load is the first.
_LOADED_BYTES = (4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4)
_STORED_BYTES = (4, 8, 4, 8, 1, 2, 1, 2, 4)
_LOADS = {**dict(enumerate(_LOADED_BYTES, 0x28)), SIMD: 16, **dict.fromkeys(range(SIMD | 1, SIMD | 7), 8)}
_STORES = {**dict(enumerate(_STORED_BYTES, 0x36)), SIMD | 11: 16}
_MOVED_BYTES = {**_LOADS, **_STORES}
# What control can leave by: after it, code may never run.
_BRANCHES = (0x00, 0x04, 0x0C, 0x0D, 0x0E, 0x0F)
_OTHER_CONSTANTS = (0x42, 0x43, 0x44, SIMD | 12)
_SPLATS = range(SIMD | 15, SIMD | 21)
_ONE_OPERAND = {
    *(0x45, 0x50, *range(0x67, 0x6A), *range(0x79, 0x7C), *range(0x8B, 0x92), *range(0x99, 0xA0)),
    *(*range(0xA7, 0xC5), *_SPLATS),
}
_TWO_OPERANDS = {
    *(*range(0x46, 0x50), *range(0x51, 0x67), *range(0x6A, 0x79)),
    *(*range(0x7C, 0x8B), *range(0x92, 0x99), *range(0xA0, 0xA7)),
}


#: How many values an instruction takes, and whether it gives one, of which nothing is known but of a sum.
_EFFECTS: dict[int, tuple[int, bool]] = {
    **dict.fromkeys((*_OTHER_CONSTANTS, wasm_code.GLOBAL_GET), (0, True)),
    **dict.fromkeys((*_ONE_OPERAND, *_LOADS), (1, True)),
    **dict.fromkeys((*_TWO_OPERANDS, wasm_code.I32_ADD), (2, True)),
    SELECT: (3, True),
    **dict.fromkeys((wasm_code.LOCAL_TEE, NOP), (0, False)),
    **dict.fromkeys((DROP, wasm_code.LOCAL_SET, GLOBAL_SET), (1, False)),
    **dict.fromkeys(_STORES, (2, False)),
    **dict.fromkeys((wasm_code.MEMORY_COPY, wasm_code.MEMORY_FILL), (3, False)),
}


def check_kernel_calls(
    core: str,
    declared: Sequence[tuple[str, Location, Sequence[PassedArgument]]],
    objects: Sequence[Sequence[KernelFunction]],
    warnings: Warnings,
) -> None:
    """Warns of a kernel that surely reaches beyond a memref it is given, or uses a number as a pointer.

    Only what every call does is known: accesses at constant distances before the first branch, and copies of
    constant length. The linker checks the number of arguments, and that each is in a register of the right
    kind.

    Args:
        core: for people, `core (0, 2)`.
        declared: name of each kernel that the core calls, where the design declares it, and its arguments.
        objects: the functions of each object that is linked.
        warnings: where to add.
    """
    visible = {f.name: f for functions in objects for f in functions}
    for name, place, arguments in declared:
        kernel = visible.get(name)
        if kernel is None:
            continue
        for access in _accesses(kernel.code):
            given = arguments[access.argument] if access.argument < len(arguments) else None
            what = f"{core} calls {name}, which uses its argument {access.argument + 1} as a pointer"
            if isinstance(given, str):
                warnings.add(
                    f"{what}, but the design passes a number ({given}) at {place}",
                    kernel.place_of(access.offset),
                )
                break
            if given is not None and (access.end > given or access.start < 0):
                span = f"bytes {access.start} to {access.end - 1}"
                warnings.add(
                    f"{what} to {span}, but the memref at {place} has {given} bytes",
                    kernel.place_of(access.offset),
                )
                break


def _accesses(code: FunctionCode) -> Iterator[_ArgumentAccess]:
    """The accesses through arguments that every call makes."""
    assigned = {
        i.immediates[0] for i in code.instructions if i.opcode in (wasm_code.LOCAL_SET, wasm_code.LOCAL_TEE)
    }
    stack = _Stack(set(range(len(code.parameters))) - assigned)
    for instruction in code.instructions:
        if instruction.opcode in _BRANCHES:
            return
        yield from stack.step(instruction)


class _Stack:
    """What is known of the stack's values while a function runs.

    Attributes:
        arguments: the numbers of those that the function does not assign to.
    """

    def __init__(self, arguments: set[int]) -> None:
        self.arguments = arguments
        self._values: list[_StackValue | None] = []

    def step(self, instruction: WasmInstruction) -> Iterator[_ArgumentAccess]:
        """Does what an instruction does. One that is not understood makes the whole stack unknown."""
        opcode, immediates = instruction.opcode, instruction.immediates
        if opcode in _EFFECTS:
            popped, pushes = _EFFECTS[opcode]
            values = [self._pop() for _ in range(popped)]
            yield from _accessed(instruction, values)
            if pushes:
                self._values.append(_sum(*values) if opcode == wasm_code.I32_ADD else None)
        elif opcode == wasm_code.LOCAL_GET:
            self._values.append(_StackValue(immediates[0], 0) if immediates[0] in self.arguments else None)
        elif opcode == I32_CONST:
            self._values.append(None if instruction.relocated else _StackValue(-1, immediates[0]))
        else:
            self._values.clear()

    def _pop(self) -> _StackValue | None:
        return self._values.pop() if self._values else None


def _accessed(instruction: WasmInstruction, values: list[_StackValue | None]) -> Iterator[_ArgumentAccess]:
    """The accesses of an instruction that takes these values, the top of the stack first."""
    opcode = instruction.opcode
    touched: list[tuple[_StackValue | None, int, int]] = []
    if opcode in _MOVED_BYTES:
        touched = [(values[-1], _MOVED_BYTES[opcode], instruction.immediates[1])]
    elif opcode in (wasm_code.MEMORY_COPY, wasm_code.MEMORY_FILL):
        length, source, target = values
        if length is not None and length.argument < 0:
            reads = opcode == wasm_code.MEMORY_COPY
            touched = [(target, length.constant, 0), *([(source, length.constant, 0)] if reads else [])]
    for address, size, distance in touched:
        if address is not None and address.argument >= 0 and not instruction.relocated and size:
            start = address.constant + distance
            yield _ArgumentAccess(address.argument, start, start + size, instruction.offset)


def _sum(a: _StackValue | None, b: _StackValue | None) -> _StackValue | None:
    if a is None or b is None or (a.argument >= 0 and b.argument >= 0):
        return None
    return _StackValue(max(a.argument, b.argument), a.constant + b.constant)
