"""Integer constants in cores: folded, and removed when dead, as MLIR's greedy rewriting leaves them."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import EnumAttr, IntegerAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.control_flow.effects import is_removable, read_by
from npuninja.lowering.index_operations import ARITH_OF_INDEX
from npuninja.lowering.op_builders import constant, constant_value
from npuninja.lowering.tiles import ops_of

if TYPE_CHECKING:
    from typing import Callable


def _truncated(a: int, b: int) -> int | None:
    if b == 0:
        return None
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int | None:
    quotient = _truncated(a, b)
    return None if quotient is None else a - b * quotient


_BINARY: dict[str, Callable[[int, int], int | None]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.divsi": _truncated,
    "arith.remsi": _remainder,
    "arith.andi": lambda a, b: a & b,
    "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
    "arith.maxsi": max,
    "arith.minsi": min,
}

#: Folded operations of dialect `index` -> those of `arith` that do the same; MLIR does not fold its casts.
_OF_INDEX = {
    f"index.{name}": f"arith.{ARITH_OF_INDEX[name]}"
    for name in ("add", "sub", "mul", "and", "or", "xor", "maxs", "mins")
}

_PREDICATES: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
    "sgt": lambda a, b: a > b,
    "sge": lambda a, b: a >= b,
}

_CASTS = ("arith.index_cast", "arith.extsi", "arith.trunci")

COMMUTATIVE = frozenset(
    f"arith.{name}"
    for name in (
        "addi",
        "muli",
        "andi",
        "ori",
        "xori",
        "maxsi",
        "minsi",
        "addf",
        "mulf",
        "maximumf",
        "minimumf",
    )
)
#: Operations that `_fold` knows.
_FOLDED = frozenset({*_BINARY, *_OF_INDEX, *_CASTS, *COMMUTATIVE, "arith.cmpi", "arith.select"})
_SCALAR = re.compile(r"i\d+|index")
#: The predicate of a comparison with its sides exchanged.
_MIRRORED = {
    "slt": "sgt",
    "sle": "sge",
    "sgt": "slt",
    "sge": "sle",
    "ult": "ugt",
    "ule": "uge",
    "ugt": "ult",
    "uge": "ule",
}


def fold_constants(device: Operation, *, join: bool = True) -> None:
    """Folds integer operations on constants in a device's cores; removes pure operations without uses.

    With `join`, `(x + 1) + 2` becomes `x + 3`: only MLIR's canonicalizer does so; any rewrite does the rest.
    """
    for core in ops_of(device, "aie.core"):
        fold_constants_in(core, join=join)


def fold_constants_in(holder: Operation, *, join: bool = True) -> None:
    """Folds integer operations as `fold_constants` does, in one core or sequence."""
    _fold(holder, join)
    _remove_dead(holder)


def _fold(core: Operation, join: bool) -> None:
    replaced: dict[Value, Value] = {}
    for op in core.walk():
        op.operands[:] = [replaced.get(value, value) for value in op.operands]
        if op.name not in _FOLDED:
            continue
        _put_constant_right(op)
        if join:
            _join_constants(op)
        value = _folded(op)
        if value is None and join:
            value = _same_before_casts(op)
        if isinstance(value, int) and _SCALAR.fullmatch(op.result.type):
            number = _number(op, _wrapped(value, op.result.type))
            op.insert_before(number)
            replaced[op.result] = number.result
        elif isinstance(value, Value):
            replaced[op.result] = value
    if replaced:
        core.replace_uses(replaced)


def _number(op: Operation, value: int) -> Operation:
    """A constant in the dialect of the operation that it replaces."""
    if op.name in _OF_INDEX:
        return Operation("index.constant", [], {"value": IntegerAttr(value, "index")}, ("index",), loc=op.loc)
    return constant(value, op.result.type)


def _is_constant(value: Value) -> bool:
    return isinstance(value.owner, Operation) and value.owner.name in ("arith.constant", "index.constant")


def _put_constant_right(op: Operation) -> None:
    """A commutative operation, or a comparison, has its constant on the right."""
    if [_is_constant(value) for value in op.operands] != [True, False]:
        return
    if _OF_INDEX.get(op.name, op.name) in COMMUTATIVE:
        op.operands.reverse()
    elif op.name == "arith.cmpi":
        predicate = op.enum("predicate")
        op.attributes["predicate"] = EnumAttr("CmpIPredicate", _MIRRORED.get(predicate, predicate))
        op.operands.reverse()


def _join_constants(op: Operation) -> None:
    """Two operations with constants become one: `(x + 1) + 2` is `x + 3`, `(x + 1) - 3` is `x + -2`."""
    if op.name not in ("arith.addi", "arith.subi", "arith.muli"):
        return
    left, right = op.operands
    a, b = _signed(left), _signed(right)
    if (a is None) == (b is None):
        return
    inner, number = (left.owner, b) if a is None else (right.owner, a)
    if not isinstance(inner, Operation) or len(inner.operands) != 2 or number is None:
        return
    left, right = inner.operands
    x, y = _signed(left), _signed(right)
    if (x is None) == (y is None):
        return
    joined = _joined(op.name, a is None, inner.name, x is None, number, x if y is None else y)
    if joined is None:
        return
    name, value, on_the_right = joined
    constant_op = constant(_wrapped(value, op.result.type), op.result.type)
    op.insert_before(constant_op)
    variable = left if x is None else right
    op.name = name
    op.operands = [variable, constant_op.result] if on_the_right else [constant_op.result, variable]


def _joined(
    outer: str, outer_right: bool, inner: str, inner_right: bool, c1: int, c0: int | None
) -> tuple[str, int, bool] | None:
    """What an operation with constant c1 on one with constant c0 is: name, constant, constant on the right.

    `outer_right` and `inner_right`: on which side the constants are. Source: MLIR ArithCanonicalization.td.
    """
    assert c0 is not None
    add, sub = "arith.addi", "arith.subi"
    if outer == inner == "arith.muli":
        return outer, c0 * c1, True
    if outer == add and inner == add:
        return add, c0 + c1, True
    if outer == add and inner == sub:
        return (add, c1 - c0, True) if inner_right else (sub, c0 + c1, False)
    if outer == sub and inner == add:
        return (add, c0 - c1, True) if outer_right else (sub, c1 - c0, False)
    if outer == sub and inner == sub:
        if outer_right:
            return (sub, c0 + c1, True) if inner_right else (sub, c0 - c1, False)
        return (sub, c0 + c1, False) if inner_right else (add, c1 - c0, True)
    return None


def _folded(op: Operation) -> Value | int | None:
    """What an operation always results in: a number, one of its operands, or None when that is not known."""
    numbers = [_signed(value) for value in op.operands]
    name = _OF_INDEX.get(op.name, op.name)
    if name in _BINARY:
        a, b = numbers
        if a is not None and b is not None:
            return _BINARY[name](a, b)
        return _identity(op, b)
    if op.name in COMMUTATIVE:
        return None
    if op.name in _CASTS:
        sign = -1 if op.name == "arith.extsi" and operand(op, "in").type == "i1" else 1
        return None if numbers[0] is None else sign * numbers[0]
    if op.name == "arith.cmpi":
        predicate = op.attributes["predicate"]
        compare = _PREDICATES.get(predicate.case) if isinstance(predicate, EnumAttr) else None
        a, b = (0, 0) if operand(op, "lhs") is operand(op, "rhs") else numbers
        return int(compare(a, b)) if compare is not None and a is not None and b is not None else None
    yes, no = operand(op, "true_value"), operand(op, "false_value")  # arith.select
    if numbers[0] is not None:
        return yes if numbers[0] else no
    return yes if yes is no else None


def _same_before_casts(op: Operation) -> Value | None:
    """What an index was before it was cast to another type and back."""
    if op.name != "arith.index_cast" or not (inner := operand(op, "in").made_by("arith.index_cast")):
        return None
    before = operand(inner, "in")
    return before if before.type == op.result.type else None


def _identity(op: Operation, right: int | None) -> Value | int | None:
    """What `x op right` is for any x."""
    left, other = op.operands
    name, same = _OF_INDEX.get(op.name, op.name)[6:], left is other
    if (right == 0 and name in ("addi", "subi", "ori", "xori")) or (right == 1 and name in ("muli", "divsi")):
        return left
    if same and name in ("andi", "ori", "maxsi", "minsi"):
        return left
    if (right == 0 and name in ("muli", "andi")) or (same and name in ("subi", "xori")):
        return 0
    return None


def _signed(value: Value) -> int | None:
    """The number of a constant, read as signed: `4294967295 : i32` is -1."""
    number = constant_value(value)
    made = value.made_by("index.constant") if number is None else None
    if made is not None:
        number = made.integer("value")
    return None if number is None else _wrapped(number, value.type)


def _wrapped(value: int, type: str) -> int:
    """`value` in the range of a signless integer type, read as signed; i1 is 0 or 1."""
    bits = 64 if type == "index" else int(type[1:])
    value &= (1 << bits) - 1
    return value - (1 << bits) if bits > 1 and value >> (bits - 1) else value


def _remove_dead(core: Operation) -> None:
    used: dict[Value, int] = {}
    ops = list(core.walk())
    for op in ops:
        for value in read_by(op):
            used[value] = used.get(value, 0) + 1
    for op in reversed(ops):  # uses come after definitions
        if op is core or op.parent is None or any(used.get(result) for result in op.results):
            continue
        if is_removable(op):
            for inner in op.walk():
                for value in read_by(inner):
                    used[value] -= 1
            op.erase()
