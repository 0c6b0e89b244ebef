"""`arith` and `math` operations as C expressions. For what C leaves open see `prelude`."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.lowering.core_code.types import (
    COMPARISONS,
    FLOATS,
    INTEGER_BITS,
    INTEGER_INFIX,
    SELECTIONS,
    UNSIGNED,
    c_type,
)
from npuninja.lowering.index_operations import ARITH_OF_INDEX

_SIGNED_CALLS = {
    "divsi": "npu_div_s",
    "remsi": "npu_rem_s",
    "floordivsi": "npu_floordiv_s",
    "ceildivsi": "npu_ceildiv_s",
}
_UNSIGNED_CALLS = {"divui": "npu_div_u", "remui": "npu_rem_u", "ceildivui": "npu_ceildiv_u"}
_SHIFTS = {"shli": "npu_shl", "shrsi": "npu_shr_s", "shrui": "npu_shr_u"}
_FLOAT_INFIX = {"addf": "+", "subf": "-", "mulf": "*", "divf": "/"}
_FLOAT_CALLS = {
    "maximumf": "npu_maximum",
    "minimumf": "npu_minimum",
    "maxnumf": "npu_maxnum",
    "minnumf": "npu_minnum",
    "round": "npu_round",
    "copysign": "__builtin_copysign",
    "fpowi": "npu_powi",
}
# C comparisons are false when an operand is NaN (!= is true); "u" predicates are true then.
_FLOAT_COMPARISONS = {
    "false": "0",
    "oeq": "{a} == {b}",
    "ogt": "{a} > {b}",
    "oge": "{a} >= {b}",
    "olt": "{a} < {b}",
    "ole": "{a} <= {b}",
    "one": "{a} < {b} || {a} > {b}",
    "ord": "{a} == {a} && {b} == {b}",
    "ueq": "!({a} < {b} || {a} > {b})",
    "ugt": "!({a} <= {b})",
    "uge": "!({a} < {b})",
    "ult": "!({a} >= {b})",
    "ule": "!({a} > {b})",
    "une": "{a} != {b}",
    "uno": "{a} != {a} || {b} != {b}",
    "true": "1",
}
# Functions of one float argument: compiler builtins that are instructions, our own, and C library functions.
_BUILTIN_MATH = {
    **{name: f"__builtin_{name}" for name in ("ceil", "floor", "sqrt", "trunc")},
    **{"absf": "__builtin_fabs", "roundeven": "__builtin_rint", "rsqrt": "1 / __builtin_sqrt"},
}
#: Operation -> function of the C library.
_LIBRARY = {
    **{
        name: name
        for name in (
            "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "erf", "exp", "exp2", "expm1", "log", "log10", "log1p",
            "log2", "sin", "sinh", "tan", "tanh",
        )
    },
    **{"powf": "pow", "remf": "fmod"},
}  # fmt: skip
_CONVERSIONS = (
    "extsi", "extui", "trunci", "sitofp", "uitofp", "fptosi", "fptoui", "extf", "truncf", "bitcast",
)  # fmt: skip


class Arithmetic:
    """Translates operations; collects the library functions they call.

    Attributes:
        library: name of each C library function used -> number of its arguments, and "float" or "double".
    """

    def __init__(self) -> None:
        self.library: dict[str, tuple[int, str]] = {}

    def expressions(self, op: Operation, operands: list[str]) -> list[str] | None:
        """One C expression for each result, from C expressions without side effects for the operands.

        None when the operation is no scalar operation of `arith` or `math` that core code knows.
        """
        dialect, _, name = op.name.partition(".")
        if dialect == "index":
            name = ARITH_OF_INDEX.get(name, "")
        elif dialect not in ("arith", "math"):
            return None
        if not name or not op.results:
            return None
        types = [v.type for v in op.operands]
        result = op.results[0].type
        if name in ("index_cast", "index_castui"):
            name = _index_cast(types[0], result, name)
        if result.startswith("vector<") or any(t.startswith("vector<") for t in types):
            return None
        if name == "select":
            condition, yes, no = operands
            return [f"{condition} ? {yes} : {no}"]
        if name in _CONVERSIONS:
            (value,) = operands
            return [_convert(op, name, value, types[0], result)]
        if name == "cmpf":
            a, b = (_widened(x, t) for x, t in zip(operands, types))
            return [_FLOAT_COMPARISONS[op.enum("predicate")].format(a=a, b=b)]
        if types and types[0] in INTEGER_BITS:
            return _integer(op, name, operands, types[0])
        if types and types[0] in FLOATS:
            return self._float(name, operands, types)
        return None

    def _float(self, name: str, operands: list[str], types: list[str]) -> list[str] | None:
        type = types[0]
        wide = "double" if type == "f64" else "float"
        a = [_widened(x, t) for x, t in zip(operands, types)]
        end = "" if wide == "double" else "f"
        if name == "negf" and type in ("f16", "bf16"):  # only the sign changes, of NaN too
            (value,) = operands
            return [f"{value} ^ 0x8000"]
        if name in _FLOAT_INFIX:
            value = f"{a[0]} {_FLOAT_INFIX[name]} {a[1]}"
        elif name in _FLOAT_CALLS:
            value = f"({wide}){_FLOAT_CALLS[name]}({', '.join(a)})"
        elif name in _BUILTIN_MATH:
            value = f"{_BUILTIN_MATH[name]}{end}({a[0]})"
        elif name == "negf":
            value = f"-{a[0]}"
        elif name == "fma" and wide == "float":
            value = f"npu_fma({', '.join(a)})"
        elif name in _LIBRARY:
            value = f"{self._call(_LIBRARY[name], wide, len(a))}({', '.join(a)})"
        else:
            return None
        return [_narrowed(value, type)]

    def _call(self, function: str, wide: str, arguments: int) -> str:
        name = function if wide == "double" else function + "f"
        self.library[name] = (arguments, wide)
        return name


def _wrapped(expression: str, type: str, op: Operation) -> str:
    """An integer expression cut to its type's width."""
    return f"({expression}) & 1" if type == "i1" else f"({c_type(type, op)})({expression})"


