"""Vectors in core code: `vector` operations, and `arith` on vectors of integers, as C on clang's vectors.

Integers only where something is computed: a core adds and multiplies vectors of floats by rules of its own
(docs/kernels.md, "What is equal to the bit"), which plain C would not give, so such an operation is refused
by name and belongs into a kernel. Moving floats is exact and done. A vector of several dimensions is its
elements in row-major order.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.affine import AffineMap
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BoolAttr,
    DenseArrayAttr,
    DenseElementsAttr,
    EnumAttr,
    IntegerAttr,
    OpaqueAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import memref
from npuninja.lowering.core_code.memory import strides, subscript
from npuninja.lowering.core_code.types import (
    COMPARISONS,
    FLOATS,
    INTEGER_BITS,
    INTEGER_INFIX,
    SELECTIONS,
    UNSIGNED,
    c_type,
    float_literal,
    integer_literal,
    is_vector,
    vector_parts,
    vector_type,
)
from npuninja.lowering.op_builders import constant_value

#: What moves a vector -> its operands that are the vector, where it is no result, and the memref.
_TRANSFERS = {
    "vector.load": ("", "base"),
    "vector.store": ("valueToStore", "base"),
    "vector.transfer_read": ("", "source"),
    "vector.transfer_write": ("vector", "dest"),
}
_REDUCTIONS = {
    **{"add": "a + b", "mul": "a * b", "and": "a & b", "or": "a | b", "xor": "a ^ b"},
    **{name: f"a {sign} b ? a : b" for name, (sign, _) in SELECTIONS.items()},
}


def vector_statements(op: Operation, operands: list[str]) -> list[str] | None:
    """The C statements of a vector operation without result; None when `op` is no such operation."""
    if op.name in ("vector.store", "vector.transfer_write"):
        _plain_transfer(op)
        vector, memory = _moved(op)
        value, base, *indices = operands
        address = _address(op, memory, base, indices)
        return [f"{{ {c_type(vector.type, op)} t = {value}; __builtin_memcpy({address}, &t, sizeof t); }}"]
    return None


def vector_expression(op: Operation, operands: list[str]) -> str | None:
    """The C expression of a vector operation with one result; None when `op` has nothing to do with vectors.

    Raises:
        UserError: it has, and core code cannot do it; located at the operation.
    """
    types = [v.type for v in op.operands]
    if len(op.results) != 1 or not (is_vector(op.result.type) or any(map(is_vector, types))):
        return None
    result = op.result.type
    if op.name in ("vector.load", "vector.transfer_read"):
        _plain_transfer(op)
        type = c_type(result, op)
        base, *indices = operands
        address = _address(op, _moved(op)[1], base, indices)
        return f"({{ {type} t; __builtin_memcpy(&t, {address}, sizeof t); t; }})"
    if op.name in ("aievec.broadcast_scalar", "vector.broadcast", "vector.splat"):
        (value,) = operands
        return _broadcast(op, value)
    if op.name in ("vector.extract", "vector.extractelement"):
        return _extract(op, operands)
    if op.name == "vector.insert":
        return _insert(op, operands)
    if op.name in ("vector.shape_cast", "vector.bitcast"):
        if any("xi1>" in t for t in (types[0], result)) and op.name == "vector.bitcast":
            raise _refused(op)
        (value,) = operands
        return f"({c_type(result, op)}){value}"
    if op.name == "vector.reduction":
        return _reduction(op, operands)
    if op.name == "vector.fma":  # of floats always
        raise _refused(op)
    dialect, _, name = op.name.partition(".")
    return _arith(op, name, operands, types) if dialect == "arith" else None


def _refused(op: Operation) -> UserError:
    floats = any(
        vector_parts(v.type, op)[1] in FLOATS for v in (*op.operands, *op.results) if is_vector(v.type)
    )
    what = "compute with vectors of floats" if floats else "do this on vectors"
    return UserError(
        f"core code cannot {what} ('{op.name}')",
        op.loc,
        hint="do this in a kernel function, and call that from the core",
    )


def _moved(op: Operation) -> tuple[Value, Value]:
    """The vector that a load or store moves, and the memref."""
    vector, memory = _TRANSFERS[op.name]
    return operand(op, vector) if vector else op.result, operand(op, memory)


def _plain_transfer(op: Operation) -> None:
    """Refuses transfers that are no run of elements."""
    vector, memory = _moved(op)
    count, element = vector_parts(vector.type, op)
    found = strides(memory.type, op)
    shape = memref(memory.type).shape
    # A mask is an operand more.
    masked = len(group(op, "indices")) != len(shape)
    if masked or element == "i1" or not _takes_last_dimensions(op, len(shape), len(_shape(vector.type))):
        raise _refused(op)
    if found and found[-1] != 1:
        raise UserError(f"'{op.name}' in core code needs elements that lie side by side", op.loc)
    rows = vector.type.count("x") - 1
    if rows > 0 and tuple(shape[-rows:]) != _shape(vector.type)[1:]:
        raise UserError(f"'{op.name}' in core code needs rows that lie side by side", op.loc)
    if op.name.startswith("vector.transfer") and not _is_in_bounds(op, count, shape):
        raise UserError(
            f"'{op.name}' in core code needs in_bounds: what lies beyond the buffer is not filled in", op.loc
        )


def _takes_last_dimensions(op: Operation, of: int, count: int) -> bool:
    """Whether the `count` dimensions of a vector are the last of a buffer's `of`, in their order."""
    permutation = op.attributes.get("permutation_map")
    last = AffineMap(of, 0, tuple(("d", i) for i in range(of - count, of)))
    return permutation is None or permutation == OpaqueAttr(str(last))


