"""One function's new body in a module whose calls can wait: what `suspension` does to code between them."""

from __future__ import annotations

from typing import Protocol

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.operand_stack import OperandStack, Types
from npuninja.emulator.core_modules.operand_types import LETTERS
from npuninja.emulator.core_modules.saved_variables import TYPE_BYTES, saved_variables
from npuninja.emulator.core_modules.section_tables import VALUE_LETTERS, Signature, number_at
from npuninja.emulator.core_modules.waiting import LEAVING
from npuninja.formats.wasm_code import (
    BLOCK,
    BR,
    BR_IF,
    BR_TABLE,
    CALL,
    ELSE,
    IF,
    LOOP,
    RETURN,
    UNREACHABLE,
    ByteCursor,
    FunctionCode,
    WasmInstruction,
)
from npuninja.formats.wasm_module import END, unsigned_leb128
from npuninja.records import NamedTuple


class ModuleWriter(Types, Protocol):
    """What the writer of the module knows.

    Attributes:
        entry, prologue: number of the core's own function; so many of its instructions run on every call.
        state, top: numbers of two globals: what is going on, and where the next frame is saved.
        calls: offset of each call that may wait, by its number; added to as bodies are written.
    """

    entry: int
    prologue: int
    state: int
    top: int
    calls: list[int]

    def suspends(self, instruction: WasmInstruction) -> bool:
        """Whether an instruction is a call that may come to wait."""

    def callee(self, number: int, is_entry: bool) -> int:
        """The function to be called instead of an import; others keep their number."""


class _BlockFrame(NamedTuple):
    """A block that is open: where its label is among the new blocks, and the operand stack around it."""

    kind: str
    label: int
    base: int
    taken: str
    left: str

    @property
    def passed(self) -> str:
        """The types of what a branch to it brings."""
        return self.taken if self.kind == "loop" else self.left


