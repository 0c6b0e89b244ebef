"""What the counters count: exact operations of small functions, and results that stay the same."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.emulator.timing.instrument import instrument
from npuninja.emulator.timing.operations import INSTRUCTIONS, instructions, kind_of_operation, with_lanes
from npuninja.errors import UserError
from npuninja.formats.wasm_code import BULK, SIMD

HEAD = '(memory (export "memory") 8 8) (global $sp (mut i32) (i32.const 7)) (export "sp" (global $sp))'


def run(text: str, *arguments: int, imports=()) -> tuple[object, dict[str, int]]:
    """The result of the exported function `f` of a module with counters, and the operations by class."""
    module = bytes(wasmtime.wat2wasm(f"(module {text})"))
    plain, _ = call(module, arguments, imports)
    counted = instrument(module, "m.wasm")
    result, value_of = call(counted.module, arguments, imports)
    assert result == plain
    totals = counted.totals([value_of(piece.export) for piece in counted.pieces])
    return result, {kind: count for kind, count in totals.items() if count}


def call(module: bytes, arguments, imports):
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    functions = [wasmtime.Func(store, make_type(), function) for make_type, function in imports]
    exports = wasmtime.Instance(store, wasmtime.Module(engine, module), functions).exports(store)
    return exports["f"](store, *arguments), lambda name: exports[name].value(store)


LOOP = f"""{HEAD} (func (export "f") (param i32) (result i32) (local $sum i32)
    (block $out (loop $again
        (br_if $out (i32.eqz (local.get 0)))
        (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get 0) (local.get 0))))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br $again)))
    (local.get $sum))"""


@settings(max_examples=10)
@given(st.integers(0, 50))
def test_a_loop_is_counted_turn_by_turn(turns: int) -> None:
    result, counts = run(LOOP, turns)
    assert result == sum(n * n for n in range(turns + 1))
    expected = {"integer": 4 * turns + 1, "branch": 2 * turns + 1}  # eqz, mul, add, sub; br_if, br
    assert counts == expected


@pytest.mark.parametrize(
    ("argument", "counts"), [(1, {"branch": 1, "divide": 1}), (0, {"branch": 1, "64-bit": 2})]
)
def test_only_the_branch_that_was_taken_counts(argument: int, counts: dict[str, int]) -> None:
    body = """(if (result i32) (local.get 0)
        (then (i32.div_u (i32.const 8) (i32.const 2)))
        (else (i32.wrap_i64 (i64.add (i64.const 1) (i64.load (i32.const 0))))))"""
    assert run(f'{HEAD} (func (export "f") (param i32) (result i32) {body})', argument)[1] == counts


@pytest.mark.parametrize(
    ("case", "operation"), [(0, "load"), (1, "bit count"), (2, "narrow store"), (9, "narrow store")]
)
def test_jump_tables(case: int, operation: str) -> None:
    body = """(block $c (block $b (block $a (br_table $a $b $c (local.get 0)))
        (drop (i32.load (i32.const 0))) (return))
        (drop (i32.clz (i32.const 5))) (return))
        (i32.store8 (i32.const 0) (i32.const 5))"""
    assert run(f'{HEAD} (func (export "f") (param i32) {body})', case)[1] == {"branch": 1, operation: 1}


@pytest.mark.parametrize("nbytes", [0, 1, 4096])
def test_copied_and_filled_bytes_are_counted(nbytes: int) -> None:
    body = """(memory.fill (i32.const 64) (i32.const 7) (local.get 0))
        (memory.copy (i32.const 8192) (i32.const 64) (local.get 0)) (i32.load8_u (i32.const 8192))"""
    result, counts = run(f'{HEAD} (func (export "f") (param i32) (result i32) {body})', nbytes)
    assert result == (7 if nbytes else 0)
    assert counts == {
        k: n for k, n in {"copied byte": nbytes, "filled byte": nbytes, "call": 2, "load": 1}.items() if n
    }


def test_stores_into_the_lock_page_are_lock_operations() -> None:
    body = (
        "(i32.store offset=66052 (i32.const 0) (i32.const 1)) (i32.store offset=0x70000 (i32.const 0) "
        "(i32.const 1))"
    )
    assert run(f'{HEAD} (func (export "f") {body})')[1] == {"lock operation": 1, "store": 1}


def test_calls_of_the_module_and_of_math_functions_are_reported_apart() -> None:
    text = f"""(import "env" "sinf" (func $sinf (param f32) (result f32))) {HEAD}
        (func $inner (result f32) (call $sinf (f32.const 1)))
        (func (export "f") (result f32) (f32.add (call $inner) (call $inner)))"""

    def make_type() -> wasmtime.FuncType:
        return wasmtime.FuncType([wasmtime.ValType.f32()], [wasmtime.ValType.f32()])

    result, counts = run(text, imports=[(make_type, lambda x: 2.0)])
    assert result == 4.0
    assert counts == {"math function": 2, "call": 2, "float": 1}


def test_vector_loads_and_loops_have_the_lanes_of_the_arithmetic_beside_them() -> None:
    counts = {"vector load or store": 3, "vector x8": 2, "vector x4": 1, "branch": 1, "integer": 2}
    assert with_lanes(counts) == {"vector x8": 5, "vector x4": 1, "vector loop x8": 1, "integer": 2}
    assert with_lanes({"vector load or store": 2, "branch": 1}) == {"vector load or store": 2, "branch": 1}


@pytest.mark.parametrize(
    ("opcode", "kind"),
    [
        (0x6A, "integer"), (0x6C, "integer"), (0x6D, "divide"), (0x70, "divide"), (0x28, "load"), (0x2D, "load"),
        (0x29, "64-bit"), (0x36, "store"), (0x3B, "narrow store"), (0x7E, "64-bit multiply"), (0x80, "64-bit divide"),
        (0x92, "float"), (0xA0, "double"), (0x20, "free"), (0x41, "free"), (0x0B, "free"), (0x0D, "branch"),
        (SIMD | 0, "vector load or store"), (SIMD | 12, "free"), (SIMD | 81, "vector move"), (SIMD | 110, "vector x16"),
        (SIMD | 142, "vector x8"), (SIMD | 149, "vector x8"), (SIMD | 174, "vector x4"), (SIMD | 181, "vector x4"),
        (SIMD | 206, "vector 64-bit"), (SIMD | 228, "vector float"), (SIMD | 240, "vector double"),
        (BULK | 0, "float"), (BULK | 2, "double"), (BULK | 10, "call"),
    ],
)  # fmt: skip
def test_classes_of_operations(opcode: int, kind: str) -> None:
    assert kind_of_operation(opcode) == kind


def test_every_class_has_a_cost_whose_ends_are_in_order() -> None:
    scalar = {kind_of_operation(code) for code in range(0xC5)}
    vector = {kind_of_operation(SIMD | code) for code in range(256)}
    assert scalar | vector <= set(INSTRUCTIONS)
    for kind in INSTRUCTIONS:
        cost = instructions({kind: 3})
        assert 0 <= cost.optimistic <= cost.middle <= cost.pessimistic, kind


@pytest.mark.parametrize("length", [0, 8, 20, 45])
def test_a_damaged_module_is_an_error_of_the_user(length: int) -> None:
    module = bytes(wasmtime.wat2wasm(f"(module {LOOP})"))
    with pytest.raises(UserError):
        instrument(module[:length], "m.wasm")
