"""The passes as data: order and names of the reference's pipelines; what `npuninja lower` shows of them."""

from __future__ import annotations

import re
import sys

import pytest
from conftest import CONFORMANCE, ROOT

from npuninja.cli import main
from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.errors import Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.generation import RULES, rules_of
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.passes import (
    RESOURCES,
    ROUTING,
    SEQUENCES,
    STEPS,
    PassSettings,
    find,
    names,
    run_passes,
    until,
)
from npuninja.lowering.pipeline import generation_of

DESIGN = CONFORMANCE / "fan_out_two" / "design.mlir"
# Spelled with an option here, or without effect on what the embedded lowering keeps.
OF_THE_REFERENCE = ("aie-", "convert-", "lower-affine", "canonicalize")


def test_every_pass_is_a_function_that_is_there():
    for passes in STEPS.values():
        for one in passes:
            module_name, _, function = one.function.partition(":")
            module = __import__(f"npuninja.lowering.{module_name}", fromlist=[function])
            assert callable(getattr(module, function)), one.name
            field = one.when.removeprefix("not ")
            assert not field or isinstance(getattr(rules_of("2025-10"), field), bool), one.name
            assert one.scope in ("module", "device", "sequence")
            assert one.name.startswith(("own-", *OF_THE_REFERENCE)), one.name


#: Before the substitution of allocations here, which meets no loops: the unrolling, and folding after it.
#: Neither looks at the changes of the substitution, nor it at theirs.
MOVED = ("aie-unroll-runtime-sequence-loops", "canonicalize")


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.since)
def test_the_order_is_that_of_the_reference(release):
    """Every two passes that a release's pipeline and ours share are in the same order."""
    ours = [one.name for one in (*RESOURCES, *ROUTING, *SEQUENCES) if one.runs(rules_of(release.generation))]
    theirs = re.findall(
        r"[a-z][\w-]+", re.sub(r"\{\{.*?\}\}", "", ",".join((release.lower, release.sequence)))
    )
    shared = [name for name in ours if name in theirs and name not in MOVED]
    assert "lower-affine" in shared
    assert len(shared) > 8
    # Theirs has some passes several times.
    behind = iter(theirs)
    assert [name for name in shared if name not in behind] == []


#: What no pass here does, and why.
ELSEWHERE = {
    "aie-vector-transfer-lowering": "core code, which a stage of its own makes, moves whole vectors",
    "aie-lower-dynamic-bd-pool": "only sequences with run-time values have such a pool, and these are refused",
}


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.since)
def test_each_pass_of_the_reference_is_one_of_ours_or_part_of_one(release):
    pipelines = re.sub(r"\{\{.*?\}\}", "", ",".join((release.lower, release.sequence)))
    theirs = set(re.findall(r"aiex?-[\w-]+", pipelines)) - set(ELSEWHERE)
    assert {find(name) for name in theirs} <= set(names())


def test_no_pass_stands_for_another_of_ours():
    behind = [name for passes in STEPS.values() for one in passes for name in one.stands_for]
    assert not set(behind) & set(names())
    assert len(set(behind)) == len(behind)


def test_passes_run_on_what_their_scope_says():
    seen = []
    module = parse_module(DESIGN.read_text(encoding="utf-8"), str(DESIGN))
    settings = PassSettings(rules_of("2025-10"), Warnings())
    run_passes(RESOURCES, module, settings, lambda one, root: seen.append((one.name, root.name)))
    expected = [
        (one.name, "builtin.module" if one.scope == "module" else "aie.device")
        for one in RESOURCES
        if one.runs(settings.rules)
    ]
    assert seen == expected


@pytest.mark.parametrize("generation", sorted(RULES))
def test_a_pass_may_stand_twice_and_runs_once(generation):
    running = [one.name for one in RESOURCES if one.runs(rules_of(generation))]
    assert running.count("aie-assign-lock-ids") == 1
    assert until(RESOURCES, rules_of(generation), "aie-assign-bd-ids")[0][-1].name == "aie-assign-bd-ids"
    assert until(RESOURCES, rules_of(generation), "aie-dma-to-npu") == (
        [one for one in RESOURCES if one.runs(rules_of(generation))],
        False,
    )


