"""The C of one core, from its body in branches (`input_with_addresses.mlir`).

For the emulator (`wasm`) the core is a step function that runs until it must wait and goes on there when called again; the
contract is docs/architecture.md, "Core images". Values needed after a wait are copied to the state page only when the core
really stops, so a core that finds its locks free runs on local variables.

For hardware (`aie2`, `aie2p`) it is a plain function with Peano's lock builtins and the linker script's buffer symbols. No
Peano has been at hand to run it: experimental.
"""

from __future__ import annotations

from typing import Any

from npuninja.diag.errors import UserError
from npuninja.ir.attributes import ArrayAttr, StringAttr, TypeAttr
from npuninja.ir.core import Block, Operation
from npuninja.ir.types import DYNAMIC, function_parts, memref, size_bytes
from npuninja.lowering.core_code_function import FunctionWriter, Unit
from npuninja.lowering.core_code_liveness import is_wait, live_after_waits
from npuninja.lowering.core_code_loops import waiting_back_edges
from npuninja.lowering.core_code_model import CoreModel, c_name
from npuninja.lowering.core_code_prelude import WIDE_PRODUCT, prelude
from npuninja.lowering.core_code_types import c_type, element_type
from npuninja.lowering.instructions import find_device

ABI_VERSION = 1
LOCK_PAGE, STATE_PAGE = 0x10000, 0x20000
#: Kinds of return values of the step function.
WAIT_AT_LEAST, WAIT_EQUAL, FAULT_RELEASE = 1, 2, 3
LARGEST_LOCK_VALUE = 63
#: Resume point of a core that has ended.
ENDED = -1
_KINDS = ("wasm", "aie2", "aie2p")


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
    if kind not in _KINDS:
        raise UserError(f"unknown core kind '{kind}'", hint=f"core kinds: {', '.join(_KINDS)}")
    model = CoreModel(find_device(module, device), column, row)
    return _Core(model, kind, file).source()


def core_info(module: Operation, device: str, column: int, row: int, *, file: str) -> dict[str, Any]:
    """What the link stage and the emulator need to know about a core: the fields of section `npuninja.core` but `data_end`,
    and `data_origin`, `location` (of the core), `functions` (external functions it calls, where the design declares them,
    and of each argument the bytes of its memref, None for one of unknown size, the type of a number), `link_files`.

    Same arguments and errors as `core_source`.
    """
    model = CoreModel(find_device(module, device), column, row)
    core = _Core(model, "wasm", file)
    core.source()
    functions = []
    for symbol, declaration in core.unit.functions_used.items():
        if declaration is not None and declaration.loc is not None:
            place = [file, declaration.loc.line, declaration.loc.column]
            functions.append([symbol, *place, _argument_sizes(declaration)])
    return {
        "abi": ABI_VERSION,
        "column": column,
        "row": row,
        "entry": model.entry,
        "stack_bytes": model.stack_bytes,
        "data_origin": model.data_origin,
        "location": [file, model.core.loc.line, model.core.loc.column] if model.core.loc else [file, 0, 0],
        "waits": core.waits(),
        "buffers": [list(buffer) for buffer in model.reachable_buffers()],
        "neighbours": [w for w in ("south", "west", "north") if w in model.neighbours],
        "functions": functions,
        "link_files": link_files(model.core),
    }


def _argument_sizes(function: Operation) -> list[int | str | None]:
    """See `core_info`. Empty for a function with several results, which go through a pointer in front of them."""
    signature = function.attributes["function_type"]
    assert isinstance(signature, TypeAttr), function
    arguments, results = function_parts(signature.type)
    sizes: list[int | str | None] = []
    for type in arguments if len(results) < 2 else ():
        if not type.startswith("memref<"):
            sizes.append(type)
        elif DYNAMIC in memref(type).shape or memref(type).layout:
            sizes.append(None)
        else:
            sizes.append(size_bytes(type))
    return sizes


def link_files(core: Operation) -> list[str]:
    """The object files a core is linked with, in order."""
    files = core.attributes.get("link_files")
    if isinstance(files, ArrayAttr):
        return [item.value for item in files.items if isinstance(item, StringAttr)]
    return [core.string("link_with")] if "link_with" in core.attributes else []


class _Core:
    def __init__(self, model: CoreModel, kind: str, file: str) -> None:
        self.model = model
        self.file = file
        self.unit = Unit(model, file)
        self.frame = _StepFrame(model) if kind == "wasm" else _PlainFrame(model, kind, self.unit)

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
        header = f"/* Core ({column}, {row}) of device @{self.model.operation.string('sym_name', 'main')}: generated. */\n"
        declarations = "".join(text + "\n" for text in self.unit.declarations.values())
        return header + prelude(code) + library + declarations + self.frame.declarations() + code

    def waits(self) -> list[list[Any]]:
        """`[point, file, line, column, lock symbol]` of each wait, and of each release for the report of a fault."""
        result = []
        for point, op in self.frame.points.items():
            line, column = (op.loc.line, op.loc.column) if op.loc else (0, 0)
            result.append([point, self.file, line, column, self.model.lock(op.operands[0], op).symbol])
        return result


