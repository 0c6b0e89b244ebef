"""Code of a core that can stop in its middle and go on later: for streams, cascades and locks inside kernels.

WebAssembly has no way to leave a function and come back to the same place. So every function that may come to wait is
rewritten. When something it calls has to wait, it saves its local variables in a page of the instance and returns, and so
does its caller, up to the engine. Called again, it takes its variables back and goes the way to the same call without
doing anything on it. A global says which of the three is going on: normal work, leaving, returning. (The method is that of
Binaryen's pass Asyncify, published 2019; the code here is for the modules of cores.)

On the way each run of instructions without such a call is skipped unless work is normal, blocks without the call that is
looked for are not entered, and a condition takes the arm in which it is. What lies on the operand stack at a border between
runs is kept in local variables.
"""

from __future__ import annotations

import bisect
from typing import NamedTuple

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules import waiting
from npuninja.emulator.core_modules.address_map import (
    KERNELS,
    SAVED_CALLS,
    SAVED_CALLS_BYTES,
)
from npuninja.emulator.core_modules.operand_types import LETTERS, SIGNATURES
from npuninja.emulator.core_modules.waiting import IMPORTS, LEAVING, RETURNING
from npuninja.errors import UserError
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_code import (
    CALL,
    DROP,
    GLOBAL_GET,
    GLOBAL_SET,
    LOCAL_GET,
    LOCAL_SET,
    LOCAL_TEE,
    NOP,
    SELECT,
    ByteCursor,
    FunctionCode,
    Instruction,
    functions,
)
from npuninja.formats.wasm_module import END, MAGIC, WasmModule, read_wasm, unsigned_leb128

_UNREACHABLE, _BLOCK, _LOOP, _IF, _ELSE = 0x00, 0x02, 0x03, 0x04, 0x05
_BR, _BR_IF, _BR_TABLE, _RETURN, _CALL_INDIRECT = 0x0C, 0x0D, 0x0E, 0x0F, 0x11
_SELECT_TYPED = 0x1C
_VALUE_LETTERS = {0x7F: "i", 0x7E: "l", 0x7D: "f", 0x7C: "d", 0x7B: "v"}
_BYTES = {letter: byte for byte, letter in _VALUE_LETTERS.items()}
_SIZES = {"i": 4, "l": 8, "f": 4, "d": 8, "v": 16}
_LOADS = {"i": b"\x28", "l": b"\x29", "f": b"\x2a", "d": b"\x2b", "v": b"\xfd\x00"}
_STORES = {"i": b"\x36", "l": b"\x37", "f": b"\x38", "d": b"\x39", "v": b"\xfd\x0b"}
#: What the core's own function returns when it was left (engine/scheduler.c).
_SUSPENDED = b"\x42" + e.signed(6 << 24)

#: Where the innermost of the functions that were left is saved: the number of its call that waits, then its variables.
FIRST_FRAME = SAVED_CALLS


class Suspendable(NamedTuple):
    """A module that can be left.

    Attributes:
        module: its bytes.
        calls: of each call that may wait, by its number, the offset of its instruction in the module that was given.
        starts, origins: where each instruction begins now, and where it began in the module that was given; -1: added.
    """

    module: bytes
    calls: tuple[int, ...]
    starts: tuple[int, ...]
    origins: tuple[int, ...]

    def origin(self, module_offset: int) -> int:
        """The offset in the module that was given of an offset in this one; -1 when its code was added here."""
        number = bisect.bisect_right(self.starts, module_offset) - 1
        return self.origins[number] if number >= 0 else -1


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
) -> Suspendable:
    """Rewrites a module so that its calls of `IMPORTS` can wait.

    Args:
        module: without custom sections.
        entry: number of the core's own function, which is called and called again.
        name: of the core, for errors.
        engine_table: number of the table of engine functions, which never wait.
        prologue: so many instructions of the core's function run on every call of it.
        kernel_shift: how much higher than its addresses the memory of a kernel lies.

    Raises:
        UserError: it uses what no compiler makes for cores.
    """
    return _Writer(module, entry, name, engine_table, prologue, kernel_shift).module()


class _Signature(NamedTuple):
    taken: str
    left: str


