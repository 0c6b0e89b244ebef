"""Python values as attributes of `npuninja.ir`, by the kind that the operation's row declares."""

from __future__ import annotations

from enum import EnumMeta, IntEnum
from typing import Any, Sequence, get_args

import numpy as np

from npuninja.ir.attribute_directives import INTEGER_KIND
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    BDPadLayout,
    BDPadLayoutArrayAttr,
    BoolAttr,
    DenseElementsAttr,
    DictAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
    OpaqueAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.enums import ENUMS, FORMER_NAMES, case_of
from npuninja.python_designs.construct.types import Type, is_array_type, mlir_type

_CLASSES = get_args(Attribute)


def is_attribute(given: Any) -> bool:
    """Whether `given` is an attribute already."""
    return isinstance(given, _CLASSES)


class _Cases(EnumMeta):
    """Says of a case that is not there any more what it is called now."""

    def __getattr__(cls, name: str) -> Any:
        try:
            return super().__getattr__(name)  # type: ignore[misc]
        except AttributeError:
            now = FORMER_NAMES.get(name)
            note = f": what older releases called {now}" if now in cls.__members__ else ""
            raise AttributeError(f"{name}{note}") from None


class _Enum(IntEnum, metaclass=_Cases):
    pass


def enum_class(kind: str) -> type[IntEnum]:
    """A Python enum with the cases of one of the dialects' enums."""
    base: Any = _Enum
    found: type[IntEnum] = base(kind, ENUMS[kind])
    found.__str__ = _case_name  # type: ignore[method-assign]
    return found


def _case_name(self: Any) -> str:
    return str(self.name)


def symbol_name(given: Any) -> str:
    """The name of a symbol: a string with or without `@`, or anything that has one."""
    if isinstance(given, str):
        return given[1:] if given.startswith("@") else given
    if isinstance(given, SymbolRefAttr):
        return given.path[-1]
    name = getattr(given, "sym_name", None)
    if name is None:
        name = getattr(given, "name", None)
    if name is None:
        raise TypeError(f"expected a symbol's name or an operation that has one, got {given!r}")
    return str(getattr(name, "value", name))


def attribute(given: Any, kind: str) -> Attribute:
    """`given` as an attribute of a declared kind (see `npuninja.ir.assembly`).

    Raises:
        TypeError: it cannot be one.
    """
    if is_attribute(given):
        return given  # type: ignore[no-any-return]
    if kind in ENUMS:
        return enum_attribute(given, kind)
    if INTEGER_KIND.fullmatch(kind):
        return IntegerAttr(integer(given, kind), kind)
    if kind in ("str", "symname"):
        return StringAttr(symbol_name(given) if kind == "symname" else str(given))
    if kind == "sym":
        return SymbolRefAttr((symbol_name(given),))
    if kind == "bool":
        return BoolAttr(bool(given))
    if kind == "packet":
        return packet_info(given)
    if kind == "unit":
        return UnitAttr()
    if kind == "combining":
        return OpaqueAttr(f"#vector.kind<{getattr(given, 'name', given).lower()}>")
    return any_attribute(given)


def any_attribute(given: Any) -> Attribute:
    """`given` as the attribute that MLIR's bindings would make of it."""
    if is_attribute(given):
        return given  # type: ignore[no-any-return]
    if isinstance(given, bool):
        return BoolAttr(given)
    if isinstance(given, (int, np.integer)):
        return IntegerAttr(int(given), "i64")
    if isinstance(given, float):
        return FloatAttr(float_text(given, "f32"), "f32")
    if isinstance(given, str):
        return StringAttr(given)
    if isinstance(given, Type) or is_array_type(given):
        return TypeAttr(mlir_type(given).text)
    if isinstance(given, dict):
        return DictAttr(tuple((k, any_attribute(v)) for k, v in given.items()))
    if isinstance(given, (list, tuple)):
        return ArrayAttr(tuple(any_attribute(v) for v in given))
    if hasattr(given, "sym_name"):
        return SymbolRefAttr((symbol_name(given),))
    raise TypeError(f"cannot make an attribute of {given!r}")


def enum_attribute(given: Any, kind: str) -> EnumAttr:
    """A case of an enum: given as member, number or name."""
    if isinstance(given, str):
        case: str | None = given if given in ENUMS[kind] else None
    else:
        case = case_of(kind, int(given))
    if case is None:
        raise TypeError(f"{given!r} is no {kind}: expected one of {', '.join(ENUMS[kind])}")
    return EnumAttr(kind, case)


def integer(given: Any, kind: str) -> int:
    """A whole number that an attribute can hold. Raises TypeError for anything else."""
    if isinstance(given, (int, np.integer, np.bool_)):
        return int(given)
    if hasattr(given, "__index__"):
        return int(given.__index__())
    raise TypeError(f"expected an integer for {kind}, got {given!r}")


def packet_info(given: Sequence[int]) -> PacketInfoAttr:
    """`(type, id)` as packet header."""
    if not isinstance(given, (list, tuple)) or len(given) != 2:
        raise TypeError(f"a packet is (type, id), got {given!r}")
    return PacketInfoAttr(int(given[0]), int(given[1]))


