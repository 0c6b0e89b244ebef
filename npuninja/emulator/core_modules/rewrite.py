"""A core's module as it is run: see `npuninja.emulator.core_modules`.

What code computes is what it computed before; only where its accesses go, and that they are reported, is new.
Functions keep their numbers: what is added comes after them.
"""

from __future__ import annotations

import bisect

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.added_functions import (
    ENGINE_FUNCTIONS,
    AddedFunction,
    copy_loop,
    fill_loop,
    set_epoch,
    slow_access,
    slow_store,
    stack_moved,
    strays,
)
from npuninja.emulator.core_modules.address_map import (
    CHECKED_PAGES,
    KERNELS,
    PLAIN_PAGES,
    READ_MARKS,
    WRITE_MARKS,
)
from npuninja.emulator.core_modules.bound_accesses import BoundAccesses
from npuninja.emulator.core_modules.origins import Origins, Signatures, origins_of
from npuninja.emulator.core_modules.rewritten_instructions import (
    SITE_BITS,
    CodePlace,
    InstructionWriter,
    LocalVariables,
)
from npuninja.emulator.core_modules.section_tables import (
    AddedTypes,
    Marked,
    import_types,
    locals_count,
    number_at,
    types_of,
    with_code,
    with_items,
)
from npuninja.emulator.core_modules.suspension import make_suspendable, needs_suspension
from npuninja.errors import UserError
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_code import CALL, FunctionCode, functions
from npuninja.formats.wasm_module import I32_GLOBAL, I64_GLOBAL, name_bytes, read_wasm, unsigned_leb128
from npuninja.records import NamedTuple

#: Counted up when rewriting changes: names what the cache keeps.
REWRITE_VERSION = 7
ENGINE_TABLE = "npuninja.engine"


class Rewritten(NamedTuple):
    """A rewritten module.

    Attributes:
        module: its bytes.
        entry: number of the core's own function.
        sites: of accesses and calls by their number.
        starts, places: where each original instruction begins now, from the module's start, and where it was.
        waiting_calls: the calls that may wait in the middle of a kernel, by their number.
    """

    module: bytes
    entry: int
    sites: tuple[CodePlace, ...]
    starts: tuple[int, ...]
    code_places: tuple[CodePlace, ...]
    waiting_calls: tuple[CodePlace, ...] = ()

    def place(self, module_offset: int) -> CodePlace | None:
        """The original instruction of an offset in the rewritten module."""
        number = bisect.bisect_right(self.starts, module_offset) - 1
        return self.code_places[number] if number >= 0 else None


def rewrite(module: bytes, entry: str, name: str, *, checked: bool) -> Rewritten:
    """Rewrites a module that was admitted.

    Args:
        module: which follows the core ABI.
        entry: the core's own function.
        name: for errors.
        checked: whether every access is reported to the engine.

    Raises:
        UserError: it is damaged, or uses what a core's module never has.
    """
    wasm = read_wasm(module, name)
    try:
        code = functions(wasm)
    except (IndexError, ValueError):
        raise _cut_off(name) from None
    found = wasm.export(entry)
    stack_pointer = wasm.export("__stack_pointer")
    if found is None or stack_pointer is None or not code:
        raise UserError(f"{name}: damaged wasm module: it has no function {entry}", hint="build it again")
    sections = {s.id: s.data for s in wasm.sections if s.id}
    imported = sum(1 for item in wasm.imports if item.kind == "function")
    try:
        writer = _ModuleRewriter(sections, code, imported, found.number, stack_pointer.number, name, checked)
        renewal = writer.renewal()
        rewritten = writer.module()
    except IndexError:  # a number in a section that ends before it does
        raise _cut_off(name) from None
    return _suspendable(rewritten, name, renewal, sections) if needs_suspension(wasm) else rewritten


def _cut_off(name: str) -> UserError:
    return UserError(f"{name}: damaged wasm module: its code is cut off", hint="build it again")


#: Instructions that the core's own function begins with in a checked run: the engine counts its epochs.
_CHECKED_PROLOGUE = 3


