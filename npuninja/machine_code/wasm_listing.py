"""Listings of wasm cores and objects, in the words of the WebAssembly specification."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.formats.wasm_code import FunctionCode, WasmInstruction, functions
from npuninja.formats.wasm_module import WasmModule, read_wasm
from npuninja.formats.wasm_names import function_names, instruction_name
from npuninja.machine_code.program import MachineProgram

if TYPE_CHECKING:
    from typing import Any, Iterator

_OPENS = frozenset({"block", "loop", "if"})


def _module(program: MachineProgram, path: str) -> WasmModule:
    if not program.module:
        raise UserError(
            f"the module of {program.title or 'the core'} is not in the file: "
            "only its hash is in program memory",
            Location(path),
            hint="the XCLBIN of the design has the modules",
        )
    return read_wasm(program.module, path)


def _text(instruction: WasmInstruction) -> str:
    words = [instruction_name(instruction.opcode), *map(str, instruction.immediates)]
    return " ".join(words)


def wasm_json(program: MachineProgram, path: str) -> dict[str, Any]:
    """The functions of a module, each with its instructions as [offset in the code section, text]."""
    module = _module(program, path)
    names = function_names(module)
    return {
        "functions": [
            {
                "number": f.number,
                "name": names.get(f.number),
                "parameters": list(f.parameters),
                "results": list(f.results),
                "instructions": [[i.offset, _text(i)] for i in f.instructions],
            }
            for f in functions(module)
        ]
    }


def wasm_lines(program: MachineProgram, path: str) -> Iterator[str]:
    """The functions of a module as text."""
    module = _module(program, path)
    names = function_names(module)
    for function in functions(module):
        yield from _function_lines(function, names)


def _function_lines(function: FunctionCode, names: dict[int, str]) -> Iterator[str]:
    name = names.get(function.number, f"function {function.number}")
    yield ""
    yield f"<{name}>: ({', '.join(function.parameters)}) -> ({', '.join(function.results)})"
    depth = 1
    for instruction in function.instructions:
        word = instruction_name(instruction.opcode)
        if word in ("end", "else"):
            depth -= 1
        text = _text(instruction)
        if word == "call" and instruction.immediates and instruction.immediates[0] in names:
            text += f" <{names[instruction.immediates[0]]}>"
        yield f"{instruction.offset:8x}: {'  ' * max(depth, 0)}{text}"
        if word in _OPENS or word == "else":
            depth += 1
