"""The code of WebAssembly functions as instructions: opcodes with their immediates; the functions' types.

Source: WebAssembly core specification, chapter 5 ("Binary Format"), with SIMD and bulk memory. What is not in
it (threads, exceptions, garbage collection) does not occur in the objects of cores.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_module import WasmModule
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator

CALL, LOCAL_GET, LOCAL_SET, LOCAL_TEE, GLOBAL_GET = 0x10, 0x20, 0x21, 0x22, 0x23
NOP, DROP, SELECT, GLOBAL_SET, I32_STORE = 0x01, 0x1A, 0x1B, 0x24, 0x36
I32_ADD, I32_SUB = 0x6A, 0x6B
UNREACHABLE, BLOCK, LOOP, IF, ELSE = 0x00, 0x02, 0x03, 0x04, 0x05
BR, BR_IF, BR_TABLE, RETURN, CALL_INDIRECT, SELECT_TYPED = 0x0C, 0x0D, 0x0E, 0x0F, 0x11, 0x1C
#: Instructions after a prefix byte are numbered `PREFIX | number`.
BULK, SIMD = 0xFC000, 0xFD000
MEMORY_COPY, MEMORY_FILL = BULK | 10, BULK | 11

_VALUE_TYPES = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}

# Kinds of relocations: MEMORY_ADDR_LEB, _SLEB, _I32, FUNCTION_OFFSET_I32, SECTION_OFFSET_I32.
_RELOCATIONS_WITH_ADDEND = (3, 4, 5, 8, 9)

# What follows an opcode: n: an unsigned number, s: a signed one, v: a vector of numbers, and so many bytes.
_IMMEDIATES: dict[int, str] = {
    **dict.fromkeys((0x02, 0x03, 0x04, 0x41, 0x42), "s"),
    **dict.fromkeys((0x0C, 0x0D, 0x10, 0x12, *range(0x20, 0x27), 0x3F, 0x40, 0xD2), "n"),
    **dict.fromkeys((0x11, 0x13, *range(0x28, 0x3F)), "nn"),
    0x0E: "vn",
    0x1C: "v",
    0x43: "4",
    0x44: "8",
    0xD0: "1",
    **{BULK | n: text for n, text in enumerate(("nn", "n", "nn", "n", "nn", "n", "nn", "n", "n", "n"), 8)},
    **dict.fromkeys((*range(SIMD, SIMD | 12), SIMD | 92, SIMD | 93), "nn"),
    **dict.fromkeys((SIMD | 12, SIMD | 13), "88"),
    **dict.fromkeys(range(SIMD | 21, SIMD | 35), "1"),
    **dict.fromkeys(range(SIMD | 84, SIMD | 92), "nn1"),
}


class WasmInstruction(NamedTuple):
    """An instruction: its offset in the code section, its number, its numeric immediates.

    `relocated`: the linker will put another number in the place of an immediate.
    """

    offset: int
    opcode: int
    immediates: tuple[int, ...]
    relocated: bool


class FunctionCode(NamedTuple):
    """A function with a body. `number` counts imports too; `offset`: of its body in the code section."""

    number: int
    parameters: tuple[str, ...]
    results: tuple[str, ...]
    offset: int
    instructions: tuple[WasmInstruction, ...]


class ByteCursor:
    """Reads numbers from a section's content."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        """The next byte."""
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """An unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def signed(self) -> int:
        """A signed LEB128 number."""
        start = self.at
        value = self.number()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> str:
        """A length and so many bytes of UTF-8."""
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")


def functions(module: WasmModule) -> list[FunctionCode]:
    """Functions with a body of a module or object, in order. Raises IndexError when a section is cut off."""
    content = {section.id: section.data for section in module.sections if section.id}
    types = list(_types(ByteCursor(content.get(wasm_sections.TYPE, b"\0"))))
    kinds = ByteCursor(content.get(wasm_sections.FUNCTION, b"\0"))
    code = ByteCursor(content.get(wasm_sections.CODE, b"\0"))
    imported = sum(1 for item in module.imports if item.kind == "function")
    code.number()
    relocations = _relocations(module)
    found = []
    for number in range(imported, imported + kinds.number()):
        parameters, results = types[kinds.number()]
        size = code.number()
        start, end = code.at, code.at + size
        for _ in range(code.number()):  # groups of local variables
            code.number()
            code.byte()
        instructions = tuple(_instructions(code, end, relocations))
        found.append(FunctionCode(number, parameters, results, start, instructions))
        code.at = end
    return found


def _types(data: ByteCursor) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for _ in range(data.number()):
        data.byte()  # 0x60: a function type
        lists = [tuple(_VALUE_TYPES.get(data.byte(), "?") for _ in range(data.number())) for _ in range(2)]
        yield lists[0], lists[1]


def _relocations(module: WasmModule) -> frozenset[int]:
    """Where in the code section the linker changes numbers (tool conventions, Linking.md, "reloc.CODE")."""
    content = module.custom_section("reloc.CODE")
    if content is None:
        return frozenset()
    data, found = ByteCursor(content), set()
    data.number()  # the code section's number
    for _ in range(data.number()):
        kind = data.byte()
        found.add(data.number())
        data.number()  # symbol
        if kind in _RELOCATIONS_WITH_ADDEND:
            data.signed()
    return frozenset(found)


def _instructions(code: ByteCursor, end: int, relocations: frozenset[int]) -> Iterator[WasmInstruction]:
    while code.at < end:
        offset = code.at
        opcode = code.byte()
        if opcode in (0xFC, 0xFD):
            opcode = opcode << 12 | code.number()
        numbers: list[int] = []
        relocated = False
        for kind in _IMMEDIATES.get(opcode, ""):
            relocated = relocated or code.at in relocations
            if kind == "n":
                numbers.append(code.number())
            elif kind == "s":
                numbers.append(code.signed())
            elif kind == "v":
                numbers += [code.number() for _ in range(code.number())]
            else:
                code.at += int(kind)
        yield WasmInstruction(offset, opcode, tuple(numbers), relocated)
