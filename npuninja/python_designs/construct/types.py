"""MLIR types as Python objects, and NumPy's types in their place.

A type is its canonical text (`npuninja.ir.types`); the classes only tell which kind it is and look into it.
"""

from __future__ import annotations

from typing import Any, Sequence, get_args, get_origin

import numpy as np

from npuninja.ir import types as ir_types
from npuninja.ir.directives import DYNAMIC_INDEX


class Type:
    """Any MLIR type."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Type({self.text})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @staticmethod
    def parse(text: str, context: Any = None) -> Type:
        """The type with this text."""
        return type_of(text)

    @classmethod
    def isinstance(cls, other: Any) -> bool:
        """Whether `other` is of this kind of type."""
        return isinstance(other, cls)


class IntegerType(Type):
    """`i32`, `si8`, `ui16`."""

    __slots__ = ()

    @staticmethod
    def get_signless(width: int, context: Any = None) -> Type:
        """The type `iN`."""
        return type_of(f"i{width}")

    @staticmethod
    def get_signed(width: int, context: Any = None) -> Type:
        """The type `siN`."""
        return type_of(f"si{width}")

    @staticmethod
    def get_unsigned(width: int, context: Any = None) -> Type:
        """The type `uiN`."""
        return type_of(f"ui{width}")

    @property
    def width(self) -> int:
        """The number of bits."""
        return int(self.text.lstrip("siu"))

    @property
    def is_signless(self) -> bool:
        """Whether the type says nothing about a sign."""
        return self.text[0] == "i"

    @property
    def is_unsigned(self) -> bool:
        """Whether it is `uiN`."""
        return self.text[0] == "u"

    @property
    def is_signed(self) -> bool:
        """Whether it is `siN`."""
        return self.text[0] == "s"


class IndexType(Type):
    """The type `index`."""

    __slots__ = ()

    @staticmethod
    def get(context: Any = None) -> Type:
        """The type `index`."""
        return type_of("index")


class FloatType(Type):
    """`f16`, `bf16`, `f32`, `f64`, …"""

    __slots__ = ()

    @property
    def width(self) -> int:
        """The number of bits."""
        return ir_types.bits(self.text)


def _float_class(name: str, text: str) -> type[FloatType]:
    return type(
        name, (FloatType,), {"__slots__": (), "get": staticmethod(lambda context=None: type_of(text))}
    )


F16Type = _float_class("F16Type", "f16")
BF16Type = _float_class("BF16Type", "bf16")
F32Type = _float_class("F32Type", "f32")
F64Type = _float_class("F64Type", "f64")
_FLOATS: dict[str, type[FloatType]] = {"f16": F16Type, "bf16": BF16Type, "f32": F32Type, "f64": F64Type}


class ShapedType(Type):
    """A memref, vector or tensor."""

    __slots__ = ()

    @property
    def shape(self) -> list[int]:
        """The dimensions; -1 where dynamic."""
        if self.text.startswith("memref<"):
            return list(ir_types.memref(self.text).shape)
        return list(ir_types.vector(self.text)[0])

    @property
    def element_type(self) -> Type:
        """The type of an element."""
        return type_of(ir_types.element_of(self.text))

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @staticmethod
    def get_dynamic_size() -> int:
        """The number that stands for a dimension known only while the design runs."""
        return DYNAMIC_INDEX

    @staticmethod
    def get_dynamic_stride_or_offset() -> int:
        """The number that stands for a stride or offset known only while the design runs."""
        return DYNAMIC_INDEX

    @property
    def has_rank(self) -> bool:
        """Always true: types without a rank are not made here."""
        return True


class StridedLayoutAttr:
    """`strided<[16, 1], offset: 4>`, a layout of `MemRefType.get`."""

    def __init__(self, offset: int, strides: Sequence[int]) -> None:
        self.offset, self.strides = offset, list(strides)

    @staticmethod
    def get(offset: int, strides: Sequence[int], context: Any = None) -> StridedLayoutAttr:
        """The layout with these strides, in elements."""
        return StridedLayoutAttr(offset, strides)

    @staticmethod
    def get_fully_dynamic(rank: int, context: Any = None) -> StridedLayoutAttr:
        """The layout of which nothing is known."""
        return StridedLayoutAttr(DYNAMIC_INDEX, [DYNAMIC_INDEX] * rank)

    def __str__(self) -> str:
        words = ["?" if number == DYNAMIC_INDEX else str(number) for number in (self.offset, *self.strides)]
        offset = f", offset: {words[0]}" if self.offset else ""
        return f"strided<[{', '.join(words[1:])}]{offset}>"


class MemRefType(ShapedType):
    """A type such as `memref<16x4xi32>`."""

    __slots__ = ()

    @staticmethod
    def get(
        shape: Sequence[int], element_type: Any, layout: Any = None, memory_space: Any = None, loc: Any = None
    ) -> Type:
        """The memref of that shape."""
        tail = "".join(f", {part}" for part in (layout, memory_space) if part is not None)
        return type_of(_shaped("memref", shape, mlir_type(element_type), tail))

    @property
    def memory_space(self) -> str | None:
        """The memory space's text, or None."""
        return ir_types.memref(self.text).memory_space or None

    @property
    def layout(self) -> str:
        """The layout's text, or ""."""
        return ir_types.memref(self.text).layout