def _is_in_bounds(op: Operation, count: int, shape: tuple[int, ...]) -> bool:
    """Whether a transfer stays in its buffer: it says so, or a known last index leaves the vector room."""
    in_bounds = op.attributes.get("in_bounds")
    if isinstance(in_bounds, ArrayAttr):
        return all(isinstance(i, BoolAttr) and i.value for i in in_bounds.items)
    first = constant_value(group(op, "indices")[-1]) if shape else None
    return first is not None and 0 <= first <= shape[-1] - count


def _shape(type: str) -> tuple[int, ...]:
    return tuple(int(n) for n in type[len("vector<") :].split("x")[:-1])


def _address(op: Operation, memory: Value, base: str, indices: list[str]) -> str:
    """Where the vector lies; after the indices there may be a value for what lies outside."""
    count = len(memref(memory.type).shape)
    return f"({base} + ({subscript(indices[:count], strides(memory.type, op))}))"


def _broadcast(op: Operation, value: str) -> str:
    count, element = vector_parts(op.result.type, op)
    type = c_type(op.result.type, op)
    source = operand(op, "input" if op.name == "vector.splat" else "source")
    if is_vector(source.type):
        inner, _ = vector_parts(source.type, op)
        numbers = ", ".join(str(i % inner) for i in range(count))
        return (
            f"({{ {c_type(source.type, op)} t = {value}; ({type})__builtin_shufflevector(t, t, "
            f"{numbers}); }})"
        )
    lane = f"-({value})" if element == "i1" else "t"
    return f"({{ __typeof__(({type}){{}}[0]) t = {value}; ({type}){{{', '.join([lane] * count)}}}; }})"


def _place(op: Operation, vector: Value, positions: list[str]) -> tuple[str, int]:
    """The number of the first element that is meant, and how many are."""
    shape = _shape(vector.type)
    if op.name.endswith("element"):
        return next(iter(positions), "0"), 1
    static = op.attributes.get("static_position")
    if static is None:
        static = op.attributes.get("position")
    numbers = _numbers(static)
    dynamic = iter(positions)
    texts = [next(dynamic) if n == DYNAMIC_INDEX else str(n) for n in numbers]
    place, left = "0", 1
    for extent in shape[len(texts) :]:
        left *= extent
    step = left
    terms = []
    for text, extent in reversed(list(zip(texts, shape))):
        terms.append(f"{text} * {step}")
        step *= extent
    place = " + ".join(terms) or "0"
    return place, left


def _numbers(attribute: Attribute | None) -> list[int]:
    if isinstance(attribute, DenseArrayAttr):
        return list(attribute.values)
    if isinstance(attribute, ArrayAttr):
        return [i.value for i in attribute.items if isinstance(i, IntegerAttr)]
    return []


def _extract(op: Operation, operands: list[str]) -> str:
    vector, *positions = operands
    whole = operand(op, "vector" if op.name == "vector.extractelement" else "source")
    place, count = _place(op, whole, positions)
    source = c_type(whole.type, op)
    if not is_vector(op.result.type):
        cut = " & 1" if op.result.type == "i1" else ""
        return f"({{ {source} t = {vector}; t[{place}]{cut}; }})"
    type = c_type(op.result.type, op)
    return (
        f"({{ {source} t = {vector}; {type} r; "
        f"__builtin_memcpy(&r, (const char *)&t + ({place}) * (int)sizeof t[0], sizeof r); r; }})"
        if count
        else vector
    )


def _insert(op: Operation, operands: list[str]) -> str:
    part, vector, *positions = operands
    stored, into = operand(op, "valueToStore"), operand(op, "dest")
    place, _count = _place(op, into, positions)
    type = c_type(op.result.type, op)
    if not is_vector(stored.type):
        value = f"-({part})" if stored.type == "i1" else part
        return f"({{ {type} t = {vector}; t[{place}] = {value}; t; }})"
    return (
        f"({{ {type} t = {vector}; {c_type(stored.type, op)} p = {part}; "
        f"__builtin_memcpy((char *)&t + ({place}) * (int)sizeof t[0], &p, sizeof p); t; }})"
    )


def _case(op: Operation, key: str) -> str:
    attribute = op.attributes.get(key)
    if isinstance(attribute, EnumAttr):
        return attribute.case
    return attribute.text.partition("<")[2].rstrip(">") if isinstance(attribute, OpaqueAttr) else ""


