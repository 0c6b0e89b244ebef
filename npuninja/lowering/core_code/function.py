"""A function in C from a region of branches: `aie.core` bodies and `func.func` bodies.

Every value is a local variable, constants and buffers excepted; a branch assigns the arguments of its block
and jumps. How a core waits for a lock is the frame's business: `StepFrame` makes the emulator's resumable
step function, `PlainFrame` a function for hardware that blocks in the lock instruction.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import CASCADE_BITS
from npuninja.errors import UserError
from npuninja.ir.attributes import (
    BoolAttr,
    DenseElementsAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
)
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.syntax import group, operand
from npuninja.lowering.core_code import memory
from npuninja.lowering.core_code.bare_pointers import buffer_of, loses_offset, passed_buffer
from npuninja.lowering.core_code.model import c_name
from npuninja.lowering.core_code.types import (
    c_type,
    float_literal,
    integer_literal,
    is_vector,
    vector_bits,
)
from npuninja.lowering.core_code.unit import CUnit
from npuninja.lowering.core_code.vectors import vector_constant, vector_expression, vector_statements

if TYPE_CHECKING:
    from typing import Callable, Protocol
else:
    Protocol = object

_NOT_LOWERED = ("scf.", "affine.", "aie.objectfifo")


class CoreFrame(Protocol):
    """How a core's function waits and ends."""

    def acquire(self, op: Operation, equal: bool, value: str) -> list[str]:
        """Statements that take a lock; `value` is a number or a variable."""

    def release(self, op: Operation, value: str) -> list[str]:
        """Statements that give a lock back."""

    def end(self) -> list[str]:
        """Statements of `aie.end`, which end the core for good."""

    def event(self, number: int) -> list[str]:
        """Statements of `aie.event`, which marks a place for the trace unit."""

    def put_stream(self, word: str) -> list[str]:
        """Statements that send a word, an `int`."""

    def get_stream(self) -> str:
        """The expression for a word that is received, an `int`."""

    def put_cascade(self, value: str, type: str) -> list[str]:
        """Statements that send a vector of 512 bits of a C type."""

    def get_cascade(self, type: str) -> str:
        """The expression for a vector that is received."""

    def buffer(self, op: Operation, user: Operation) -> str:
        """The expression for a buffer's first element."""

    def jump(self, source: Block, target: Block, label: str) -> str:
        """The statements of a jump to the block called `label`."""


def function_body(unit: CUnit, function: Operation, returned: str) -> tuple[list[str], list[str]]:
    """The parameters and lines of a function that cannot wait."""
    body = FunctionWriter(unit, function.regions[0], None, returned)
    parameters = [f"{c_type(a.type, function)} {body.name(a)}" for a in function.body.args]
    lines = body.write()
    return parameters, [*body.locals(), *lines]


