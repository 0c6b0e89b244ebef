"""Targets that people ask for, and what they stand for when a design cannot be built; a made-up machine."""

from __future__ import annotations

import json

import pytest
from made_up import FOUND, WASM, configuration, design, machine, refuse_disk
from test_host_recipe import PROGRAM
from test_recipe import RULES, VENDORS, context, edges

from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.detect.tool import FoundTool
from npuninja.errors import Location, UserError
from npuninja.packaging.package import Package
from npuninja.plan.design import LinkedObject, Sequence
from npuninja.plan.designs import Faulty
from npuninja.plan.dialect import dialect_of
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.package_recipe import package_plan
from npuninja.plan.providers import choose, for_tests
from npuninja.plan.recipe import plan
from npuninja.plan.words import tool_variables, variables
from npuninja.records import replace

VERDICTS = RULES | {"faulty", "verdict", "verdicts", "run_host", "report"}


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    refuse_disk(monkeypatch)


def target(graph: Graph, name: str) -> Edge:
    return next(edge for edge in graph.edges if edge.outputs == (name,))


def linked_with_nothing(name: str):
    """A design whose core wants an object that nothing makes."""
    core = replace(
        design().configurations[0].cores[0], objects=(LinkedObject("no.o", Location("mlir/bad.mlir")),)
    )
    return replace(design(name), configurations=(replace(design().configurations[0], cores=(core,)),))


def test_a_design_that_cannot_be_planned_leaves_nothing_and_says_why():
    made = replace(context(machine(*VENDORS)), rules=VERDICTS)
    refused = [
        Faulty("scanned", "mlir/scanned.mlir", "error: before", 2),
        Faulty("all", "mlir/all.py", "e", 2),
    ]
    program = replace(PROGRAM, arguments=("{bad.xclbin}",), designs=("bad",))
    graph = plan(made, [design(), linked_with_nothing("bad")], None, None, refused, [program])
    assert [fault.name for fault in refused] == ["scanned", "all", "bad"]
    assert "nothing makes 'no.o'" in refused[-1].text
    assert not any("/bad/" in path for edge in graph.edges for path in edge.outputs)
    for name in ("bad", "run-bad", "test-bad", "check-bad", "test-npu-bad"):
        assert target(graph, name).options == ("build/faults/bad.txt",)
    # The good one is made first; of a fault whose name is a target's, only the file tells.
    assert target(graph, "all").inputs == ("gain", "faulty-designs")
    assert target(graph, "faulty-designs").implicit == ("gain",)
    assert "build/faults/all.txt" in target(graph, "faulty-designs").options
    assert target(graph, "run").inputs == ("run-gain", "faulty-designs-run")
    # A host program of such a design waits for the target that says the fault.
    assert target(graph, "run-host-check").inputs == ("bad",)


def test_a_fault_that_was_not_asked_for_stops_nothing():
    made = replace(context(machine(*VENDORS)), rules=VERDICTS)
    graph = plan(made, [design()], None, ["gain"], [Faulty("bad", "mlir/bad.mlir", "e", 2)])
    assert target(graph, "all").inputs == ("gain",)
    assert target(graph, "bad").rule == "faulty"


def test_without_a_list_of_faults_the_first_is_an_error():
    with pytest.raises(UserError, match=r"nothing makes 'no\.o'"):
        plan(context(machine(*VENDORS)), [linked_with_nothing("bad")])


def test_verdicts_of_all_designs_and_of_machine_code():
    own = replace(context(machine(*VENDORS), "kernel=npuninja-aie2"), rules=VERDICTS)
    tested = replace(own, providers=for_tests({}, machine(*VENDORS), WASM))
    graph = plan(own, [design()], tested)
    table = target(graph, "test")
    assert table.rule == "verdicts"
    assert table.implicit == ("verdict-gain", "machine-code-gain")
    of = [word for word in table.options if word.startswith("gain")]
    assert of == [
        "gain=build/npu1_1col/wasm/gain/verdict.json",
        "gain:machine-code=build/npu1_1col/aie2/gain/verdict.json",
    ]
    run = target(graph, "machine-code-gain")
    assert (run.rule, run.inputs) == ("verdict", ("build/npu1_1col/aie2/gain/gain.json",))
    assert run.options[:2] == ("--device", "emu")
    assert target(graph, "report").options[-2:] == ("-o", "build/report")