class VectorType(ShapedType):
    """A type such as `vector<16xi32>`."""

    __slots__ = ()

    @staticmethod
    def get(shape: Sequence[int], element_type: Any, loc: Any = None) -> Type:
        """The vector of that shape."""
        return type_of(_shaped("vector", shape, mlir_type(element_type)))


class RankedTensorType(ShapedType):
    """A type such as `tensor<16xi32>`."""

    __slots__ = ()

    @staticmethod
    def get(shape: Sequence[int], element_type: Any, encoding: Any = None, loc: Any = None) -> Type:
        """The tensor of that shape."""
        return type_of(_shaped("tensor", shape, mlir_type(element_type)))


class FunctionType(Type):
    """A type such as `(i32) -> f32`."""

    __slots__ = ()

    @staticmethod
    def get(inputs: Sequence[Any], results: Sequence[Any] = (), context: Any = None) -> Type:
        """The type of a function with these inputs and results."""
        texts = [tuple(mlir_type(t).text for t in types) for types in (inputs, results)]
        return type_of(ir_types.function_text(*texts))

    @property
    def inputs(self) -> list[Type]:
        """The types of the arguments."""
        return [type_of(t) for t in ir_types.function_parts(self.text)[0]]

    @property
    def results(self) -> list[Type]:
        """The types of the results."""
        return [type_of(t) for t in ir_types.function_parts(self.text)[1]]


_known: dict[str, Type] = {}


def type_of(text: str) -> Type:
    """The type with this text, as an object of the class for its kind."""
    known = _known.get(text)
    if known is None:
        known = _known[text] = _class_of(text)(ir_types.canonical(text))
    return known


def _class_of(text: str) -> type[Type]:
    if text == "index":
        return IndexType
    for start, kind in (("memref<", MemRefType), ("vector<", VectorType), ("tensor<", RankedTensorType)):
        if text.startswith(start):
            return kind
    if text.startswith("("):
        return FunctionType
    if text in _FLOATS:
        return _FLOATS[text]
    if text.lstrip("su")[:1] == "i" and text.lstrip("siu").isdigit():
        return IntegerType
    return Type


def _shaped(kind: str, shape: Sequence[int], element: Type, tail: str = "") -> str:
    dims = "".join("?x" if _is_dynamic(d) else f"{int(d)}x" for d in shape)
    return f"{kind}<{dims}{element.text}{tail}>"


def _is_dynamic(dim: Any) -> bool:
    return bool(dim is None or int(dim) < 0)


class v8bfp16ebs8(np.generic):
    """Eight numbers with a common exponent, nine bytes."""

    @staticmethod
    def get() -> Type:
        """Its MLIR type."""
        return type_of('!aiex.bfp<"v8bfp16ebs8">')


class v16bfp16ebs16(np.generic):
    """Sixteen numbers with a common exponent, 17 bytes."""

    @staticmethod
    def get() -> Type:
        """Its MLIR type."""
        return type_of('!aiex.bfp<"v16bfp16ebs16">')


