"""`T.i32()`, `T.memref(16, element_type=T.i8())`, …: what designs call `aie.extras.types`."""

from __future__ import annotations

from typing import Any, Callable

from npuninja.python_designs.construct.types import (
    FunctionType,
    MemRefType,
    RankedTensorType,
    Type,
    VectorType,
    mlir_type,
    type_of,
)


def _named(text: str) -> Callable[[], Type]:
    def make() -> Type:
        return type_of(text)

    make.__doc__ = f"The type `{text}`."
    return make


bool = _named("i1")
i1, i8, i16, i32, i64 = (_named(f"i{n}") for n in (1, 8, 16, 32, 64))
si8, si16, si32, si64 = (_named(f"si{n}") for n in (8, 16, 32, 64))
ui8, ui16, ui32, ui64 = (_named(f"ui{n}") for n in (8, 16, 32, 64))
f16, f32, f64, bf16 = (_named(name) for name in ("f16", "f32", "f64", "bf16"))
index = _named("index")
none = _named("none")


def _split(shape: tuple[Any, ...], element_type: Any) -> tuple[tuple[Any, ...], Any]:
    """`(4, 8, t)` or `(4, 8), element_type=t`."""
    if element_type is None:
        shape, element_type = shape[:-1], shape[-1]
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return shape, element_type() if callable(element_type) and not isinstance(
        element_type, type
    ) else element_type


def memref(*shape: Any, element_type: Any = None, memory_space: Any = None, layout: Any = None) -> Type:
    """The type `memref<shape x element_type>`."""
    dims, element = _split(shape, element_type)
    return MemRefType.get(dims, element, layout, memory_space)


def vector(*shape: Any, element_type: Any = None, scalable: Any = None, scalable_dims: Any = None) -> Type:
    """The type `vector<shape x element_type>`."""
    return VectorType.get(*_split(shape, element_type))


def tensor(*shape: Any, element_type: Any = None, encoding: Any = None) -> Type:
    """The type `tensor<shape x element_type>`."""
    return RankedTensorType.get(*_split(shape, element_type))


def function(*, inputs: Any, results: Any) -> Type:
    """The type `(inputs) -> results`."""
    return FunctionType.get(inputs, results)


def llvm_ptr() -> Type:
    """The type `!llvm.ptr`."""
    return type_of("!llvm.ptr")


def unranked_memref(element_type: Any) -> Type:
    """The type `memref<*xT>`."""
    return Type(f"memref<*x{mlir_type(element_type).text}>")


NAMES = {name: value for name, value in globals().items() if not name.startswith("_") and callable(value)}
NAMES = {k: v for k, v in NAMES.items() if k not in ("Any", "Callable", "mlir_type", "type_of")}