def _reduction(op: Operation, operands: list[str]) -> str:
    source = operand(op, "vector").type
    count, element = vector_parts(source, op)
    kind = _case(op, "kind")
    if element not in INTEGER_BITS or element == "i1" or kind not in _REDUCTIONS:
        raise _refused(op)
    lane = UNSIGNED[element] if kind.endswith("ui") else c_type(element, op)
    vector, *accumulator = operands
    start, first = (accumulator[0], 0) if accumulator else ("t[0]", 1)
    return (
        f"({{ {c_type(source, op)} t = {vector}; {lane} a = {start}; "
        f"for (int i = {first}; i < {count}; i++) {{ {lane} b = t[i]; a = ({lane})({_REDUCTIONS[kind]}); "
        f"}} a; }})"
    )


def vector_constant(op: Operation) -> str:
    """The C expression of an `arith.constant` that is a vector."""
    count, element = vector_parts(op.result.type, op)
    value = op.attributes["value"]
    if not isinstance(value, DenseElementsAttr):
        raise _refused(op)
    literals = [_literal(text, element) for text in value.values]
    if value.splat:
        literals *= count
    return f"({c_type(op.result.type, op)}){{{', '.join(literals)}}}"


def _literal(text: str, element: str) -> str:
    if element in FLOATS:
        return float_literal(text, element)
    truth = {"true": 1, "false": 0}.get(text)
    number = int(text, 0) if truth is None else truth
    return str(-(number & 1)) if element == "i1" else integer_literal(number, element)


def _arith(op: Operation, name: str, operands: list[str], types: list[str]) -> str:
    count, element = vector_parts(types[-1], op)  # the first of arith.select may be one i1
    result = c_type(op.result.type, op)
    if name == "select":
        return _select(op, operands, count, element)
    if (
        name in ("extsi", "extui", "trunci")
        and element != "i1"
        and vector_parts(op.result.type, op)[1] != "i1"
    ):
        (value,) = operands
        view = _unsigned(value, count, element, op) if name == "extui" else value
        lane = vector_parts(op.result.type, op)[1]
        return f"__builtin_convertvector({view}, {vector_type(count, lane, op)})"
    if element not in INTEGER_BITS:
        raise _refused(op)
    if name in INTEGER_INFIX:
        left, right = operands
        return f"({left} {INTEGER_INFIX[name]} {right})"
    if element == "i1":
        raise _refused(op)
    if name in ("shli", "shrsi", "shrui"):
        return _shift(op, name, operands, count, element)
    if name in SELECTIONS:
        sign, signed = SELECTIONS[name]
        a, b = (x if signed else _unsigned(x, count, element, op) for x in operands)
        left, right = operands
        return _blend(f"{a} {sign} {b}", left, right, result)
    if name == "cmpi":
        sign, signed = COMPARISONS[_case(op, "predicate")]
        a, b = (x if signed else _unsigned(x, count, element, op) for x in operands)
        return f"__builtin_convertvector({a} {sign} {b}, {result})"
    raise _refused(op)


def _unsigned(x: str, count: int, element: str, op: Operation) -> str:
    lane = UNSIGNED[element]
    bytes_each = INTEGER_BITS[element] // 8
    return f"(({lane} __attribute__((vector_size({count * bytes_each}), aligned(4)))){x})"


def _shift(op: Operation, name: str, operands: list[str], count: int, element: str) -> str:
    """Shifting by the width or more shifts everything out, as in the scalar operations."""
    width = INTEGER_BITS[element]
    type = c_type(op.result.type, op)
    value, by = operands
    amount = _unsigned(by, count, element, op)
    limit = f"({amount} < ({_unsigned('(' + type + '){}', count, element, op)} + {width}))"
    if name == "shrsi":
        most = f"(({type}){{}} + {width - 1})"
        return f"({value} >> {_blend(limit, by, most, type)})"
    shifted = value if name == "shli" else _unsigned(value, count, element, op)
    sign = "<<" if name == "shli" else ">>"
    safe = _blend(limit, by, f"({type}){{}}", type)
    return f"(({type})({shifted} {sign} ({type}){safe}) & ({type}){limit})"


def _blend(where: str, yes: str, no: str, type: str) -> str:
    """Lane by lane, by a comparison's 0 and -1."""
    return f"(({type})(((({type})({where})) & {yes}) | (~(({type})({where})) & {no})))"


def _select(op: Operation, operands: list[str], count: int, element: str) -> str:
    type = c_type(op.result.type, op)
    condition, yes, no = operands
    if not is_vector(operand(op, "condition").type):
        return f"({condition} ? {yes} : {no})"
    bits = {"f32": "i32", "f64": "i64", "bf16": "i16", "f16": "i16"}.get(element, element)
    words = vector_type(count, bits, op)
    where = f"__builtin_convertvector({condition}, {words})"
    blend = _blend(where, f"({words}){yes}", f"({words}){no}", words)
    return f"(({type}){blend})"