_NUMPY = {
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "intc": "i32",
    "uint8": "ui8", "uint16": "ui16", "uint32": "ui32", "uint64": "ui64",
    "float16": "f16", "float32": "f32", "float64": "f64", "bfloat16": "bf16",
    "longlong": "index", "ulonglong": "index", "uintp": "index", "bool": "i1", "bool_": "i1",
    "v8bfp16ebs8": '!aiex.bfp<"v8bfp16ebs8">', "v16bfp16ebs16": '!aiex.bfp<"v16bfp16ebs16">',
}  # fmt: skip


def np_dtype_to_mlir_type(dtype: Any) -> Type:
    """The element type of a NumPy scalar type. Raises AttributeError when there is none."""
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    text = _NUMPY.get(name)
    if text is None:
        raise AttributeError(
            f"{dtype} (a {type(dtype)}) has no type of elements; give one of NumPy's, as np.int32, "
            "or bfloat16"
        )
    return type_of(text)


def mlir_type_to_np_dtype(element: Type) -> Any:
    """The NumPy scalar type of an element type, None when there is none."""
    import ml_dtypes

    for name, text in _NUMPY.items():
        if text == str(element) and text != "index":
            found = getattr(np, name, None) or getattr(ml_dtypes, name, None) or globals().get(name)
            return np.bool_ if text == "i1" else found
    return np.longlong if str(element) == "index" else None


def np_ndarray_type_get_shape(ndarray_type: Any) -> tuple[int, ...]:
    """The shape in `np.ndarray[(2, 3), np.dtype[np.int32]]`. AssertionError unless it holds integers."""
    shape = get_args(ndarray_type)[0]
    assert isinstance(shape, tuple), (
        f"the shape of an array type is a tuple, as in np.ndarray[(16,), ...], not {shape!r}"
    )
    for dim in shape:
        assert isinstance(dim, (int, np.integer)), (
            f"the shape of an array type holds integers only, not {dim!r}"
        )
    return shape


def np_ndarray_type_get_dtype(ndarray_type: Any) -> Any:
    """The scalar type in `np.ndarray[(2, 3), np.dtype[np.int32]]`."""
    element = get_args(ndarray_type)[1]
    return get_args(element)[0]


class OfArrays:
    """What is made of arrays of one type, its `obj_type`."""

    shape = property(lambda self: np_ndarray_type_get_shape(self.obj_type), doc="The shape of an array.")
    dtype = property(
        lambda self: np_ndarray_type_get_dtype(self.obj_type), doc="The scalar type of an element."
    )


def np_ndarray_type_to_memref_type(ndarray_type: Any) -> Type:
    """`memref<2x3xi32>` for `np.ndarray[(2, 3), np.dtype[np.int32]]`."""
    shape = np_ndarray_type_get_shape(ndarray_type)
    return MemRefType.get(shape, np_dtype_to_mlir_type(np_ndarray_type_get_dtype(ndarray_type)))


def is_array_type(given: Any) -> bool:
    """Whether `given` is `np.ndarray[…]`."""
    return get_origin(given) is np.ndarray


def is_scalar_type(given: Any) -> bool:
    """Whether `given` is a NumPy scalar type such as `np.int32`, or a type that stands for one."""
    return isinstance(given, type) and getattr(given, "__name__", "") in _NUMPY and given is not bool


def try_convert_np_type_to_mlir_type(given: Any) -> Any:
    """NumPy's array and scalar types as MLIR types; anything else as it is."""
    if is_array_type(given):
        return np_ndarray_type_to_memref_type(given)
    if is_scalar_type(given):
        return np_dtype_to_mlir_type(given)
    return given


def mlir_type(given: Any) -> Type:
    """A type of NumPy, of MLIR, or its text, as an MLIR type. Raises TypeError for anything else."""
    found = try_convert_np_type_to_mlir_type(given)
    if isinstance(found, Type):
        return found
    if isinstance(found, str):
        return type_of(found)
    if isinstance(found, np.dtype):
        return np_dtype_to_mlir_type(found.type)
    if callable(getattr(found, "get", None)):
        return mlir_type(found.get())
    raise TypeError(
        f"expected a type such as np.int32 or np.ndarray[(16,), np.dtype[np.int32]], got {given!r}"
    )