class Body:
    """Writes one function's new body.

    Args:
        writer: of the module it belongs to.
        content: of the code section.
        function: which one.
    """

    def __init__(self, writer: ModuleWriter, content: bytes, function: FunctionCode) -> None:
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
            self._locals += VALUE_LETTERS[cursor.byte()] * count
        self._own_locals = len(self._locals)
        self._spilled: dict[tuple[int, str], int] = {}
        self._frames: list[_BlockFrame] = []
        self._operands = OperandStack(writer, self._locals)
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

    def _count_calls(self) -> dict[int, tuple[int, int, int]]:
        """Of each block: number of its first call that may wait, how many it has, how many before `else`."""
        found: dict[int, tuple[int, int, int]] = {}
        at = len(self._writer.calls)
        open_blocks: list[tuple[int, int, int]] = []
        for number, instruction in enumerate(self._instructions):
            opcode = instruction.opcode
            if opcode in (BLOCK, LOOP, IF):
                open_blocks.append((number, at, -1))
            elif opcode == ELSE:
                start, begin, _ = open_blocks.pop()
                open_blocks.append((start, begin, at))
            elif opcode == END and open_blocks:
                start, begin, middle = open_blocks.pop()
                found[start] = (begin, at - begin, (at if middle < 0 else middle) - begin)
            elif self._writer.suspends(instruction):
                at += 1
        return found

    def suspendable(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The body with everything around its calls that may wait."""
        writer = self._writer
        self._blocks = self._count_calls()
        self._where = len(self._locals)  # which call is gone back to, or waits
        self._locals.append("i")
        results = writer.signature(self._function.number).left
        self._depth = 2  # the block that leaves, the block of the function itself
        self._frames.append(_BlockFrame("block", 2, 0, "", results))
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
        frame = saved_variables(
            self._locals, self._where, state=writer.state, top=writer.top, is_entry=self._is_entry
        )
        head, tail = frame.taken_back(), frame.left(results)
        declared = self._content[self._function.offset : self._instructions[0].offset]
        groups, at = number_at(declared, 0)
        added = self._locals[self._own_locals :]
        local_head = unsigned_leb128(groups + len(added)) + declared[at:]
        local_head += b"".join(b"\x01" + bytes([TYPE_BYTES[kind]]) for kind in added)
        start = local_head + body[:before] + head
        moved = [
            (offset + len(local_head) + (len(head) if offset >= before else 0), origin)
            for offset, origin in marks
        ]
        data = start + body[before:] + after + tail + e.END
        moved.append((len(start) + len(body) - before, -1))
        return data, moved

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
        for place, kind in enumerate(self._operands.kinds):
            self._out += e.get(self._spill(place, kind))

    def _close(self) -> None:
        if not self._plain:
            return
        if not self._dead:
            for place in reversed(range(len(self._operands.kinds))):
                self._out += e.set_(self._spill(place, self._operands.kinds[place]))
        self._out += e.END
        self._depth -= 1
        self._plain = False

    # --- Instructions.

    def _instruction(self, number: int, skipped: int) -> int:
        """Writes one; returns how many blocks of code that is never reached are open."""
        instruction = self._instructions[number]
        opcode = instruction.opcode
        frame = self._frames[-1]
        if self._dead and frame.kind != "plain":
            if opcode in (BLOCK, LOOP, IF):
                return skipped + 1
            if skipped and opcode == END:
                return skipped - 1
            if skipped or opcode not in (ELSE, END):
                if self._writer.suspends(instruction):
                    self._writer.calls.append(instruction.offset)  # it has a number, though nothing calls it
                return skipped
        if frame.kind == "plain":
            self._in_plain_block(number)
        elif opcode in (BLOCK, LOOP, IF):
            self._block(number)
        elif opcode == ELSE:
            self._else(number)
        elif opcode == END:
            self._end(number)
        elif self._writer.suspends(instruction):
            self._waiting_call(number)
        else:
            self._ordinary(number)
        return 0

    def _block_type(self, number: int) -> Signature:
        kind = self._instructions[number].immediates[0]
        if kind >= 0:
            return self._writer.types[kind]
        return Signature("", "" if kind == -64 else VALUE_LETTERS[kind & 0x7F])

    def _block(self, number: int) -> None:
        opcode = self._instructions[number].opcode
        taken, left = self._block_type(number)
        first, count, before_else = self._blocks[number]
        kind = {BLOCK: "block", LOOP: "loop", IF: "if"}[opcode]
        if not count:
            self._open()
            self._operands.pop(taken + ("i" if opcode == IF else ""))
            self._mark(number)
            self._out += self._bytes(number)
            self._depth += 1
            self._frames.append(_BlockFrame("plain", self._depth, len(self._operands.kinds), taken, left))
            return
        self._close()
        condition = self._spill(len(self._operands.kinds) - 1, "i") if opcode == IF else 0
        self._operands.pop("i" if opcode == IF else "")
        self._mark(number)
        self._out += self._wanted(first, count) + e.IF
        self._depth += 1
        if opcode == LOOP:
            self._out += e.LOOP
            self._depth += 1
        elif opcode == IF:
            self._out += e.get(condition) + self._within(first, before_else)
            self._out += e.get_global(self._writer.state) + e.I32_EQZ + b"\x1b" + e.IF
            self._depth += 1
        base = len(self._operands.kinds) - len(taken)
        self._frames.append(_BlockFrame(kind, self._depth, base, taken, left))

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
        self._operands.kinds[frame.base :] = frame.taken

    def _end(self, number: int) -> None:
        frame = self._frames.pop()
        self._close()
        self._dead = False
        self._mark(number)
        self._out += e.END if frame.kind == "block" else e.END + e.END
        self._depth -= 1 if frame.kind == "block" else 2
        self._operands.kinds[frame.base :] = frame.left

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
        base = len(self._operands.kinds) - len(taken)
        self._operands.pop(taken)
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
        self._operands.push(left)

    def _ordinary(self, number: int) -> None:
        instruction = self._instructions[number]
        opcode = instruction.opcode
        self._open()
        self._mark(number)
        if opcode in (BR, BR_IF, BR_TABLE):
            self._branch(number)
            if opcode == BR_IF:
                self._operands.pop("i")
            else:
                self._dead = True
            return
        if opcode == CALL:
            self._out += e.call(self._writer.callee(instruction.immediates[0], self._is_entry))
        else:
            self._out += self._bytes(number)
        if opcode in (RETURN, UNREACHABLE):
            self._dead = True
            return
        self._operands.execute(instruction)

    # --- Branches, and blocks in which nothing waits.

    def _in_plain_block(self, number: int) -> None:
        instruction = self._instructions[number]
        opcode = instruction.opcode
        self._mark(number)
        if opcode in (BR, BR_IF, BR_TABLE):
            self._branch(number)
            return
        if opcode == CALL:
            self._out += e.call(self._writer.callee(instruction.immediates[0], self._is_entry))
        else:
            self._out += self._bytes(number)
        if opcode in (BLOCK, LOOP, IF):
            taken, left = self._block_type(number)
            self._depth += 1
            self._frames.append(_BlockFrame("plain", self._depth, 0, taken, left))
        elif opcode == END:
            frame = self._frames.pop()
            self._depth -= 1
            if self._frames[-1].kind != "plain":
                self._operands.kinds[frame.base :] = frame.left

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
        if opcode != BR:
            self._out += e.set_(picked)
        self._out += b"".join(map(e.set_, reversed(keep)))
        for frame in {id(f): f for f in apart}.values():
            for place, kind in enumerate(passed):
                self._out += e.get(keep[place]) + e.set_(self._spill(frame.base + place, kind))
        if opcode == BR_IF or len(apart) < len(frames):
            self._out += b"".join(map(e.get, keep))
        if opcode != BR:
            self._out += e.get(picked)
        self._out += self._branch_code(opcode, labels)

    def _kept(self, place: int, kind: str) -> int:
        """A variable for what a branch brings; numbered apart from the operand stack."""
        return self._spill(-1 - place, kind)

    @staticmethod
    def _branch_code(opcode: int, labels: list[int]) -> bytes:
        if opcode == BR_TABLE:
            return b"\x0e" + unsigned_leb128(len(labels) - 1) + b"".join(map(unsigned_leb128, labels))
        return bytes([opcode]) + unsigned_leb128(labels[0])