def _suspendable(rewritten: Rewritten, name: str, renewal: bytes, sections: dict[int, bytes]) -> Rewritten:
    """The module so that its code can wait in its middle; `renewal`: of a checked one."""
    checked = bool(renewal)
    try:
        found = make_suspendable(
            rewritten.module,
            rewritten.entry,
            name,
            engine_table=_count(sections.get(wasm_sections.TABLE, b"\0")) if checked else None,
            prologue=_CHECKED_PROLOGUE if checked else 0,
            renewal=renewal,
        )
    except (IndexError, KeyError, ValueError):
        raise _cut_off(name) from None
    nowhere = CodePlace(-1, 0)
    code_places = tuple(
        nowhere if origin < 0 else rewritten.place(origin) or nowhere for origin in found.origins
    )
    calls = tuple(rewritten.place(offset) or nowhere for offset in found.calls)
    return rewritten._replace(
        module=found.module, starts=found.starts, code_places=code_places, waiting_calls=calls
    )


class _ModuleRewriter:
    def __init__(
        self,
        sections: dict[int, bytes],
        code: list[FunctionCode],
        imported: int,
        entry: int,
        stack_pointer: int,
        name: str,
        checked: bool,
    ) -> None:
        self._sections = sections
        self._code = code
        self._imported = imported
        self._entry = entry
        self._stack_pointer = stack_pointer
        self._name = name
        self.checked = checked
        self._types = AddedTypes(_count(sections.get(wasm_sections.TYPE, b"\0")))
        self._table = _count(sections.get(wasm_sections.TABLE, b"\0"))
        first_global = _count(sections.get(wasm_sections.GLOBAL, b"\0"))
        self.epoch = (first_global, first_global + 1, first_global + 2, first_global + 3)
        self._parameters = {f.number: f.parameters for f in code}
        self._sites: list[CodePlace] = []
        self._helpers: list[AddedFunction] = []
        self._calls: dict[str, bytes] = {}
        self._add_helpers(imported + len(code))
        self._signatures = self._all_signatures() if checked else Signatures((), ())
        inner = {
            i.immediates[0] for f in code if f.number != entry for i in f.instructions if i.opcode == CALL
        }
        self._direct = {
            i.immediates[0] for f in code if f.number == entry for i in f.instructions if i.opcode == CALL
        } - inner

    def _all_signatures(self) -> Signatures:
        types = types_of(self._sections.get(wasm_sections.TYPE, b"\0"))
        counts = tuple((len(t.taken), len(t.left)) for t in types)
        imported = [counts[n] for n in import_types(self._sections.get(wasm_sections.IMPORT, b"\0"))]
        own = [(len(f.parameters), len(f.results)) for f in self._code]
        return Signatures(counts, (*imported, *own))

    # --- Parts that are added.

    def engine(self, name: str) -> bytes:
        """A call of one of the engine's functions through the module's table."""
        number = [n for n, _, _ in ENGINE_FUNCTIONS].index(name)
        _, parameters, result = ENGINE_FUNCTIONS[number]
        return (
            e.const(number) + b"\x11" + self._types.number(parameters, result) + unsigned_leb128(self._table)
        )

    def _add_helpers(self, first: int) -> None:
        engine = self.engine if self.checked else None
        names = ["copy_kernel", "fill_kernel", "copy_core", "fill_core"]
        if self.checked:
            names += ["set_epoch", "slow_read", "slow_write", "slow_store", "stack_moved", "strays"]
        self._calls = {name: e.call(first + number) for number, name in enumerate(names)}
        self._helpers = [
            copy_loop("copy_kernel", KERNELS, engine),
            fill_loop("fill_kernel", KERNELS, engine),
            copy_loop("copy_core", 0, engine),
            fill_loop("fill_core", 0, engine),
        ]
        if self.checked:
            epoch = self.epoch[0]
            self._helpers += [
                set_epoch(self.epoch),
                slow_access("slow_read", "core_read", READ_MARKS, self.engine, epoch),
                slow_access("slow_write", "core_write", WRITE_MARKS, self.engine, epoch),
                slow_store(self.engine, epoch, self._calls),
                stack_moved(self.engine),
                strays(self.engine),
            ]

    # --- The whole.

    def renewal(self) -> bytes:
        """Code that makes all marks old, for calls in kernels that others learn from; empty if unchecked."""
        return self.engine("core_renew") + self._calls["set_epoch"] if self.checked else b""

    def module(self) -> Rewritten:
        content = self._sections[wasm_sections.CODE]
        bodies = [self._function(content, function) for function in self._code]
        added = [e.body(h.local_types, h.code) for h in self._helpers]
        pages = unsigned_leb128(CHECKED_PAGES if self.checked else PLAIN_PAGES)
        replaced = {
            **{number: data for number, data in self._sections.items() if number in wasm_sections.OF_CORES},
            wasm_sections.FUNCTION: with_items(
                self._sections[wasm_sections.FUNCTION],
                [self._types.number(h.parameters, h.results) for h in self._helpers],
            ),
            wasm_sections.MEMORY: b"\x01\x01" + pages + pages,
        }
        if self.checked:
            size = unsigned_leb128(len(ENGINE_FUNCTIONS))
            replaced[wasm_sections.TABLE] = with_items(
                self._sections.get(wasm_sections.TABLE, b"\0"), [b"\x70\x01" + size + size]
            )
            zeros = (
                I32_GLOBAL,
                I64_GLOBAL,
                b"\x7b\x01\xfd\x0c" + bytes(16) + b"\x0b",
                I32_GLOBAL,
            )
            replaced[wasm_sections.GLOBAL] = with_items(
                self._sections.get(wasm_sections.GLOBAL, b"\0"), zeros
            )
            export = name_bytes(ENGINE_TABLE) + b"\x01" + unsigned_leb128(self._table)
            replaced[wasm_sections.EXPORT] = with_items(self._sections[wasm_sections.EXPORT], [export])
        types = self._sections.get(wasm_sections.TYPE, b"\0")
        replaced[wasm_sections.TYPE] = with_items(types, self._types.items)
        module, starts, code_places = with_code(replaced, bodies, added, CodePlace(-1, 0))
        return Rewritten(module, self._entry, tuple(self._sites), starts, code_places)

    def _function(self, content: bytes, function: FunctionCode) -> Marked[CodePlace]:
        """A function's new body, and where in it each original instruction begins."""
        instructions = function.instructions
        if not instructions:
            raise UserError(f"{self._name}: damaged wasm module: a function is empty", hint="build it again")
        groups, start = number_at(content, function.offset)
        declared = locals_count(content, function)
        locals_ = LocalVariables(declared)
        is_entry = function.number == self._entry
        origins = Origins({}, {})
        if self.checked and not is_entry:
            origins = origins_of(function, declared, self._signatures)
        bound = BoundAccesses(
            origins,
            is_direct=function.number in self._direct,
            variables=locals_,
            engine=self.engine,
            strays=self._calls.get("strays", b""),
        )
        rewriter = InstructionWriter(self, function.number, is_entry, locals_, bound)
        pieces: list[bytes] = [rewriter.prologue()]
        ends = [i.offset for i in instructions[1:]] + [instructions[-1].offset + 1]
        found: list[tuple[int, CodePlace]] = []
        length = len(pieces[0])
        for instruction, end in zip(instructions, ends):
            piece = rewriter.instruction(instruction, content[instruction.offset : end])
            found.append((length, CodePlace(function.number, instruction.offset)))
            pieces.append(piece)
            length += len(piece)
        declarations = b"".join(b"\x01" + kind for kind in locals_.kinds)
        head = unsigned_leb128(groups + len(locals_.kinds)) + content[start : instructions[0].offset]
        head += declarations
        return head + b"".join(pieces), [(len(head) + offset, place) for offset, place in found]

    # --- What functions need.

    def site(self, place: CodePlace) -> int:
        """A new site's number."""
        self._sites.append(place)
        if len(self._sites) >> SITE_BITS:
            raise UserError(
                f"{self._name}: more than {1 << SITE_BITS} accesses; the module is too large to be checked"
            )
        return len(self._sites) - 1

    def helper(self, name: str) -> bytes:
        return self._calls[name]

    def kernel_parameters(self, number: int) -> tuple[str, ...] | None:
        """The types of a function of the module; None for an imported one."""
        return self._parameters.get(number)

    def is_stack_pointer(self, number: int) -> bool:
        return number == self._stack_pointer

    def unknown(self, what: str) -> UserError:
        return UserError(
            f"{self._name}: the core module uses {what}, which no core's module has",
            hint="link the core again",
        )


def _count(data: bytes) -> int:
    return number_at(data, 0)[0]
