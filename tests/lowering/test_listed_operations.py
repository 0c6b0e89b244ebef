"""docs/dialect.md says what is lowered: each operation there is in a design that a test compares or runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, TESTS

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.formats.cdo import Command, Write, read_cdo
from npuninja.formats.txn import read_txn
from npuninja.ir.parser import parse_module
from npuninja.lowering.pipeline import configuration

PAGE = (ROOT / "docs" / "dialect.md").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:aie|aiex|aievec)\.[\w.]+\w")
LOWERED = [
    name
    for row in PAGE.split("## Lowered")[1].split("## Kept")[0].split("\n")
    if row.startswith("| ")
    for name in NAME.findall(row.split(" | ")[0])
]


def _tested() -> Iterator[Path]:
    """Conformance designs with results, designs of cases, and tests that lower or run what they write."""
    yield from (TESTS / "conformance").glob("*/*.mlir")
    yield from (TESTS / "cases").glob("**/*.mlir")
    for folder in ("lowering", "device", "emulator"):
        yield from (TESTS / folder).glob("*.py")


def test_every_operation_that_is_called_lowered_has_a_test() -> None:
    used = {name for path in _tested() for name in NAME.findall(path.read_text(encoding="utf-8"))}
    assert len(LOWERED) > 90
    assert [name for name in LOWERED if name not in used] == []


def commands(device: str) -> tuple[Command, ...]:
    """Those of cdo_init of a routed device."""
    module = parse_module(f"module {{ aie.device(npu1_1col) {{\n{device}\n}} }}", "d.mlir")
    return read_cdo(configuration(module, "", {}).init, "init")


def test_a_shim_switchbox_by_its_column_makes_the_circuits_of_a_switchbox() -> None:
    connects = "{\naie.connect<South : 3, North : 0>\naie.connect<North : 1, South : 2>\n}"
    by_column = commands(f"%s = aie.tile(0, 0)\n%w = aie.shim_switchbox(0) {connects}")
    by_tile = commands(f"%s = aie.tile(0, 0)\n%w = aie.switchbox(%s) {connects}")
    assert by_column == by_tile
    assert len([c for c in by_column if isinstance(c, Write) and c.address in range(0x3F000, 0x3F200)]) == 4


GUARDED = """module {{ aie.device(npu1_1col) {{
  aie.runtime_sequence(%a: memref<64xi32>, %n: i32) {{
    %c = arith.constant {number} : i32
    aiex.npu.{guard} : i32
  }}
}} }}"""


@pytest.mark.parametrize(
    ("number", "guard", "refused"),
    [
        (1023, "assert_bd_field(%c) {max = 1023 : i32}", ""),
        (1024, "assert_bd_field(%c) {max = 1023 : i32}", "the number is 1024, the field holds 0 to 1023"),
        (8, "assert_bd_divisible(%c) {divisor = 4 : i32}", ""),
        (7, "assert_bd_divisible(%c) {divisor = 4 : i32}", "the number is 7, no multiple of 4"),
        (1, "assert_bd_divisible(%c) {divisor = 4 : i32}", "the number is 1, no multiple of 4"),
        (1, "assert_bd_divisible(%c) {allow_unit, divisor = 4 : i32}", ""),
        (1, "assert_bd_field(%n) {max = 1023 : i32}", "known at run time only"),
    ],
)
def test_guards_are_checked_and_have_no_instruction(number: int, guard: str, refused: str) -> None:
    text = GUARDED.format(number=number, guard=guard)
    if refused:
        with pytest.raises(UserError, match=refused) as error:
            lower_design(text, "d.mlir", None, "2026-08", Warnings())
        assert error.value.location is not None
        assert error.value.location.line == 4
        return
    made = lower_design(text, "d.mlir", None, "2026-08", Warnings())
    assert len(made["insts.bin"]) == 16  # the header alone


def test_scratchpad_parameters_are_fetched_where_the_sequence_says() -> None:
    text = """module {
  aiex.scratchpad_parameter @p : i32
  aie.device(npu1_1col) {
    %t = aie.tile(0, 2)
    %out = aie.buffer(%t) {sym_name = "out"} : memref<1xi32>
    %core = aie.core(%t) {
      %c0 = arith.constant 0 : index
      %v = aiex.read_scratchpad_parameter @p : i32
      memref.store %v, %out[%c0] : memref<1xi32>
      aie.end
    }
    aie.runtime_sequence(%a: memref<64xi32>) {
      %k = arith.constant 4 : i32
      aiex.npu.write32(%k, %k) {column = 0 : i32, row = 2 : i32} : i32, i32
      BEHIND
    }
  }
}"""
    streams = [
        read_txn(
            lower_design(text.replace("BEHIND", behind), "d.mlir", None, "2026-08", Warnings())["insts.bin"]
        ).operations
        for behind in ("aiex.sync_scratchpad_parameters_from_host", "")
    ]
    # Without the mark they come first; with it they are at its place.
    named = [[type(operation).__name__ for operation in stream] for stream in streams]
    assert sorted(named[0]) == sorted(named[1])
    assert named[0] != named[1]
    assert named[0][0] == "Write"
