"""Which arguments an address is made of, in code written by hand: sums are followed, all else is given up."""

from __future__ import annotations

import pytest
import wasmtime

from npuninja.emulator.core_modules.origins import Signatures, origins_of
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import read_wasm

A, B = 1, 2


def masks(body: str, more: str = "") -> list[int]:
    """Of each access in a function of two addresses, a number and a local: its parameters, 0 for unknown."""
    text = f"""(module (memory 1) (global $g (mut i32) (i32.const 0)) {more}
      (func $f (param $a i32) (param $b i32) (param $n i64) (local $p i32) {body}))"""
    wasm = read_wasm(bytes(wasmtime.wat2wasm(text)), "x")
    code = functions(wasm)
    signatures = Signatures(
        tuple((len(f.parameters), len(f.results)) for f in code),
        tuple((len(f.parameters), len(f.results)) for f in code),
    )
    function = code[-1]
    found = origins_of(function, 4, signatures)
    accesses = [i.offset for i in function.instructions if 0x28 <= i.opcode <= 0x3E or i.opcode >= 0xFC000]
    return [found.accesses.get(offset, 0) for offset in accesses]


def load(address: str) -> str:
    return f"(drop (i32.load {address}))"


LOOP = """(local.set $p {start}) (loop {body}
  (local.set $p (i32.add (local.get $p) {step})) (br_if 0 (i32.lt_u (local.get $p) (i32.const 9))))"""


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (load("(local.get $a)"), [A]),
        (load("(i32.add (local.get $a) (i32.const 4))"), [A]),
        (load("(i32.add (i32.const 4) (local.get $b))"), [B]),
        (load("(i32.sub (local.get $a) (i32.const 4))"), [A]),
        (load("(i32.add (local.get $a) (i32.shl (local.get $b) (i32.const 2)))"), [A]),
        (load("(i32.add (local.get $a) (i32.mul (local.get $b) (i32.const 4)))"), [A]),
        (load("(i32.add (local.get $a) (i32.load (local.get $b)))"), [B, A]),
        (load("(i32.and (local.get $a) (i32.const -16))"), [A]),
        (load("(i32.or (local.get $a) (i32.const 4))"), [A]),
        (load("(i32.add (local.get $a) (local.get $b))"), [A | B]),
        (load("(i32.wrap_i64 (local.get $n))"), [0]),
        (load("(i32.const 0x70800)"), [0]),
        (load("(global.get $g)"), [0]),
        # A difference of addresses, the lower bits of one, one or another.
        (load("(i32.add (local.get $a) (i32.sub (local.get $b) (local.get $a)))"), [0]),
        (load("(i32.add (i32.const 8) (i32.sub (i32.const 0) (local.get $a)))"), [0]),
        (load("(i32.add (i32.const 8) (i32.mul (local.get $a) (i32.const -1)))"), [0]),
        (load("(i32.add (i32.const 8) (i32.and (local.get $a) (i32.const 15)))"), [0]),
        (load("(i32.xor (local.get $a) (i32.const -1))"), [0]),
        (load("(select (local.get $a) (local.get $b) (i32.const 1))"), [A | B]),
        (load("(select (local.get $a) (i32.const 8) (i32.const 1))"), [0]),
        # Variables, loops, blocks.
        ("(local.set $p (local.get $a)) " + load("(local.get $p)"), [A]),
        ("(local.set $a (i32.add (local.get $a) (i32.const 1))) " + load("(local.get $a)"), [A]),
        ("(local.set $p (local.get $a)) (local.set $p (local.get $b)) " + load("(local.get $p)"), [B]),
        (LOOP.format(start="(local.get $a)", body=load("(local.get $p)"), step="(i32.const 4)"), [A]),
        (LOOP.format(start="(local.get $a)", body=load("(local.get $p)"), step="(i32.load (local.get $p))"), [A, A]),
        (LOOP.format(start="(i32.const 8)", body=load("(local.get $p)"), step="(local.get $a)"), [0]),
        (
            "(local.set $p (local.get $a)) (loop " + load("(local.get $p)")
            + "(local.set $p (i32.load (local.get $p))) (br_if 0 (local.get $p)))",
            [0, 0],
        ),
        (load("(if (result i32) (local.get $b) (then (local.get $a)) (else (local.get $b)))"), [A | B]),
        ("(if (local.get $b) (then (local.set $p (local.get $a)))) " + load("(local.get $p)"), [0]),
        ("(block (br_if 0 (local.get $b)) (local.set $a (i32.const 9))) " + load("(local.get $a)"), [0]),
        ("(block (br 0) " + load("(local.get $a)") + ") " + load("(local.get $a)"), [0, A]),
        ("(block (block (br_table 0 1 (local.get $b))) (local.set $a (local.get $b))) " + load("(local.get $a)"), [A | B]),
        ("(loop (loop (local.set $p (local.get $a)) " + load("(local.get $p)") + "(br_if 1 (local.get $b))))", [A]),
        ("(i32.store (local.get $a) (local.get $b)) (memory.fill (local.get $b) (i32.const 0) (i32.const 4))", [A, B]),
        ("(return) " + load("(local.get $a)"), [0]),
        ("unreachable " + load("(local.get $a)"), [0]),
    ],
)  # fmt: skip
def test_addresses(body, wanted):
    assert masks(body) == wanted


def test_what_calls_give_is_not_known():
    more = "(func $g1 (param i32) (result i32) (local.get 0))"
    assert masks(load("(call $g1 (local.get $a))"), more) == [0]


def test_code_that_is_damaged_has_no_origins():
    wasm = read_wasm(
        bytes(wasmtime.wat2wasm("(module (memory 1) (func (param i32) (drop (i32.load (local.get 0)))))")),
        "x",
    )
    (function,) = functions(wasm)
    cut = function._replace(instructions=function.instructions[1:])
    found = origins_of(cut, 1, Signatures(((1, 0),), ((1, 0),)))
    assert found == ({}, {})
