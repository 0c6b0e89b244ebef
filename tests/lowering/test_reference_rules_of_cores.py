"""Rules of the reference about cores: their code, the objects they take, the files they are linked with."""

from __future__ import annotations

import pytest
from reference_rule import TILES, Rule, cases, check_rule


def core(body: str, attributes: str = "") -> str:
    return f"""{TILES}%buf = aie.buffer(%t) {{sym_name = "buf"}} : memref<16xi32>
  aie.objectfifo @f(%s, {{%t}}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  %core = aie.core(%t) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %x = arith.constant 7 : i32
    {body}
    aie.end
  }} {attributes}"""


ACQUIRE = """%v = aie.objectfifo.acquire @f(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
    %e = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
    memref.store %x, %e[%c0] : memref<16xi32>
    aie.objectfifo.release @f(Consume, 1)"""


RULES: dict[str, list[Rule]] = {
    "07 scf.while": [
        Rule(
            core(
                """%r = scf.while (%i = %c0) : (index) -> index {
      %v = memref.load %buf[%i] : memref<16xi32>
      %k = arith.cmpi slt, %v, %x : i32
      scf.condition(%k) %i : index
    } do {
    ^bb0(%j: index):
      %n = arith.addi %j, %c1 : index
      scf.yield %n : index
    }
    memref.store %x, %buf[%r] : memref<16xi32>"""
            ),
            (
                "cf.br ^bb1(%c0 : index)",
                "^bb1(%i: index):",
                "cf.cond_br %k, ^bb2(%i : index), ^bb3",
                "^bb2(%j: index):",
                "cf.br ^bb1(%n : index)",
                "^bb3:",
                "memref.store %x, %buf[%i] : memref<16xi32>",
            ),
        ),
        Rule(
            core(
                """%r = scf.while (%i = %c0) : (index) -> index {
      %n = arith.addi %i, %c1 : index
      %v = memref.load %buf[%n] : memref<16xi32>
      %k = arith.cmpi slt, %v, %x : i32
      scf.condition(%k) %n : index
    } do {
    ^bb0(%j: index):
      scf.yield %j : index
    }
    memref.store %x, %buf[%r] : memref<16xi32>"""
            ),
            ("cf.br ^bb1(%c0 : index)", "cf.cond_br %k, ^bb1(%n : index), ^bb2"),
            ("(%j",),
        ),
        Rule(
            core(
                """%v = memref.load %buf[%c0] : memref<16xi32>
    %w = arith.index_cast %v : i32 to index
    scf.index_switch %w
    case 2 { memref.store %x, %buf[%c0] : memref<16xi32>
      scf.yield }
    case 1 { memref.store %x, %buf[%c1] : memref<16xi32>
      scf.yield }
    default { memref.store %x, %buf[%c3] : memref<16xi32> }"""
            ),
            ("cf.switch %0 : i32, [", "default: ^bb3,", "2: ^bb1,", "1: ^bb2"),
        ),
    ],
    "08 core bodies are simplified": [
        Rule(
            core(
                """%y = memref.load %buf[%c0] : memref<16xi32>
    %z = memref.load %buf[%c0] : memref<16xi32>
    scf.for %i = %c0 to %c3 step %c1 {
      %p = arith.muli %y, %z : i32
      %d = arith.divsi %x, %y : i32
      %unused = arith.addi %p, %x : i32
      %q = arith.addi %p, %d : i32
      memref.store %q, %buf[%i] : memref<16xi32>
    }"""
            ),
            (
                "%y = memref.load %buf[%c0]",
                "%p = arith.muli %y, %y : i32",
                "cf.br ^bb1",
                "%d = arith.divsi %x, %y : i32",
                "%q = arith.addi %p, %d : i32",
            ),
            ("%unused", "%z"),
        )
    ],
    "17 streams and cascades of cores": [
        Rule(
            core("%v = aie.get_stream(%x : i32) : i32\n    aie.put_stream(%x : i32, %v : i32)"),
            ("%v = aie.get_stream(%x : i32) : i32", "aie.put_stream(%x : i32, %v : i32)"),
        ),
        Rule(
            core(
                "scf.for %i = %c0 to %c3 step %c1 {\n%v = aie.get_stream(%x : i32) : i32\n"
                "memref.store %v, %buf[%i] : memref<16xi32>\n}"
            ),
            refused="'aie.get_stream': it is in 'scf.for'",
        ),
        Rule(
            core("%v = aie.get_cascade() : vector<16xi32>\n    aie.put_cascade(%v : vector<16xi32>)"),
            ("%v = aie.get_cascade() : vector<16xi32>", "aie.put_cascade(%v : vector<16xi32>)"),
        ),
    ],
    "20 link_with": [
        Rule(
            f"{TILES}func.func private @k()\n"
            f"  %c = aie.core(%t) {{ func.call @k() : () -> ()\n"
            f'aie.end }} {{link_with = "k.o"}}',
            ('link_files = ["k.o"]',),
            warned="link_with",
        ),
        Rule(
            f'{TILES}func.func private @k() attributes {{link_with = "k.o"}}\n'
            "  %c = aie.core(%t) { func.call @k() : () -> ()\naie.end }",
            ('link_files = ["k.o"]',),
        ),
    ],
    "22 right where the reference is wrong": [
        # A fifo used on across passes of an outer loop goes on with its next buffer.
        Rule(
            core(
                f"scf.for %o = %c0 to %c3 step %c1 {{\nscf.for %i = %c0 to %c3 step %c1 {{\n{ACQUIRE}\n}}\n}}"
            ),
            tuple(f"memref.store %x, %f_cons_buff_{i % 2}[%c0] : memref<16xi32>" for i in range(9)),
        )
    ],
    "23 tiles before cores": [
        Rule(
            core(ACQUIRE) + "\n  %late = aie.tile(0, 3)\n  %q = aie.buffer(%late) : memref<4xi32>",
            ("memref.store %x, %f_cons_buff_0[%c0]",),
            warned="MLIR-AIE",
        )
    ],
    "25 dynamic fifos": [
        Rule(
            core(f"scf.for %i = %c0 to %c3 step %c1 {{\n{ACQUIRE}\n}}", "{dynamic_objfifo_lowering = true}"),
            (
                "%4 = memref.load",
                "%5 = arith.addi %4, %c1_i32 : i32",
                "%6 = arith.cmpi sge, %5, %c2_i32 : i32",
                "%7 = arith.subi %5, %c2_i32 : i32",
                "%8 = arith.select %6, %7, %5 : i32",
            ),
        )
    ],
}


@pytest.mark.parametrize("rule", cases(RULES))
def test_rule(rule: Rule) -> None:
    check_rule(rule)


def test_every_rule_is_there() -> None:
    assert [int(name[:2]) for name in RULES] == [7, 8, 17, 20, 22, 23, 25]