def _signed(x: str, type: str) -> str:
    return f"(-(int){x})" if type == "i1" else x


def _unsigned(x: str, type: str) -> str:
    return f"({UNSIGNED[type]}){x}"


def _integer(op: Operation, name: str, operands: list[str], type: str) -> list[str] | None:
    a, b = (*operands, "")[:2]
    width = INTEGER_BITS[type]
    if name in INTEGER_INFIX:
        return [_wrapped(f"{a} {INTEGER_INFIX[name]} {b}", type, op)]
    if name in _SIGNED_CALLS:
        return [_wrapped(f"{_SIGNED_CALLS[name]}({_signed(a, type)}, {_signed(b, type)})", type, op)]
    if name in _UNSIGNED_CALLS:
        return [_wrapped(f"{_UNSIGNED_CALLS[name]}({_unsigned(a, type)}, {_unsigned(b, type)})", type, op)]
    if name in _SHIFTS:
        shifted = _unsigned(a, type) if name == "shrui" else _signed(a, type)
        return [_wrapped(f"{_SHIFTS[name]}({shifted}, {_unsigned(b, type)}, {width})", type, op)]
    if name in SELECTIONS:
        sign, signed = SELECTIONS[name]
        view = _signed if signed else _unsigned
        return [f"{view(a, type)} {sign} {view(b, type)} ? {a} : {b}"]
    if name == "cmpi":
        sign, signed = COMPARISONS[op.enum("pred" if op.name == "index.cmp" else "predicate")]
        view = _signed if signed else _unsigned
        return [f"{view(a, type)} {sign} {view(b, type)}"]
    if name == "addui_extended":
        total = _wrapped(f"{a} + {b}", type, op)
        return [total, f"{_unsigned(f'({total})', type)} < {_unsigned(a, type)}"]
    if name in ("mulsi_extended", "mului_extended"):
        return _extended_product(op, name, a, b, type)
    if name == "absi":
        return [_wrapped(f"{_signed(a, type)} < 0 ? -{_signed(a, type)} : {a}", type, op)]
    if name == "ipowi":
        return [_wrapped(f"npu_power({_signed(a, type)}, {_signed(b, type)})", type, op)]
    if name == "ctpop":
        return [f"__builtin_popcountll({_unsigned(a, type)})"]
    if name in ("ctlz", "cttz"):
        function = "npu_leading_zeros" if name == "ctlz" else "npu_trailing_zeros"
        return [_wrapped(f"{function}({_unsigned(a, type)}, {width})", type, op)]
    return None