def test_the_module_is_printed_after_a_pass(tmp_path, capsys):
    assert (
        main(["lower", str(DESIGN), "-o", str(tmp_path), "--print-after", "aie-assign-buffer-addresses"]) == 0
    )
    printed = capsys.readouterr().err
    assert printed.count("// -----// after") == 1
    head, _, text = printed.partition("\n")
    assert head == "// -----// after aie-assign-buffer-addresses on @main //----- //"
    assert "address = " in text
    assert "aie.objectfifo" not in text
    module = parse_module(text, "printed")
    assert print_module(module).strip() == text.strip()
    assert (tmp_path / "insts.bin").exists()


def test_a_pass_is_printed_without_writing_anything(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["lower", str(DESIGN), "--print-after", "aie-objectFifo-unroll"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("// -----// after aie-objectFifo-stateful-transform on @main")
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_all_passes_are_printed(tmp_path, capsys):
    assert main(["lower", str(DESIGN), "-o", str(tmp_path), "--print-after", "all"]) == 0
    printed = re.findall(r"^// -----// after (\S+)", capsys.readouterr().err, re.MULTILINE)
    running = [
        one.name for p in (RESOURCES, ROUTING, SEQUENCES) for one in p if one.runs(rules_of("2025-10"))
    ]
    assert printed == running


@pytest.mark.parametrize(
    ("name", "there", "gone"),
    [
        ("aie-canonicalize-device", "aie.objectfifo", "aie.dma_bd"),
        ("aie-objectFifo-stateful-transform", "aie.dma_bd", "aie.objectfifo("),
        ("aie-create-pathfinder-flows", "aie.switchbox", "aie.objectfifo"),
        ("aie-dma-to-npu", "aiex.npu.", "aiex.npu.dma_memcpy_nd"),
    ],
)
def test_the_lowering_stops_behind_a_pass(tmp_path, capsys, name, there, gone):
    assert main(["lower", str(DESIGN), "-o", str(tmp_path), "--stop-after", name]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.mlir"]
    text = (tmp_path / f"{name}.mlir").read_text(encoding="utf-8")
    assert there in text
    assert gone not in text
    assert main(["lower", str(DESIGN), "--stop-after", name]) == 0
    assert capsys.readouterr().out == text


def test_unknown_passes_are_refused(tmp_path, capsys):
    assert (
        main(["lower", str(DESIGN), "-o", str(tmp_path), "--print-after", "aie-assign-buffer-adresses"]) == 2
    )
    assert "did you mean 'aie-assign-buffer-addresses'?" in capsys.readouterr().err
    assert main(["lower", "--passes"]) == 0
    assert capsys.readouterr().out.split() == names()
    assert main(["lower", str(DESIGN), "--stop-after", "aie-assign-core-link-files"]) == 2
    assert "the lowering of 2025-10 has no pass" in capsys.readouterr().err


def test_a_step_loads_only_its_own_passes():
    import subprocess

    code = (
        "import sys; from npuninja.lowering import pipeline, passes\n"
        "print(*[name for name in sys.modules if name.startswith('npuninja.lowering.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        f"npuninja.lowering.{name}" for name in ("generation", "passes", "pipeline")
    }


@pytest.mark.parametrize(
    "name",
    [
        "aug_tasks_iron",
        "cascade_row",
        "new_two_devices",
        "aug_scratchpad",
        "nested_two_levels",
        "dma_regions",
    ],
)
def test_a_pass_that_is_skipped_would_have_done_nothing(name):
    """A pass says without which operations it has nothing to do: run all the same, it changes nothing."""
    text = (CONFORMANCE / name / "design.mlir").read_text(encoding="utf-8")
    results = []
    for skips in (True, False):
        module = parse_module(text, "design.mlir")
        generation = generation_of(module)
        numbers_from_values(module)
        for step in STEPS.values():
            passes = step if skips else [one._replace(only_with=()) for one in step]
            run_passes(passes, module, PassSettings(rules_of(generation), Warnings()))
        results.append(print_module(module))
    assert results[0] == results[1]


def test_what_a_pass_is_for():
    beginnings = next(one for one in RESOURCES if one.name == "aie-objectFifo-stateful-transform")
    assert beginnings.concerns({"aie.objectfifo"})
    assert beginnings.concerns({"aie.objectfifo.link"})
    assert not beginnings.concerns({"aie.objectfifo_rearm_binding", "aie.buffer"})
    runs = next(one for one in SEQUENCES if one.name == "aie-materialize-runtime-sequences")
    assert not runs.concerns({"aiex.runtime_sequence"})
