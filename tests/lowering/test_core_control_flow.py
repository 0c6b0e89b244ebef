"""Loops and conditions of cores: simplification, affine and scf operations to branches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowered import lines_with, lowered, text_of

from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.parser import parse_module
from npuninja.lowering.op_builders import constant_value

HEAD = """%t = aie.tile(0, 2)
%b = aie.buffer(%t) {sym_name = "b"} : memref<16xi32>
aie.core(%t) {
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c8 = arith.constant 8 : index
%zero = arith.constant 0 : i32
%one = arith.constant 1 : i32
"""


def core(*lines: str, generation: str = "2025-10") -> Operation:
    return lowered(HEAD + "\n".join(lines) + "\naie.end }", generation=generation)


def core_lines(module: Operation) -> list[str]:
    text = text_of(module)
    inside = text[text.index("aie.core(") :].split("\n")[1:]
    body = inside[: inside.index("    }")]
    return [line.strip() for line in body if "arith.constant" not in line]


def test_loop_becomes_header_and_body() -> None:
    module = core("scf.for %i = %c0 to %c8 step %c1 {", "memref.store %zero, %b[%i] : memref<16xi32>", "}")
    assert core_lines(module) == [
        "cf.br ^bb1(%c0 : index)",
        "^bb1(%i: index):  // 2 preds: ^bb0, ^bb2",
        "%0 = arith.cmpi slt, %i, %c8 : index",
        "cf.cond_br %0, ^bb2, ^bb3",
        "^bb2:  // pred: ^bb1",
        "memref.store %zero, %b[%i] : memref<16xi32>",
        "%1 = arith.addi %i, %c1 : index",
        "cf.br ^bb1(%1 : index)",
        "^bb3:  // pred: ^bb1",
        "aie.end",
    ]


def test_values_carried_by_a_loop_become_block_arguments() -> None:
    module = core(
        "%sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %zero) -> (i32) {",
        "%v = memref.load %b[%i] : memref<16xi32>",
        "%n = arith.addi %a, %v : i32",
        "scf.yield %n : i32",
        "}",
        "memref.store %sum, %b[%c0] : memref<16xi32>",
    )
    lines = core_lines(module)
    assert lines[0] == "cf.br ^bb1(%c0, %zero : index, i32)"
    assert "cf.br ^bb1(%1, %n : index, i32)" in lines
    assert lines[-2] == "memref.store %a, %b[%c0] : memref<16xi32>"


def test_condition_with_results() -> None:
    module = core(
        "%v = memref.load %b[%c0] : memref<16xi32>",
        "%c = arith.cmpi eq, %v, %zero : i32",
        "%r = scf.if %c -> (i32) {",
        "scf.yield %one : i32",
        "} else {",
        "scf.yield %v : i32",
        "}",
        "memref.store %r, %b[%c1] : memref<16xi32>",
    )
    assert core_lines(module)[2:] == [
        "cf.cond_br %c, ^bb1, ^bb2",
        "^bb1:  // pred: ^bb0",
        "cf.br ^bb3(%one : i32)",
        "^bb2:  // pred: ^bb0",
        "cf.br ^bb3(%v : i32)",
        "^bb3(%r: i32):  // 2 preds: ^bb1, ^bb2",
        "memref.store %r, %b[%c1] : memref<16xi32>",
        "aie.end",
    ]


def test_while_loop() -> None:
    module = core(
        "%w = scf.while (%x = %one) : (i32) -> i32 {",
        "%c = arith.cmpi sgt, %x, %zero : i32",
        "scf.condition(%c) %x : i32",
        "} do {",
        "^bb0(%y: i32):",
        "%d = arith.subi %y, %one : i32",
        "scf.yield %d : i32",
        "}",
        "memref.store %w, %b[%c0] : memref<16xi32>",
    )
    assert core_lines(module) == [
        "cf.br ^bb1(%one : i32)",
        "^bb1(%x: i32):  // 2 preds: ^bb0, ^bb2",
        "%c = arith.cmpi sgt, %x, %zero : i32",
        "cf.cond_br %c, ^bb2(%x : i32), ^bb3",
        "^bb2(%y: i32):  // pred: ^bb1",
        "%d = arith.subi %y, %one : i32",
        "cf.br ^bb1(%d : i32)",
        "^bb3:  // pred: ^bb1",
        "memref.store %x, %b[%c0] : memref<16xi32>",
        "aie.end",
    ]


def test_switch_on_an_index() -> None:
    module = core(
        "%v = memref.load %b[%c0] : memref<16xi32>",
        "%i = arith.index_cast %v : i32 to index",
        "%r = scf.index_switch %i -> i32",
        "case 2 {",
        "scf.yield %one : i32",
        "}",
        "default {",
        "scf.yield %zero : i32",
        "}",
        "memref.store %r, %b[%c1] : memref<16xi32>",
    )
    assert lines_with(module, "cf.switch") != []
    assert lines_with(module, "default: ^bb2") != []
    assert lines_with(module, "2: ^bb1") != []


def test_nested_loops() -> None:
    module = core(
        "scf.for %i = %c0 to %c8 step %c1 {",
        "scf.for %j = %c0 to %c8 step %c1 {",
        "memref.store %zero, %b[%j] : memref<16xi32>",
        "}",
        "memref.store %zero, %b[%i] : memref<16xi32>",
        "}",
    )
    assert len(lines_with(module, "cf.cond_br")) == 2
    assert lines_with(module, "scf.") == []


def test_loop_of_one_trip_is_straight_and_one_of_none_disappears() -> None:
    module = core(
        "scf.for %i = %c0 to %c1 step %c1 {",
        "memref.store %zero, %b[%i] : memref<16xi32>",
        "}",
        "scf.for %i = %c8 to %c1 step %c1 {",
        "memref.store %one, %b[%i] : memref<16xi32>",
        "}",
    )
    assert core_lines(module) == ["memref.store %zero, %b[%c0] : memref<16xi32>", "aie.end"]


def test_condition_on_a_constant_is_decided() -> None:
    module = core(
        "%c = arith.cmpi slt, %c0, %c1 : index",
        "%r = scf.if %c -> (i32) {",
        "scf.yield %one : i32",
        "} else {",
        "scf.yield %zero : i32",
        "}",
        "memref.store %r, %b[%c0] : memref<16xi32>",
    )
    assert core_lines(module) == ["memref.store %one, %b[%c0] : memref<16xi32>", "aie.end"]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("arith.addi %zero, %v : i32", "memref.store %v, %b[%c1] : memref<16xi32>"),
        ("arith.muli %v, %zero : i32", "memref.store %c0_i32, %b[%c1] : memref<16xi32>"),
        ("arith.addi %one, %one : i32", "memref.store %c2_i32, %b[%c1] : memref<16xi32>"),
        ("arith.subi %zero, %one : i32", "memref.store %c-1_i32, %b[%c1] : memref<16xi32>"),
        ("arith.xori %v, %v : i32", "memref.store %c0_i32, %b[%c1] : memref<16xi32>"),
        ("arith.divsi %v, %one : i32", "memref.store %v, %b[%c1] : memref<16xi32>"),
    ],
)
def test_arithmetic_on_constants_is_folded(expression: str, result: str) -> None:
    module = core(
        "%v = memref.load %b[%c0] : memref<16xi32>",
        f"%r = {expression}",
        "memref.store %r, %b[%c1] : memref<16xi32>",
    )
    assert core_lines(module)[-2:] == [result, "aie.end"]


def test_constants_go_to_the_right_and_are_joined() -> None:
    module = core(
        "%v = memref.load %b[%c0] : memref<16xi32>",
        "%x = arith.addi %one, %v : i32",
        "%y = arith.addi %x, %one : i32",
        "%s = arith.cmpi slt, %zero, %y : i32",
        "%r = arith.select %s, %y, %v : i32",
        "memref.store %r, %b[%c1] : memref<16xi32>",
    )
    assert core_lines(module)[1:4] == [
        "%y = arith.addi %v, %c2_i32 : i32",
        "%s = arith.cmpi sgt, %y, %zero : i32",
        "%r = arith.select %s, %y, %v : i32",
    ]


def wrapped(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if bits > 1 and value >> (bits - 1) else value


def evaluate(op: Operation, numbers: list[int]) -> int:
    a, b = numbers[0], numbers[1]
    if op.name == "arith.cmpi":
        predicate = op.attributes["predicate"]
        assert isinstance(predicate, EnumAttr)
        order = {"eq": a == b, "ne": a != b, "slt": a < b, "sle": a <= b, "sgt": a > b, "sge": a >= b}
        return int(order[predicate.case])
    if op.name == "arith.select":
        return b if a else numbers[2]
    results = {"addi": a + b, "subi": a - b, "muli": a * b, "andi": a & b, "ori": a | b, "xori": a ^ b}
    return wrapped({**results, "maxsi": max(a, b), "minsi": min(a, b)}[op.name[6:]])


def stored(module: Operation, loaded: int) -> int:
    """What the core of a module without branches stores last, when what it loads is `loaded`."""
    values: dict[Value, int] = {}
    last = 0
    for op in next(op for op in module.walk() if op.name == "aie.core").body.ops:
        numbers = [values.get(value, 0) for value in op.operands]
        if op.name == "arith.constant":
            number = constant_value(op.result)
            assert number is not None
            values[op.result] = wrapped(number, 64 if op.result.type == "index" else int(op.result.type[1:]))
        elif op.name == "memref.load":
            values[op.result] = loaded
        elif op.name == "memref.store":
            last = numbers[0]
        elif op.name.startswith("arith."):
            values[op.result] = evaluate(op, numbers)
    return last


NUMBERS = st.sampled_from([0, 1, -1, 2, 7, 2147483647, -2147483648, 4294967295])
BINARY = ["addi", "subi", "muli", "andi", "ori", "xori", "maxsi", "minsi"]
PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge"]


@st.composite
def straight_code(draw: st.DrawFn) -> list[str]:
    lines, integers, flags = ["%v = memref.load %b[%c0] : memref<16xi32>"], ["%v", "%zero", "%one"], []
    for i in range(draw(st.integers(1, 8))):
        kind = draw(
            st.sampled_from(
                ["constant", "binary", "binary", "compare", "select"]
                if flags
                else ["constant", "binary", "compare"]
            )
        )
        left, right = draw(st.sampled_from(integers)), draw(st.sampled_from(integers))
        if kind == "constant":
            lines.append(f"%x{i} = arith.constant {draw(NUMBERS)} : i32")
        elif kind == "binary":
            lines.append(f"%x{i} = arith.{draw(st.sampled_from(BINARY))} {left}, {right} : i32")
        elif kind == "compare":
            lines.append(f"%x{i} = arith.cmpi {draw(st.sampled_from(PREDICATES))}, {left}, {right} : i32")
        else:
            lines.append(f"%x{i} = arith.select {draw(st.sampled_from(flags))}, {left}, {right} : i32")
        (flags if kind == "compare" else integers).append(f"%x{i}")
    return [*lines, f"memref.store {integers[-1]}, %b[%c1] : memref<16xi32>"]


@settings(max_examples=100, deadline=None)
@given(straight_code(), st.sampled_from([0, 1, -5, 2147483647]))
def test_folding_keeps_results(lines: list[str], loaded: int) -> None:
    source = "module { aie.device(npu1_1col) {\n" + HEAD + "\n".join(lines) + "\naie.end }\n} }"
    assert stored(core(*lines), loaded) == stored(parse_module(source, "design.mlir"), loaded)


AFFINE = [
    "affine.for %j = 0 to 16 step 2 {",
    "%v = affine.load %b[(%j * 3 + 1) mod 16] : memref<16xi32>",
    "affine.store %v, %b[%j] : memref<16xi32>",
    "}",
]


def test_affine_loops_and_subscripts() -> None:
    module = core(*AFFINE)
    assert lines_with(module, "affine") == []
    assert [line.split(" ")[2] for line in core_lines(module) if " = arith" in line] == [
        "arith.cmpi", "arith.muli", "arith.addi", "arith.remsi", "arith.cmpi", "arith.addi", "arith.select", "arith.addi",
    ]  # fmt: skip


def test_unknown_affine_operation_is_refused() -> None:
    from npuninja.errors import UserError
    from npuninja.lowering.control_flow.affine_to_scf import lower_affine

    module = core()
    module.body.append(Operation("affine.parallel"))
    with pytest.raises(UserError, match=r"affine\.parallel is not supported"):
        lower_affine(module)
