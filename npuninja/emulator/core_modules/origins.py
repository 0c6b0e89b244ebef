"""Which arguments of a kernel an address is made of.

A kernel that was given two buffers may reach both, so an overrun from one into the other looks like any
access. What tells them apart is where an address comes from: `in + 4 * i` is of the argument `in`, wherever
it leads. This goes over a function's code and says of each access which of the function's parameters were
added up in its address. The rest is decided at the call, when the values are known (engine/checks.c,
`core_bounds`): whether just one of these parameters points into a buffer, and into which.

It must never be wrong, so it gives up early: on differences of addresses, on addresses that are made of a
parameter in one way and not in another, on masks and products of addresses. Such accesses are not bound to
a buffer.
"""

from __future__ import annotations

from npuninja.emulator.core_modules.operand_types import SIGNATURES
from npuninja.formats.wasm_code import (
    BLOCK,
    BR,
    BR_IF,
    BR_TABLE,
    CALL,
    CALL_INDIRECT,
    DROP,
    ELSE,
    GLOBAL_GET,
    GLOBAL_SET,
    I32_ADD,
    I32_SUB,
    IF,
    LOCAL_GET,
    LOCAL_SET,
    LOCAL_TEE,
    LOOP,
    MEMORY_COPY,
    NOP,
    RETURN,
    SELECT,
    SELECT_TYPED,
    UNREACHABLE,
    FunctionCode,
    WasmInstruction,
)
from npuninja.formats.wasm_module import END, I32_CONST
from npuninja.records import NamedTuple

_I32_MUL, _I32_AND, _I32_OR, _I32_XOR = 0x6C, 0x71, 0x72, 0x73
_ARITHMETIC = frozenset((I32_ADD, I32_SUB, _I32_MUL, _I32_AND, _I32_OR, _I32_XOR))
_EMPTY = -64  # the type of a block without values
#: A value that is a set of parameters, a bit each. Of no parameter: a number, or an address from elsewhere.
_NO_PARAMETER = 0
#: A value that must not be judged.
_ANY = -1
#: Functions with more passes are looked at no further; each loop that changes what it began with needs one.
_MOST_PASSES = 24
#: More parameters in one address are no address of one buffer.
MOST_PARAMETERS = 4
_MOST_BITS = 30

ParameterMasks = list[int]


class Origins(NamedTuple):
    """Of accesses in a function, by offset in the code section: the parameters in the address, a bit each.

    Attributes:
        accesses: of loads, stores, and the destination of memory.copy and memory.fill.
        sources: of the source of memory.copy.
    """

    accesses: dict[int, int]
    sources: dict[int, int]


def _either(a: int, b: int) -> int:
    """One value or the other."""
    if a == b:
        return a
    return _ANY if a <= 0 or b <= 0 else a | b


class _OpenBlock:
    """An open block: where branches to it go."""

    __slots__ = ("base", "is_loop", "left", "number", "other_way", "passed", "state")

    def __init__(self, number: int, is_loop: bool, base: int, taken: int, left: int) -> None:
        self.number = number
        self.is_loop = is_loop
        self.base = base
        self.passed = taken if is_loop else left
        self.left = left
        #: Variables, then what branches bring: from here on after the block, and in the `else` of an `if`.
        self.state: ParameterMasks | None = None
        self.other_way: ParameterMasks | None = None


