"""Types: canonical text, and the parts of those types that lowering looks into.

Everything here is a function of the type's text and cached, since a design has few different types.
"""

from __future__ import annotations

import re

from npuninja.records import NamedTuple

DYNAMIC = -1  # a dimension written `?`


class MemRefType(NamedTuple):
    """`memref<4x?xi32, strided<[8, 1], offset: 2>, 1 : i32>`, taken apart.

    `shape` has -1 for `?`; `layout` and `memory_space` are their text, or "" when absent.
    """

    shape: tuple[int, ...]
    element: str
    layout: str = ""
    memory_space: str = ""

    def __str__(self) -> str:
        dims = "".join(f"{'?' if d == DYNAMIC else d}x" for d in self.shape)
        tail = "".join(f", {part}" for part in (self.layout, self.memory_space) if part)
        return f"memref<{dims}{self.element}{tail}>"


_DIMENSIONS = re.compile(r"\s*((?:(?:\d+|\?)\s*x\s*)*)(.*)", re.DOTALL)
_DIMENSION = re.compile(r"\d+|\?")
_SCALAR = re.compile(r"(?:i|si|ui)[1-9]\d*|index|none|f16|bf16|f32|f64|f80|f128|tf32|f8E\w+|f4E\w+|f6E\w+")
# Blocks of numbers with a common exponent: a byte each, and one for the exponent (AIEX dialect).
_BLOCK_BITS = {'!aiex.bfp<"v8bfp16ebs8">': 72, '!aiex.bfp<"v16bfp16ebs16">': 136}
_FLOAT_BITS = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64, "tf32": 19, "f80": 80, "f128": 128}

_canonical: dict[str, str] = {}
_memrefs: dict[str, MemRefType] = {}


def is_scalar(text: str) -> bool:
    """Whether `text` is an integer, float, index or none type."""
    return _SCALAR.fullmatch(text) is not None


def canonical(text: str) -> str:
    """The one spelling of a type. Raises ValueError with the reason when a memref or vector is malformed."""
    known = _canonical.get(text)
    if known is None:
        known = _canonical[text] = _canonicalise(text)
    return known


def _canonicalise(text: str) -> str:
    text = re.sub(r"\s+", " ", text.strip())
    if text.startswith("memref<*"):  # of unknown rank
        return "memref<*x" + canonical(text[len("memref<*x") : -1]) + ">"
    if text.startswith("memref<"):
        return str(memref(text))
    if text.startswith(("vector<", "tensor<")):
        dims, element = _DIMENSIONS.fullmatch(text[7:-1]).groups()  # type: ignore[union-attr]  # matches anything
        return f"{text[:6]}<{dims.replace(' ', '')}{_spaced(element)}>"
    if text.startswith(("!aie.objectfifo<", "!aie.objectfifosubview<")):
        head, inner = text[:-1].split("<", 1)
        return f"{head}<{canonical(inner)}>"
    return _spaced(text)


def _spaced(text: str) -> str:
    """`text` with single spaces behind commas and none inside brackets."""
    text = re.sub(r"\s*,\s*", ", ", text.strip())
    text = re.sub(r"\boffset:\s*", "offset: ", text)
    text = re.sub(r"([<\[(])\s+", r"\1", text)
    return re.sub(r"\s+([\])]|>(?!=))", r"\1", text)


def memref(text: str) -> MemRefType:
    """Takes a memref type apart. Raises ValueError with the reason when it is not one or is malformed."""
    known = _memrefs.get(text)
    if known is None:
        known = _memrefs[text] = _decode_memref(text)
    return known


def _decode_memref(text: str) -> MemRefType:
    stripped = text.strip()
    if not stripped.startswith("memref<") or not stripped.endswith(">"):
        raise ValueError(f"'{text}' is not a memref type")
    parts = split_commas(stripped[7:-1])
    if parts[0].startswith("*x"):  # of unknown rank: as one dimension of unknown size
        parts[0] = "?" + parts[0][1:]
    dims, element = _DIMENSIONS.fullmatch(parts[0]).groups()  # type: ignore[union-attr]  # matches anything
    element = canonical(element)
    if not element or not (is_scalar(element) or "<" in element or element[0] == "!"):
        raise ValueError(f"unknown element type '{element}' in '{text}'")
    shape = tuple(DYNAMIC if d == "?" else int(d) for d in _DIMENSION.findall(dims))
    layout = memory_space = ""
    for part in parts[1:]:
        part = _spaced(part)
        if part.startswith(("strided<", "affine_map<", "#")) and not layout and not memory_space:
            layout = part
        elif part and not memory_space:
            memory_space = part
        else:
            raise ValueError(f"unexpected '{part}' in '{text}'")
    return MemRefType(shape, element, layout, memory_space)