class _StepFrame:
    """A step function: the state page says where to go on, waits return what the core waits for."""

    def __init__(self, model: CoreModel) -> None:
        self.model = model
        self.writer: FunctionWriter | None = None
        self._live = live_after_waits(model.core.regions[0])
        uses = [op for block in model.core.regions[0].blocks for op in block.ops if op.name == "aie.use_lock"]
        # Waits come first: they are the points where the function goes on.
        self.points = dict(enumerate(sorted(uses, key=lambda op: not is_wait(op)), 1))
        self._numbers = {op: number for number, op in self.points.items()}
        # Numbers behind the points stand for headers of loops with waits.
        back_edges = waiting_back_edges(model.core.regions[0])
        headers = dict.fromkeys(target for _, target in back_edges)
        self._headers = {block: number for number, block in enumerate(headers, len(uses) + 1)}
        self._back_edges = set(back_edges)

    def buffer(self, op: Operation, user: Operation) -> str:
        return f"(({c_type(op.result.type, op)})0x{self.model.buffer_address(op, user):x})"

    def _kept(self, op: Operation) -> list[str]:
        assert self.writer is not None
        return [self.writer.name(v) for v in self._live[op] if self.writer.is_variable(v)]

    def acquire(self, op: Operation, equal: bool, value: int) -> list[str]:
        lock = self.model.lock(op.operands[0], op)
        number = self._numbers[op]
        word = f"npu_locks[{lock.word}]"
        keep = "".join(f"npu_state->{name} = {name}; " for name in self._kept(op))
        kind = WAIT_EQUAL if equal else WAIT_AT_LEAST
        answer = number << 32 | kind << 24 | value << 16 | lock.word
        stop = f"{{ {keep}npu_state->point = {number}; return 0x{answer:x}LL; }}"
        return [
            f"wait{number}:",
            f"if ({word} {'!=' if equal else '<'} {value}) {stop}",
            f"{word} -= {value};",
        ]

    def release(self, op: Operation, value: int) -> list[str]:
        lock = self.model.lock(op.operands[0], op)
        word = f"npu_locks[{lock.word}]"
        fault = self._numbers[op] << 32 | FAULT_RELEASE << 24 | value << 16 | lock.word
        return [f"{word} += {value};", f"if ({word} > {LARGEST_LOCK_VALUE}) return 0x{fault:x}LL;"]

    def jump(self, source: Block, target: Block, label: str) -> str:
        if (source, target) in self._back_edges:
            return f"npu_next = {self._headers[target]}; goto npu_dispatch;"
        return f"goto {label};"

    def end(self) -> list[str]:
        return [f"npu_state->point = {ENDED}; return -1;"]

    def event(self, number: int) -> list[str]:
        return []

    def declarations(self) -> str:
        assert self.writer is not None
        kept = {name for op in self._live for name in self._kept(op)}
        fields = "".join(text + "\n" for text in self.writer.locals() if text.rsplit(None, 1)[1].strip("*;") in kept)
        return (
            f"{WIDE_PRODUCT}"
            f"struct npu_state {{\n  int point;\n{fields}}};\n"
            f"#define npu_state ((struct npu_state *)0x{STATE_PAGE:x})\n"
            f"#define npu_locks ((int *)0x{LOCK_PAGE:x})\n"
        )

    def head(self, local_variables: list[str]) -> list[str]:
        assert self.writer is not None
        lines = [f"long long {self.model.entry}(void) {{", *local_variables, "  int npu_next = npu_state->point;"]
        numbers = [self._numbers[op] for op in self._live]
        loads = [" ".join(f"{name} = npu_state->{name};" for name in self._kept(op)) for op in self._live]
        if any(loads):
            lines.append("  switch (npu_next) {")
            lines += [f"  case {number}: {load} break;" for number, load in zip(numbers, loads) if load]
            lines.append("  }")
        lines += ["npu_dispatch:", "  switch (npu_next) {"]
        lines += [f"  case {number}: goto wait{number};" for number in numbers]
        lines += [f"  case {number}: goto {self.writer.labels[block]};" for block, number in self._headers.items()]
        return [*lines, f"  case {ENDED}: return -1;", "  }"]


class _PlainFrame:
    """A function that blocks in the hardware's lock instructions (Peano's clang)."""

    def __init__(self, model: CoreModel, kind: str, unit: Unit) -> None:
        self.model = model
        self.writer: FunctionWriter | None = None
        self.points: dict[int, Operation] = {}
        self._unit = unit
        # llvm-aie clang/lib/Headers/aiev2/aiev2_locks.h, aie2p/aie2p_locks.h.
        self._prefix = f"__builtin_{'aiev2' if kind == 'aie2' else 'aie2p'}"

    def buffer(self, op: Operation, user: Operation) -> str:
        self.model.buffer_address(op, user)
        symbol = op.string("sym_name", "")
        if not symbol:
            raise UserError("a buffer without a name cannot be linked", op.loc, hint='give it sym_name = "…"')
        name, plain = c_name(symbol)
        label = "" if plain else f' __asm__("{symbol}")'
        self._unit.declarations.setdefault(name, f"extern {element_type(op.result.type, op)} {name}[]{label};")
        return name

    def acquire(self, op: Operation, equal: bool, value: int) -> list[str]:
        lock = self.model.lock(op.operands[0], op)
        return [f"{self._prefix}_acquire({lock.local_id}, {value if equal else -value});"]

    def release(self, op: Operation, value: int) -> list[str]:
        return [f"{self._prefix}_release({self.model.lock(op.operands[0], op).local_id}, {value});"]

    def jump(self, source: Block, target: Block, label: str) -> str:
        return f"goto {label};"

    def end(self) -> list[str]:
        return ["return;"]

    def event(self, number: int) -> list[str]:
        return [f"{self._prefix}_event({number});"]

    def declarations(self) -> str:
        return ""

    def head(self, local_variables: list[str]) -> list[str]:
        return [f"void {self.model.entry}(void) {{", *local_variables]