class FunctionWriter:
    """Writes the statements of one function. `frame` is None for functions that cannot wait.

    Attributes:
        labels: the C label of each block.
    """

    def __init__(self, unit: CUnit, region: Region, frame: CoreFrame | None, returned: str = "void") -> None:
        self.unit = unit
        self.region = region
        self.frame = frame
        self.returned = returned
        self.labels = {block: f"bb{i}" for i, block in enumerate(region.blocks)}
        self._names: dict[Value, str] = {}
        self._declared: list[tuple[str, str]] = []
        self._inline: dict[Value, str] = {}

    def name(self, value: Value) -> str:
        """The variable of a value."""
        known = self._names.get(value)
        if known is None:
            known = self._names[value] = f"v{len(self._names)}"
        return known

    def locals(self) -> list[str]:
        """The declarations of the variables that `write` used, arguments of the function excepted."""
        return [f"  {type}{'' if type.endswith('*') else ' '}{name};" for type, name in self._declared]

    def is_variable(self, value: Value) -> bool:
        """Whether a value is kept in a variable rather than written out where it is used."""
        return value not in self._inline

    def write(self) -> list[str]:
        """The statements of all blocks."""
        user = self.region.parent
        assert user is not None
        for block in self.region.blocks[1:]:
            for argument in block.args:
                self._declare(argument, user)
        for block in self.region.blocks:
            for op in block.ops:
                self._constant(op)
        lines: list[str] = []
        for i, block in enumerate(self.region.blocks):
            if i:
                lines.append(f"{self.labels[block]}:;")
            for op in block.ops:
                statements = self._statements(op)
                if statements:
                    directive = self.unit.line(op.loc)
                    lines += [directive] if directive else []
                    lines += ["  " + statement for statement in statements]
        return lines

    def _declare(self, value: Value, user: Operation) -> str:
        name = self.name(value)
        self._declared.append((c_type(value.type, user), name))
        return name

    def _constant(self, op: Operation) -> None:
        if op.name in ("arith.constant", "index.constant"):
            self._inline[op.result] = _literal(op)
        elif op.name == "memref.get_global":
            name = self.unit.global_name(op.symbol("name"), op)
            self._inline[op.result] = f"(({c_type(op.result.type, op)}){name})"
        elif op.name == "ub.poison":
            c_type(op.result.type, op)
            self._inline[op.result] = "0"
        elif op.name == "memref.alloca":
            self._inline[op.result] = self.unit.local_memory(op)

    def operand(self, value: Value, user: Operation) -> str:
        """The C expression of an operand."""
        if value in self._inline:
            return self._inline[value]
        owner = value.owner
        if isinstance(owner, Operation) and owner.parent is self.unit.model.operation.body:
            if owner.name in ("arith.constant", "index.constant"):
                return _literal(owner)
            if owner.name == "aie.lock":  # a kernel gets the number by which the core knows the lock
                return str(self.unit.model.lock(value, user).local_id)
            if owner.name != "aie.buffer" or self.frame is None:
                raise UserError(
                    f"'{user.name}' uses the result of '{owner.name}', which core code cannot", user.loc
                )
            return self.frame.buffer(owner, user)
        return self.name(value)

    def _statements(self, op: Operation) -> list[str]:
        if any(r in self._inline for r in op.results):
            return []
        control = _CONTROL.get(op.name)
        if control is not None:
            return control(self, op)
        if op.name == "func.call":
            passed = [passed_buffer(v, op) or v for v in op.operands]
            return self._call(op, [self.operand(v, op) for v in passed])
        if loses_offset(op):
            return [
                f"{self._declare(op.result, op)} = {self.operand(buffer_of(operand(op, 'source'), op), op)};"
            ]
        if op.name == "aie.buffer":  # memory, whose place is known; it may be declared inside the core
            return []
        operands = [self.operand(v, op) for v in op.operands]
        done = vector_statements(op, operands)
        if done is None and not op.results:
            done = memory.statements(op, operands)
        if done is not None:
            return done
        one = vector_expression(op, operands) or memory.expression(op, operands)
        expressions = [one] if one is not None else self.unit.arithmetic.expressions(op, operands)
        if expressions is None:
            raise _unsupported(op)
        return [f"{self._declare(r, op)} = {e};" for r, e in zip(op.results, expressions)]

    def _call(self, op: Operation, operands: list[str]) -> list[str]:
        call, *fields = self.unit.call(op, operands)
        if not op.results:
            return [call + ";"]
        if not fields:
            return [f"{self._declare(op.results[0], op)} = {call};"]
        names = [self._declare(r, op) for r in op.results]
        # A struct of its own for each call, in a block of its own.
        type = f"struct npu_results_{c_name(op.symbol('callee'))[0]}"
        unpack = " ".join(f"{name} = r{field};" for name, field in zip(names, fields))
        return [f"{{ {type} r = {call}; {unpack} }}"]

    def _jump(self, target: Block, passed: list[Value], op: Operation) -> str:
        values = [
            (self.name(a), self.operand(v, op), c_type(a.type, op)) for a, v in zip(target.args, passed)
        ]
        moves = [(name, value, type) for name, value, type in values if name != value]
        if len(moves) == 1:
            assignments = f"{moves[0][0]} = {moves[0][1]}; "
        else:
            # All at once: an argument may be passed on to another.
            assignments = "".join(f"{type} t{i} = {value}; " for i, (_, value, type) in enumerate(moves))
            assignments += "".join(f"{name} = t{i}; " for i, (name, _, _) in enumerate(moves))
        label = self.labels[target]
        assert op.parent is not None
        jump = self.frame.jump(op.parent, target, label) if self.frame is not None else f"goto {label};"
        return f"{{ {assignments}{jump} }}"

    def _branch(self, op: Operation) -> list[str]:
        ((target, passed),) = op.successors
        return [self._jump(target, passed, op)]

    def _conditional(self, op: Operation) -> list[str]:
        yes, no = (self._jump(target, passed, op) for target, passed in op.successors)
        return [f"if ({self.operand(operand(op, 'condition'), op)}) {yes} else {no}"]

    def _switch(self, op: Operation) -> list[str]:
        flag = self.operand(operand(op, "flag"), op)
        cases = op.attributes.get("case_values")
        numbers = cases.values if isinstance(cases, DenseElementsAttr) else ()
        first, *others = op.successors
        lines = [f"case {int(text, 0)}: {self._jump(*target, op)}" for text, target in zip(numbers, others)]
        return [f"switch ({flag}) {{ {' '.join(lines)} default: {self._jump(*first, op)} }}"]

    def _assert(self, op: Operation) -> list[str]:
        return [f"if (!{self.operand(operand(op, 'arg'), op)}) __builtin_trap();"]

    def _return(self, op: Operation) -> list[str]:
        values = [self.operand(v, op) for v in op.operands]
        if not values:
            return ["return;"]
        return [
            f"return {values[0]};"
            if len(values) == 1
            else f"return ({self.returned}){{{', '.join(values)}}};"
        ]

    def _end(self, op: Operation) -> list[str]:
        if self.frame is None:
            raise UserError("'aie.end' cannot end a function", op.loc)
        return self.frame.end()

    def _event(self, op: Operation) -> list[str]:
        return self.frame.event(op.integer("val")) if self.frame is not None else []

    def _use_lock(self, op: Operation) -> list[str]:
        if self.frame is None:
            raise UserError(
                "a function cannot use locks, only the core's own body can",
                op.loc,
                hint="move the lock operations into the core, around the call",
            )
        action = op.enum("action")
        blocking = op.attributes.get("blocking")
        if isinstance(blocking, EnumAttr) and blocking.case != "Blocking":
            raise UserError("a core can only wait for a lock, not try it", op.loc)
        check: list[str] = []
        amounts = group(op, "value")
        if amounts:
            value = self.operand(amounts[0], op)
            check = [f"if ({value} < 0 || {value} > 63) __builtin_trap();"]
        else:
            number = op.integer("value", 1)
            value = str(number)
            if not 0 <= number <= 63:
                raise UserError(f"lock value {number} is out of range, expected 0 to 63", op.loc)
        if action == "Release":
            return [*check, *self.frame.release(op, value)]
        return [*check, *self.frame.acquire(op, action == "Acquire", value)]

    def _own_frame(self, op: Operation) -> CoreFrame:
        if self.frame is None:
            raise UserError(
                f"a function cannot do '{op.name}', only the core's own body can",
                op.loc,
                hint="move it into the core, around the call",
            )
        return self.frame

    def _put_stream(self, op: Operation) -> list[str]:
        value = operand(op, "streamValue")
        word, type = self.operand(value, op), value.type
        if type not in ("i32", "f32"):
            raise _no_word(op, type)
        return self._own_frame(op).put_stream(f"(int)npu_float_bits({word})" if type == "f32" else word)

    def _get_stream(self, op: Operation) -> list[str]:
        type = op.result.type
        if type not in ("i32", "f32"):
            raise _no_word(op, type)
        word = self._own_frame(op).get_stream()
        return [f"{self._declare(op.result, op)} = {f'npu_bits_float({word})' if type == 'f32' else word};"]

    def _put_cascade(self, op: Operation) -> list[str]:
        value = operand(op, "cascadeValue")
        return self._own_frame(op).put_cascade(self.operand(value, op), _cascade_type(op, value.type))

    def _get_cascade(self, op: Operation) -> list[str]:
        value = self._own_frame(op).get_cascade(_cascade_type(op, op.result.type))
        return [f"{self._declare(op.result, op)} = {value};"]


