"""Affine loops, conditions and accesses to scf, memref and arith (MLIR: lower-affine)."""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.ir.affine import AffineMap, Expression, ExpressionReader
from npuninja.ir.attributes import Attribute, EnumAttr, OpaqueAttr
from npuninja.ir.core import Operation, Region, Value, final
from npuninja.ir.custom_affine import map_of
from npuninja.ir.syntax import group, operand
from npuninja.lowering.op_builders import constant

if TYPE_CHECKING:
    from typing import Callable

#: An index does not leave its range when it is scaled.
_NO_WRAP: dict[str, Attribute] = {"overflowFlags": OpaqueAttr("#arith.overflow<nsw>")}

_ARITH = {"+": "arith.addi", "*": "arith.muli"}


def lower_affine(module: Operation) -> None:
    """Replaces every affine operation of a module. Raises UserError for one that has no lowering."""
    replaced: dict[Value, Value] = {}
    ops = [op for op in module.walk() if op.name.startswith("affine.")]
    for op in ops:
        if op.name == "affine.yield":
            op.name = "scf.yield"
            continue
        lowering = _LOWERINGS.get(op.name)
        if lowering is None:
            raise UserError(
                f"{op.name} is not supported", op.loc, hint="use scf, memref and arith operations"
            )
        new = lowering(op)
        if new is not None:
            op.insert_before(new)
            op.erase()
            replaced.update(zip(op.results, new.results))
        elif op.name == "affine.apply":
            replaced[op.result] = _apply(op, _map(op))[0]
            op.erase()
        elif op.name in ("affine.min", "affine.max"):
            replaced[op.result] = _extreme(op, _map(op), op.operands, op.name == "affine.max")
            op.erase()
    if replaced:
        module.replace_uses({value: final(value, replaced) for value in replaced})


def _map(op: Operation, key: str = "map") -> AffineMap:
    return map_of(op.attributes[key])


class _Emitter:
    """Puts the operations that compute affine expressions before an operation."""

    def __init__(self, place: Operation, dimensions: list[Value], symbols: list[Value]) -> None:
        self.place = place
        self.dimensions = dimensions
        self.symbols = symbols

    def op(
        self,
        name: str,
        operands: list[Value],
        attributes: dict[str, Attribute] | None = None,
        type: str = "index",
    ) -> Value:
        """One operation with one result."""
        return self.place.insert_before(
            Operation(name, operands, attributes, (type,), loc=self.place.loc)
        ).result

    def number(self, value: int) -> Value:
        """A constant of type index."""
        return self.place.insert_before(constant(value, "index")).result

    def compare(self, predicate: str, left: Value, right: Value) -> Value:
        """Makes `arith.cmpi`."""
        return self.op("arith.cmpi", [left, right], {"predicate": EnumAttr("CmpIPredicate", predicate)}, "i1")

    def expression(self, e: Expression) -> Value:
        """The value of an expression. Divisors are positive, as affine expressions demand."""
        kind = e[0]
        if kind == "c":
            return self.number(e[1])
        if kind == "d":
            return self.dimensions[e[1]]
        if kind == "s":
            return self.symbols[e[1]]
        left, right = self.expression(e[1]), self.expression(e[2])
        if kind in _ARITH:
            return self.op(_ARITH[kind], [left, right], _NO_WRAP if kind == "*" else None)
        if kind == "mod":
            rest = self.op("arith.remsi", [left, right])
            negative = self.compare("slt", rest, self.number(0))
            return self.op("arith.select", [negative, self.op("arith.addi", [rest, right]), rest])
        # Division truncates: a negative (floor) or positive (ceiling) dividend is mirrored before and after.
        if kind == "floordiv":
            minus_one = self.number(-1)
            mirror = self.compare("slt", left, self.number(0))
            mirrored = self.op("arith.subi", [minus_one, left])
            quotient = self.op("arith.divsi", [self.op("arith.select", [mirror, mirrored, left]), right])
            return self.op("arith.select", [mirror, self.op("arith.subi", [minus_one, quotient]), quotient])
        zero, one = self.number(0), self.number(1)
        mirror = self.compare("sle", left, zero)
        negated = self.op("arith.subi", [zero, left])
        decremented = self.op("arith.subi", [left, one])
        quotient = self.op("arith.divsi", [self.op("arith.select", [mirror, negated, decremented]), right])
        low, high = self.op("arith.subi", [zero, quotient]), self.op("arith.addi", [quotient, one])
        return self.op("arith.select", [mirror, low, high])


