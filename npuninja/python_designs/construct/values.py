"""SSA values with Python's operators: scalars compute, memrefs are indexed.

Nothing is folded: what is written is what is printed, as with MLIR's own bindings.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from npuninja.ir import core
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.types import memref
from npuninja.lowering.core_code.types import FLOATS
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.operations import Block, MLIRError, OpView, ir_value, make, view_of
from npuninja.python_designs.construct.types import (
    F32Type,
    F64Type,
    IndexType,
    IntegerType,
    MemRefType,
    RankedTensorType,
    ShapedType,
    Type,
    VectorType,
    mlir_type,
    type_of,
)


class Value:
    """An SSA value."""

    ir: core.Value

    def __init__(self, value: Any, dtype: Any = None) -> None:
        self.ir = value if isinstance(value, core.Value) else ir_value(value)

    @property
    def type(self) -> Type:
        """Its type."""
        return type_of(self.ir.type)

    @property
    def result(self) -> Value:
        """Itself: `LoadOp` and others that are operations in the bindings give a value here."""
        return self

    @property
    def owner(self) -> Any:
        """The operation it is a result of, or the block it is an argument of."""
        owner = self.ir.owner
        return view_of(owner) if isinstance(owner, core.Operation) else Block(owner) if owner else None

    def get_name(self, *options: Any, **more: Any) -> str:
        """A name for it; names are given while printing, so this one only tells it apart."""
        return f"%{self.ir.name or id(self.ir)}"

    def __eq__(self, other: object) -> Any:
        return isinstance(other, Value) and other.ir is self.ir

    def __hash__(self) -> int:
        return id(self.ir)

    def __repr__(self) -> str:
        return f"Value({self.ir!r})"


def _is_number(given: Any) -> bool:
    return isinstance(given, (int, float, np.integer, np.floating, np.bool_))


def _is_value(given: Any) -> bool:
    return isinstance(given, (Value, OpView))


class ScalarValue(Value):
    """An integer, float or index for Python's operators (`_OPERATORS`); a number becomes a constant."""

    def __init__(self, value: Any, dtype: Any = None, *, fold: Any = None) -> None:
        if _is_number(value):
            value = constant(value, type=dtype)
        super().__init__(value)

    @property
    def dtype(self) -> Type:
        """Its type."""
        return self.type

    def is_constant(self) -> bool:
        """Whether an `arith.constant` defines it."""
        owner = self.ir.owner
        return isinstance(owner, core.Operation) and owner.name == "arith.constant"

    @property
    def literal_value(self) -> Any:
        """The number of a constant."""
        if not self.is_constant():
            raise ValueError(
                f"this {type(self).__name__} is computed by the design, "
                "so it has no number while the design is built"
            )
        owner = self.ir.owner
        assert isinstance(owner, core.Operation)
        attribute: Any = owner.attributes["value"]
        return float(attribute.text) if hasattr(attribute, "text") else attribute.value

    def __int__(self) -> int:
        return int(self.literal_value)

    def __float__(self) -> float:
        return float(self.literal_value)

    def __neg__(self) -> Any:
        if self.type.text in FLOATS:
            return _result("arith.negf", [self], self.type)
        return _arithmetic("sub", 0, self)

    def __bool__(self) -> bool:
        raise TypeError(
            "a value of the design is not known while the design is built: use if_(…) instead of Python's if"
        )


def value_of(value: core.Value) -> Any:
    """A value as an object of the class for its type."""
    if value.type.startswith("memref<"):
        return MemRefValue(value)
    if value.type.startswith("vector<"):
        return VectorValue(value)
    if value.type[0] == "!" or value.type.startswith("("):
        return Value(value)
    return ScalarValue(value)


def _result(name: str, operands: Sequence[Any], type: Any, attributes: dict[str, Any] | None = None) -> Any:
    return value_of(make(name, operands, attributes, (type,)).result)


def constant(
    value: Any, type: Any = None, index: bool | None = None, *, vector: bool = False, **_: Any
) -> Any:
    """`arith.constant`: of type `type`, of index, or of the type that suits the number."""
    if index:
        found: Type = type_of("index")
    elif type is None:
        found = infer_mlir_type(value, vector=vector)
    else:
        found = mlir_type(type)
    if attrs.is_attribute(value):
        attribute: Any = value
    elif isinstance(found, ShapedType):
        attribute = attrs.dense_elements(value, found)
    else:
        try:
            attribute = attrs.number_attribute(value, found)
        except TypeError as error:
            raise MLIRError(str(error)) from None
    return _result("arith.constant", [], found, {"value": attribute})


