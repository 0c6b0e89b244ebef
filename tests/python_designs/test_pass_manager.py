"""Passes on a design's module by name: MLIR's general ones, ours with options, those with nothing to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conformance.compare_mlir import compare

from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.ir.parser import parse_module
from npuninja.python_designs.construct.generation import generation, set_generation
from npuninja.python_designs.construct.insertion import Module
from npuninja.python_designs.host.pass_manager import PassManager
from npuninja.python_designs.host.pipelines import MlirCompilerError, Pipeline, run_pipeline

DESIGN = """
module {
  aie.device(npu1_2col) {
    func.func private @unused(i32)
    func.func private @used(i32)
    %core0 = aie.logical_tile<CoreTile>(?, ?)
    %core1 = aie.logical_tile<CoreTile>(?, ?)
    %buffer = aie.buffer(%core0) {sym_name = "b"} : memref<4xi32>
    aie.core(%core0) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      scf.for %i = %c0 to %c4 step %c1 {
        %two = arith.constant 2 : i32
        %three = arith.constant 3 : i32
        %a = memref.load %buffer[%c1] : memref<4xi32>
        %b = memref.load %buffer[%c1] : memref<4xi32>
        %sum = arith.addi %two, %three : i32
        %whole = arith.addi %a, %b : i32
        func.call @used(%whole) : (i32) -> ()
        func.call @used(%sum) : (i32) -> ()
      }
      aie.end
    }
  }
}
"""


@pytest.fixture(autouse=True)
def of_february():
    before = generation()
    set_generation("2026-02")
    yield
    set_generation(before)


def names_after(pipeline):
    module = Module(parse_module(DESIGN, "design.mlir"))
    PassManager.parse(pipeline, context=module.context).run(module.operation)
    return [op.name for op in module.ir.walk()], str(module)


@pytest.mark.parametrize(
    ("pipeline", "counts"),
    [
        ("builtin.module(canonicalize)", {"arith.addi": 1, "memref.load": 2, "func.func": 2}),
        ("builtin.module(cse)", {"arith.addi": 2, "memref.load": 1, "func.func": 2}),
        ("builtin.module(aie.device(aie.core(cse)),symbol-dce)", {"memref.load": 1, "func.func": 1}),
        ("builtin.module(convert-scf-to-cf)", {"scf.for": 0, "cf.cond_br": 1}),
        ("builtin.module(aie.device(aie-place-tiles))", {"aie.logical_tile": 0, "aie.tile": 2}),
        ("builtin.module(func.func(affine-loop-unroll), canonicalize)", {"arith.addi": 1}),
    ],
)
def test_passes_do_their_work_on_a_module(pipeline, counts):
    names, _ = names_after(pipeline)
    assert {name: names.count(name) for name in counts} == counts


def test_invariants_leave_their_loop():
    _, text = names_after("builtin.module(loop-invariant-code-motion)")
    assert text.index("arith.addi") < text.index("scf.for") < text.index("memref.load")


@pytest.mark.parametrize(
    ("cores", "places"),
    [("1", ["(0, 2)", "(1, 2)"]), ("-1", ["(0, 2)", "(0, 3)"]), ("2", ["(0, 2)", "(0, 3)"])],
)
def test_options_of_a_pass_are_the_lowerings_settings(cores, places):
    _, text = names_after(f"builtin.module(aie.device(aie-place-tiles{{cores-per-col={cores}}}))")
    found = re.findall(r"aie\.tile(\(\d, \d\))", text)
    assert sorted(found) == places


def test_a_pass_that_is_not_there_runs_only_where_it_has_nothing_to_do():
    module = Module(
        parse_module(
            "module { aie.device(npu1) { %t = aie.tile(0, 2)\n %l = aie.lock(%t, 0)\n"
            "aie.runtime_sequence() { aiex.set_lock(%l, 1) } } }",
            "d.mlir",
        )
    )
    with pytest.raises(NotImplementedError, match=r"aie-lower-set-lock is not offered .* has aiex.set_lock"):
        PassManager.parse("builtin.module(aie.device(aie-lower-set-lock))").run(module)
    names_after("builtin.module(aie.device(aie-lower-set-lock))")


def test_options_of_a_pass_that_has_nothing_to_do_change_nothing():
    names, _ = names_after("builtin.module(func.func(affine-loop-unroll{unroll-factor=4}),cse)")
    assert names.count("memref.load") == 1


def test_multicasts_become_flows():
    module = Module(
        parse_module(
            "module { aie.device(npu1) { %t = aie.tile(0, 2)\n %u = aie.tile(0, 3)\n"
            "aiex.multicast(%t, DMA : 0) { aiex.multi_dest<%u, DMA : 1> } } }",
            "d.mlir",
        )
    )
    PassManager.parse("builtin.module(aie.device(aie-lower-multicast))").run(module)
    assert "aie.flow(%t, DMA : 0, %u, DMA : 1)" in str(module)
    assert "multicast" not in str(module)


CONFORMANCE = Path(__file__).resolve().parent.parent / "conformance"


def ran(pipeline, file):
    module = Module(parse_module(file.read_text(), file.name))
    PassManager.parse(pipeline).run(module)
    return str(module)


@pytest.mark.parametrize(
    "design",
    ["sum_two_in", "transpose_small", "new_two_devices", "new_tile_tasks", "aug_decompose", "aug_tasks_iron"],
)
def test_the_pipelines_of_aiecc_give_what_they_gave_there(design):
    folder = CONFORMANCE / design
    used = json.loads((folder / "meta.json").read_text())["generation"]
    release = next(one for one in reversed(RELEASES) if one.generation == used)
    set_generation(used)
    lower = f"builtin.module({release.lower.format(arch='aie2').replace('%s', '')})"
    assert (
        compare(ran(lower, folder / "design.mlir"), (folder / "input_with_addresses.mlir").read_text()) == []
    )
    before = "input_physical.mlir" if used == "2026-08" else "input_with_addresses.mlir"
    assert compare(ran(release.sequence, folder / before), (folder / "npu_insts.mlir").read_text()) == []


def test_an_option_with_another_value_than_the_lowering_has_is_refused():
    with pytest.raises(
        NotImplementedError, match="the option target-backend of the pass convert-vector-to-aievec"
    ):
        PassManager.parse("builtin.module(convert-vector-to-aievec{aie-target=aie2 target-backend=cpp})")


HEAD = "// -----// IR Dump"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ["After cse", "After symbol-dce", "After cse", "After aie-lower-set-lock Failed"]),
        ({"print_after_change": True}, ["After cse", "After symbol-dce", "After aie-lower-set-lock Failed"]),
        ({"print_after_failure": True}, ["After aie-lower-set-lock Failed"]),
        (
            {"print_before_all": True, "print_after_all": False, "large_elements_limit": None},
            ["Before cse", "Before symbol-dce", "Before cse", "Before aie-lower-set-lock"],
        ),
    ],
)
def test_the_module_is_printed_around_passes(capsys, options, shown):
    text = DESIGN.replace(
        "  }\n}", "    %l = aie.lock(%core0, 0)\n    aie.runtime_sequence() { aiex.set_lock(%l, 1) }\n  }\n}"
    )
    module = Module(parse_module(text, "design.mlir"))
    manager = PassManager.parse("builtin.module(cse,symbol-dce,cse,aie.device(aie-lower-set-lock))")
    manager.enable_ir_printing(**options)
    with pytest.raises(NotImplementedError):
        manager.run(module)
    errors = capsys.readouterr().err
    assert [line for line in errors.splitlines() if line.startswith(HEAD)] == [
        f"{HEAD} {when} //----- //" for when in shown
    ]
    assert errors.endswith(str(module) + "\n")
    with pytest.raises(NotImplementedError, match="print_generic_op_form of enable_ir_printing"):
        manager.enable_ir_printing(print_generic_op_form=True)


def test_a_pipeline_prints_its_modules(capsys):
    run_pipeline(Module(parse_module(DESIGN, "design.mlir")), "builtin.module(cse)", enable_ir_printing=True)
    assert capsys.readouterr().err.startswith(f"{HEAD} After cse //----- //\nmodule")


def test_pipelines_are_put_together_by_calls():
    pipeline = Pipeline().canonicalize() + Pipeline().Nested(
        "aie.device", Pipeline().add_pass("aie-place-tiles", **{"cores-per-col": 1}).aie_assign_lock_ids()
    )
    assert str(pipeline) == (
        "builtin.module(canonicalize,aie.device(aie-place-tiles{ cores-per-col=1 },aie-assign-lock-ids))"
    )
    given = Module(parse_module(DESIGN, "design.mlir"))
    made = run_pipeline(given, pipeline)
    assert "aie.tile(1, 2)" in str(made)
    assert "aie.logical_tile" in str(given)  # the module itself stays
    with pytest.raises(MlirCompilerError, match="the pass convert-vector-to-llvm is not offered"):
        run_pipeline(given, Pipeline().convert_vector_to_llvm())
