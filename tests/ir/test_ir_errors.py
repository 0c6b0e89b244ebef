"""Every syntax error names its place, what is wrong, and what was expected."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify

CONFORMANCE = Path(__file__).parent.parent / "conformance"

# (text with the place of the error marked by «, message, hint)
ERRORS = [
    ("«aie.tyle(0, 0)", "unknown operation 'aie.tyle'", "did you mean 'aie.tile'?"),
    (
        "«aiex.frobnicate_all",
        "unknown operation 'aiex.frobnicate_all'",
        "did you mean 'aiex.broadcast_packet'? the newest dialect known here is that of ",
    ),
    ("%t = «arith.addq %a, %b : i32", "unknown operation 'arith.addq'", None),
    (
        "%t = «tosa.mul %a, %b : i32",
        "unknown operation 'tosa.mul'",
        "the known dialects are affine, aie, aievec, aiex, ",
    ),
    (
        "aie.device(«npu2_7cols) {}",
        "unknown AIEDevice 'npu2_7cols', expected one of xcvc1902, ",
        "did you mean 'npu2_7col'?",
    ),
    (
        "%t = aie.tile(0, 2)\naie.flow(%t, «DMB : 0, %t, DMA : 1)",
        "unknown WireBundle 'DMB'",
        "did you mean 'DMA'?",
    ),
    ("aie.flow(«%t, DMA : 0, %t, DMA : 1)", "use of undefined value '%t'", "define it above its use"),
    (
        "%tile = aie.tile(0, 2)\n%l = aie.lock(«%tyle, 0)",
        "use of undefined value '%tyle'",
        "did you mean '%tile'?",
    ),
    ("%t = aie.tile(0, 2)\n«%t = aie.tile(0, 3)", "'%t' is defined twice", None),
    ("%t = aie.tile(0« 2)", "expected ',', got '2'", None),
    ("%t = aie.tile(0, 2«\n%u = aie.tile(0, 3)", "expected ')', got '%u'", None),
    ("module {«", "expected '}', got the end of the file", None),
    ('%x = aie.external_buffer {sym_name = «"x} : memref<4xi32>', "unterminated string", "close it"),
    (
        "%t = aie.tile(0, 2)\n%b = aie.buffer(%t) : «memref<4xfoo>",
        "unknown element type 'foo' in 'memref<4xfoo>'",
        None,
    ),
    ("%t = aie.tile(0, 2)\n%b = aie.buffer(%t) : «tile", "unknown type 'tile'", "types look like"),
    ("%c = arith.constant 1 : i32\n%d = arith.addi «%c, %c : i64", "'%c' has type i32, expected i64", None),
    ("%c = arith.constant 1 : i32\n%l = aie.lock(«%c, 0)", "'%c' has type i32, expected index", None),
    ("%c = arith.constant «300 : i8", "300 does not fit into i8 (-128 to 255)", None),
    ("%c = arith.constant «1.5 : i32", "'1.5' is a float but its type is i32", None),
    ("%c = arith.constant «dense<[1, 2]> : vector<3xi32>", "dense<…> has shape 2, expected 3", None),
    (
        "%c = arith.constant dense<«[[1, 2], [3]]> : vector<2x2xi32>",
        "the rows of dense<…> differ in shape",
        None,
    ),
    ("%c = arith.constant «dense<[1, 999]> : vector<2xi8>", "999 does not fit into i8 (-128 to 255)", None),
    (
        "%c = arith.constant «dense<1.5> : vector<2xi8>",
        "dense<…> has the float element 1.5, expected i8",
        None,
    ),
    (
        '%c = arith.constant dense<«"0x010000"> : vector<1xi32>',
        "the hexadecimal string of dense<…> has 3 bytes, expected 4",
        None,
    ),
    *(
        (
            f"%t = aie.tile(0, 2)\n%b = aie.buffer(%t) : memref<4xi8> = dense<{values}> : «tensor<2xi16>",
            "the initial value has type tensor<2xi16>, expected memref<4xi8>",
            None,
        )
        for values in ("[1, 2, 3, 4]", '"0x01FF0380"')
    ),
    (
        '%c = arith.constant dense<«"0x0100000G"> : vector<1xi32>',
        "has a character that is no digit",
        None,
    ),
    ("aiex.npu.dma_wait {symbol = @a, «symbol = @b}", "attribute 'symbol' is given twice", None),
    (
        "aiex.npu.dma_wait {«symbol = 3 : i32}",
        "attribute 'symbol' of 'aiex.npu.dma_wait' must be a symbol",
        None,
    ),
    (
        "aiex.npu.preempt {«level = 3 : i32}",
        "attribute 'level' of 'aiex.npu.preempt' must be ui8, got i32",
        None,
    ),
    (
        "%t = aie.tile(0, 2)\n%u = aie.tile(0, 3)\n"
        "aie.objectfifo @f(%t, {%u}, 2 : i32) {«initValues = 5 : i32} : !aie.objectfifo<memref<4xi32>>",
        "attribute 'initValues' of 'aie.objectfifo' must be a list such as [1, 2], got i32",
        None,
    ),
    *(
        (
            f"func.func @f(%a: memref<4xi32>) {{\n"
            f'"{name}"(%a) <{{{others}«{list} = 5 : i32}}> : (memref<4xi32>) -> ()\n'
            f"}}",
            f"attribute '{list}' of '{name}' must be a list of integers such as array<i64: 1, 2>, got i32",
            None,
        )
        for name, others, list in (
            ("aie.dma_bd", "offset = 0 : i32, ", "static_sizes"),
            ("aiex.npu.dma_memcpy_nd", "", "static_offsets"),
        )
    ),
    ("func.func @f() {\n  cf.br «^bb9\n}", "reference to undefined block '^bb9'", None),
    ("func.func @f() {\n^a:\n  func.return\n«^a:\n  func.return\n}", "block '^a' is defined twice", None),
    ("func.func @f(%a: i32) {\n  %x = func.call @g(«%a) : () -> ()\n}", "1 operands but 0 types", None),
    ("«%x, %y = arith.constant 1 : i32", "'arith.constant' has 1 results, but 2 are named", None),
    ("func.func @f(%i:« #line) { func.return }", "expected a type", None),
    ("func.func @f(%i: «!line) { func.return }", "undefined type alias '!line'", None),
    ("aiex.npu.sync {a = «#nope}", "undefined attribute alias '#nope'", None),
    (
        "aie.tile(0, 2) {controller_id = #aie.packet_info<«pkt = 1>}",
        "expected 'pkt_type' or 'pkt_id', got 'pkt'",
        None,
    ),
    (
        "func.func @f(%m: memref<4xi32>) {\n%x = affine.load %m«[%q +] : memref<4xi32>\n}",
        "expected an affine expression, got ']'",
        None,
    ),
    (
        '«"aie.tile"() <{col = 0 : i32}> : (i32) -> index',
        "'aie.tile' has 0 operands but 1 operand types",
        None,
    ),
]


@pytest.mark.parametrize(("marked", "message", "hint"), ERRORS, ids=[str(i) for i in range(len(ERRORS))])
def test_error_place_and_message(marked: str, message: str, hint: str | None) -> None:
    before, _, _ = marked.partition("«")
    text = marked.replace("«", "")
    with pytest.raises(UserError) as caught:
        parse_module(text, "bad.mlir")
    error = caught.value
    assert message in error.message
    assert (error.hint or "").startswith(hint or "")
    place = (error.location.line, error.location.column) if error.location else None
    assert place == (before.count("\n") + 1, len(before) - before.rfind("\n")), error.render()
    line = text.split("\n")[error.location.line - 1] if error.location else ""
    assert f"  {line}\n" in error.render() + "\n"


def place_in_reference(design: str) -> tuple[int, int]:
    """Line and column of the first error of the reference tools."""
    lines = json.loads((CONFORMANCE / "negative" / design / "expected.json").read_text())["first_error_lines"]
    _, line, column, _ = lines[0].split(":", 3)
    return int(line), int(column)


@pytest.mark.parametrize("design", ["bad_syntax", "bad_device", "bad_core_link_tile"])
def test_unreadable_designs_fail_where_the_reference_fails(design: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_module((CONFORMANCE / "negative" / design / "design.mlir").read_text(), "design.mlir")
    assert caught.value.location is not None
    assert (caught.value.location.line, caught.value.location.column) == place_in_reference(design)


@pytest.mark.parametrize("design", ["bad_elf_body", "bad_seq_size", "bad_seq_wrap"])
def test_invalid_designs_fail_where_the_reference_fails(design: str) -> None:
    module = parse_module((CONFORMANCE / "negative" / design / "design.mlir").read_text(), "design.mlir")
    with pytest.raises(UserError) as caught:
        verify(module)
    assert caught.value.location is not None
    assert (caught.value.location.line, caught.value.location.column) == place_in_reference(design)


def test_a_redefinition_shows_the_first_definition() -> None:
    with pytest.raises(UserError) as caught:
        parse_module("%t = aie.tile(0, 2)\n%t = aie.tile(0, 3)\n", "bad.mlir")
    assert "bad.mlir:1:6: note: first defined here" in caught.value.render()


@pytest.mark.parametrize("end", ["// the end", "// the end\n", "  // the end  \n\n// really\n", "// »a\r\n"])
def test_a_comment_may_be_the_last_thing(end: str) -> None:
    assert len(parse_module("%t = aie.tile(0, 2)\n" + end, "good.mlir").body.ops) == 1
    assert parse_module(end, "empty.mlir").body.ops == []
    with pytest.raises(UserError, match="expected '}', got the end of the file"):
        parse_module("module {" + end, "bad.mlir")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module {\n" * 10000, "bad.mlir:65:8: error: regions are nested deeper than 64"),
        ("aie.tile(0, 2) {x = " + "[" * 5000, "attributes are nested too deeply"),
        ("aie.tile(0, 2) {x = " + "{y = " * 5000, "attributes are nested too deeply"),
        ("%t = aie.tile(0, 2) : " + "tuple<" * 5000, "expected an operation, got ':'"),
    ],
)
def test_deep_nesting_is_an_error(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_module(text, "bad.mlir")
    assert message in caught.value.render()


def test_a_very_long_line_is_shown_in_part() -> None:
    with pytest.raises(UserError) as caught:
        parse_module("%t = aie.tile(0, 2) " * 5000 + "nope\x00 " * 5000, "bad.mlir")
    message, line, caret, *_ = caught.value.render().split("\n")
    assert message.startswith("bad.mlir:1:")
    assert len(line) < 500
    assert line[caret.index("^") :].startswith("%t") or line[caret.index("^") :].startswith("nope�")


DAMAGED = ["new_tasks", "hand_memtile_mix", "memtile_join_two", "packets_one_to_many", "seq_registers"]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(DAMAGED), st.data())
def test_damaged_text_gives_an_error_and_never_a_traceback(design: str, data: st.DataObject) -> None:
    text = (CONFORMANCE / design / "design.mlir").read_text()
    if data.draw(st.booleans()):
        text = print_module(parse_module(text, "design.mlir"), generic=True)
    tokens = re.split(r"(\W)", text)
    damage = st.sampled_from(["", *'(){}<>-"@^#!,0', "%x", "i32"])
    for _ in range(data.draw(st.integers(1, 3))):
        tokens[data.draw(st.integers(0, len(tokens) - 1))] = data.draw(damage)
    try:
        verify(parse_module("".join(tokens), "damaged.mlir"))
    except UserError as error:
        assert error.location is not None  # noqa: PT017  (both outcomes are good)