def infer_mlir_type(value: Any, memref: bool = False, vector: bool = False) -> Type:
    """The type of a constant that is given without one. What is refused, and how, is as in the bindings.

    Raises:
        RuntimeError: an integer of more than 64 bits.
        NotImplementedError: neither a number nor an array.
    """
    if isinstance(value, (bool, np.bool_)):
        return type_of("i1")
    if isinstance(value, np.generic) and not isinstance(value, (float, int)):
        return mlir_type(type(value))
    if isinstance(value, int):
        for width in (32, 64):
            if -(1 << width - 1) <= value < 1 << width - 1:
                return type_of(f"i{width}")
            if 0 <= value < 1 << width:
                return type_of(f"ui{width}")
        raise RuntimeError(f"{value} fits into no integer of 64 bits")
    if isinstance(value, float):
        limit = float(np.finfo(np.float32).max)
        fits = value != value or abs(value) == float("inf") or abs(value) <= limit
        return F32Type.get() if fits else F64Type.get()  # type: ignore[attr-defined, no-any-return]
    if isinstance(value, np.ndarray):
        kind = MemRefType if memref else VectorType if vector else RankedTensorType
        return kind.get(value.shape, value.dtype.type)
    raise NotImplementedError(
        f"{value!r} ({type(value)}) is no number or array that a constant can be made of"
    )


def index_cast(value: Any, to: Any = None, *more: Any, **_: Any) -> Any:
    """`arith.index_cast`: of a value to a type; the plain dialect's order `index_cast(type, value)` too."""
    if isinstance(value, Type) and to is not None:
        value, to = to, value
    target = type_of("index") if to is None else mlir_type(to)
    return _result("arith.index_cast", [value], target)


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands as values of one type."""
    if not _is_value(a):
        return constant(a, type=_type_for(a, value_type(b))), b
    if not _is_value(b):
        return a, constant(b, type=_type_for(b, value_type(a)))
    a, b = value_of(ir_value(a)), value_of(ir_value(b))
    if a.type != b.type:
        if "index" in (a.type.text, b.type.text):
            return a, index_cast(b, a.type)
        raise ValueError(f"{a!r} is of {a.type} and {b!r} of {b.type}: convert one of them first")
    return a, b


def value_type(given: Any) -> Type:
    """The MLIR type of a value of the design: a number's, an operation's result's."""
    return type_of(ir_value(given).type)


def _type_for(number: Any, type: Type) -> Type:
    if not _is_number(number):
        raise ValueError(f"{number!r} is no number, and the other operand is of {type}")
    return type


def _is_float(type: Type) -> bool:
    return (type.element_type.text if isinstance(type, ShapedType) else type.text) in FLOATS


#: Python's operator -> the operation on integers and on floats, without `arith.`; "" where there is none.
_OPERATORS = {
    "add": ("addi", "addf"), "sub": ("subi", "subf"), "mul": ("muli", "mulf"), "truediv": ("divsi", "divf"),
    "floordiv": ("floordivsi", ""), "mod": ("remsi", "remf"), "and": ("andi", ""), "or": ("ori", ""),
    "xor": ("xori", ""), "lshift": ("shli", ""), "rshift": ("shrsi", ""),
}  # fmt: skip
#: Those that the bindings have with a number on the left as well.
_REFLECTED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "and", "or")
#: What messages call them.
_WORDS = {"truediv": "div", "mod": "rem", "lshift": "shl", "rshift": "shr"}


def _arithmetic(operator: str, a: Any, b: Any) -> Any:
    if not all(_is_number(x) or _is_value(x) for x in (a, b)):
        return NotImplemented
    a, b = _pair(a, b)
    type = value_type(a)
    of_integers, of_floats = _OPERATORS[operator]
    word = _WORDS.get(operator, operator)
    if _is_float(type):
        if not of_floats:
            raise ValueError(f"{word} is not supported on values of type {type}")
        return _result(f"arith.{of_floats}", [a, b], type)
    element = type.element_type if isinstance(type, ShapedType) else type
    signed = isinstance(element, IntegerType) and not element.is_signless
    if word in ("div", "floordiv", "rem") and signed:
        raise ValueError(f"{word} is not supported on values of type {type}: only on signless integers")
    return _result(f"arith.{of_integers}", [a, b], type)


def _comparison(kind: str, a: Any, b: Any) -> Any:
    if not all(_is_number(x) or _is_value(x) for x in (a, b)):
        return kind == "ne"
    a, b = _pair(a, b)
    type = value_type(a)
    result = type_of("i1")
    if _is_float(type):
        return _result("arith.cmpf", [a, b], result, {"predicate": EnumAttr("CmpFPredicate", "o" + kind)})
    if kind in ("eq", "ne"):
        predicate = kind
    elif isinstance(type, IndexType):
        if generation.is_first():
            raise AttributeError("'IndexType' object has no attribute 'is_signed'")
        predicate = "u" + kind
    else:
        unsigned = isinstance(type, IntegerType) and type.is_unsigned
        predicate = ("u" if unsigned else "s") + kind
    return _result("arith.cmpi", [a, b], result, {"predicate": EnumAttr("CmpIPredicate", predicate)})