def split_commas(text: str) -> list[str]:
    """The parts of `text` between commas that are outside all brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "<([{":
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1] != "-"):
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return parts


def element_count(shape: tuple[int, ...]) -> int:
    """The number of elements of a static shape. Raises ValueError when a dimension is dynamic."""
    count = 1
    for dim in shape:
        if dim == DYNAMIC:
            raise ValueError("the shape is not static")
        count *= dim
    return count


def bits(text: str) -> int:
    """Bits of a scalar type (index: 64, as in MLIR) or a static vector. Raises ValueError for other types."""
    if text == "index":
        return 64
    if text in _FLOAT_BITS:
        return _FLOAT_BITS[text]
    if text in _BLOCK_BITS:
        return _BLOCK_BITS[text]
    found = re.fullmatch(r"(?:i|si|ui)(\d+)|f(\d)E\w+", text)
    if found:
        return int(found[1] or found[2])
    if text.startswith("vector<"):
        shape, element = vector(text)
        return element_count(shape) * bits(element)
    raise ValueError(f"'{text}' has no known width")


def size_bytes(text: str) -> int:
    """The bytes a static memref takes: index takes eight, an element of less than a byte takes one.

    Raises ValueError when it is dynamic or its element has no known width.
    """
    type = memref(text)
    return element_count(type.shape) * ((bits(type.element) + 7) // 8)


def vector(text: str) -> tuple[tuple[int, ...], str]:
    """Shape and element type of `vector<4x8xi32>` or `tensor<…>`. Raises ValueError for other types."""
    if not text.startswith(("vector<", "tensor<")):
        raise ValueError(f"'{text}' is not a vector type")
    dims, element = _DIMENSIONS.fullmatch(text[7:-1]).groups()  # type: ignore[union-attr]  # matches anything
    return tuple(DYNAMIC if d == "?" else int(d) for d in _DIMENSION.findall(dims)), element


def shape_of(text: str) -> tuple[int, ...]:
    """The shape of a memref, vector or tensor; that of other types is without dimensions."""
    if text.startswith("memref<"):
        return memref(text).shape
    return vector(text)[0] if text.startswith(("vector<", "tensor<")) else ()


def element_of(text: str) -> str:
    """The element type of a memref, vector or tensor; `text` itself for other types."""
    if text.startswith("memref<"):
        return memref(text).element
    if text.startswith(("vector<", "tensor<")):
        return vector(text)[1]
    return text


def with_element(text: str, element: str) -> str:
    """`text` with its element type replaced: `vector<4xi32>`, `i1` -> `vector<4xi1>`; `i32`, `i1` -> `i1`."""
    if text.startswith(("vector<", "tensor<")):
        return text[: len(text) - 1 - len(vector(text)[1])] + element + ">"
    return element


def object_fifo_memref(text: str) -> str:
    """The memref in `!aie.objectfifo<…>` or `!aie.objectfifosubview<…>`. Raises ValueError for others."""
    if not text.startswith(("!aie.objectfifo<", "!aie.objectfifosubview<")):
        raise ValueError(f"'{text}' is not an objectFifo type")
    return text[text.index("<") + 1 : -1]


def strides_and_offset(type: MemRefType) -> tuple[tuple[int, ...], int]:
    """Strides and offset in elements, -1 where dynamic. Raises ValueError when the layout is not strided."""
    if not type.layout:
        strides: list[int] = []
        step = 1
        for dim in reversed(type.shape):
            strides.append(step)
            step = DYNAMIC if DYNAMIC in (step, dim) else step * dim
        return tuple(reversed(strides)), 0
    found = re.fullmatch(r"strided<\[([^\]]*)\](?:, offset: (\?|-?\d+))?>", type.layout)
    if not found:
        raise ValueError(f"the layout of '{type}' is not strided")
    numbers = [DYNAMIC if s.strip() == "?" else int(s) for s in found[1].split(",") if s.strip()]
    return tuple(numbers), DYNAMIC if found[2] == "?" else int(found[2] or 0)


def offset_of(type: str) -> int:
    """The offset of a memref type in elements, -1 where it is known only at run time; 0 for other types."""
    if not type.startswith("memref<"):
        return 0
    try:
        return strides_and_offset(memref(type))[1]
    except ValueError:
        return 0  # a layout that is not strided: its user says so


def function_parts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Argument and result types of the canonical function type `(a, b) -> c` or `(a) -> (b, c)`."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "(<") - (c == ")" or (c == ">" and text[i - 1] != "-"))
        if depth == 0:
            break
    left, right = text[1:i], text[i + 1 :].replace("->", "", 1).strip()
    if right.startswith("(") and right.endswith(")") and "->" not in right:
        right = right[1:-1]
    return _type_list(left), _type_list(right)


def function_text(arguments: tuple[str, ...], results: tuple[str, ...]) -> str:
    """The canonical text of a function type."""
    right = results[0] if len(results) == 1 and not results[0].startswith("(") else f"({', '.join(results)})"
    return f"({', '.join(arguments)}) -> {right}"


def _type_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in split_commas(text)) if text.strip() else ()