class _CodeWalk:
    """One way through a function's code. `loops` is what earlier ones found at the heads of loops."""

    def __init__(
        self,
        function: FunctionCode,
        locals_count: int,
        signatures: Signatures,
        loops: dict[int, ParameterMasks],
    ) -> None:
        self._function = function
        self._signatures = signatures
        self._loops = loops
        self._count = locals_count
        variables = [
            1 << number if kind == "i32" and number < _MOST_BITS else _NO_PARAMETER
            for number, kind in enumerate(function.parameters)
        ]
        #: None after a branch that is always taken.
        self._variables: ParameterMasks | None = variables + [_NO_PARAMETER] * (locals_count - len(variables))
        self._stack: list[int] = []
        self._frames = [_OpenBlock(-1, False, 0, 0, len(function.results))]
        self._before: WasmInstruction | None = None
        self.changed = False
        self.found = Origins({}, {})

    def run(self) -> None:
        for number, instruction in enumerate(self._function.instructions):
            opcode = instruction.opcode
            if opcode in (BLOCK, LOOP, IF):
                self._open(number, instruction)
            elif opcode in (ELSE, END):
                self._close(opcode)
            elif self._variables is not None:
                self._instruction(opcode, instruction, self._variables)
            self._before = instruction
            if not self._frames:
                return

    def _popped(self, count: int) -> list[int]:
        start = len(self._stack) - count
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def _instruction(self, opcode: int, instruction: WasmInstruction, variables: ParameterMasks) -> None:
        stack = self._stack
        if opcode == LOCAL_GET:
            stack.append(variables[instruction.immediates[0]])
        elif opcode == LOCAL_SET:
            variables[instruction.immediates[0]] = stack.pop()
        elif opcode == LOCAL_TEE:
            variables[instruction.immediates[0]] = stack[-1]
        elif opcode in _ARITHMETIC:
            b, a = stack.pop(), stack.pop()
            stack.append(self._arithmetic(opcode, a, b))
        elif opcode in (BR, BR_IF, BR_TABLE, RETURN, UNREACHABLE):
            self._branch(opcode, instruction)
        elif opcode in (SELECT, SELECT_TYPED):
            stack.pop()
            b, a = stack.pop(), stack.pop()
            stack.append(_either(a, b))
        elif opcode == CALL:
            taken, left = self._signatures.of_functions[instruction.immediates[0]]
            self._popped(taken)
            stack += [_NO_PARAMETER] * left
        elif opcode == CALL_INDIRECT:
            taken, left = self._signatures.of_types[instruction.immediates[0]]
            self._popped(taken + 1)
            stack += [_NO_PARAMETER] * left
        elif opcode in (DROP, GLOBAL_SET):
            stack.pop()
        elif opcode == GLOBAL_GET:
            stack.append(_NO_PARAMETER)
        elif opcode != NOP:
            taken_types, left_types = SIGNATURES[opcode]
            self._note(opcode, instruction, self._popped(len(taken_types)))
            stack += [_NO_PARAMETER] * len(left_types)

    def _note(self, opcode: int, instruction: WasmInstruction, values: list[int]) -> None:
        if values and values[0] > 0:
            self.found.accesses[instruction.offset] = values[0]
        if opcode == MEMORY_COPY and values[1] > 0:
            self.found.sources[instruction.offset] = values[1]

    def _arithmetic(self, opcode: int, a: int, b: int) -> int:
        before = self._before
        constant = before is not None and before.opcode == I32_CONST
        negative = constant and before is not None and before.immediates[0] < 0
        if opcode in (I32_ADD, _I32_OR):
            return _ANY if a < 0 or b < 0 else a | b
        if opcode == I32_SUB:
            return a if b == _NO_PARAMETER else _ANY
        if opcode == _I32_AND and constant:  # an aligned address, or its lower bits
            return a if negative else _NO_PARAMETER
        if opcode == _I32_MUL and not negative:  # a multiple is no address; -1 makes a difference of it
            return _NO_PARAMETER
        return _NO_PARAMETER if a == b == _NO_PARAMETER else _ANY

    # --- Control.

    def _types_of(self, instruction: WasmInstruction) -> tuple[int, int]:
        kind = instruction.immediates[0]
        if kind >= 0:
            return self._signatures.of_types[kind]
        return (0, 0) if kind == _EMPTY else (0, 1)

    def _open(self, number: int, instruction: WasmInstruction) -> None:
        taken, left = self._types_of(instruction)
        is_loop = instruction.opcode == LOOP
        if self._variables is None:
            self._frames.append(_OpenBlock(number, is_loop, len(self._stack), taken, left))
            return
        if instruction.opcode == IF:
            self._stack.pop()
        frame = _OpenBlock(number, is_loop, len(self._stack) - taken, taken, left)
        self._frames.append(frame)
        if is_loop:
            self._loops[number] = self._merged(self._loops.get(number), taken)
            self._take(self._loops[number], frame)
        elif instruction.opcode == IF:
            frame.other_way = self._merged(None, taken)

    def _merged(self, found: ParameterMasks | None, count: int) -> ParameterMasks:
        """What a label holds, with what is brought to it now."""
        assert self._variables is not None
        brought = (
            [*self._variables, *self._stack[len(self._stack) - count :]] if count else [*self._variables]
        )
        if found is None:
            return brought
        return brought if found == brought else [_either(a, b) for a, b in zip(found, brought)]

    def _take(self, state: ParameterMasks, frame: _OpenBlock) -> None:
        self._variables = state[: self._count]
        del self._stack[frame.base :]
        self._stack += state[self._count :]

    def _bring(self, depth: int) -> None:
        frame = self._frames[-1 - depth]
        if not frame.is_loop:
            frame.state = self._merged(frame.state, frame.passed)
            return
        known = self._loops[frame.number]
        merged = self._merged(known, frame.passed)
        if merged != known:
            self._loops[frame.number] = merged
            self.changed = True

    def _branch(self, opcode: int, instruction: WasmInstruction) -> None:
        if opcode in (BR_IF, BR_TABLE):
            self._stack.pop()
        if opcode in (BR, BR_IF):
            self._bring(instruction.immediates[0])
        elif opcode == BR_TABLE:
            for depth in set(instruction.immediates):
                self._bring(depth)
        if opcode != BR_IF:
            self._variables = None

    def _close(self, opcode: int) -> None:
        frame = self._frames[-1]
        if self._variables is not None and not frame.is_loop:
            frame.state = self._merged(frame.state, frame.left)
        if opcode == ELSE:
            other, frame.other_way, self._variables = frame.other_way, None, None
            if other is not None:
                self._take(other, frame)
            return
        self._frames.pop()
        if frame.is_loop:
            return  # a loop is left by falling out of it; branches to it go to its head
        if frame.other_way is not None:  # no `else`: what was before the `if` comes out as it is
            self._take(frame.other_way, frame)
            frame.state = self._merged(frame.state, frame.left)
        self._variables = None
        if frame.state is not None:
            self._take(frame.state, frame)


class Signatures(NamedTuple):
    """How many values types and functions take and leave, by their numbers."""

    of_types: tuple[tuple[int, int], ...]
    of_functions: tuple[tuple[int, int], ...]


def origins_of(function: FunctionCode, locals_count: int, signatures: Signatures) -> Origins:
    """The parameters that addresses in a function are made of.

    Args:
        function: with a body.
        locals_count: its variables, parameters included.
        signatures: of its module.

    Returns:
        nothing for code that is not known to be valid; the engine's compiler will say so.
    """
    if "i32" not in function.parameters:
        return Origins({}, {})
    loops: dict[int, ParameterMasks] = {}
    for _ in range(_MOST_PASSES):
        one = _CodeWalk(function, locals_count, signatures, loops)
        try:
            one.run()
        except (IndexError, KeyError, AssertionError):
            return Origins({}, {})
        if not one.changed:
            return one.found
    return Origins({}, {})