class _Frame:
    """A block that is open: where its label is among the new blocks, and the operand stack around it."""

    __slots__ = ("base", "kind", "label", "left", "taken", "then")

    def __init__(
        self, kind: str, label: int, base: int, taken: str, left: str, then: tuple[int, int] = (0, 0)
    ) -> None:
        self.kind = kind
        self.label = label
        self.base = base
        self.taken = taken
        self.left = left
        self.then = then

    @property
    def passed(self) -> str:
        """The types of what a branch to it brings."""
        return self.taken if self.kind == "loop" else self.left


class _Writer:
    def __init__(
        self,
        module: bytes,
        entry: int,
        name: str,
        engine_table: int | None,
        prologue: int,
        kernel_shift: int,
    ) -> None:
        wasm = read_wasm(module, name)
        self.name = name
        self.entry = entry
        self.prologue = prologue
        self._engine_table = engine_table
        self._kernel_shift = kernel_shift
        self.sections = {s.id: s.data for s in wasm.sections if s.id}
        self._code_start = next(s.offset for s in wasm.sections if s.id == wasm_sections.CODE)
        self.code = functions(wasm)
        self.types = _types(self.sections.get(wasm_sections.TYPE, b"\0"))
        imported = [item for item in wasm.imports if item.kind == "function"]
        self._import_types = _import_types(self.sections.get(wasm_sections.IMPORT, b"\0"))
        self._imported = len(imported)
        self._waits = {n: IMPORTS[item.name] for n, item in enumerate(imported) if item.name in IMPORTS}
        self._signatures = [self.types[t] for t in self._import_types]
        self._signatures += [
            _Signature("".join(LETTERS[p] for p in f.parameters), "".join(LETTERS[r] for r in f.results))
            for f in self.code
        ]
        self.globals = _globals(self.sections.get(wasm_sections.GLOBAL, b"\0"))
        self.state, self.top = len(self.globals), len(self.globals) + 1
        self.calls: list[int] = []
        self._added_types: list[bytes] = []
        #: Numbers of the functions in the place of imports: for kernels, for the core's own function.
        first = self._imported + len(self.code)
        self._stand_ins = {n: first + 2 * i for i, n in enumerate(self._waits)}
        self._suspendable = self._find_suspendable()

    def _find_suspendable(self) -> set[int]:
        leaves = {n for n, what in self._waits.items() if what.waits}
        addressed = _addressed(self.sections.get(wasm_sections.ELEMENT, b"\0"))
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

    def _may_wait(self, instruction: Instruction, found: set[int]) -> bool:
        if instruction.opcode == CALL:
            return instruction.immediates[0] in found
        if instruction.opcode == _CALL_INDIRECT:
            return self._indirect and instruction.immediates[1] != self._engine_table
        return False

    def suspends(self, instruction: Instruction) -> bool:
        """Whether an instruction is a call that may come to wait."""
        return self._may_wait(instruction, self._suspendable)

    def signature(self, number: int) -> _Signature:
        """The types of a function."""
        return self._signatures[number]

    def callee(self, number: int, is_entry: bool) -> int:
        """The function to be called instead of an import; others keep their number."""
        stand_in = self._stand_ins.get(number)
        return number if stand_in is None else stand_in + is_entry

    def unknown(self, what: str) -> UserError:
        """The error for code that no compiler makes for cores."""
        return UserError(
            f"{self.name}: the core module uses {what} in a function that waits for a stream, a cascade or a lock",
            hint="link the core again",
        )

    def _type(self, parameters: bytes, results: bytes) -> bytes:
        entry = b"\x60" + unsigned_leb128(len(parameters)) + parameters
        entry += unsigned_leb128(len(results)) + results
        if entry not in self._added_types:
            self._added_types.append(entry)
        return unsigned_leb128(len(self.types) + self._added_types.index(entry))

    def module(self) -> Suspendable:
        content = self.sections[wasm_sections.CODE]
        bodies: list[bytes] = []
        marks: list[list[tuple[int, int]]] = []
        for function in self.code:
            body = _Body(self, content, function)
            if function.number in self._suspendable:
                data, places = body.suspendable()
            else:
                data, places = body.plain()
            bodies.append(data)
            marks.append(places)
        added = []
        kinds = []
        for number, what in self._waits.items():
            for shift in (self._kernel_shift, 0):
                added.append(waiting.body(what, number, shift, self.state))
                kinds.append(self._type(what.parameters, what.results))
        self.sections[wasm_sections.IMPORT] = self._imports()
        self.sections[wasm_sections.FUNCTION] = _more(self.sections[wasm_sections.FUNCTION], kinds)
        pages = unsigned_leb128(
            max(_pages(self.sections[wasm_sections.MEMORY]), (SAVED_CALLS + SAVED_CALLS_BYTES) >> 16)
        )
        self.sections[wasm_sections.MEMORY] = b"\x01\x01" + pages + pages
        start = b"\x7f\x01" + e.const(FIRST_FRAME) + e.END
        self.sections[wasm_sections.GLOBAL] = _more(
            self.sections.get(wasm_sections.GLOBAL, b"\0"), [b"\x7f\x01\x41\x00\x0b", start]
        )
        self.sections[wasm_sections.TYPE] = _more(self.sections[wasm_sections.TYPE], self._added_types)
        return self._assembled(bodies, marks, added)

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
                kind = self._type(what.engine_parameters, what.engine_results)
            out += head + b"\0" + kind
        return out

    def _assembled(
        self, bodies: list[bytes], marks: list[list[tuple[int, int]]], added: list[bytes]
    ) -> Suspendable:
        out = bytearray(MAGIC)
        for number in wasm_sections.OF_CORES[:-1]:
            if number in self.sections:
                data = self.sections[number]
                out += bytes([number]) + unsigned_leb128(len(data)) + data
        head = unsigned_leb128(len(bodies) + len(added))
        sized = [unsigned_leb128(len(data)) + data for data in bodies]
        size = len(head) + sum(map(len, sized)) + sum(map(len, added))
        out += bytes([wasm_sections.CODE]) + unsigned_leb128(size) + head
        starts: list[int] = []
        origins: list[int] = []
        for data, whole, found in zip(bodies, sized, marks):
            begin = len(out) + len(whole) - len(data)
            starts += [begin + offset for offset, _ in found]
            origins += [-1 if origin < 0 else self._code_start + origin for _, origin in found]
            out += whole
        starts.append(len(out))
        origins.append(-1)
        out += b"".join(added)
        calls = tuple(self._code_start + offset for offset in self.calls)
        return Suspendable(bytes(out), calls, tuple(starts), tuple(origins))