def _values(op: Operation, map: AffineMap, operands: list[Value]) -> list[Value]:
    emitter = _Emitter(op, operands[: map.dimensions], operands[map.dimensions :])
    return [emitter.expression(e) for e in map.results]


def _apply(op: Operation, map: AffineMap) -> list[Value]:
    return _values(op, map, op.operands)


def _extreme(op: Operation, map: AffineMap, operands: list[Value], largest: bool) -> Value:
    """The largest or smallest result of a map."""
    first, *others = _values(op, map, operands)
    emitter = _Emitter(op, [], [])
    for other in others:
        first = emitter.op("arith.maxsi" if largest else "arith.minsi", [first, other])
    return first


def _lower_for(op: Operation) -> Operation:
    low = _extreme(op, _map(op, "lowerBoundMap"), group(op, "lowerBoundOperands"), True)
    high = _extreme(op, _map(op, "upperBoundMap"), group(op, "upperBoundOperands"), False)
    step = _Emitter(op, [], []).number(op.integer("step", 1))
    return _replacement(op, "scf.for", [low, high, step, *group(op, "inits")])


def _lower_if(op: Operation) -> Operation:
    emitter, conditions = _constraints(op)
    zero = emitter.number(0)
    flag: Value | None = None
    for e, predicate in conditions:
        test = emitter.compare(predicate, emitter.expression(e), zero)
        flag = test if flag is None else emitter.op("arith.andi", [flag, test], type="i1")
    if flag is None:
        raise UserError("the set of an affine.if has no constraint", op.loc)
    return _replacement(op, "scf.if", [flag])


def _constraints(op: Operation) -> tuple[_Emitter, list[tuple[Expression, str]]]:
    """The constraints `expression >= 0` (sge) or `expression == 0` (eq) of an affine.if."""
    text = str(getattr(op.attributes["condition"], "text", ""))
    found = re.fullmatch(r"affine_set<\(([^)]*)\)(?:\[([^\]]*)\])? : \((.*)\)>", text)
    if found is None:
        raise UserError(f"'{text}' is not an affine set", op.loc)
    dims, symbols = (
        [name.strip() for name in (names or "").split(",") if name.strip()] for names in found.group(1, 2)
    )
    leaves: dict[str, Expression] = {name: ("d", i) for i, name in enumerate(dims)}
    leaves.update((name, ("s", i)) for i, name in enumerate(symbols))
    conditions: list[tuple[Expression, str]] = []
    for part in found[3].split(","):
        side, sign, zero = re.split(r"(>=|==)", part, maxsplit=1)
        if zero.strip() != "0":
            raise UserError(f"the constraint '{part.strip()}' of an affine.if is not compared with 0", op.loc)
        tokens = re.findall(r"\d+|[A-Za-z_]\w*|[-+*()]", side)
        conditions.append(
            (ExpressionReader([*tokens, ""], leaves.__getitem__).sum(), "sge" if sign == ">=" else "eq")
        )
    values = group(op, "operands")
    return _Emitter(op, values[: len(dims)], values[len(dims) :]), conditions


def _replacement(op: Operation, name: str, operands: list[Value]) -> Operation:
    """An operation with the regions and results of `op`."""
    new = Operation(name, operands, {}, tuple(r.type for r in op.results), _moved(op), loc=op.loc)
    for old, result in zip(op.results, new.results):
        result.name = old.name
    return new


def _moved(op: Operation) -> list[Region]:
    regions, op.regions = op.regions, []
    return regions


def _lower_load(op: Operation) -> Operation:
    indices = _values(op, _map(op), group(op, "indices"))
    return Operation("memref.load", [operand(op, "memref"), *indices], {}, (op.result.type,), loc=op.loc)


def _lower_store(op: Operation) -> Operation:
    indices = _values(op, _map(op), group(op, "indices"))
    return Operation("memref.store", [operand(op, "value"), operand(op, "memref"), *indices], loc=op.loc)


def _in_place(op: Operation) -> None:
    """The operation becomes the operations of its expressions."""


_LOWERINGS: dict[str, Callable[[Operation], Operation | None]] = {
    "affine.for": _lower_for,
    "affine.if": _lower_if,
    "affine.load": _lower_load,
    "affine.store": _lower_store,
    "affine.apply": _in_place,
    "affine.min": _in_place,
    "affine.max": _in_place,
}
