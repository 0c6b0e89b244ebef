"""What the lints of kernels know of an object's functions: places, stack frames, calls."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Location
from npuninja.formats.dwarf_lines import LineTable, read_line_table
from npuninja.formats.wasm_code import (
    CALL,
    GLOBAL_GET,
    I32_SUB,
    LOCAL_TEE,
    FunctionCode,
    WasmInstruction,
    functions,
)
from npuninja.formats.wasm_module import I32_CONST, WasmModule

if TYPE_CHECKING:
    from typing import Mapping

_PROLOGUE_INSTRUCTIONS = 8


class KernelFunction:
    """One function of an object.

    Attributes:
        name: its symbol.
        path: of the object.
        code: its instructions.
        frame_bytes: of the stack, without those of the functions it calls.
    """

    __slots__ = ("_lines", "_names", "code", "frame_bytes", "name", "path")

    def __init__(
        self, path: str, code: FunctionCode, names: Mapping[int, str], lines: LineTable, frame_bytes: int
    ) -> None:
        self.path = path
        self.code = code
        self.name = names.get(code.number, "")
        self.frame_bytes = frame_bytes
        self._names = names
        self._lines = lines

    @property
    def location(self) -> Location:
        """Where it is defined; the object where that is not known."""
        return self.place_of(self.code.offset)

    def place_of(self, offset: int) -> Location:
        """The source of the instruction at an offset of the code section; the object where none is known."""
        return self._lines.at(offset) or Location(self.path)

    def callee(self, call: WasmInstruction) -> str:
        """The name of the function that a `call` calls."""
        return self._names.get(call.immediates[0], "")

    def calls(self) -> list[str]:
        """The names of the functions it calls directly, once each."""
        return list(dict.fromkeys(self.callee(i) for i in self.code.instructions if i.opcode == CALL))


def read_functions(module: WasmModule, names: Mapping[int, str], path: str) -> list[KernelFunction]:
    """The functions of a relocatable object, or of a linked core.

    Args:
        module: the object.
        names: the name of each function by its number, from the object's symbol table.
        path: of the object.

    Returns none when the code has something that the compilers of cores do not make.
    """
    lines = read_line_table(module.custom_section(".debug_line") or b"")
    pointers = {
        n
        for n, name in enumerate(i.name for i in module.imports if i.kind == "global")
        if name == "__stack_pointer"
    }
    # In a linked module it is one of its own globals.
    pointers |= {e.number for e in module.exports if e.kind == "global" and e.name == "__stack_pointer"}
    try:
        found = functions(module)
    except (IndexError, KeyError):
        return []
    return [KernelFunction(path, code, names, lines, _frame_bytes(code, pointers)) for code in found]


def _frame_bytes(code: FunctionCode, stack_pointers: set[int]) -> int:
    """What the first instructions take off the stack pointer: `global.get $sp; i32.const N; i32.sub`."""
    start = [i for i in code.instructions[:_PROLOGUE_INSTRUCTIONS] if i.opcode != LOCAL_TEE]
    for get, size, subtract in zip(start, start[1:], start[2:]):
        if (get.opcode, size.opcode, subtract.opcode) == (GLOBAL_GET, I32_CONST, I32_SUB):
            return size.immediates[0] if get.immediates[0] in stack_pointers else 0
    return 0
