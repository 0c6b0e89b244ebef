"""Code of a core that can stop in its middle and go on later: for streams, cascades and locks inside kernels.

WebAssembly has no way to leave a function and come back to the same place. So every function that may come to
wait is rewritten. When something it calls has to wait, it saves its local variables in a page of the instance
and returns, and so does its caller, up to the engine. Called again, it takes its variables back and goes to
the same call without doing anything on the way. A global says which of the three is going on: normal work,
leaving, returning. (The method is that of Binaryen's pass Asyncify of 2019; this code is for cores' modules.)

On the way each run of instructions without such a call is skipped unless work is normal, blocks without the
call that is looked for are not entered, and a condition takes the arm in which it is. Local variables keep
what lies on the operand stack at a border between runs.
"""

from __future__ import annotations

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules import waiting
from npuninja.emulator.core_modules.address_map import (
    KERNELS,
    SAVED_CALLS,
    SAVED_CALLS_BYTES,
)
from npuninja.emulator.core_modules.operand_types import LETTERS
from npuninja.emulator.core_modules.section_tables import (
    AddedTypes,
    Signature,
    addressed_functions,
    global_types,
    import_types,
    memory_pages,
    types_of,
    with_code,
    with_items,
)
from npuninja.emulator.core_modules.suspendable_body import Body
from npuninja.emulator.core_modules.waiting import IMPORTS
from npuninja.errors import UserError
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_code import (
    CALL,
    CALL_INDIRECT,
    ByteCursor,
    WasmInstruction,
    functions,
)
from npuninja.formats.wasm_module import I32_GLOBAL, WasmModule, read_wasm, unsigned_leb128
from npuninja.records import NamedTuple

#: Where the innermost function that was left is saved: the number of its waiting call, then its variables.
FIRST_FRAME = SAVED_CALLS


class Suspendable(NamedTuple):
    """A module that can be left.

    Attributes:
        module: its bytes.
        calls: of each call that may wait, by its number, its instruction's offset in the module given.
        starts, origins: where each instruction begins now, and began in the module given; -1: added.
    """

    module: bytes
    calls: tuple[int, ...]
    starts: tuple[int, ...]
    origins: tuple[int, ...]


def needs_suspension(wasm: WasmModule) -> bool:
    """Whether a module imports something that its code waits for in its middle."""
    return any(item.kind == "function" and item.name in IMPORTS for item in wasm.imports)


def make_suspendable(
    module: bytes,
    entry: int,
    name: str,
    *,
    engine_table: int | None = None,
    prologue: int = 0,
    kernel_shift: int = KERNELS,
    renewal: bytes = b"",
) -> Suspendable:
    """Rewrites a module so that its calls of `IMPORTS` can wait.

    Args:
        module: without custom sections.
        entry: number of the core's own function, which is called and called again.
        name: of the core, for errors.
        engine_table: number of the table of engine functions, which never wait.
        prologue: so many instructions of the core's function run on every call of it.
        kernel_shift: how much higher than its addresses the memory of a kernel lies.
        renewal: code that runs after each call with which a core lets others know what it did.

    Raises:
        UserError: it uses what no compiler makes for cores.
    """
    return _SuspensionWriter(module, entry, name, engine_table, prologue, kernel_shift, renewal).module()