def _extended_product(op: Operation, name: str, a: str, b: str, type: str) -> list[str]:
    width = INTEGER_BITS[type]
    signed = name == "mulsi_extended"
    view = _signed if signed else _unsigned
    low = _wrapped(f"{a} * {b}", type, op)
    if width == 64:
        return [low, f"npu_high_{'s' if signed else 'u'}({a}, {b})"]
    wide = "long long" if signed else "unsigned long long"
    return [low, _wrapped(f"(({wide}){view(a, type)} * {view(b, type)}) >> {width}", type, op)]


def _index_cast(source: str, target: str, name: str) -> str:
    if INTEGER_BITS.get(source, 0) > INTEGER_BITS.get(target, 0):
        return "trunci"
    return "extsi" if name == "index_cast" else "extui"


def _widened(x: str, type: str) -> str:
    """A float operand as float or double."""
    return f"npu_from_{type}({x})" if type in ("f16", "bf16") else x


def _narrowed(value: str, type: str) -> str:
    """A float or double result in its type's storage."""
    return f"npu_to_{type}({value})" if type in ("f16", "bf16") else value


def _convert(op: Operation, name: str, x: str, source: str, target: str) -> str:
    if name == "trunci":
        return _wrapped(x, target, op)
    if name == "extsi":
        return f"({c_type(target, op)}){_signed(x, source)}"
    if name == "extui":
        return f"({c_type(target, op)}){_unsigned(x, source)}"
    if name in ("sitofp", "uitofp"):
        view = _signed if name == "sitofp" else _unsigned
        return _narrowed(f"({'double' if target == 'f64' else 'float'})({view(x, source)})", target)
    if name == "fptosi":
        bits = INTEGER_BITS[target]
        low, high = f"-{(1 << (bits - 1)) - 1}LL - 1", f"{(1 << (bits - 1)) - 1}LL"
        return _wrapped(f"npu_float_to_s({_widened(x, source)}, {low}, {high})", target, op)
    if name == "fptoui":
        return _wrapped(
            f"npu_float_to_u({_widened(x, source)}, {(1 << INTEGER_BITS[target]) - 1}ULL)", target, op
        )
    if name == "extf":
        return _widened(x, source)
    if name == "truncf":
        if "roundingmode" in op.attributes and op.enum("roundingmode") != "to_nearest_even":
            raise UserError(f"core code rounds to nearest even only, not {op.enum('roundingmode')}", op.loc)
        if target == "f32":
            return f"(float){x}"
        return _narrowed(f"npu_narrow_odd({x})" if source == "f64" else _widened(x, source), target)
    return _bitcast(x, source, target)


#: Functions of the prelude that give the bits of another type.
_BITCASTS = {
    ("f32", "i32"): "(int)npu_float_bits",
    ("i32", "f32"): "npu_bits_float",
    ("f64", "i64"): "npu_double_bits",
    ("i64", "f64"): "npu_bits_double",
}


def _bitcast(x: str, source: str, target: str) -> str:
    if (source, target) in _BITCASTS:
        return f"{_BITCASTS[source, target]}({x})"
    # What is left has 16 bits, kept as an integer anyway, or is of one type.
    return f"({'short' if target == 'i16' else 'unsigned short'}){x}" if source != target else x