def test_npuninjas_own_compiler_is_for_npu1():
    made = context(machine(*VENDORS), "kernel=npuninja-aie2")
    assert made.providers.of("kernel").name.startswith("npuninja-aie2 (ziglang 1; unoptimised")
    assert {made.providers.of(stage).provider.name for stage in ("kernel", "link")} == {"npuninja-aie2"}
    newer = replace(design(), configurations=(replace(configuration("main", ("s",)), device="npu2_1col"),))
    with pytest.raises(UserError, match="makes code for npu1"):
        plan(made, [newer])
    with pytest.raises(UserError, match="--provider link=peano does not go with npuninja-aie2"):
        choose({"kernel": "npuninja-aie2", "link": "peano"}, machine(), WASM)
    with pytest.raises(UserError, match="--provider core=peano does not go with npuninja-aie2"):
        choose({"kernel": "npuninja-aie2", "core": "peano"}, machine(), WASM)


def test_a_full_elf_has_all_configurations():
    both = (configuration("main", ("one", "two")), configuration("other", ("three",)))
    graph = plan(context(machine(*VENDORS)), [replace(design(), configurations=both, full_elf=True)])
    options = " ".join(edges(graph)["full_elf"].options)
    assert "--number 1 --number 2" in options
    assert "--instance main:one --instance main:two --instance other:three" in options
    assert "build/npu1_1col/wasm/gain/gain.full.elf" in target(graph, "gain").inputs
    assert "parameters" in edges(graph)


def test_what_a_package_is_made_of():
    made = context(machine(*VENDORS), package=Package())
    content = json.loads(package_plan(made, [design()], {"pdi": "c"}, "/bin/ninja"))
    assert content["designs"]["gain"][0] == "build/npu1_1col/wasm/gain/gain.json"
    assert content["engine"] == "build/engine.wasm"
    assert content["commands"] == {"pdi": "c"}


def test_every_variable_of_the_build_file_has_its_words():
    nothing = replace(context(machine(*VENDORS)), compiler=None)
    for made in (context(machine()), nothing):
        assert {*tool_variables()} <= {*variables(made)}
    assert variables(nothing)["wasm_compiler"] == ()
    launched = context(machine(*VENDORS, "ziglang", clang=FoundTool("clang", "/c", "PATH", "15", "c"),
                               wasm_ld=FoundTool("wasm-ld", "/l", "PATH", "15", "l")), launcher="/bin/ccache")  # fmt: skip
    assert variables(launched)["compile_options"][-2:] == ("--launcher", "/bin/ccache")


DIALECTS = {
    "the text alone": (("2026-02",), "auto", (), ("2026-02", "")),
    "it reads in two": (("2025-10", "2026-02"), "auto", (), ("2025-10", "and the oldest is taken")),
    "the project says": (("2025-10", "2026-02"), "2026-02", (), ("2026-02", "and toolchain.toml says so")),
    "it mixes two": ((), "2025-10", (), ("2025-10", "the text mixes two")),
    "days between": (("2026-02",), "auto", ("2025-11-18", "2025-12-17"), ("2026-02", "from 2025-11-18 to before")),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_the_dialect_and_why(name):
    generations, asked, days, (expected, why) = DIALECTS[name]
    made = replace(design(), generations=generations, generation=asked, days=days)
    generation, reason = dialect_of(made, context(machine(*VENDORS)).providers)
    assert generation == expected
    assert why in reason
    assert bool(why) == bool(reason)


def test_more_buffers_than_a_kernel_of_old_is_said_to_the_xclbin():
    wide = configuration("main", ("sequence",), buffers=7)
    graph = plan(context(machine(*VENDORS)), [replace(design(), configurations=(wide,))])
    assert "--buffers 7" in " ".join(edges(graph)["xclbin"].options)
    assert wide.sequences == (Sequence("sequence", 7, wide.location),)
    assert FOUND["aie-opt"].facts == tuple(RELEASES[0].needs)


def test_of_two_designs_with_one_name_the_good_one_has_the_targets():
    made = replace(context(machine(*VENDORS)), rules=VERDICTS)
    graph = plan(made, [design()], None, None, [Faulty("gain", "mlir/gain.py", "e", 2)])
    assert target(graph, "gain").rule == "phony"
    assert target(graph, "run-gain").rule == "run"
    assert target(graph, "all").inputs == ("gain",)