class _SuspensionWriter:
    def __init__(
        self,
        module: bytes,
        entry: int,
        name: str,
        engine_table: int | None,
        prologue: int,
        kernel_shift: int,
        renewal: bytes,
    ) -> None:
        wasm = read_wasm(module, name)
        self.name = name
        self.entry = entry
        self.prologue = prologue
        self._engine_table = engine_table
        self._kernel_shift = kernel_shift
        self._renewal = renewal
        self.sections = {s.id: s.data for s in wasm.sections if s.id}
        self._code_start = next(s.offset for s in wasm.sections if s.id == wasm_sections.CODE)
        self.code = functions(wasm)
        self.types = types_of(self.sections.get(wasm_sections.TYPE, b"\0"))
        imported = [item for item in wasm.imports if item.kind == "function"]
        self._import_types = import_types(self.sections.get(wasm_sections.IMPORT, b"\0"))
        self._imported = len(imported)
        self._waits = {n: IMPORTS[item.name] for n, item in enumerate(imported) if item.name in IMPORTS}
        self._signatures = [self.types[t] for t in self._import_types]
        self._signatures += [
            Signature("".join(LETTERS[p] for p in f.parameters), "".join(LETTERS[r] for r in f.results))
            for f in self.code
        ]
        self.globals = global_types(self.sections.get(wasm_sections.GLOBAL, b"\0"))
        self.state, self.top = len(self.globals), len(self.globals) + 1
        self.calls: list[int] = []
        self._types = AddedTypes(len(self.types))
        #: Numbers of the functions in the place of imports: for kernels, for the core's own function.
        first = self._imported + len(self.code)
        self._stand_ins = {n: first + 2 * i for i, n in enumerate(self._waits)}
        self._suspendable = self._find_suspendable()

    def _find_suspendable(self) -> set[int]:
        leaves = {n for n, what in self._waits.items() if what.waits}
        addressed = addressed_functions(self.sections.get(wasm_sections.ELEMENT, b"\0"))
        self._indirect = False
        found = set(leaves)
        while True:
            more = {
                f.number
                for f in self.code
                if f.number not in found and any(self._may_wait(i, found) for i in f.instructions)
            }
            indirect = self._indirect or bool(addressed & (found | more))
            if not more and indirect == self._indirect:
                return found
            found |= more
            self._indirect = indirect

    def _may_wait(self, instruction: WasmInstruction, found: set[int]) -> bool:
        if instruction.opcode == CALL:
            return instruction.immediates[0] in found
        if instruction.opcode == CALL_INDIRECT:
            return self._indirect and instruction.immediates[1] != self._engine_table
        return False

    def suspends(self, instruction: WasmInstruction) -> bool:
        """Whether an instruction is a call that may come to wait."""
        return self._may_wait(instruction, self._suspendable)

    def signature(self, number: int) -> Signature:
        """The types of a function."""
        return self._signatures[number]

    def callee(self, number: int, is_entry: bool) -> int:
        """The function to be called instead of an import; others keep their number."""
        stand_in = self._stand_ins.get(number)
        return number if stand_in is None else stand_in + is_entry

    def unknown(self, what: str) -> UserError:
        """The error for code that no compiler makes for cores."""
        return UserError(
            f"{self.name}: the core module uses {what} in a function that waits for a stream, "
            "a cascade or a lock",
            hint="link the core again",
        )

    def module(self) -> Suspendable:
        content = self.sections[wasm_sections.CODE]
        bodies = []
        for function in self.code:
            body = Body(self, content, function)
            waits = function.number in self._suspendable
            code, marks = body.suspendable() if waits else body.plain()
            bodies.append((code, [(at, o if o < 0 else self._code_start + o) for at, o in marks]))
        added = []
        kinds = []
        for number, what in self._waits.items():
            for shift in (self._kernel_shift, 0):
                added.append(waiting.body(what, number, shift, self.state, self._renewal))
                kinds.append(self._types.number(what.parameters, what.results))
        self.sections[wasm_sections.IMPORT] = self._imports()
        self.sections[wasm_sections.FUNCTION] = with_items(self.sections[wasm_sections.FUNCTION], kinds)
        pages = unsigned_leb128(
            max(memory_pages(self.sections[wasm_sections.MEMORY]), (SAVED_CALLS + SAVED_CALLS_BYTES) >> 16)
        )
        self.sections[wasm_sections.MEMORY] = b"\x01\x01" + pages + pages
        start = b"\x7f\x01" + e.const(FIRST_FRAME) + e.END
        self.sections[wasm_sections.GLOBAL] = with_items(
            self.sections.get(wasm_sections.GLOBAL, b"\0"), [I32_GLOBAL, start]
        )
        self.sections[wasm_sections.TYPE] = with_items(self.sections[wasm_sections.TYPE], self._types.items)
        module, starts, origins = with_code(self.sections, bodies, added, -1)
        return Suspendable(module, tuple(self._code_start + at for at in self.calls), starts, origins)

    def _imports(self) -> bytes:
        """The imports with the types of the engine's functions."""
        data = ByteCursor(self.sections[wasm_sections.IMPORT])
        count = data.number()
        out = unsigned_leb128(count)
        for number in range(count):
            start = data.at
            data.text()
            data.text()
            head = data.data[start : data.at]
            data.byte()  # functions are all that is imported
            kind = unsigned_leb128(data.number())
            what = self._waits.get(number)
            if what is not None:
                kind = self._types.number(what.engine_parameters, what.engine_results)
            out += head + b"\0" + kind
        return out
