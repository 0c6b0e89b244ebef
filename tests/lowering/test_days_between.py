"""Texts of releases between two generations: each spelling came on a day of its own."""

from __future__ import annotations

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.spelled_generation import generations_and_days, possible_generations
from npuninja.lowering.spelling import respell

DESIGN = """module {{ aie.device(npu1) {{
  %s = aie.tile(0, 0)
  %t = aie.tile(0, 2)
  %l = aie.lock(%t, 0) {{init = 1 : i32}}
  %b = aie.buffer(%t) {{{aligned}sym_name = "b"}} : memref<8xi32>
  %m = aie.mem(%t) {{
    %0 = aie.dma_start(S2MM, 0, ^a, ^e)
  ^a:
    {lock}
    {descriptor}
    aie.next_bd ^e
  ^e:
    aie.end
  }}
  {dialect}.runtime_sequence(%a: memref<8xi32>) {{
    {write}
  }}
}} }}"""
OLD = {
    "aligned": "",
    "lock": "aie.use_lock(%l, AcquireGreaterEqual, 1)",
    "descriptor": "aie.dma_bd(%b : memref<8xi32>, 0, 8)",
    "write": "aiex.npu.write32 {address = 4 : ui32, value = 5 : ui32, column = 0 : i32, row = 2 : i32}",
    "dialect": "aie",
}
NEW = {
    "aligned": "aligned = false, ",
    "lock": "%c = arith.constant 1 : i32\n    aie.use_lock(%l, AcquireGreaterEqual, %c)",
    "descriptor": "aie.dma_bd(%b : memref<8xi32> len = 8)",
    "write": "%k = arith.constant 4 : i32\n    %v = arith.constant 5 : i32\n"
    "    aiex.npu.write32(%k, %v) {column = 0 : i32, row = 2 : i32} : i32, i32",
}
#: In the order in which they came.
ORDER = ("aligned", "write", "lock", "descriptor")
DAYS = ("2026-05-08", "2026-07-06", "2026-07-13", "2026-07-14")


def text(*new: str, **more: str) -> str:
    return DESIGN.format(**{**OLD, **{name: NEW[name] for name in new}, **more})


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_text_of_one_day_is_lowered_as_the_next_generation(steps: int) -> None:
    between = text(*ORDER[:steps])
    module = parse_module(between, "d.mlir")
    assert generations_and_days(module) == (("2026-08",), (DAYS[steps - 1], DAYS[steps]))
    lowered = lower_design(between, "d.mlir", None, "auto", Warnings())
    assert lowered == lower_design(text(*ORDER[:steps]), "d.mlir", None, "2026-08", Warnings())
    assert lowered["insts.bin"] == lower_design(text(*ORDER), "d.mlir", None, "auto", Warnings())["insts.bin"]


def test_a_whole_generation_has_no_days() -> None:
    for new, possible in ((ORDER, ("2026-08",)), ((), ("2026-02",))):
        module = parse_module(text(*new), "d.mlir")
        assert generations_and_days(module) == (possible, None)


@pytest.mark.parametrize(
    ("new", "more", "line", "says", "note"),
    [
        (
            ("lock",),
            {},
            17,
            "literal numbers of aiex.npu.write32",
            "values as operands of aie.use_lock is here",
        ),
        (
            ("descriptor", "write"),
            {},
            10,
            "keywords of aie.dma_bd",
            "literal numbers of aie.use_lock is here",
        ),
        (("aligned",), {"dialect": "aiex"}, 15, "'aiex.runtime_sequence'", "'aligned' of aie.buffer is here"),
    ],
)
def test_spellings_that_no_day_had_together_are_refused_with_both_places(
    new: tuple[str, ...], more: dict[str, str], line: int, says: str, note: str
) -> None:
    with pytest.raises(UserError, match="mixes generations") as refused:
        possible_generations(parse_module(text(*new, **more), "d.mlir"))
    assert refused.value.message.startswith(f"the design mixes generations of MLIR-AIE: {says} is for")
    assert refused.value.location is not None
    assert refused.value.location.line == line
    ((said, place),) = refused.value.notes
    assert said == note
    assert place is not None


def test_tools_of_1_4_are_given_one_spelling() -> None:
    module = parse_module(text("aligned", "write"), "d.mlir")
    assert respell(
        module,
        sequence_op="aie.runtime_sequence",
        allocation_has_tile=True,
        functions_link=True,
        numbers="values",
    )
    again = parse_module(print_module(module), "d.mlir")
    assert generations_and_days(again) == (("2026-08",), None)
