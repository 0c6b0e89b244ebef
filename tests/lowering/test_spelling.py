"""Designs in the spelling of another release: read there, with the same meaning, and back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify
from npuninja.lowering.spelled_generation import possible_generations
from npuninja.lowering.spelling import respell

CONFORMANCE = Path(__file__).parents[1] / "conformance"
NEW = {"sequence_op": "aie.runtime_sequence", "allocation_has_tile": True, "functions_link": True}


def to_values(module: Operation) -> bool:
    return respell(
        module,
        sequence_op="aie.runtime_sequence",
        allocation_has_tile=True,
        functions_link=True,
        numbers="values",
    )


def to_attributes(module: Operation) -> bool:
    return respell(
        module,
        sequence_op="aie.runtime_sequence",
        allocation_has_tile=True,
        functions_link=True,
        numbers="attributes",
    )


def read(name: str) -> Operation:
    return parse_module((CONFORMANCE / name / "design.mlir").read_text(encoding="utf-8"), f"{name}.mlir")


@pytest.mark.parametrize(
    "name", ["new_tasks", "new_seq_all_writes", "new_tile_tasks", "new_dma_regions", "hand_core_chain"]
)
def test_older_designs_for_1_4_and_back(name: str) -> None:
    module, original = read(name), read(name)
    to_attributes(original)
    assert to_values(module)
    text = print_module(module)
    assert possible_generations(parse_module(text, "new.mlir")) == ("2026-08",)
    again = parse_module(text, "new.mlir")
    assert not to_values(again), "it is in that spelling already"
    assert to_attributes(again)
    assert "2026-02" in possible_generations(parse_module(print_module(again), "old.mlir"))
    assert difference(again, original, names=False) is None


@pytest.mark.parametrize("name", ["hand_pingpong", "hand_memtile_mix"])
def test_respelled_designs_lower_with_the_rules_of_1_4(name: str) -> None:
    module = read(name)
    to_values(module)
    files = lower_design(print_module(module), "design.mlir", None, "2026-08", Warnings())
    assert b"AcquireGreaterEqual, %c" in files["input_with_addresses.mlir"]


@pytest.mark.parametrize("name", ["aug_hand_locks", "aug_tasks_iron"])
def test_designs_of_1_4_for_older_tools(name: str) -> None:
    module = read(name)
    assert to_attributes(module)
    text = print_module(module)
    assert possible_generations(parse_module(text, "old.mlir")) in (("2025-10", "2026-02"), ("2026-02",))
    lower_design(text, "design.mlir", None, "2026-02", Warnings())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aug_resets", "MLIR-AIE before 1.4 has no"),
        ("aug_hand_dims", "MLIR-AIE before 1.4 has no 'iteration' of aie.dma_bd"),
        ("aug_scratchpad", "MLIR-AIE before 1.4 has no"),
        ("aug_align", "MLIR-AIE before 1.4 has no 'aligned' of aie.buffer"),
    ],
)
def test_what_only_1_4_can_say_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        to_attributes(read(name))
    assert caught.value.location is not None


CORES = """module { aie.device(npu1_1col) {
%t = aie.tile(0, 2)
%u = aie.tile(0, 3)
func.func private @f()
func.func private @g()
aie.core(%t) {
func.call @f() : () -> ()
aie.end
} {link_with = "a.o"}
aie.core(%u) {
func.call @CALLED() : () -> ()
aie.end
} {link_with = "OBJECT"}
} }"""


@pytest.mark.parametrize(
    ("called", "object_file", "moved"), [("g", "b.o", True), ("f", "a.o", True), ("f", "b.o", False)]
)
def test_objects_are_at_functions_for_newer_tools(called: str, object_file: str, moved: bool) -> None:
    module = parse_module(CORES.replace("CALLED", called).replace("OBJECT", object_file), "design.mlir")
    assert to_attributes(module) == moved
    at_cores = [op for op in module.walk() if op.name == "aie.core" and "link_with" in op.attributes]
    at_functions = [op for op in module.walk() if op.name == "func.func" and "link_with" in op.attributes]
    assert (len(at_cores), bool(at_functions)) == ((0, True) if moved else (2, False))


def test_an_older_allocation_gets_a_tile_and_its_name_to_itself() -> None:
    """An allocation by column is no symbol and needs no tile; one by tile is and does."""
    text = """module { aie.device(npu1) {
  memref.global "public" @in : memref<16xi32>
  memref.global "public" @other : memref<16xi32>
  aie.shim_dma_allocation @in(MM2S, 0, 2)
} }"""
    module = parse_module(text, "design.mlir")
    assert respell(module, sequence_op="aie.runtime_sequence", allocation_has_tile=True, functions_link=False)
    made = print_module(module)
    assert "@in : memref" not in made
    assert "@other : memref" in made
    assert "%shim_noc_tile_2_0 = aie.tile(2, 0)" in made
    assert "aie.shim_dma_allocation @in(%shim_noc_tile_2_0, MM2S, 0)" in made
    verify(parse_module(made, "made.mlir"))
    used = text.replace(
        "aie.shim", "func.func @f() { %0 = memref.get_global @in : memref<16xi32> func.return }\n  aie.shim"
    )
    with pytest.raises(UserError, match="newer MLIR-AIE cannot tell this from the allocation @in"):
        respell(
            parse_module(used, "design.mlir"),
            sequence_op="aie.runtime_sequence",
            allocation_has_tile=True,
            functions_link=False,
        )
