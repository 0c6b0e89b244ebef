"""A core's wasm module with counters: runs of each piece of straight code, and bytes copied.

The counters are further globals of the module, one for each basic block, so that the program computes what it
did before. What was executed is then known operation by operation, and the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from npuninja.emulator.core_modules.section_tables import locals_count, number_at, with_items
from npuninja.emulator.timing.operations import kind_of_operation, with_lanes
from npuninja.errors import UserError
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats import wasm_sections
from npuninja.formats.core_abi import LOCK_PAGE, LOCK_PAGE_BYTES
from npuninja.formats.core_image import CORE_SECTION
from npuninja.formats.wasm_code import CALL, I32_STORE, MEMORY_COPY, MEMORY_FILL, FunctionCode, functions
from npuninja.formats.wasm_module import (
    CUSTOM,
    I64_GLOBAL,
    WasmModule,
    name_bytes,
    read_wasm,
    section_bytes,
    unsigned_leb128,
)
from npuninja.records import NamedTuple

# if, else, end, br, br_if, br_table, return, unreachable, loop: what follows may be reached another way.
_ENDS_BLOCK = frozenset((0x00, 0x03, 0x04, 0x05, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F))
#: The lock page of the core ABI (docs/architecture.md): every acquire and every release is one store into it.
_LOCKS = range(LOCK_PAGE, LOCK_PAGE + LOCK_PAGE_BYTES)

LOCK_OPERATION = "lock operation"
COPIED, FILLED = "copied byte", "filled byte"


class CodePiece(NamedTuple):
    """What a counter counts: the export's name, and how many operations of each class a count stands for."""

    export: str
    operations: dict[str, int]


class Instrumented(NamedTuple):
    """A module with counters, and what they mean."""

    module: bytes
    pieces: tuple[CodePiece, ...]

    def totals(self, counts: Sequence[int]) -> dict[str, int]:
        """Operations by class, from the values of the counters in order."""
        result: Counter[str] = Counter()
        for piece, count in zip(self.pieces, counts):
            for kind, number in piece.operations.items():
                result[kind] += number * count
        return dict(result)


def instrument(module: bytes, name: str) -> Instrumented:
    """Puts counters into a core's module.

    Args:
        module: a linked module that follows the core ABI.
        name: for errors.

    Raises:
        UserError: it is damaged.
    """
    wasm = read_wasm(module, name)
    sections = {section.id: section for section in wasm.sections if section.id != CUSTOM}
    try:
        code = functions(wasm)
        first_global, _ = number_at(sections[wasm_sections.GLOBAL].data, 0)
        writer = _CounterWriter(first_global, sum(1 for item in wasm.imports if item.kind == "function"))
        bodies = [writer.function(sections[wasm_sections.CODE].data, function) for function in code]
    except (IndexError, KeyError) as error:
        raise UserError(
            f"{name}: damaged wasm module: no globals, or its code is cut off", hint="build it again"
        ) from error
    pieces = tuple(piece._replace(operations=with_lanes(piece.operations)) for piece in writer.pieces)
    replaced = {
        wasm_sections.GLOBAL: with_items(sections[wasm_sections.GLOBAL].data, [I64_GLOBAL] * len(pieces)),
        wasm_sections.EXPORT: with_items(
            sections[wasm_sections.EXPORT].data,
            [
                name_bytes(p.export) + b"\x03" + unsigned_leb128(number)
                for number, p in enumerate(pieces, first_global)
            ],
        ),
        wasm_sections.CODE: with_items(b"\0", [unsigned_leb128(len(body)) + body for body in bodies]),
    }
    return Instrumented(WASM_MAGIC + b"".join(_sections(wasm, replaced)), pieces)


def _sections(wasm: WasmModule, replaced: dict[int, bytes]) -> Iterator[bytes]:
    """The module's sections; of the custom ones only the core's own, since line tables would be wrong now."""
    for section in wasm.sections:
        data = replaced.get(section.id, section.data)
        if section.id == CUSTOM:
            if section.name != CORE_SECTION:
                continue
            data = name_bytes(section.name) + data
        yield section_bytes(section.id, data)


class _CounterWriter:
    """Writes functions with counters. `first_global` is the number of the first new global."""

    def __init__(self, first_global: int, imported_functions: int) -> None:
        self._first_global = first_global
        self._imported = imported_functions
        self.pieces: list[CodePiece] = []

    def function(self, code: bytes, function: FunctionCode) -> bytes:
        """The body of a function, with a counter in front of what costs something in each basic block."""
        instructions = function.instructions
        first = instructions[0].offset
        end = instructions[-1].offset + 1  # a body's last instruction is `end`, one byte
        groups, start = number_at(code, function.offset)
        scratch = locals_count(code, function)
        out = [unsigned_leb128(groups + 1), code[start:first], b"\x01\x7f"]  # and one i32 more
        operations: Counter[str] = Counter()
        counted = False  # whether the current block has its counter
        for number, instruction in enumerate(instructions):
            opcode = instruction.opcode
            kind = kind_of_operation(opcode)
            if opcode == CALL and instruction.immediates[0] < self._imported:
                kind = "math function"
            elif opcode == I32_STORE and instruction.immediates[1] in _LOCKS:
                kind = LOCK_OPERATION
            if kind != "free":
                if not counted:
                    operations, counted = Counter(), True
                    out.append(self._counter(operations))
                operations[kind] += 1
            if opcode in (MEMORY_COPY, MEMORY_FILL):
                out.append(self._bytes_counter(COPIED if opcode == MEMORY_COPY else FILLED, scratch))
            last = number + 1 == len(instructions)
            out.append(code[instruction.offset : end if last else instructions[number + 1].offset])
            counted = counted and opcode not in _ENDS_BLOCK
        return b"".join(out)

    def _new(self, operations: dict[str, int]) -> bytes:
        number = unsigned_leb128(self._first_global + len(self.pieces))
        self.pieces.append(CodePiece(f"npuninja.count.{len(self.pieces)}", operations))
        return number

    def _counter(self, operations: dict[str, int]) -> bytes:
        """global += 1. `operations` is filled while the block is written."""
        number = self._new(operations)
        return b"\x23" + number + b"\x42\x01\x7c\x24" + number

    def _bytes_counter(self, kind: str, scratch: int) -> bytes:
        """global += the number of bytes, which lies on top of the stack and stays there."""
        number, local = self._new({kind: 1}), unsigned_leb128(scratch)
        return b"\x22" + local + b"\x23" + number + b"\x20" + local + b"\xad\x7c\x24" + number