def _no_word(op: Operation, type: str) -> UserError:
    return UserError(
        f"'{op.name}' in embedded core code takes words of 32 bits, i32 or f32, not {type}",
        op.loc,
        hint="send it word by word",
    )


def _cascade_type(op: Operation, type: str) -> str:
    found = c_type(type, op)
    if not is_vector(type) or vector_bits(type) != CASCADE_BITS:
        raise UserError(
            f"'{op.name}' in embedded core code takes a vector of {CASCADE_BITS} bits, as vector<16xi32>, "
            f"not {type}",
            op.loc,
        )
    return found


_CONTROL: dict[str, Callable[[FunctionWriter, Operation], list[str]]] = {
    "cf.br": FunctionWriter._branch,
    "cf.cond_br": FunctionWriter._conditional,
    "cf.switch": FunctionWriter._switch,
    "cf.assert": FunctionWriter._assert,
    "func.return": FunctionWriter._return,
    "aie.end": FunctionWriter._end,
    "aie.event": FunctionWriter._event,
    "aie.use_lock": FunctionWriter._use_lock,
    "aie.put_stream": FunctionWriter._put_stream,
    "aie.get_stream": FunctionWriter._get_stream,
    "aie.put_cascade": FunctionWriter._put_cascade,
    "aie.get_cascade": FunctionWriter._get_cascade,
}


def _literal(op: Operation) -> str:
    if is_vector(op.result.type):
        return vector_constant(op)
    value = op.attributes["value"]
    c_type(op.result.type, op)
    if isinstance(value, BoolAttr):
        return "1" if value.value else "0"
    if isinstance(value, IntegerAttr):
        return integer_literal(value.value, op.result.type)
    if isinstance(value, FloatAttr):
        return float_literal(value.text, value.type)
    raise _unsupported(op)


def _unsupported(op: Operation) -> UserError:
    if op.name in ("memref.alloc", "memref.dealloc"):
        return UserError(
            f"a core has no heap ('{op.name}')",
            op.loc,
            hint="memref.alloca takes memory of a static size, in addition to the core's stack; "
            "aie.buffer is memory with a name",
        )
    if any(v.type.startswith("vector<") for v in (*op.operands, *op.results)):
        return UserError(
            f"core code cannot do '{op.name}' on vectors",
            op.loc,
            hint="do this in a kernel function, and call that from the core",
        )
    if op.name.startswith(_NOT_LOWERED):
        return UserError(
            f"'{op.name}' must be lowered before core code is made",
            op.loc,
            hint="give the module that step 1 (lower resources) wrote",
        )
    return UserError(
        f"core code cannot do '{op.name}'",
        op.loc,
        hint="do this in a kernel function, and call that from the core",
    )