def dim_layout(given: Sequence[Any]) -> BDDimLayout:
    """`(size, stride)`, in elements."""
    if isinstance(given, BDDimLayout):
        return given
    if len(given) != 2:  # in the words of the layer of MLIR-AIE, which calls a function with them
        what = (
            f"takes 2 positional arguments but {len(given)} were given"
            if len(given) > 2
            else "missing 1 required positional argument: 'stride'"
        )
        raise TypeError(f"bd_dim_layout() {what}")
    size, stride = given
    return BDDimLayout(integer(size, "a size"), integer(stride, "a stride"))


def dim_layouts(given: Sequence[Any] | None) -> BDDimLayoutArrayAttr:
    """A list of `(size, stride)`, outermost first."""
    if isinstance(given, BDDimLayoutArrayAttr):
        return given
    return BDDimLayoutArrayAttr(tuple(dim_layout(d) for d in given or ()))


def dim_layout_lists(given: Sequence[Any]) -> BDDimLayoutArrayArrayAttr:
    """One list of `(size, stride)` for each consumer."""
    if isinstance(given, BDDimLayoutArrayArrayAttr):
        return given
    return BDDimLayoutArrayArrayAttr(tuple(dim_layouts(dims).dims for dims in given))


def pad_layouts(given: Sequence[Any]) -> BDPadLayoutArrayAttr:
    """A list of `(before, after)`, outermost first."""
    if isinstance(given, BDPadLayoutArrayAttr):
        return given
    return BDPadLayoutArrayAttr(tuple(BDPadLayout(int(before), int(after)) for before, after in given))


def float_text(value: float, type: str) -> str:
    """MLIR's literal for a number of a float type: six digits if they are exact, else more or bits."""
    number = _rounded(value, type)
    if abs(number) != float("inf") and number == number:
        for text in (f"{number:.6e}", f"{number:.9e}", f"{number:.17e}"):
            if _rounded(float(text), type) == number:
                return text
    return _bit_text(number, type)


def _rounded(value: float, type: str) -> float:
    if type == "f64":
        return float(value)
    if type == "bf16":
        import ml_dtypes

        return float(ml_dtypes.bfloat16(value))
    return float(np.float16(value) if type == "f16" else np.float32(value))


def _bit_text(value: float, type: str) -> str:
    """`0x7F800000`: what has no decimal literal, such as infinity."""
    if type == "bf16":
        return f"0x{int(np.float32(value).view(np.uint32)) >> 16:04X}"
    number: Any = {"f16": np.float16, "f32": np.float32, "f64": np.float64}[type](value)
    return f"0x{int(number.view(f'u{number.nbytes}')):0{2 * number.nbytes}X}"


def number_attribute(value: Any, type: Type) -> Attribute:
    """A number as attribute of a scalar type.

    Raises:
        TypeError: a float for an integer type.
    """
    text = type.text
    if text in ("f16", "bf16", "f32", "f64"):
        return FloatAttr(float_text(float(value), text), text)
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        raise TypeError(f"expected floating point type, got {text} for {value}")
    if text == "i1":
        return BoolAttr(bool(value))
    return IntegerAttr(wrapped(int(value), type), text)


def wrapped(value: int, type: Type) -> int:
    """`value` as an attribute of an integer type shows it: signless ones as signed numbers."""
    text = type.text
    if text[0] == "i" and text[1:].isdigit():
        width = int(text[1:])
        if value >= 1 << (width - 1):
            return value - (1 << width) if value < 1 << width else value
    return value


def dense_elements(values: Any, type: Type) -> DenseElementsAttr:
    """An array, or one number for all elements, as `dense<…>` of a shaped type."""
    shape = type.shape  # type: ignore[attr-defined]
    element: Type = type.element_type  # type: ignore[attr-defined]
    if isinstance(values, (int, float, np.generic)) and not isinstance(values, np.ndarray):
        return DenseElementsAttr((_literal(values, element),), type.text, True)
    array = np.asarray(values)
    count = int(np.prod(shape)) if shape else 1
    if array.size == 1 and count > 1:  # MLIR takes the bytes of one element as those of all
        return DenseElementsAttr((_literal(array.reshape(-1)[0], element),), type.text, True)
    if array.size != count:
        raise ValueError(f"{array.size} values do not fill {type.text}")
    flat = array.reshape(-1)
    is_splat = count > 0 and bool((flat == flat[0]).all())
    listed = flat[:1] if is_splat else flat
    return DenseElementsAttr(_literals(listed, element), type.text, is_splat)


def _literals(values: Any, element: Type) -> tuple[str, ...]:
    """The literals of a flat array; weights have a million entries, so equal ones are made only once."""
    text = element.text
    if values.dtype.kind in "iu" and text[0] in "isu" and text.lstrip("siu").isdigit() and text != "i1":
        numbers = values.tolist()
        width = int(text.lstrip("siu"))
        if text[0] == "i" and values.size and int(values.max()) >= 1 << (width - 1):
            numbers = [wrapped(n, element) for n in numbers]
        return tuple(map(str, numbers))
    known: dict[Any, str] = {}
    literals = []
    for value in values.tolist():
        literal = known.get(value)
        if literal is None or value != value or value == 0:  # -0.0 equals 0.0 and is written otherwise
            literal = known[value] = _literal(value, element)
        literals.append(literal)
    return tuple(literals)


def _literal(value: Any, element: Type) -> str:
    found = number_attribute(value, element)
    if isinstance(found, BoolAttr):
        return "true" if found.value else "false"
    assert isinstance(found, (IntegerAttr, FloatAttr)), found
    return found.text if isinstance(found, FloatAttr) else str(found.value)
