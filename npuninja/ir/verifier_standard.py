"""Rules for single operations of func, arith, memref and scf."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.ir.attributes import TypeAttr
from npuninja.ir.core import Operation
from npuninja.ir.symbols import find_symbol
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import element_of, function_parts, memref
from npuninja.ir.verifier_tiles import op_error

if TYPE_CHECKING:
    from typing import Callable

_INTEGER = re.compile(r"i\d+|index")
_FLOAT = re.compile(r"bf16|f16|f32|f64")


def _function(op: Operation, name: str) -> Operation:
    """The function that an operation names. UserError when there is none."""
    function = find_symbol(op, name, "func.func")
    if function is None:
        hint = "declare it in the device with 'func.func private'"
        raise UserError(f"function '@{name}' is not declared", op.loc, hint=hint)
    return function


def _check_call(op: Operation) -> None:
    function = _function(op, op.symbol("callee"))
    arguments, results = function_parts(function.type_of("function_type"))
    given = tuple(v.type for v in op.operands), tuple(r.type for r in op.results)
    if given != (arguments, results):
        for i, (a, b) in enumerate(zip(given[0], arguments)):
            if a != b:
                raise _call_error(op, function, f"argument {i} has type {a}, expected {b}")
        if len(given[0]) != len(arguments):
            raise _call_error(op, function, f"{len(given[0])} arguments, expected {len(arguments)}")
        raise _call_error(op, function, f"results ({', '.join(given[1])}), expected ({', '.join(results)})")


def _check_function_value(op: Operation) -> None:
    name = op.symbol("value")
    function = _function(op, name)
    type = function.type_of("function_type")
    if type != op.result.type:
        raise UserError(
            f"'@{name}' has type {type}, not {op.result.type}",
            op.loc,
            notes=((f"'@{name}' is declared here", function.loc),),
        )


def _call_error(op: Operation, function: Operation, what: str) -> UserError:
    name = function.string("sym_name")
    return UserError(
        f"call of '@{name}': {what}", op.loc, notes=((f"'@{name}' is declared here", function.loc),)
    )


def _check_function(op: Operation) -> None:
    type = op.attributes.get("function_type")
    if not isinstance(type, TypeAttr):
        raise UserError("'func.func' requires attribute 'function_type'", op.loc)
    arguments, results = function_parts(type.type)
    if not op.regions or not op.regions[0].blocks:
        return
    given = tuple(a.type for a in op.body.args)
    if given != arguments:
        raise UserError(
            f"the body of the function takes ({', '.join(given)}), its type ({', '.join(arguments)})", op.loc
        )
    for block in op.regions[0].blocks:
        last = block.last
        if (
            last is not None
            and last.name == "func.return"
            and tuple(v.type for v in last.operands) != results
        ):
            given = tuple(v.type for v in last.operands)
            raise UserError(
                f"the function returns ({', '.join(results)}), got ({', '.join(given)})", last.loc
            )


def _check_subscript(op: Operation) -> None:
    target, indices = operand(op, "memref"), len(group(op, "indices"))
    if not target.type.startswith("memref<"):
        raise UserError(f"'{op.name}' needs a memref, got {target.type}", op.loc)
    array = memref(target.type)
    rank = len(array.shape)
    value = operand(op, "value") if op.name.endswith("store") else op.result
    if value.type != array.element:
        raise op_error(op, f"the value is {value.type}, an element of {target.type} is not")
    if indices != rank:
        raise UserError(
            f"'{op.name}' has {indices} subscripts, but {target.type} has {rank} dimensions", op.loc
        )


def _check_same_element(op: Operation) -> None:
    source, view = op.operands[0].type, op.result.type
    if element_of(source) != element_of(view):
        raise UserError(
            f"'{op.name}' makes a view of {element_of(view)} from one of {element_of(source)}", op.loc
        )


def _needs(family: re.Pattern[str], words: str) -> Callable[[Operation], None]:
    def check(op: Operation) -> None:
        first, *_ = op.operands  # `lhs`, or the only one
        if not family.fullmatch(element_of(first.type)):
            stem = op.name[6:].rstrip("if")
            other = f"arith.{stem}{'f' if words == 'integers' else 'i'}"
            hint = f"'{other}' does" if stem in ("add", "sub", "mul", "cmp") else None
            raise UserError(f"'{op.name}' works on {words}, not on {first.type}", op.loc, hint=hint)

    return check


def _check_loop(op: Operation) -> None:
    carried = [a.type for a in op.body.args[1:]]
    results = [r.type for r in op.results]
    last = op.body.last
    yielded = (
        [v.type for v in last.operands]
        if last is not None and last.name in ("scf.yield", "affine.yield")
        else []
    )
    if not carried == results == yielded:
        where = last.loc if last is not None else op.loc
        raise UserError(f"the loop carries ({', '.join(results)}), but yields ({', '.join(yielded)})", where)


def _check_branches(op: Operation) -> None:
    results = [r.type for r in op.results]
    if results and op.name.endswith(".if") and len(op.regions) < 2:
        raise UserError(f"'{op.name}' with results needs an 'else'", op.loc)
    for region in op.regions:
        last = region.blocks[-1].last
        yielded = [v.type for v in last.operands] if last is not None and last.name.endswith(".yield") else []
        if yielded != results:
            where = last.loc if last is not None else op.loc
            raise UserError(
                f"'{op.name}' gives ({', '.join(results)}), but yields ({', '.join(yielded)})", where
            )


_INTEGER_OPS = (
    "addi subi muli andi ori xori shli shrsi shrui divsi divui ceildivsi ceildivui floordivsi remsi remui "
    "maxsi maxui minsi minui cmpi extsi extui trunci sitofp uitofp index_cast index_castui addui_extended "
    "mulsi_extended mului_extended"
)
_FLOAT_OPS = "addf subf mulf divf remf negf maximumf minimumf maxnumf minnumf cmpf extf truncf fptosi fptoui"

#: Views that keep the type of their elements; `memref.view` is there to change it.
_VIEWS = (
    "memref.subview",
    "memref.cast",
    "memref.reinterpret_cast",
    "memref.collapse_shape",
    "memref.expand_shape",
)

STANDARD_RULES: dict[str, Callable[[Operation], None]] = {
    "func.func": _check_function,
    "func.call": _check_call,
    "func.constant": _check_function_value,
    "memref.load": _check_subscript,
    "memref.store": _check_subscript,
    **dict.fromkeys(_VIEWS, _check_same_element),
    "scf.for": _check_loop,
    "affine.for": _check_loop,
    "scf.if": _check_branches,
    "affine.if": _check_branches,
    "scf.index_switch": _check_branches,
    **{f"arith.{name}": _needs(_INTEGER, "integers") for name in _INTEGER_OPS.split()},
    **{f"arith.{name}": _needs(_FLOAT, "floats") for name in _FLOAT_OPS.split()},
}