class _Body:
    """Writes one function's new body."""

    def __init__(self, writer: _Writer, content: bytes, function: FunctionCode) -> None:
        self._writer = writer
        self._content = content
        self._function = function
        self._is_entry = function.number == writer.entry
        self._instructions = function.instructions
        self._ends = [i.offset for i in function.instructions[1:]]
        self._ends.append(function.instructions[-1].offset + 1)
        self._out = bytearray()
        self._marks: list[tuple[int, int]] = []
        self._locals = [LETTERS[p] for p in function.parameters]
        cursor = ByteCursor(content)
        cursor.at = function.offset
        for _ in range(cursor.number()):
            count = cursor.number()
            self._locals += _VALUE_LETTERS[cursor.byte()] * count
        self._own_locals = len(self._locals)
        self._spilled: dict[tuple[int, str], int] = {}
        self._frames: list[_Frame] = []
        self._stack: list[str] = []
        self._depth = 0
        self._plain = False
        self._dead = False

    def _bytes(self, number: int) -> bytes:
        return self._content[self._instructions[number].offset : self._ends[number]]

    def plain(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The body with nothing changed but the numbers of imports that have a stand-in."""
        out = bytearray(self._content[self._function.offset : self._instructions[0].offset])
        marks = []
        for number, instruction in enumerate(self._instructions):
            marks.append((len(out), instruction.offset))
            if instruction.opcode == CALL:
                out += e.call(self._writer.callee(instruction.immediates[0], self._is_entry))
            else:
                out += self._bytes(number)
        return bytes(out), marks

    # --- Calls that may wait, by blocks.

    def _count_calls(self) -> dict[int, tuple[int, int, int]]:
        """Of each block: number of its first call that may wait, how many there are, how many before its `else`."""
        found: dict[int, tuple[int, int, int]] = {}
        first = at = len(self._writer.calls)
        open_blocks: list[tuple[int, int, int]] = []
        for number, instruction in enumerate(self._instructions):
            opcode = instruction.opcode
            if opcode in (_BLOCK, _LOOP, _IF):
                open_blocks.append((number, at, -1))
            elif opcode == _ELSE:
                start, begin, _ = open_blocks.pop()
                open_blocks.append((start, begin, at))
            elif opcode == END and open_blocks:
                start, begin, middle = open_blocks.pop()
                found[start] = (begin, at - begin, (at if middle < 0 else middle) - begin)
            elif self._writer.suspends(instruction):
                at += 1
        self._first_call = first
        return found

    # --- The body.

    def suspendable(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The body with everything around its calls that may wait."""
        writer = self._writer
        self._blocks = self._count_calls()
        self._where = len(self._locals)  # which call is gone back to, or waits
        self._locals.append("i")
        results = writer.signature(self._function.number).left
        self._depth = 2  # the block that leaves, the block of the function itself
        self._frames.append(_Frame("block", 2, 0, "", results))
        skip = writer.prologue if self._is_entry else 0
        for number in range(skip):
            self._mark(number)
            self._out += self._bytes(number)
        before = len(self._out)
        self._out += e.BLOCK + e.BLOCK
        skipped = 0
        for number in range(skip, len(self._instructions)):
            skipped = self._instruction(number, skipped)
        body, marks = bytes(self._out), self._marks
        after = b"".join(e.get(self._spill(i, kind)) for i, kind in enumerate(results)) + e.RETURN + e.END
        kinds = [*self._locals]
        del kinds[self._where]
        numbers = [n for n in range(len(self._locals)) if n != self._where]
        offsets, size = [], 16
        for kind in sorted(kinds, key=lambda k: -_SIZES[k]):
            offsets.append((kind, size))
            size += _SIZES[kind]
        size = -(-size // 16) * 16
        places = sorted(numbers, key=lambda n: -_SIZES[self._locals[n]])
        slots = [(n, kind, offset) for n, (kind, offset) in zip(places, offsets)]
        head = self._head(slots, size)
        tail = self._tail(slots, size, results)
        declared = self._content[self._function.offset : self._instructions[0].offset]
        groups, at = _number_at(declared, 0)
        added = self._locals[self._own_locals :]
        local_head = unsigned_leb128(groups + len(added)) + declared[at:]
        local_head += b"".join(b"\x01" + bytes([_BYTES[kind]]) for kind in added)
        start = local_head + body[:before] + head
        moved = [
            (offset + len(local_head) + (len(head) if offset >= before else 0), origin)
            for offset, origin in marks
        ]
        data = start + body[before:] + after + tail + e.END
        moved.append((len(start) + len(body) - before, -1))
        return data, moved

    def _head(self, slots: list[tuple[int, str, int]], size: int) -> bytes:
        """Takes the variables back when the function is returned to."""
        state, top = self._writer.state, self._writer.top
        out = b""
        if self._is_entry:  # from outside there is only one reason to be called while calls are left
            out += e.get_global(state) + e.const(LEAVING) + e.I32_EQ + e.IF
            out += e.const(RETURNING) + e.set_global(state) + e.END
        out += e.get_global(state) + e.const(RETURNING) + e.I32_EQ + e.IF
        out += e.get_global(top) + e.const(size) + e.I32_SUB + e.set_global(top)
        for number, kind, offset in slots:
            out += e.get_global(top) + e.access(_LOADS[kind], offset) + e.set_(number)
        return out + e.get_global(top) + e.access(e.I32_LOAD, 0) + e.set_(self._where) + e.END

    def _tail(self, slots: list[tuple[int, str, int]], size: int, results: str) -> bytes:
        """Saves the variables and leaves."""
        top = self._writer.top
        out = b""
        for number, kind, offset in slots:
            out += e.get_global(top) + e.get(number) + e.access(_STORES[kind], offset)
        out += e.get_global(top) + e.get(self._where) + e.access(e.I32_STORE, 0)
        out += e.get_global(top) + e.const(size) + e.I32_ADD + e.set_global(top)
        if self._is_entry:
            return out + _SUSPENDED
        return out + b"".join(waiting.zero(_BYTES[kind]) for kind in results)

    def _mark(self, number: int) -> None:
        self._marks.append((len(self._out), self._instructions[number].offset))

    def _spill(self, place: int, kind: str) -> int:
        """The variable of a place on the operand stack."""
        found = self._spilled.get((place, kind))
        if found is None:
            found = self._spilled[place, kind] = len(self._locals)
            self._locals.append(kind)
        return found

    # --- Runs of instructions that are done in normal work only.

    def _open(self) -> None:
        if self._plain:
            return
        self._out += e.get_global(self._writer.state) + e.I32_EQZ + e.IF
        self._depth += 1
        self._plain = True
        for place, kind in enumerate(self._stack):
            self._out += e.get(self._spill(place, kind))

    def _close(self) -> None:
        if not self._plain:
            return
        if not self._dead:
            for place in reversed(range(len(self._stack))):
                self._out += e.set_(self._spill(place, self._stack[place]))
        self._out += e.END
        self._depth -= 1
        self._plain = False

    def _pop(self, kinds: str) -> None:
        if kinds:
            if len(self._stack) < len(kinds) or "".join(self._stack[-len(kinds) :]) != kinds:
                raise self._writer.unknown(f"operands that do not fit ({kinds} of {''.join(self._stack)})")
            del self._stack[-len(kinds) :]

    def _push(self, kinds: str) -> None:
        self._stack += kinds

    # --- Instructions.

    def _instruction(self, number: int, skipped: int) -> int:
        """Writes one; returns how many blocks of code that is never reached are open."""
        instruction = self._instructions[number]
        opcode = instruction.opcode
        frame = self._frames[-1]
        if self._dead and frame.kind != "plain":
            if opcode in (_BLOCK, _LOOP, _IF):
                return skipped + 1
            if skipped and opcode == END:
                return skipped - 1
            if skipped or opcode not in (_ELSE, END):
                if self._writer.suspends(instruction):
                    self._writer.calls.append(instruction.offset)  # it has a number, though nothing calls it
                return skipped
        if frame.kind == "plain":
            self._in_plain_block(number)
        elif opcode in (_BLOCK, _LOOP, _IF):
            self._block(number)
        elif opcode == _ELSE:
            self._else(number)
        elif opcode == END:
            self._end(number)
        elif self._writer.suspends(instruction):
            self._waiting_call(number)
        else:
            self._ordinary(number)
        return 0

    def _block_type(self, number: int) -> _Signature:
        kind = self._instructions[number].immediates[0]
        if kind >= 0:
            return self._writer.types[kind]
        return _Signature("", "" if kind == -64 else _VALUE_LETTERS[kind & 0x7F])

    def _block(self, number: int) -> None:
        opcode = self._instructions[number].opcode
        taken, left = self._block_type(number)
        first, count, before_else = self._blocks[number]
        kind = {_BLOCK: "block", _LOOP: "loop", _IF: "if"}[opcode]
        if not count:
            self._open()
            self._pop(taken + ("i" if opcode == _IF else ""))
            self._mark(number)
            self._out += self._bytes(number)
            self._depth += 1
            self._frames.append(_Frame("plain", self._depth, len(self._stack), taken, left))
            return
        self._close()
        condition = self._spill(len(self._stack) - 1, "i") if opcode == _IF else 0
        self._pop("i" if opcode == _IF else "")
        self._mark(number)
        self._out += self._wanted(first, count) + e.IF
        self._depth += 1
        if opcode == _LOOP:
            self._out += e.LOOP
            self._depth += 1
        elif opcode == _IF:
            self._out += e.get(condition) + self._within(first, before_else)
            self._out += e.get_global(self._writer.state) + e.I32_EQZ + b"\x1b" + e.IF
            self._depth += 1
        base = len(self._stack) - len(taken)
        self._frames.append(_Frame(kind, self._depth, base, taken, left))

    def _within(self, first: int, count: int) -> bytes:
        return e.get(self._where) + e.const(first) + e.I32_SUB + e.const(count) + e.I32_LT_U

    def _wanted(self, first: int, count: int) -> bytes:
        """Whether code with these calls is to be entered."""
        return e.get_global(self._writer.state) + e.I32_EQZ + self._within(first, count) + e.I32_OR

    def _else(self, number: int) -> None:
        frame = self._frames[-1]
        self._close()
        self._dead = False
        self._mark(number)
        self._out += e.ELSE
        self._stack[frame.base :] = frame.taken

    def _end(self, number: int) -> None:
        frame = self._frames.pop()
        self._close()
        self._dead = False
        self._mark(number)
        self._out += e.END if frame.kind == "block" else e.END + e.END
        self._depth -= 1 if frame.kind == "block" else 2
        self._stack[frame.base :] = frame.left

    def _waiting_call(self, number: int) -> None:
        instruction = self._instructions[number]
        writer = self._writer
        self._close()
        site = len(writer.calls)
        writer.calls.append(instruction.offset)
        if instruction.opcode == CALL:
            taken, left = writer.signature(instruction.immediates[0])
            call = e.call(writer.callee(instruction.immediates[0], self._is_entry))
        else:
            taken, left = writer.types[instruction.immediates[0]]
            taken += "i"
            call = self._bytes(number)
        base = len(self._stack) - len(taken)
        self._pop(taken)
        self._out += self._wanted(site, 1) + e.IF
        for place, kind in enumerate(taken, base):
            self._out += e.get(self._spill(place, kind))
        self._mark(number)
        self._out += call
        self._out += e.get_global(writer.state) + e.const(LEAVING) + e.I32_EQ + e.IF
        self._out += e.const(site) + e.set_(self._where) + e.branch(self._depth + 1) + e.END
        for place in reversed(range(len(left))):
            self._out += e.set_(self._spill(base + place, left[place]))
        self._out += e.END
        self._push(left)

    def _ordinary(self, number: int) -> None:
        instruction = self._instructions[number]
        opcode = instruction.opcode
        self._open()
        self._mark(number)
        if opcode in (_BR, _BR_IF, _BR_TABLE):
            self._branch(number)
            if opcode == _BR_IF:
                self._pop("i")
            else:
                self._dead = True
            return
        if opcode == CALL:
            self._out += e.call(self._writer.callee(instruction.immediates[0], self._is_entry))
        else:
            self._out += self._bytes(number)
        if opcode in (_RETURN, _UNREACHABLE):
            self._dead = True
            return
        self._effect(instruction)

    def _effect(self, instruction: Instruction) -> None:
        opcode, numbers = instruction.opcode, instruction.immediates
        if opcode in SIGNATURES:
            taken, left = SIGNATURES[opcode]
            self._pop(taken)
            self._push(left)
        elif opcode == CALL:
            taken, left = self._writer.signature(numbers[0])
            self._pop(taken)
            self._push(left)
        elif opcode == _CALL_INDIRECT:
            taken, left = self._writer.types[numbers[0]]
            self._pop(taken + "i")
            self._push(left)
        elif opcode == LOCAL_GET:
            self._push(self._locals[numbers[0]])
        elif opcode == LOCAL_SET:
            self._pop(self._locals[numbers[0]])
        elif opcode == GLOBAL_GET:
            self._push(self._writer.globals[numbers[0]])
        elif opcode == GLOBAL_SET:
            self._pop(self._writer.globals[numbers[0]])
        elif opcode == DROP:
            self._stack.pop()
        elif opcode in (SELECT, _SELECT_TYPED):
            self._pop("i")
            self._stack.pop()
        elif opcode not in (NOP, LOCAL_TEE):
            raise self._writer.unknown(f"the instruction 0x{opcode:x}")

    # --- Branches, and blocks in which nothing waits.

    def _in_plain_block(self, number: int) -> None:
        instruction = self._instructions[number]
        opcode = instruction.opcode
        self._mark(number)
        if opcode in (_BR, _BR_IF, _BR_TABLE):
            self._branch(number)
            return
        if opcode == CALL:
            self._out += e.call(self._writer.callee(instruction.immediates[0], self._is_entry))
        else:
            self._out += self._bytes(number)
        if opcode in (_BLOCK, _LOOP, _IF):
            taken, left = self._block_type(number)
            self._depth += 1
            self._frames.append(_Frame("plain", self._depth, 0, taken, left))
        elif opcode == END:
            frame = self._frames.pop()
            self._depth -= 1
            if self._frames[-1].kind != "plain":
                self._stack[frame.base :] = frame.left

    def _branch(self, number: int) -> None:
        """A branch. What it brings to a block that was taken apart goes into that block's variables."""
        instruction = self._instructions[number]
        opcode, targets = instruction.opcode, list(instruction.immediates)
        frames = [self._frames[-1 - target] for target in targets]
        apart = [f for f in frames if f.kind != "plain" and f.passed]
        labels = [self._depth - f.label for f in frames]
        if not apart:
            self._out += self._branch_code(opcode, labels)
            return
        passed = apart[0].passed
        keep = [self._kept(place, kind) for place, kind in enumerate(passed)]
        picked = self._kept(len(passed), "i")
        if opcode != _BR:
            self._out += e.set_(picked)
        self._out += b"".join(map(e.set_, reversed(keep)))
        for frame in {id(f): f for f in apart}.values():
            for place, kind in enumerate(passed):
                self._out += e.get(keep[place]) + e.set_(self._spill(frame.base + place, kind))
        if opcode == _BR_IF or len(apart) < len(frames):
            self._out += b"".join(map(e.get, keep))
        if opcode != _BR:
            self._out += e.get(picked)
        self._out += self._branch_code(opcode, labels)

    def _kept(self, place: int, kind: str) -> int:
        """A variable for what a branch brings; numbered apart from the operand stack."""
        return self._spill(-1 - place, kind)

    @staticmethod
    def _branch_code(opcode: int, labels: list[int]) -> bytes:
        if opcode == _BR_TABLE:
            return b"\x0e" + unsigned_leb128(len(labels) - 1) + b"".join(map(unsigned_leb128, labels))
        return bytes([opcode]) + unsigned_leb128(labels[0])


def _types(data: bytes) -> list[_Signature]:
    cursor = ByteCursor(data)
    found = []
    for _ in range(cursor.number()):
        cursor.byte()
        lists = [
            "".join(_VALUE_LETTERS.get(cursor.byte(), "?") for _ in range(cursor.number())) for _ in range(2)
        ]
        found.append(_Signature(*lists))
    return found


def _import_types(data: bytes) -> list[int]:
    cursor = ByteCursor(data)
    found = []
    for _ in range(cursor.number()):
        cursor.text()
        cursor.text()
        cursor.byte()
        found.append(cursor.number())
    return found


def _globals(data: bytes) -> str:
    """The types of the globals. Their first values are constants."""
    cursor = ByteCursor(data)
    found = ""
    for _ in range(cursor.number()):
        found += _VALUE_LETTERS[cursor.byte()]
        cursor.byte()
        opcode = cursor.byte()
        if opcode == 0xFD:
            cursor.at += 17
        elif opcode in (0x43, 0x44):
            cursor.at += 4 if opcode == 0x43 else 8
        else:
            cursor.signed()
        cursor.byte()
    return found


def _addressed(data: bytes) -> set[int]:
    """The functions whose address is taken: those of the table (flags 0, which is all that linkers write)."""
    cursor = ByteCursor(data)
    found: set[int] = set()
    for _ in range(cursor.number()):
        cursor.number()
        cursor.byte()
        cursor.signed()
        cursor.byte()
        found.update(cursor.number() for _ in range(cursor.number()))
    return found


def _pages(data: bytes) -> int:
    cursor = ByteCursor(data)
    cursor.number()
    cursor.byte()
    return cursor.number()


def _number_at(data: bytes, at: int) -> tuple[int, int]:
    cursor = ByteCursor(data)
    cursor.at = at
    return cursor.number(), cursor.at


def _more(data: bytes, items: list[bytes]) -> bytes:
    """A section that is a vector, with items added."""
    count, start = _number_at(data, 0)
    return unsigned_leb128(count + len(items)) + data[start:] + b"".join(items)
