"""One C file of a core: the functions, globals and external functions that its code uses."""

from __future__ import annotations

from collections.abc import Callable

from npuninja.errors import Location, UserError
from npuninja.ir.attributes import DenseElementsAttr, UnitAttr
from npuninja.ir.core import Operation
from npuninja.ir.types import element_count, element_of, memref
from npuninja.lowering.core_code.arith import Arithmetic
from npuninja.lowering.core_code.model import CoreModel, c_name
from npuninja.lowering.core_code.types import FLOATS, c_type, element_type, float_literal, integer_literal

WriteBody = Callable[["CUnit", Operation, str], tuple[list[str], list[str]]]
"""Writes a `func.func` that returns a C type: its parameters, and the lines of its body."""


class CUnit:
    """One C file: its functions, the globals and external functions they use.

    Attributes:
        functions_used: `func.func` declarations of the external functions called, in order of first call.
    """

    def __init__(self, model: CoreModel, file: str, write_body: WriteBody) -> None:
        self.model = model
        self.file = file
        self._write_body = write_body
        self.arithmetic = Arithmetic()
        self.declarations: dict[str, str] = {}
        self.definitions: list[str] = []
        self.functions_used: dict[str, Operation | None] = {}
        self._symbols = {
            op.string("sym_name"): op
            for op in model.operation.body.ops
            if op.name in ("func.func", "memref.global") and "sym_name" in op.attributes
        }

    def line(self, location: Location | None) -> str:
        """A `#line` directive for a place in the design, or nothing when it is not known."""
        return f'#line {location.line} "{_quoted(self.file)}"' if location and location.line else ""

    def global_name(self, symbol: str, user: Operation) -> str:
        """The C name of a `memref.global`, which is defined in this file on first use."""
        name = "npu_global_" + c_name(symbol)[0]
        if name not in self.declarations:
            op = self._symbols.get(symbol)
            if op is None or op.name != "memref.global":
                raise UserError(
                    f"'{user.name}' names @{symbol}, but the device has no memref.global of that name",
                    user.loc,
                )
            self.declarations[name] = self._global(op, name, user)
        return name

    def local_memory(self, op: Operation) -> str:
        """The C name of a `memref.alloca`: static, because a core's stack does not outlive a wait."""
        if op.operands:
            raise UserError("'memref.alloca' in core code needs a static size", op.loc)
        name = f"npu_local_{len(self.declarations)}"
        count = element_count(memref(op.result.type).shape)
        self.declarations[name] = f"static {element_type(op.result.type, op)} {name}[{count}];"
        return name

    def _global(self, op: Operation, name: str, user: Operation) -> str:
        type = user.results[0].type
        count = element_count(memref(type).shape)
        head = (
            f"static {'const ' if 'constant' in op.attributes else ''}{element_type(type, user)} "
            f"{name}[{count}]"
        )
        data = op.attributes.get("initial_value")
        if data is None or isinstance(data, UnitAttr):
            return head + ";"
        if not isinstance(data, DenseElementsAttr):
            raise UserError(f"the initial value of @{op.string('sym_name')} is not dense<…>", op.loc)
        literals = [_element_literal(text, element_of(type)) for text in data.values]
        if data.splat:
            literals *= count
        return f"{head} = {{{', '.join(literals)}}};"

    def call(self, op: Operation, operands: list[str]) -> list[str]:
        """Statements of a `func.call`; declares or defines the function."""
        symbol = op.symbol("callee")
        name, plain = c_name(symbol)
        returned = self._return_type(op, symbol, [r.type for r in op.results])
        if name not in self.declarations:
            callee = self._symbols.get(symbol)
            parameters = ", ".join(c_type(v.type, op) for v in op.operands) or "void"
            if callee is not None and callee.regions and callee.regions[0].blocks:
                self.declarations[name] = f"static {returned} {name}({parameters});"
                self._define(callee, name, returned)
            else:
                label = "" if plain else f' __asm__("{_quoted(symbol)}")'
                self.declarations[name] = f"extern {returned} {name}({parameters}){label};"
                self.functions_used[symbol] = callee
        call = f"{name}({', '.join(operands)})"
        if len(op.results) <= 1:
            return [call]
        return [call, *(f".r{i}" for i in range(len(op.results)))]

    def _return_type(self, op: Operation, symbol: str, types: list[str]) -> str:
        if not types:
            return "void"
        if len(types) == 1:
            return c_type(types[0], op)
        # Several results come back as a struct, as MLIR's lowering to LLVM does.
        name = f"struct npu_results_{c_name(symbol)[0]}"
        if name not in self.declarations:
            fields = " ".join(f"{c_type(t, op)} r{i};" for i, t in enumerate(types))
            self.declarations[name] = f"{name} {{ {fields} }};"
        return name

    def _define(self, function: Operation, name: str, returned: str) -> None:
        arguments, lines = self._write_body(self, function, returned)
        head = f"static {returned} {name}({', '.join(arguments) or 'void'}) {{"
        self.definitions.append("\n".join([head, *lines, "}"]) + "\n")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _element_literal(text: str, type: str) -> str:
    if type in FLOATS:
        return float_literal(text, type)
    value = {"true": 1, "false": 0}.get(text)
    signless = "i" + type.lstrip("sui")
    return integer_literal(int(text, 0) if value is None else value, signless)
