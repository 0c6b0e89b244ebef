"""The C of one core, from its body in branches (`input_with_addresses.mlir`).

The emulator (`wasm`) gets a step function, hardware (`aie2`, `aie2p`) a plain one: see `frames`.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.families import architectures
from npuninja.errors import UserError
from npuninja.formats.core_abi import ABI_VERSION
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.ir.types import DYNAMIC, function_parts, memref, size_bytes
from npuninja.lowering.core_code.frames import PlainFrame, StepFrame
from npuninja.lowering.core_code.function import FunctionWriter, function_body
from npuninja.lowering.core_code.model import CoreModel
from npuninja.lowering.core_code.prelude import blocks, prelude
from npuninja.lowering.core_code.unit import CUnit
from npuninja.lowering.lookup import find_device
from npuninja.lowering.resources.link_files import linked_files

if TYPE_CHECKING:
    from typing import Any


def core_source(module: Operation, device: str, column: int, row: int, *, kind: str, file: str) -> str:
    """The C of one core.

    Args:
        module: the design after step 1 (`lower_resources`).
        device: symbol of the device; "" for `main`, or the only one.
        column, row: place of the core.
        kind: `wasm`, `aie2` or `aie2p`.
        file: name of the design for `#line`.

    Raises:
        UserError: there is no such core, or its body has what core code cannot do; located at the operation.
    """
    kinds = ("wasm", *architectures())
    if kind not in kinds:
        raise UserError(f"unknown core kind '{kind}'", hint=f"core kinds: {', '.join(kinds)}")
    model = CoreModel(find_device(module, device), column, row)
    return _CoreSource(model, kind, file).source()


def core_info(module: Operation, device: str, column: int, row: int, *, file: str) -> dict[str, Any]:
    """What the link stage and the emulator need to know of a core. Arguments and errors: see `core_source`.

    The fields of section `npuninja.core` but `data_end`, and `data_origin`, `location` (of the core),
    `functions` (external functions it calls, where the design declares them, and of each argument the bytes
    of its memref, None for one of unknown size, the type of a number), `elements` (of these functions the
    element type of each memref, None for a number), `link_files`, `banked` (whether its buffers were placed
    bank by bank).
    """
    model = CoreModel(find_device(module, device), column, row)
    core = _CoreSource(model, "wasm", file)
    core.source()
    functions, elements = [], {}
    for symbol, declaration in core.unit.functions_used.items():
        if declaration is not None and declaration.loc is not None:
            place = [file, declaration.loc.line, declaration.loc.column]
            types = _argument_types(declaration)
            functions.append([symbol, *place, list(map(_argument_size, types))])
            elements[symbol] = [memref(t).element if t.startswith("memref<") else None for t in types]
    return {
        "abi": ABI_VERSION,
        "column": column,
        "row": row,
        "entry": model.entry,
        "stack_bytes": model.stack_bytes,
        "data_origin": model.data_origin,
        "architecture": model.device.architecture,
        "location": [file, model.core.loc.line, model.core.loc.column] if model.core.loc else [file, 0, 0],
        "waits": core.waits(),
        "buffers": [list(buffer) for buffer in model.reachable_buffers()],
        "neighbours": [w for w in ("south", "west", "north") if w in model.neighbours],
        "locks": [list(lock) for lock in model.named_locks()],
        "tile_buffers": [list(buffer) for buffer in model.memory_tile_buffers()],
        "functions": functions,
        "elements": elements,
        "link_files": linked_files(model.core, merged=True),
        "banked": model.is_banked(),
    }


def _argument_types(function: Operation) -> tuple[str, ...]:
    """The arguments' types; none with several results, which go through a pointer before the arguments."""
    arguments, results = function_parts(function.type_of("function_type"))
    return arguments if len(results) < 2 else ()


def _argument_size(type: str) -> int | str | None:
    """The bytes of a memref, None for one of unknown size; the type of a number."""
    if not type.startswith("memref<"):
        return type
    return None if DYNAMIC in memref(type).shape or memref(type).layout else size_bytes(type)


class _CoreSource:
    def __init__(self, model: CoreModel, kind: str, file: str) -> None:
        self.model = model
        self.file = file
        self.unit = CUnit(model, file, function_body)
        self.frame = StepFrame(model) if kind == "wasm" else PlainFrame(model, kind, self.unit)

    def source(self) -> str:
        body = FunctionWriter(self.unit, self.model.core.regions[0], self.frame)
        self.frame.writer = body
        lines = body.write()
        function = "\n".join([*self.frame.head(body.locals()), *lines, "}"]) + "\n"
        library = "".join(
            f"extern {wide} {name}({', '.join([wide] * count)});\n"
            for name, (count, wide) in self.unit.arithmetic.library.items()
        )
        code = "\n".join([*self.unit.definitions, function])
        column, row = self.model.place
        header = (
            f"/* Core ({column}, {row}) of device @{self.model.operation.string('sym_name', 'main')}: "
            "generated. */\n"
        )
        declarations = "".join(text + "\n" for text in self.unit.declarations.values())
        declarations += self.frame.declarations()
        return header + prelude(code) + library + blocks(declarations + code) + declarations + code

    def waits(self) -> list[list[Any]]:
        """`[point, file, line, column, lock symbol]` of each wait, and of each release, to report faults."""
        result = []
        for point, op in self.frame.points.items():
            line, column = (op.loc.line, op.loc.column) if op.loc else (0, 0)
            result.append([point, self.file, line, column, self.model.lock(operand(op, "lock"), op).symbol])
        return result