def _operator(function: Callable[[str, Any, Any], Any], kind: str, reflected: bool = False) -> Any:
    """A method of Python's for an operator."""
    if reflected:
        return lambda self, other: function(kind, other, self)
    return lambda self, other: function(kind, self, other)


for _name in _OPERATORS:
    setattr(ScalarValue, f"__{_name}__", _operator(_arithmetic, _name))
for _name in _REFLECTED:
    setattr(ScalarValue, f"__r{_name}__", _operator(_arithmetic, _name, reflected=True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(ScalarValue, f"__{_name}__", _operator(_comparison, _name))


class VectorValue(ScalarValue):
    """A vector: computes as scalars do, element by element."""

    @property
    def shape(self) -> list[int]:
        """Its dimensions."""
        return self.type.shape  # type: ignore[attr-defined, no-any-return]


def index_values(indices: Any) -> list[Any]:
    """Indices as values, Python integers as constants of type index."""
    listed = list(indices) if isinstance(indices, (tuple, list)) else [indices]
    found = []
    for i in listed:
        if isinstance(i, (bool, float, np.floating)):
            raise ValueError(f"expected an integer as index, got {i!r}")
        found.append(constant(int(i), index=True) if isinstance(i, (int, np.integer)) else i)
    return found


def _as_index(value: Any) -> Any:
    return value if value_type(value).text == "index" else index_cast(value)


def load(source: Any, indices: Any, **_: Any) -> Any:
    """Makes `memref.load`."""
    values = [_as_index(i) for i in index_values(indices)]
    element = memref(ir_value(source).type).element
    return _result("memref.load", [source, *values], element)


def store(value: Any, target: Any, indices: Any, **_: Any) -> None:
    """`memref.store`; a number becomes a constant of the element type."""
    values = index_values(indices)
    if _is_number(value):
        value = constant(value, type=memref(ir_value(target).type).element)
    make("memref.store", [value, target, *[_as_index(i) for i in values]])


class MemRefValue(Value):
    """A memref, indexed as NumPy's arrays are: whole elements are loaded and stored, parts are subviews."""

    @property
    def shape(self) -> list[int]:
        """Its dimensions."""
        return self.type.shape  # type: ignore[attr-defined, no-any-return]

    @property
    def dtype(self) -> Type:
        """The type of an element."""
        return self.type.element_type  # type: ignore[attr-defined, no-any-return]

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def n_elements(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    def has_rank(self) -> bool:
        """Always true."""
        return True

    def __getitem__(self, index: Any) -> Any:
        if is_all(index):
            return self
        if index is None:
            raise ValueError("None is no index of a memref")
        parts = list(index) if isinstance(index, tuple) else [index]
        if any(isinstance(p, (str, float)) for p in parts):
            raise IndexError(f"{index!r} is no index of a memref: wanted are integers, values and slices")
        if len(parts) == self.rank and all(isinstance(p, Value) or _is_number(p) for p in parts):
            return load(self, parts)
        from npuninja.python_designs.construct.memory_parts import part_of

        return part_of(self, parts)

    def __setitem__(self, index: Any, value: Any) -> None:
        parts = list(index) if isinstance(index, tuple) else [index]
        if is_all(index) or len(parts) != self.rank or any(isinstance(p, slice) for p in parts):
            from npuninja.python_designs.construct.memory_parts import part_of

            target = self if is_all(index) else part_of(self, parts)
            if not isinstance(value, (MemRefValue, OpView)):
                raise ValueError("only a memref can be stored into a part of a memref")
            make("memref.copy", [value, target])
            return
        if isinstance(value, np.ndarray) and value.ndim:
            raise AssertionError(f"a store into {self.type} requires a scalar element, got {value!r}")
        store(value, self, parts)

    def __iter__(self) -> Any:
        # Python would ask for one element after the other and never come to an end.
        raise TypeError(
            "a memref cannot be gone through by Python's for: use `for i in range_(size)` and [i]"
        )


def is_all(index: Any) -> bool:
    """Whether an index is `[:]`, `[...]` or `[:, :]`."""
    if isinstance(index, Value):
        return False
    if index is Ellipsis:
        return True
    parts = index if isinstance(index, tuple) else (index,)
    return bool(parts) and all(isinstance(p, slice) and p == slice(None) for p in parts)
