"""The reference's first pass on scalar code joins equal operations, hoists invariant and drops dead ones."""

from __future__ import annotations

import pytest
from lowered import lines_with, lowered, text_of

CORE = """
  %t = aie.tile(0, 2)
  %a = aie.buffer(%t) {{sym_name = "a"}} : memref<64xi32>
  %b = aie.buffer(%t) {{sym_name = "b"}} : memref<64xi32>
  %l = aie.lock(%t, 0) {{init = 1 : i32}}
  %core = aie.core(%t) {{
   %c0 = arith.constant 0 : index
   %c1 = arith.constant 1 : index
   %c8 = arith.constant 8 : index
   {}
   aie.end
  }}
"""


def core(body: str):
    return lowered(CORE.format(body))


@pytest.mark.parametrize(
    ("between", "loads"),
    [
        ("", 1),
        ("memref.store %v, %b[%c1] : memref<64xi32>", 2),
        ("aie.use_lock(%l, AcquireGreaterEqual, 1)", 2),
        ("%other = memref.load %b[%c0] : memref<64xi32>", 1),
        ("scf.for %i = %c0 to %c8 step %c1 { memref.store %v, %a[%i] : memref<64xi32> }", 2),
    ],
)
def test_two_loads_of_one_place(between, loads):
    module = core(
        f"""%v = memref.load %a[%c0] : memref<64xi32>
   {between}
   %w = memref.load %a[%c0] : memref<64xi32>
   %s = arith.addi %v, %w : i32
   memref.store %s, %b[%c0] : memref<64xi32>"""
    )
    assert len(lines_with(module, "memref.load %a")) == loads


def test_commutative_operations_are_equal_either_way_round():
    module = core(
        """%v = memref.load %a[%c0] : memref<64xi32>
   %w = memref.load %a[%c1] : memref<64xi32>
   %x = arith.addi %v, %w : i32
   %y = arith.addi %w, %v : i32
   %z = arith.subi %v, %w : i32
   memref.store %x, %b[%c0] : memref<64xi32>
   memref.store %y, %b[%c1] : memref<64xi32>
   memref.store %z, %b[%c8] : memref<64xi32>"""
    )
    assert len(lines_with(module, "arith.addi")) == 1


LOOP = """%v = memref.load %a[%c0] : memref<64xi32>
   %w = memref.load %a[%c1] : memref<64xi32>
   scf.for %i = %c0 to %c8 step %c1 {{
    aie.use_lock(%l, AcquireGreaterEqual, 1)
    %x = {} : i32
    memref.store %x, %b[%i] : memref<64xi32>
   }}"""


@pytest.mark.parametrize(
    ("expression", "hoisted"),
    [("arith.muli %v, %w", True), ("arith.remsi %v, %w", True), ("arith.divsi %v, %w", False)],
)
def test_what_does_not_change_goes_before_the_loop_unless_it_may_trap(expression, hoisted):
    text = text_of(core(LOOP.format(expression)))
    assert (text.index(expression.split()[0]) < text.index("use_lock")) is hoisted


def test_loops_without_effect_are_gone():
    module = core(
        """scf.for %i = %c0 to %c8 step %c1 {
    %v = memref.load %a[%i] : memref<64xi32>
    %w = arith.addi %v, %v : i32
   }"""
    )
    assert lines_with(module, "cf.") == []
    assert lines_with(module, "memref.load") == []


def test_a_switch_on_a_constant_is_its_case():
    module = core(
        """%five = arith.constant 5 : i32
   %six = arith.constant 6 : i32
   scf.index_switch %c8
   case 1 {
    memref.store %five, %b[%c0] : memref<64xi32>
    scf.yield
   }
   case 8 {
    memref.store %six, %b[%c0] : memref<64xi32>
    scf.yield
   }
   default {
   }"""
    )
    assert lines_with(module, "cf.") == []
    assert len(lines_with(module, "memref.store %c6_i32")) + len(lines_with(module, "memref.store %six")) == 1
