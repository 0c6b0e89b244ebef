"""Types and affine maps."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npuninja.ir.affine import AffineMap, add, evaluate, expression_text, multiply, parse_map
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.types import (
    DYNAMIC,
    MemRefType,
    bits,
    canonical,
    element_of,
    function_parts,
    function_text,
    memref,
    object_fifo_memref,
    size_bytes,
    strides_and_offset,
    vector,
    with_element,
)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("memref<4x?xi32>", MemRefType((4, DYNAMIC), "i32")),
        ("memref<f32>", MemRefType((), "f32")),
        ("memref<4xbf16, strided<[1], offset: ?>>", MemRefType((4,), "bf16", "strided<[1], offset: ?>")),
        ("memref<4xi8, 1 : i32>", MemRefType((4,), "i8", "", "1 : i32")),
        ("memref<4xvector<8xi16>, strided<[2]>, 2>", MemRefType((4,), "vector<8xi16>", "strided<[2]>", "2")),
    ],
)
def test_memref_is_taken_apart_and_put_together(text: str, decoded: MemRefType) -> None:
    assert memref(text) == decoded
    assert str(decoded) == text


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("memref<4 x 8xi32,strided<[8,1],offset:2>>", "memref<4x8xi32, strided<[8, 1], offset: 2>>"),
        ("vector< 16xi32 >", "vector<16xi32>"),
        ("!aie.objectfifo< memref<4xi32> >", "!aie.objectfifo<memref<4xi32>>"),
        (
            "memref<2x2xi8, affine_map<(d0, d1) -> (d1, d0)>>",
            "memref<2x2xi8, affine_map<(d0, d1) -> (d1, d0)>>",
        ),
    ],
)
def test_one_spelling(text: str, spelling: str) -> None:
    assert canonical(text) == spelling
    assert canonical(spelling) == spelling


def test_deeply_nested_types_are_read() -> None:
    inner = "memref<4xvector<2xi8>, strided<[1], offset: ?>>"
    text = (
        f"func.func private @f(!aie.objectfifo<{inner}>, tuple<tuple<tuple<tuple<{inner}, i8>>>>, "
        "complex<f32>)"
    )
    assert print_module(parse_module(text, "test.mlir")) == f"module {{\n  {text}\n}}\n"


@pytest.mark.parametrize("text", ["memref<4xfoo>", "memref<>", "memref<4xi32, 1, 2>", "i32"])
def test_malformed_memrefs_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"memref|unknown element"):
        memref(text)


@pytest.mark.parametrize(
    ("text", "width"),
    [("i1", 1), ("ui32", 32), ("bf16", 16), ("f16", 16), ("f64", 64), ("index", 64), ("vector<4x2xi8>", 64)],
)
def test_widths(text: str, width: int) -> None:
    assert bits(text) == width


def test_no_width_is_invented() -> None:
    with pytest.raises(ValueError, match="no known width"):
        bits("!aie.objectfifo<memref<4xi32>>")


def test_sizes_and_elements() -> None:
    assert size_bytes("memref<3x5xi16>") == 30
    assert size_bytes("memref<9xi1>") == 9
    assert element_of("vector<4xbf16>") == "bf16"
    assert element_of("i8") == "i8"
    assert with_element("vector<4x2xi32>", "i1") == "vector<4x2xi1>"
    assert vector("vector<4x2xi32>") == ((4, 2), "i32")
    assert object_fifo_memref("!aie.objectfifosubview<memref<4xi32>>") == "memref<4xi32>"
    with pytest.raises(ValueError, match="not static"):
        size_bytes("memref<?xi32>")


@pytest.mark.parametrize(
    ("text", "strides", "offset"),
    [
        ("memref<4x8x2xi32>", (16, 2, 1), 0),
        ("memref<?x?xi32>", (DYNAMIC, 1), 0),
        ("memref<4x8xi32, strided<[16, 1], offset: 3>>", (16, 1), 3),
        ("memref<4x8xi32, strided<[?, 1], offset: ?>>", (DYNAMIC, 1), DYNAMIC),
        ("memref<i32>", (), 0),
    ],
)
def test_strides(text: str, strides: tuple[int, ...], offset: int) -> None:
    assert strides_and_offset(memref(text)) == (strides, offset)


@pytest.mark.parametrize(
    "parts",
    [
        ((), ()),
        (("i32",), ("f32",)),
        (("memref<4xi32, strided<[1], offset: 2>>", "i8"), ("i1", "index")),
        (("(i32) -> i32",), ()),
    ],
)
def test_function_types(parts: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    assert function_parts(function_text(*parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "affine_map<() -> (0)>",
        "affine_map<(d0) -> (d0 - 1)>",
        "affine_map<(d0, d1)[s0] -> (d0 * 2 + d1 * s0, -d1)>",
        "affine_map<(d0) -> ((d0 + 1) mod 4, d0 floordiv 2 - d0 ceildiv 3)>",
        "affine_map<(d0, d1) -> (d0 - (d1 + 2) * 3)>",
    ],
)
def test_affine_maps_print_back(text: str) -> None:
    assert str(parse_map(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "affine_map<(d0) -> (d1)>",
        "affine_map<(d0) -> (d0 +)>",
        "affine_map<(d0) -> d0>",
        "affine_set<(d0)>",
        "affine_map<(d0) -> (d0 ^ 2)>",
    ],
)
def test_malformed_affine_maps_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"affine|dimension"):
        parse_map(text)


leaves = st.one_of(
    st.tuples(st.just("d"), st.integers(0, 1)),
    st.tuples(st.just("s"), st.just(0)),
    st.tuples(st.just("c"), st.integers(-9, 9)),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(add, inner, inner),
        st.builds(multiply, inner, inner),
        st.tuples(
            st.sampled_from(["floordiv", "ceildiv", "mod"]), inner, st.tuples(st.just("c"), st.integers(1, 9))
        ),
    ),
    max_leaves=8,
)


@given(expressions, st.lists(st.integers(-50, 50), min_size=3, max_size=3))
@example(add(("s", 0), add(("*", ("d", 0), ("c", -1)), ("s", 0))), [1, 2, 3])
def test_the_text_of_an_expression_has_its_value(expression: tuple[object, ...], operands: list[int]) -> None:
    text = str(AffineMap(2, 1, (expression,)))
    again = parse_map(text)
    assert again.evaluate(operands) == [evaluate(expression, operands[:2], operands[2:])], text
    # MLIR writes a sum in a sum without parentheses and reads from the left: `a + -b + c` as `a - b + c`.
    stable = str(again)
    assert str(parse_map(stable)) == stable
    assert expression_text(again.results[0]) in stable
    assert again.evaluate(operands) == parse_map(stable).evaluate(operands)
